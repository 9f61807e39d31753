"""Pages of the exchange: download, hand in, see what would change, accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jalon.contracts import access, content as doc, queries
from jalon.contracts.exchange import actions, waiting, workbook, yaml_file
from jalon.contracts.frame import address, find, frame, reader, text_no
from jalon.contracts.models import Contract, Text
from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.ui.http import acts, answer_refusal, page

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "yaml": "application/yaml; charset=utf-8",
}


def write(text: Text, kind: str) -> bytes:
    """A text as a file of that kind."""
    contract = text.contract
    about: dict[str, Any] = {
        "slug": contract.slug,
        "text_number": text.number,
        "rev": text.rev,
        "simulated": contract.simulated,
    }
    if kind == "xlsx":
        return workbook.write(text.content, words=policy().words, **about)
    return yaml_file.write(text.content, **about)


def text_name(text: Text) -> Any:
    """« Contrat d'origine », « Avenant n° 2 »."""
    if text.number == 0:
        return T("Contrat d'origine", "Original contract")
    return T("Avenant n° {n}", "Amendment no. {n}", n=text.number)


def _with_state(request: HttpRequest, contract: Contract) -> list[dict[str, Any]]:
    """The texts that the actor may read, the one that matters now first."""
    drafts = access.may_read_drafts(request.actor, contract, clock.today())
    now = queries.current_text(contract)
    rows = []
    for text in sorted(contract.texts.all(), key=lambda t: (t.pk != now.pk, t.number)):
        if text.state != "signed" and not drafts:
            continue
        query = urlencode({"texte": text.number})
        links = [
            (T("Classeur XLSX", "XLSX workbook"), reverse("contract-xlsx", args=[contract.slug])),
            (T("Fichier YAML", "YAML file"), reverse("contract-yaml", args=[contract.slug])),
            ("PDF", address("contract-pdf", contract.slug)),
            ("Word", address("contract-docx", contract.slug)),
        ]
        own = []
        if text.base_id:
            own = [
                (T("Avenant en PDF", "Amendment as PDF"), address("amendment-pdf", contract.slug, text.number)),
                (T("Avenant en Word", "Amendment as Word"), address("amendment-docx", contract.slug, text.number)),
            ]
        rows.append(
            {
                "text": text,
                "name": text_name(text),
                "state": actions.states.TITLES[text.state],
                "tone": actions.states.TONES.get(text.state, "quiet"),
                "links": [{"label": label, "url": f"{url}?{query}"} for label, url in links if url],
                "own": [{"label": label, "url": url} for label, url in own if url],
                "current": text.pk == now.pk,
            }
        )
    return rows


def _target(request: HttpRequest, contract: Contract) -> tuple[Text | None, Any]:
    """The text that a file would change, and why the actor may not bring one."""
    try:
        text = actions.target(contract)
        actions.may_bring(request.actor, text, clock.today())
    except Refused as refusal:
        return None, refusal
    return text, None


def _trail(context: dict[str, Any], contract: Contract, last: Any = None) -> None:
    trail = [*context["breadcrumb"]]
    trail[-1] = {"url": reverse("contract", args=[contract.slug]), "label": contract.title}
    here: dict[str, Any] = {"label": T("Échange", "Exchange")}
    if last is not None:
        here["url"] = reverse("contract-exchange", args=[contract.slug])
        trail += [here, {"label": last}]
    else:
        trail.append(here)
    context["breadcrumb"] = trail


@require_safe
@never_cache
@page
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Files of the contract, and where to hand one in."""
    contract = find(request, slug)
    context = frame(request, contract, "export")
    _trail(context, contract)
    return render(request, "contracts/exchange/index.html", context | _index(request, contract))


def _index(request: HttpRequest, contract: Contract) -> dict[str, Any]:
    target, refusal = _target(request, contract)
    return {
        "rows": _with_state(request, contract),
        "target": target,
        "target_name": text_name(target) if target else None,
        "refusal": refusal if request.actor.signed_in and not isinstance(refusal, NotAllowed) else None,
        "accept": ".xlsx,.ods,.yaml,.yml",
    }


@require_safe
@never_cache
@page
def download(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """A text as a workbook or a YAML file; ``?texte=`` names it (the one that stands now without)."""
    contract = find(request, slug)
    asked = request.GET.get("texte", "")
    if asked and not (asked.isdecimal() and len(asked) < 7):
        raise Http404
    number = int(asked) if asked else queries.current_text(contract).number
    text = text_no(request, contract, number)
    response = HttpResponse(write(text, kind), content_type=TYPES[kind])
    mark = f"-{T('simule', 'simulated')}" if contract.simulated else ""
    response["Content-Disposition"] = f'attachment; filename="{contract.slug}-{text.number}{mark}.{kind}"'
    return response


@never_cache
@acts
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand in a file: it is read and kept aside; nothing of the contract is written."""
    contract = find(request, slug)
    target = actions.target(contract)
    actions.may_bring(request.actor, target, clock.today())
    given = request.FILES.get("file")
    if given is None:
        raise Refused(T("Choisir d'abord un fichier.", "Choose a file first."), kind="input")
    data = given.read()
    try:
        actions.difference(target, actions.read_file(data, given.name, target))
        token = waiting.keep(data, given.name, slug=slug, user_id=request.actor.user_id, text=target.number)
    except NotAllowed:
        raise
    except Refused as error:
        context = frame(request, contract, "export")
        _trail(context, contract)
        context |= _index(request, contract) | {"error": error}
        return render(request, "contracts/exchange/index.html", context, status=400)
    return redirect(f"{reverse('contract-import-preview', args=[slug])}?{urlencode({'fichier': token})}")


