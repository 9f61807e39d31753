"""A file handed in is of the kind that its name tells."""

import pytest

from jalon.core.files import is_of_kind


@pytest.mark.parametrize(
    ("ending", "start", "fits"),
    [
        (".pdf", b"%PDF-1.7\n", True),
        (".pdf", b"\n\n%PDF-1.4", True),
        (".pdf", b"PK\x03\x04", False),
        (".xlsx", b"PK\x03\x04....", True),
        (".xlsx", b"\xd0\xcf\x11\xe0", False),  # an old or a password-protected workbook
        (".png", b"\x89PNG\r\n\x1a\n", True),
        (".jpg", b"MZ\x90\x00", False),
        (".csv", "nom;ville\nÉlan;Évry\n".encode("cp1252"), True),
        (".csv", "nom\n".encode("utf-16"), True),
        (".txt", b"\x7fELF\x00\x00", False),
        (".eml", b"From: a@exemple.test\n", True),
    ],
)
def test_first_bytes_tell_the_kind(ending, start, fits):
    assert is_of_kind(ending, start) is fits
