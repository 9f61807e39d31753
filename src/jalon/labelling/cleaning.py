"""Takes the author's properties out of a file, so that an anonymous opinion does not name its author.

Office files carry them in parts of their own, pictures in segments or chunks, PDF files in the Info dictionary and the
XMP packet. What cannot be cleaned without rewriting the file (an encrypted or compressed PDF dictionary, an e-mail) is
refused with what to do. The visible text is the author's own affair.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path

from jalon.core.errors import Refused
from jalon.core.files import MAX_BYTES
from jalon.core.lang import T

_EMPTY_CORE = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)
_EMPTY_APP = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>'
)
_EMPTY_CUSTOM = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"/>'
)
_EMPTY_META = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.2">'
    b"<office:meta/></office:document-meta>"
)
_PARTS = {
    "docProps/core.xml": _EMPTY_CORE,
    "docProps/app.xml": _EMPTY_APP,
    "docProps/custom.xml": _EMPTY_CUSTOM,
    "meta.xml": _EMPTY_META,
}
# Authors of comments and tracked changes, in Word, Writer and spreadsheets.
_NAMES_IN_TEXT = (
    (re.compile(rb'(w:(?:author|initials)=")[^"]*(")'), rb"\1\2"),
    (re.compile(rb"(<dc:creator>)[^<]*(</dc:creator>)"), rb"\1\2"),
    (re.compile(rb"(<meta:(?:creator|initial-creator|creator-initials)>)[^<]*(</meta:)"), rb"\1\2"),
    (re.compile(rb"(<author>)[^<]*(</author>)"), rb"\1\2"),
    (re.compile(rb'((?:displayName|userId|w15:author|w15:userId|providerId)=")[^"]*(")'), rb"\1\2"),
)
_PDF_KEYS = rb"/(?:Author|Creator|Producer|Title|Subject|Keywords|Company|Manager)"


def _cannot(name: str, fr: str, en: str) -> Refused:
    return Refused(
        T(
            "Le fichier « {name} » nomme peut-être son auteur et ne peut pas être rendu anonyme ici : {why}.",
            "The file “{name}” may name its author and cannot be made anonymous here: {why}.",
            name=name,
            why=T(fr, en),
        ),
        kind="input",
    )


def clean(data: bytes, name: str) -> bytes:
    """The same file without its author's properties.

    Raises:
        Refused: the kind of file cannot be cleaned; nothing is kept then.
    """
    ending = Path(name).suffix.lower()
    if ending in (".docx", ".xlsx", ".odt", ".ods"):
        return _office(data, name)
    if ending == ".pdf":
        return _pdf(data, name)
    if ending == ".png":
        return _png(data, name)
    if ending in (".jpg", ".jpeg"):
        return _jpeg(data, name)
    if ending in (".txt", ".csv"):
        return data
    raise _cannot(
        name,
        "joindre un fichier .pdf, .docx, .odt, .xlsx, .ods, .csv, .txt, .png ou .jpg",
        "attach a .pdf, .docx, .odt, .xlsx, .ods, .csv, .txt, .png or .jpg file",
    )


def _office(data: bytes, name: str) -> bytes:
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            if sum(i.file_size for i in source.infolist()) > 8 * MAX_BYTES:
                raise _cannot(name, "il se déplie en un fichier trop grand", "it unpacks into too large a file")
            for info in source.infolist():
                body = _PARTS.get(info.filename)
                if body is None:
                    body = source.read(info)
                    if info.filename.endswith(".xml"):
                        for pattern, to in _NAMES_IN_TEXT:
                            body = pattern.sub(to, body)
                fresh = zipfile.ZipInfo(info.filename)
                fresh.compress_type = info.compress_type
                target.writestr(fresh, body)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
        raise _cannot(
            name, "il est abîmé ou protégé par un mot de passe", "it is damaged or protected by a password"
        ) from error
    return out.getvalue()


def _blank(match: re.Match[bytes]) -> bytes:
    return match.group(1) + b" " * len(match.group(2)) + match.group(3)


def _pdf(data: bytes, name: str) -> bytes:
    if not data.lstrip()[:5].startswith(b"%PDF-"):
        raise _cannot(name, "ce n'est pas un PDF", "it is no PDF")
    if b"/Encrypt" in data:
        raise _cannot(name, "il est protégé ; l'enregistrer sans protection", "it is protected; save it unprotected")
    for stream in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.S):
        try:
            text = zlib.decompressobj().decompress(stream.group(1), 4_000_000)
        except zlib.error:
            continue
        if re.search(rb"/Author\b|<dc:creator>|xmpmeta", text):
            raise _cannot(
                name,
                "ses propriétés sont comprimées ; l'imprimer dans un nouveau PDF sans propriétés",
                "its properties are compressed; print it to a new PDF without properties",
            )
    literal = re.compile(rb"(" + _PDF_KEYS + rb"\s*\()((?:\\.|[^\\()])*)(\))", re.S)
    hexadecimal = re.compile(rb"(" + _PDF_KEYS + rb"\s*<)([0-9A-Fa-f\s]*)(>)", re.S)
    data = literal.sub(_blank, data)
    data = hexadecimal.sub(
        lambda m: m.group(1) + b"20" * (len(m.group(2)) // 2) + b" " * (len(m.group(2)) % 2) + m.group(3), data
    )
    data = re.sub(rb"(<x:xmpmeta[^>]*>)(.*?)(</x:xmpmeta>)", _blank, data, flags=re.S)
    if re.search(_PDF_KEYS + rb"\s*\((?!\s*\))", data) or re.search(rb"/Author\s+\d+\s+\d+\s+R", data):
        raise _cannot(
            name,
            "ses propriétés ne se lisent pas ; l'imprimer dans un nouveau PDF sans propriétés",
            "its properties cannot be read; print it to a new PDF without properties",
        )
    return data


def _png(data: bytes, name: str) -> bytes:
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise _cannot(name, "ce n'est pas une image PNG", "it is no PNG picture")
    out, at = [data[:8]], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"):
            out.append(data[at : at + 12 + size])
        at += 12 + size
    return b"".join(out)


def _jpeg(data: bytes, name: str) -> bytes:
    if data[:2] != b"\xff\xd8":
        raise _cannot(name, "ce n'est pas une image JPEG", "it is no JPEG picture")
    out, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:  # the picture itself: no more segments
            break
        (size,) = struct.unpack(">H", data[at + 2 : at + 4])
        # APP1 to APP15 (Exif, XMP, Photoshop) and comments; APP0 is the format's own.
        if not (0xE1 <= marker <= 0xEF or marker == 0xFE):
            out.append(data[at : at + 2 + size])
        at += 2 + size
    return b"".join([*out, data[at:]])