def _opened(request: HttpRequest, slug: str, token: str) -> tuple[Contract, Text, waiting.Waiting]:
    contract = find(request, slug)
    file, number = waiting.find(token, slug=slug, user_id=request.actor.user_id)
    target = actions.target(contract)
    if target.number != number:
        target = actions.target(contract, number)
    actions.may_bring(request.actor, target, clock.today())
    return contract, target, file


@require_safe
@never_cache
@page
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """What the file would change, cell by cell."""
    token = request.GET.get("fichier", "")
    contract, target, file = _opened(request, slug, token)
    return _preview(request, contract, target, file, token)


def _preview(
    request: HttpRequest,
    contract: Contract,
    target: Text,
    file: waiting.Waiting,
    token: str,
    refusal: Refused | None = None,
    typed: Mapping[str, Any] | None = None,
) -> HttpResponse:
    found = actions.difference(target, actions.read_file(file.data, file.name, target))
    say_old, say_new = reader(target.content), reader(_after(target, found))
    typed = typed or {}
    ticked = typed.get("take")
    rows = [
        {
            "path": c.path,
            "place": place_of(found, c.path),
            "label": doc.capital(c.label),
            "kind": c.kind,
            "old": _lines(c.path, c.old, say_old, whole=c.kind == "removed"),
            "new": _lines(c.path, c.new, say_new, whole=c.kind == "added"),
            "long": _long(c),
            "refused": found.refused.get(c.path),
            "ticked": c.path not in found.refused if ticked is None else c.path in ticked,
        }
        for c in found.changes
    ]
    clashes = [
        {
            "path": c.path,
            "place": place_of(found, c.path),
            "label": doc.capital(c.label),
            "old": _lines(c.path, c.old, say_old),
            "theirs": _lines(c.path, c.theirs, say_old),
            "ours": _lines(c.path, c.ours, say_new),
            "who": c.who,
            "at": c.at,
            "possible": c.possible,
            "ticked": c.path in (typed.get("overrule") or ()),
        }
        for c in found.clashes
    ]
    context = frame(request, contract, "export")
    _trail(context, contract, file.name)
    context |= {
        "file": file,
        "token": token,
        "found": found,
        "rows": rows,
        "clashes": clashes,
        "errors": found.errors,
        "warnings": [f for f in found.faults if f.level != "error"],
        "target": target,
        "target_name": text_name(target),
        "signed": target.state == "signed",
        "negotiated": target.state == "negotiation",
        "reason_needed": target.state in ("negotiation", "signed"),
        "refusal": refusal,
        "reason": typed.get("reason", ""),
        "without": typed.get("without", False),
        "faulty": len(found.errors) + len(found.refused),
    }
    return render(request, "contracts/exchange/preview.html", context, status=400 if refusal else 200)


def place_of(found: actions.Difference, path: str) -> str:
    """The cell of a change; of its row when the whole element changes."""
    place = found.places.get(path, "")
    if not place:
        place = found.places.get(doc.place(path).element_path, "")
    return place


def _after(target: Text, found: actions.Difference) -> Mapping[str, Any]:
    """The text after the changes that can stand, so that references to new elements have a name."""
    try:
        return doc.apply(target.content, found.fit)
    except Refused:
        return target.content


def _long(change: doc.Change) -> bool:
    return all(isinstance(v, str) for v in (change.old, change.new)) and max(len(change.old), len(change.new)) > 80


def _lines(path: str, value: Any, say: Any, whole: bool = False) -> list[str]:
    """A value as lines: a whole element by its fields."""
    if value in (None, "", [], {}) and doc.place(path).whole:
        return []
    if not whole or not isinstance(value, Mapping):
        return [say(path, value)]
    kind = doc.place(path).element
    lines = [doc.name_of(kind, value)]
    for item in kind.fields:
        got = value.get(item.name)
        if item.name in ("title", "name") or got in (None, "", [], {}, False):
            continue
        if item.yearly:
            said = " ; ".join(f"{year} : {say(f'{path}/{item.name}/{year}', v)}" for year, v in sorted(got.items()))
        else:
            said = say(f"{path}/{item.name}", got)
        lines.append(f"{doc.capital(item.word)} : {said}")
    for child in kind.children:
        for below in value.get(child.name) or ():
            lines.append(f"{doc.capital(child.word)} : {doc.name_of(child, below)}")
    return lines


@never_cache
@acts
def accept(request: HttpRequest, slug: str) -> HttpResponse:
    """Take what is ticked."""
    token = request.POST.get("fichier", "")
    contract, target, file = _opened(request, slug, token)
    ticked = set(request.POST.getlist("take"))
    overrule = set(request.POST.getlist("overrule"))
    typed = {
        "take": ticked,
        "overrule": overrule,
        "reason": request.POST.get("reason", ""),
        "without": bool(request.POST.get("without")),
    }
    try:
        if not ticked and not overrule:
            raise Refused(T("Rien n'est coché : rien n'a été écrit.", "Nothing is ticked: nothing was written."))
        taken = actions.take(
            target,
            actions.read_file(file.data, file.name, target),
            by=request.actor,
            on=clock.today(),
            reason=typed["reason"],
            only=ticked,
            overrule=overrule,
            without_faulty=typed["without"],
            file=file.name,
            sha256=file.sha256,
        )
    except NotAllowed as refusal:
        return answer_refusal(request, refusal)
    except Refused as refusal:
        return _preview(request, contract, target, file, token, refusal, typed)
    messages.success(request, str(taken.sentence))
    if taken.text.number:
        return redirect(
            address("contract-amendment", slug, taken.text.number) or reverse("contract-exchange", args=[slug])
        )
    return redirect("contract", slug)
