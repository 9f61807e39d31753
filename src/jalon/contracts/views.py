"""Pages of contracts: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.models import Cluster, Correspondent
from jalon.contracts import access, actions, content as doc, forms, queries, rules, states
from jalon.contracts.frame import address, anchor, cap, find, frame, reader, text_no
from jalon.contracts.models import Annex, Comment, Contract, Proposal, Text
from jalon.contracts.outline import Outline, mark, read_inputs
from jalon.core import clock
from jalon.core.canonical import FORM
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.files import path_of
from jalon.core.lang import T
from jalon.core.models import Source
from jalon.core.sheets import Column
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.ui.http import acts, answer_refusal, export, page, wants

PER_PAGE = 50


# --- list ---------------------------------------------------------------------------------------------------------


@page
def contract_list(request: HttpRequest) -> HttpResponse:
    """Contracts that the reader may know of: filters, sort, totals, exports."""
    day = clock.today()
    got = request.GET
    filters = queries.Filters(
        **{name: got.get(name, "").strip()[:120] for name in queries.Filters.__dataclass_fields__}
    )
    contracts = queries.listed(request.actor, day, filters)
    if wants(request) != "html":
        return _export_list(request, contracts, day)
    laws = policy()
    total = contracts.count()
    paged = Paginator(contracts, PER_PAGE)
    current = paged.get_page(got.get("page"))
    rows = queries.rows_of(list(current.object_list), day)
    regions = laws.regions_on(day)
    drafts = request.actor.signed_in and request.actor.can("draft.read")
    shown_states = states.STATES if drafts else [s for s in states.STATES if s.code in states.PUBLIC]
    return render(
        request,
        "contracts/list.html",
        {
            "title": cap(laws.word("contracts")),
            "breadcrumb": [{"label": cap(laws.word("contracts"))}],
            "filters": filters,
            "filtered": any(getattr(filters, n) for n in ("q", "phase", "state", "region", "party", "kind")),
            "rows": [(row, states.TITLES[row.contract.state], states.TONES[row.contract.state]) for row in rows],
            "page": current,
            "total": total,
            "promised": queries.promised_total(contracts),
            "phases": [(p.code, p.title) for p in laws.phases],
            "states": [(s.code, s.title) for s in shown_states],
            "regions": [(r.code, r.name) for r in regions.regions] if regions else [],
            "phase_titles": {p.code: p.title for p in laws.phases},
            "may_prepare": request.actor.can("contract.prepare"),
            "simulated": any(row.contract.simulated for row in rows),
        },
    )


def _export_list(request: HttpRequest, contracts: Any, day: dt.date) -> HttpResponse:
    columns = [
        ("cluster", Column(T("Pôle", "Cluster"), width=28)),
        ("contract", Column(T("Contrat", "Contract"), width=48)),
        ("slug", Column(T("Code", "Code"))),
        ("phase", Column(T("Phase", "Phase"))),
        ("state", Column(T("État", "State"))),
        ("starts_on", Column(T("Début", "Start"), "date")),
        ("ends_on", Column(T("Fin", "End"), "date")),
        ("signed_on", Column(T("Dernière signature", "Last signature"), "date")),
        ("in_force", Column(T("En vigueur le {d}", "In force on {d}", d=day.isoformat()))),
        ("parties", Column(T("Parties", "Parties"), width=60)),
        ("promised", Column(T("Engagements publics", "Public commitments"), "money")),
    ]
    answers = {True: str(T("oui", "yes")), False: str(T("non", "no")), None: str(T("inconnu", "unknown"))}
    titles = {code: str(title) for code, title in states.TITLES.items()}
    shown = (
        "slug", "title", "phase", "state", "starts_on", "ends_on", "signed_on", "closed_on", "known", "simulated",
        "template", "cluster__name",
    )  # fmt: skip
    found = list(contracts.only(*shown))

    def lines() -> Any:
        forces = queries.in_force_many(found, day)
        parties = queries.party_names(contracts)
        for c in queries.name_clusters(found, day):
            yield [
                c.cluster_name,
                c.title,
                c.slug,
                c.phase,
                titles[c.state],
                c.starts_on,
                c.ends_on,
                c.signed_on,
                answers[forces[c.pk].answer],
                " ; ".join(parties.get(c.pk, ())),
                c.promised,
            ]

    return export(request, "contrats", columns, lines(), simulated=any(c.simulated for c in found))


# --- preparing ----------------------------------------------------------------------------------------------------


@never_cache
@page
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new contract; what was typed stays when it is refused."""
    actor, day = request.actor, clock.today()
    actor.require("contract.prepare")
    clusters = Cluster.objects.order_by("name_key")
    if not actor.national:
        clusters = clusters.filter(
            id__in=Correspondent.objects.filter(user_id=actor.principal_id or actor.user_id, starts_on__lte=day)
            .exclude(ends_on__lt=day)
            .values("cluster_id")
        )
    laws = policy()
    phase = laws.phase_on(day)
    initial: dict[str, Any] = {"state": actor.organisation_id}
    if request.GET.get("pole"):
        initial["cluster"] = clusters.filter(slug=request.GET["pole"]).values_list("pk", flat=True).first()
    if phase:
        try:
            usual = laws.contract_template_for(phase.code).durations
            initial |= {"phase": phase.code, "starts_on": usual.usual_start, "ends_on": usual.usual_end}
        except KeyError:
            pass
    form = forms.NewContract(request.POST or None, clusters=clusters, initial=initial)
    refusal = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        carrier = (
            data["cluster"].carriers.filter(access._within(data["starts_on"])).select_related("organisation").first()
            or data["cluster"].carriers.select_related("organisation").order_by("-starts_on", "-id").first()
        )
        try:
            if carrier is None:
                raise Refused(
                    T(
                        "Le registre ne connaît pas la structure de gouvernance de ce pôle ; inscrivez-la d'abord.",
                        "The register does not know the governance structure of this cluster; enter it first.",
                    )
                )
            made = actions.prepare(
                data["cluster"],
                phase=data["phase"],
                starts_on=data["starts_on"],
                ends_on=data["ends_on"],
                title=data["title"],
                parties=[
                    ("state", data["state"], data["state_signatory"]),
                    *(("authority", one, "") for one in data["authorities"]),
                    ("governance", carrier.organisation, data["governance_signatory"]),
                ],
                by=actor,
                on=day,
            )
            messages.success(request, T("Le contrat est prêt à être rédigé.", "The contract is ready to be written."))
            return redirect("contract", made.slug)
        except NotAllowed:
            raise
        except Refused as found:
            refusal = found
    return render(
        request,
        "contracts/new.html",
        {
            "title": T("Préparer un contrat", "Prepare a contract"),
            "breadcrumb": [
                {"url": address("contract-list"), "label": cap(laws.word("contracts"))},
                {"label": T("Préparer", "Prepare")},
            ],
            "form": form,
            "refusal": refusal,
        },
        status=400 if request.method == "POST" else 200,
    )


# --- negotiation --------------------------------------------------------------------------------------------------


@never_cache
@page
def contract(request: HttpRequest, slug: str) -> HttpResponse:
    """The negotiation while nothing binds; then the follow-up."""
    found = find(request, slug)
    if found.state in states.PUBLIC:
        return redirect(address("contract-dashboard", slug) or reverse("contract-text", args=[slug]))
    text = text_no(request, found, 0)
    return _negotiation(request, found, text)


@never_cache
@page
def amendment(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """An amendment: its negotiation while it is open, its difference once it binds."""
    found = find(request, slug)
    text = text_no(request, found, number)
    if number == 0:
        return redirect("contract", slug)
    if text.state not in states.OPEN:
        return redirect("contract-difference", slug, number)
    return _negotiation(request, found, text)


def _page_of(text: Text) -> str:
    slug = text.contract.slug
    return reverse("contract-amendment", args=[slug, text.number]) if text.number else reverse("contract", args=[slug])


def _negotiation(
    request: HttpRequest,
    contract: Contract,
    text: Text,
    *,
    typed: Any = None,
    refusal: Refused | None = None,
    editing: str = "",
    adding: str = "",
    status: int = 200,
) -> HttpResponse:
    actor, day = request.actor, clock.today()
    template = queries.template_of(contract)
    rows = list(contract.parties.all())
    party = access.party_of(actor, contract, day, rows)
    proposals = list(text.proposals.filter(state="open").select_related("party__organisation").order_by("at", "id"))
    remarks = list(text.comments.all())
    decisions = queries.decisions_on(text)
    annex_keys = [a.key for a in queries.annexes_of(text)]
    requirements = queries.requirements_of(
        text, day, template=template, decisions=decisions, annex_keys=annex_keys, open_proposals=len(proposals)
    )
    direct = party is not None and rules.may_edit_directly(text.state, party)
    prepares = text.state == "draft" and actor.can("contract.prepare")
    may_write = party is not None and (
        (direct and (prepares or actor.can("contract.negotiate")))
        or (text.state == "negotiation" and actor.can("contract.negotiate"))
    )
    asked = request.GET
    editing = editing or (asked.get("modifier", "") if may_write else "")
    adding = adding or (asked.get("ajouter", "") if may_write else "")
    organisations: list[tuple[int, str]] = []
    if editing.startswith("parties/") or adding == "parties":
        organisations = list(
            Organisation.objects.filter(
                kind__in=["authority", "state_service", "association"], merged_into__isnull=True
            )
            .order_by("name_key")
            .values_list("id", "name")[:2000]
        )
    outline = Outline(
        text.content,
        template,
        requirements=requirements,
        proposals=proposals,
        comments=remarks,
        party=party,
        negotiating=text.state == "negotiation",
        may_negotiate=party is not None and actor.can("contract.negotiate"),
        editing=editing,
        adding=adding,
        commenting=asked.get("commenter", ""),
        removing=asked.get("retirer", "") if may_write else "",
        typed=typed,
        organisations=organisations,
        autosave=bool(direct),
    )
    parts = outline.parts()
    adrift = [p for found in outline.at.values() for p in found]
    waiting = outline.waiting(parts, adrift)
    met = sum(r.met for r in requirements)
    context = frame(request, contract, "amendments" if text.number else "negotiation", drafts=True) | {
        "text": text,
        "parts": parts,
        "adrift": adrift,
        "open_groups": waiting,
        "annexes_count": len(annex_keys),
        "general": {"path": "", "comments": outline.remarks.pop("", []), "commenting": asked.get("commenter") == "*"},
        "party": party,
        "direct": direct,
        "may_write": may_write,
        "may_comment": party is not None and actor.can("contract.comment") and text.state in states.OPEN,
        "may_open": party is not None
        and text.state == "draft"
        and (actor.can("contract.prepare") or (bool(text.number) and actor.can("contract.amend"))),
        "may_round": party is not None and text.state == "negotiation" and actor.can("contract.prepare"),
        "may_freeze": party is not None and text.state == "negotiation" and actor.can("contract.open_signature"),
        "may_abandon": party is not None and actor.can("contract.prepare"),
        "requirements": requirements,
        "met": met,
        "mend": [(r, [(m, _mend(text, m)) for m in r.missing]) for r in requirements if not r.met],
        "blocking": sum(1 for r in requirements if r.before == "opening" and not r.met),
        "open_proposals": len(proposals),
        "waiting_for_me": sum(p.can_accept for group in waiting for p, _ in group.lines),
        "text_state": states.TITLES[text.state],
        "text_tone": states.TONES[text.state],
        "refusal": refusal,
        "typed_reason": typed.get("reason", "") if typed is not None else "",
        "page_url": _page_of(text),
        "signers": queries.signers_of(text, template),
        "behind": _behind(contract, text),
        "why_rounds": _why_negotiate(text),
    }
    if text.number:
        context["title"] = _amendment_title(text)
        context["breadcrumb"] = [
            *context["breadcrumb"][:-1],
            {"url": reverse("contract", args=[contract.slug]), "label": contract.title},
            {"label": context["title"]},
        ]
    return render(request, "contracts/negotiation.html", context, status=status)


def _amendment_title(text: Text) -> Any:
    base = T("{w} n° {n}", "{w} no. {n}", w=cap(policy().word("amendment")), n=text.number)
    return T("{b} – {t}", "{b} – {t}", b=base, t=text.title) if text.title else base


def _mend(text: Text, missing: rules.Missing) -> str:
    """The address at which something missing is mended."""
    slug = text.contract.slug
    if missing.page == "annexes":
        return f"{reverse('contract-annexes', args=[slug])}#annexe-{missing.path}"
    if missing.page == "signature":
        return f"{reverse('contract-signature', args=[slug])}#partie-{missing.path}"
    if missing.page == "proposals":
        return f"{_page_of(text)}#propositions"
    return f"{_page_of(text)}#{_place_on_page(text, missing.path)}"


def _place_on_page(text: Text, path: str) -> str:
    try:
        where = doc.place(path)
    except Refused:
        return anchor(path.split("/")[0])
    if where.element is doc.CONTRACT:
        return anchor(path)
    if doc.get(text.content, where.element_path) is None:
        return anchor(path.split("/")[0])
    return anchor(where.element_path)


def _behind(contract: Contract, text: Text) -> Text | None:
    """The binding text on which an open amendment no longer stands."""
    if text.base_id is None or text.state == "signed":
        return None
    tip = queries.binding_text(contract)
    return tip if tip is not None and (tip.pk, tip.rev) != (text.base_id, text.base_rev) else None


def _why_negotiate(text: Text) -> Any:
    from jalon.core.why import Why

    return Why(
        rule=T(
            "En préparation, l'État et la structure de gouvernance écrivent ; en négociation, tout changement se propose "
            "avec un motif et s'accepte par l'autre côté ; chacun accepte seul ce qui change son propre engagement.",
            "While it is prepared, the State and the governance structure write; in negotiation every change is proposed "
            "with a reason and accepted by the other side; each accepts alone what changes its own commitment.",
        ),
        reading=True,
        inputs={
            T("état du texte", "state of the text"): states.TITLES[text.state],
            T("tour de négociation", "round of negotiation"): text.round_no,
        },
    )


def _seen(text: Text, path: str, request: HttpRequest) -> None:
    """Raise Conflict when somebody else changed the element since the form was opened."""
    seen = request.POST.get("seen", "")
    if not seen:
        return
    fresh = Text.objects.get(pk=text.pk)
    now = mark(fresh.content, path)
    if now == seen:
        return
    last = (
        Proposal.objects.filter(Q(path=path) | Q(path__startswith=f"{path}/"), text=text, state="accepted")
        .order_by("-decided_at", "-id")
        .first()
    )
    if last is not None and last.user_id_by == request.actor.user_id:
        return
    theirs = doc.get(fresh.content, path)
    raise Conflict(
        T(
            "{label} : {who} l'a modifié pendant que vous écriviez. Rien n'est écrasé : votre saisie est gardée "
            "ci-dessous, la version enregistrée est au-dessus.",
            "{label}: {who} changed it while you were writing. Nothing is overwritten: what you typed is kept below, "
            "the saved version is above.",
            label=doc.capital(doc.label(fresh.content, path, policy().words)),
            who=last.user_label if last else T("quelqu'un", "somebody"),
        ),
        theirs=theirs,
        yours=None,
    )


@never_cache
@page
def propose(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Propose (or write, while it is prepared) what an element's form sent; a new element too."""
    if request.method != "POST":
        return redirect("contract", slug)
    found = find(request, slug)
    text = text_no(request, found, number)
    posted = request.POST
    path, list_path = posted.get("path", ""), posted.get("list", "")
    try:
        if list_path:
            key = actions.next_key(text, list_path)
            path = f"{list_path}/{key}"
            value: dict[str, Any] = {}
            for at, typed in read_inputs(path, doc.place(path).element, posted):
                where = doc.place(at)
                if where.year is not None:
                    value.setdefault(where.field.name, {})[str(where.year)] = typed
                else:
                    value[where.field.name] = typed
            if list_path == "parties":
                _name_party(value)
            changes: list[tuple[str, Any]] = [(path, value)]
        else:
            where = doc.place(path)
            _seen(text, path, request)
            changes = read_inputs(
                where.element_path, where.element, posted, only=where.field.name if where.field else ""
            )
        made = actions.propose(text, changes, reason=posted.get("reason", ""), by=request.actor, on=clock.today())
    except NotAllowed:
        raise
    except Refused as refusal:
        fresh = find(request, slug)
        return _negotiation(
            request,
            fresh,
            text_no(request, fresh, number),
            typed=posted,
            refusal=refusal,
            editing="" if list_path else path,
            adding=list_path,
            status=409 if refusal.kind == "conflict" else 400,
        )
    if not made:
        messages.info(request, T("Rien n'a changé.", "Nothing changed."))
    elif made[0].state == "accepted":
        messages.success(request, T("Enregistré.", "Saved."))
    else:
        messages.success(
            request,
            T("Un changement proposé.", "One change proposed.")
            if len(made) == 1
            else T("{n} changements proposés.", "{n} changes proposed.", n=len(made)),
        )
    return redirect(f"{_page_of(text)}#{anchor(path)}")


def _name_party(value: dict[str, Any]) -> None:
    """The name of a party is that of its organisation."""
    organisation = str(value.get("organisation") or "")
    if organisation.isdecimal() and not value.get("name"):
        value["name"] = Organisation.objects.filter(pk=int(organisation)).values_list("name", flat=True).first() or ""


@acts
def remove(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Propose to remove an element."""
    text = text_no(request, find(request, slug), number)
    path = request.POST.get("path", "")
    if not doc.place(path).whole:
        raise Refused(T("Seul un élément entier se retire.", "Only a whole element is removed."), kind="input")
    made = actions.propose(
        text, [(path, None)], reason=request.POST.get("reason", ""), by=request.actor, on=clock.today()
    )
    if made and made[0].state == "accepted":
        messages.success(
            request, T("Retiré ; l'historique permet de le remettre.", "Removed; the history can bring it back.")
        )
    elif made:
        messages.success(request, T("Retrait proposé.", "Removal proposed."))
    return redirect(_page_of(text))


@acts
def autosave(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Keep a long text while it is being written (JSON); 409 with both texts when somebody else changed it."""
    text = text_no(request, find(request, slug), number)
    path = request.POST.get("path", "")
    where = doc.place(path)
    changes = read_inputs(where.element_path, where.element, request.POST, only=where.field.name if where.field else "")
    fresh = Text.objects.get(pk=text.pk)
    revision = request.POST.get("revision", "")
    if revision and mark(fresh.content, path) != revision:
        name = where.field.name if where.field else "body"
        at = f"{where.element_path}/{name}".lstrip("/")
        return JsonResponse(
            {
                "message": str(
                    T(
                        "Quelqu'un d'autre a modifié ce texte entre-temps.",
                        "Somebody else changed this text meanwhile.",
                    )
                ),
                "theirs": doc.get(fresh.content, at),
                "yours": dict(changes).get(at),
                "revision": mark(fresh.content, path),
            },
            status=409,
        )
    actions.propose(text, changes, by=request.actor, on=clock.today(), together=True)
    stored = Text.objects.get(pk=text.pk)
    return JsonResponse({"revision": mark(stored.content, path), "saved_at": clock.real_now().isoformat()})


def _proposal(request: HttpRequest, slug: str, pk: int) -> Proposal:
    found = find(request, slug)
    if not access.may_read_drafts(request.actor, found, clock.today()):
        raise Http404
    return get_object_or_404(Proposal.objects.select_related("text__contract"), pk=pk, text__contract=found)


def _after_decision(proposal: Proposal) -> HttpResponse:
    return redirect(
        f"{_page_of(proposal.text)}#{_place_on_page(Text.objects.select_related('contract').get(pk=proposal.text_id), proposal.path)}"
    )


@acts
def accept(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Accept a proposal."""
    proposal = _proposal(request, slug, pk)
    actions.accept(proposal, by=request.actor, on=clock.today(), reason=request.POST.get("reason", ""))
    messages.success(request, T("Proposition acceptée.", "Proposal accepted."))
    return _after_decision(proposal)


@acts
def reject(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Reject a proposal, with a reason."""
    proposal = _proposal(request, slug, pk)
    actions.reject(proposal, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(request, T("Proposition refusée.", "Proposal rejected."))
    return _after_decision(proposal)


@acts
def decide_batch(request: HttpRequest, slug: str, number: int, batch: str) -> HttpResponse:
    """Accept or reject at once the open proposals of one file."""
    found = find(request, slug)
    if not access.may_read_drafts(request.actor, found, clock.today()):
        raise Http404
    text = text_no(request, found, number)
    if request.POST.get("act") == "reject":
        done = actions.reject_batch(
            text, batch, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today()
        )
        said = T("{n} proposition(s) refusée(s).", "{n} proposal(s) rejected.", n=len(done))
    else:
        done = actions.accept_batch(text, batch, by=request.actor, on=clock.today())
        said = T("{n} proposition(s) acceptée(s).", "{n} proposal(s) accepted.", n=len(done))
    messages.success(request, said)
    return redirect(f"{_page_of(text)}#propositions")


@acts
def withdraw(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take back a proposal, or undo a change while the text is prepared."""
    proposal = _proposal(request, slug, pk)
    done = actions.withdraw(proposal, by=request.actor, on=clock.today())
    messages.success(
        request,
        T("Changement défait.", "Change undone.")
        if proposal.state == "accepted"
        else T("Proposition retirée.", "Proposal withdrawn."),
    )
    return _after_decision(done)


@acts
def comment(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Leave a remark."""
    text = text_no(request, find(request, slug), number)
    path = request.POST.get("path", "")
    actions.comment(text, path, request.POST.get("body", ""), by=request.actor, on=clock.today())
    return redirect(f"{_page_of(text)}#{anchor(path) if path else 'commentaires'}")


@acts
def resolve(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Settle a remark."""
    found = find(request, slug)
    if not access.may_read_drafts(request.actor, found, clock.today()):
        raise Http404
    remark = get_object_or_404(Comment.objects.select_related("text__contract"), pk=pk, text__contract=found)
    actions.resolve(remark, by=request.actor, on=clock.today())
    return redirect(f"{_page_of(remark.text)}#{anchor(remark.path) if remark.path else 'commentaires'}")


@acts
def open_negotiation(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Hand the text to the parties."""
    text = actions.open_negotiation(text_no(request, find(request, slug), number), by=request.actor, on=clock.today())
    messages.success(
        request,
        T(
            "La négociation est ouverte : tout changement se propose avec un motif.",
            "The negotiation is open: every change is proposed with a reason.",
        ),
    )
    return redirect(_page_of(text))


@acts
def next_round(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Open the next round."""
    text = actions.next_round(
        text_no(request, find(request, slug), number),
        reason=request.POST.get("reason", ""),
        by=request.actor,
        on=clock.today(),
    )
    messages.success(request, T("Tour {n} ouvert.", "Round {n} opened.", n=text.round_no))
    return redirect(_page_of(text))


@acts
def abandon(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Give up a text that does not bind."""
    text = actions.abandon(
        text_no(request, find(request, slug), number),
        reason=request.POST.get("reason", ""),
        by=request.actor,
        on=clock.today(),
    )
    messages.success(request, T("Abandonné ; l'historique reste.", "Abandoned; the history stays."))
    return redirect("contract-amendments" if text.number else "contract", slug)


@acts
def close(request: HttpRequest, slug: str) -> HttpResponse:
    """End a signed contract."""
    actions.close(find(request, slug), reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(request, T("Le contrat est clos.", "The contract is closed."))
    return redirect("contract-text", slug)


# --- reading ------------------------------------------------------------------------------------------------------


@page
def reading(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """The whole text as a document: prints clean, with its hash when it is frozen."""
    found = find(request, slug)
    text = text_no(request, found, queries.current_text(found).number if number is None else number)
    return _reading(request, found, text)


def _reading(
    request: HttpRequest, contract: Contract, text: Text, verdict: dict[str, Any] | None = None
) -> HttpResponse:
    context = frame(request, contract, "text")
    template = queries.template_of(contract)
    content = doc.tidied(text.content)
    outline = Outline(content, template, requirements=())
    say = reader(content)
    years = [str(y) for y in outline.years]
    parties = {p["key"]: p for p in content["parties"]}
    amounts = _amounts(content, years)
    articles = [a for a in content["articles"] if a["body"]]
    context |= {
        "text": text,
        "text_state": states.TITLES[text.state],
        "text_tone": states.TONES[text.state],
        "known": bool(text.content.get("articles") or text.content.get("objectives")),
        "sources": Source.objects.in_bulk(contract.sources) if contract.sources else {},
        "content": content,
        "articles": articles,
        "territory": say("territory", content["territory"]),
        "parties": [(p, dict(doc.PARTY_KINDS).get(p["kind"], p["kind"])) for p in content["parties"]],
        "objectives": _objectives(content, say),
        "indicators": [
            (
                i,
                dict(doc.UNITS).get(i["unit"], i["unit"]),
                say(f"indicators/{i['key']}/baseline", i["baseline"]),
                doc.as_day(i["baseline_on"]),
                [(y, say(f"indicators/{i['key']}/targets/{y}", i["targets"].get(y))) for y in years],
            )
            for i in content["indicators"]
        ],
        "years": years,
        "supports": [
            (c, parties.get(c["party"], {}).get("name", "")) for c in content["commitments"] if c["kind"] == "support"
        ],
        "amounts": amounts,
        "annexes": list(queries.annexes_of(_original(contract))),
        "starts": doc.as_day(content["starts_on"]),
        "ends": doc.as_day(content["ends_on"]),
        "check_form": forms.CheckFile(),
        "verdict": verdict,
        "form_name": FORM,
        "others": [t for t in contract.texts.all() if t.pk != text.pk and t.state == "signed"],
        "words": policy().words,
        "print_pdf": address("contract-pdf", contract.slug),
        "print_word": address("contract-docx", contract.slug) or address("contract-word", contract.slug),
    }
    return render(request, "contracts/text.html", context)


def _original(contract: Contract) -> Text:
    return next(t for t in contract.texts.all() if t.number == 0)


def _objectives(content: dict[str, Any], say: Any) -> list[Any]:
    axes = {a["key"]: a["title"] for a in content["improvement_axes"]}
    return [
        (
            o,
            axes.get(o["axis"] or "", ""),
            [
                (
                    a,
                    doc.as_day(a["starts_on"]),
                    doc.as_day(a["ends_on"]),
                    doc.as_decimal(a["budget"]),
                    [(m, doc.as_day(m["due_on"])) for m in a["milestones"]],
                )
                for a in o["actions"]
            ],
        )
        for o in content["objectives"]
    ]


def _amounts(content: dict[str, Any], years: list[str]) -> dict[str, Any]:
    """Public money by funder and year, with totals of what is known."""
    parties = {p["key"]: p.get("name") or p["key"] for p in content["parties"]}
    rows = []
    columns: dict[str, Any] = dict.fromkeys(years)
    for c in content["commitments"]:
        if c["kind"] == "support":
            continue
        figures = [doc.as_decimal(c["amounts"].get(y)) for y in years]
        known = [f for f in figures if f is not None]
        for year, figure in zip(years, figures, strict=True):
            if figure is not None:
                columns[year] = (columns[year] or 0) + figure
        rows.append((parties.get(c["party"], "?"), c["title"], figures, sum(known) if known else None))
    totals = [r[3] for r in rows if r[3] is not None]
    return {"rows": rows, "totals": list(columns.values()), "total": sum(totals) if totals else None}


@page
def canonical(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The canonical text that was frozen, as a file whose SHA-256 is the one shown."""
    text = text_no(request, find(request, slug), number)
    if text.frozen is None:
        raise Http404
    answer = HttpResponse(text.frozen.canonical.encode("utf-8"), content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slug}-{number}-{text.frozen.sha256[:12]}.json"'
    return answer


@page
def check_file(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Whether a file or a hash is that of the frozen text; nothing is kept."""
    found = find(request, slug)
    text = text_no(request, found, number)
    if request.method != "POST":
        return redirect("contract-text-no", slug, number)
    upload = request.FILES.get("file")
    given: str | bytes = upload.read(30_000_000) if upload else request.POST.get("sha256", "")
    if not given:
        verdict = {
            "tone": "warn",
            "text": T("Choisissez un fichier ou collez une empreinte.", "Choose a file or paste a hash."),
        }
    elif text.frozen is None:
        verdict = {"tone": "warn", "text": T("Ce texte n'est pas encore figé.", "This text is not frozen yet.")}
    elif actions.same_text(text, given):
        verdict = {
            "tone": "good",
            "text": T("Identique au texte figé, au caractère près.", "The same as the frozen text, to the letter."),
        }
    else:
        verdict = {"tone": "bad", "text": T("Différent du texte figé.", "Not the same as the frozen text.")}
    return _reading(request, found, text, verdict)


# --- signature ----------------------------------------------------------------------------------------------------


def _text_to_sign(contract: Contract, request: HttpRequest, drafts: bool) -> Text:
    """The text shown on the signature page: the one asked for, the one that is open, else the binding one."""
    texts = {t.number: t for t in contract.texts.all()}
    asked = request.GET.get("texte", "")
    if asked.isdecimal():
        if int(asked) not in texts or (texts[int(asked)].state != "signed" and not drafts):
            raise Http404
        return texts[int(asked)]
    if drafts:
        for wanted in ("signing", "negotiation", "draft"):
            for text in reversed(texts.values()):
                if text.state == wanted:
                    return text
    return queries.current_text(contract)


@never_cache
@page
def signature(request: HttpRequest, slug: str) -> HttpResponse:
    """Who decides and signs, in which order, what is missing; one's own decision and signature."""
    found = find(request, slug)
    drafts = access.may_read_drafts(request.actor, found, clock.today())
    text = _text_to_sign(found, request, drafts)
    return _signature(request, found, text, drafts)


def _signature(
    request: HttpRequest,
    contract: Contract,
    text: Text,
    drafts: bool,
    *,
    decision: Any = None,
    sign_form: Any = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, day = request.actor, clock.today()
    template = queries.template_of(contract)
    rows = {p.key: p for p in contract.parties.all()}
    signers = queries.signers_of(text, template)
    named = rules.parties_in(text.content) or [
        rules.Party(p.key, p.kind, p.organisation.name, p.organisation_id)
        for p in rows.values()
        if p.removed_by_text is None
    ]
    if signers:
        named += [p for p in rules.parties_in(text.base.content) if p.key not in {n.key for n in named}]
    steps = rules.signing_steps(template, named, signers.keys if signers else None)
    signed = {s.party.key: s for s in queries.signatures_of(text)}
    deliberations = list(text.deliberations.select_related("party", "file").order_by("decided_on", "id"))
    decisions = [rules.Decision(d.party.key, d.outcome, d.decided_on, d.year) for d in deliberations]
    turn = {p.key for p in rules.awaited(steps, signed)} if text.state == "signing" else set()
    needed = rules.decision_needed(template)
    party = access.party_of(actor, contract, day, rows.values())
    mine = party.key if party else ""
    lines = []
    for position, step in enumerate(steps, 1):
        for one in step:
            row = rows.get(one.key)
            signature_ = signed.get(one.key)
            verdict = rules.decision_of(decisions, one.key)
            lines.append(
                {
                    "party": one,
                    "row": row,
                    "step": position,
                    "signature": signature_,
                    "needs_decision": one.kind in needed,
                    "verdict": verdict,
                    "decisions": [d for d in deliberations if d.party.key == one.key],
                    "turn": one.key in turn,
                    "mine": one.key == mine,
                }
            )
    stepper = [
        {
            "name": line["party"].name,
            "role": (line["row"].signatory if line["row"] else "") or dict(doc.PARTY_KINDS).get(line["party"].kind, ""),
            "key": line["party"].key,
            "light": "reached" if _has_signed(line, text) else "at_risk" if line["turn"] else "not_yet_due",
            "word": T("a signé", "has signed")
            if _has_signed(line, text)
            else T("à signer maintenant", "to sign now")
            if line["turn"]
            else T("signera ensuite", "signs next")
            if text.state == "signing"
            else T("signature à venir", "signature to come"),
            "day": line["signature"].signed_on if line["signature"] else None,
            "note": _decision_note(line),
            "current": line["turn"],
        }
        for line in lines
    ]
    my_line = next((line for line in lines if line["mine"]), None)
    may_decide = (
        my_line is not None
        and my_line["needs_decision"]
        and actor.can("contract.decide")
        and text.state in ("negotiation", "signing")
    )
    may_sign = (
        my_line is not None and actor.can("contract.sign") and text.state == "signing" and my_line["signature"] is None
    )
    if may_sign and sign_form is None:
        sign_form = forms.Sign(
            initial={"sha256": text.frozen.sha256, "signed_on": day, "signatory": party.signatory}, prefix=None
        )
    if may_decide and decision is None:
        decision = forms.Decision(initial={"decided_on": day})
    requirements = (
        queries.requirements_of(text, day, template=template, decisions=decisions) if text.state in states.OPEN else []
    )
    awaited = [p.name for p in rules.awaited(steps, signed)] if text.state == "signing" else []
    context = frame(request, contract, "signature", drafts=drafts) | {
        "text": text,
        "text_state": states.TITLES[text.state],
        "text_tone": states.TONES[text.state],
        "lines": lines,
        "stepper": stepper,
        "party": party,
        "my_line": my_line,
        "decision": decision if may_decide else None,
        "sign_form": sign_form if may_sign else None,
        "my_turn": my_line is not None and my_line["turn"],
        "awaited": awaited,
        "may_refuse": may_sign,
        "may_reopen": party is not None and actor.can("contract.open_signature") and text.state == "signing",
        "signers": signers,
        "refusal": refusal,
        "mend": [(m, _mend(text, m)) for r in requirements for m in r.missing],
        "requirements": requirements,
        "met": sum(r.met for r in requirements),
        "order_why": _order_why(template, steps),
        "page_url": _page_of(text),
        "amendment": _amendment_title(text) if text.number else None,
        "known_only": not lines or (text.state == "signed" and not signed),
    }
    return render(request, "contracts/signature.html", context, status=status)


def _has_signed(line: dict[str, Any], text: Text) -> bool:
    return line["signature"] is not None or text.state == "signed"


def _decision_note(line: dict[str, Any]) -> Any:
    if not line["needs_decision"]:
        return ""
    rows = line["decisions"]
    if not rows:
        return T("Délibération attendue", "Deliberation awaited")
    from jalon.ui import format as fmt

    parts = []
    for d in rows:
        word = T("approuve", "approves") if d.outcome == "approved" else T("refuse", "refuses")
        said = f"{T('Délibération', 'Deliberation')} {d.reference}, {fmt.day(d.decided_on)} : {word}"
        if d.amount is not None:
            said += f", {fmt.money(d.amount)}" + (f" ({d.year})" if d.year else "")
        parts.append(said)
    return " · ".join(parts)


def _order_why(template: Any, steps: Any) -> Any:
    from jalon.core.why import Why

    return Why(
        rule=T(
            "Les parties signent étape par étape ; au sein d'une étape, dans n'importe quel ordre.",
            "The parties sign step by step; within a step, in any order.",
        ),
        parameter="contracts.signing_order",
        reference=getattr(template, "reference", ""),
        url=getattr(template, "url", None) or "",
        reading=bool(getattr(template, "signing_order_reading", True)),
        steps=tuple(", ".join(p.name for p in step) for step in steps),
    )


@acts
def open_signature(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Freeze the text and open its signature."""
    text = text_no(request, find(request, slug), number)
    actions.open_signature(text, by=request.actor, on=clock.today())
    messages.success(
        request,
        T("Le texte est figé ; la signature est ouverte.", "The text is frozen; the signature is open."),
    )
    return redirect("contract-signature", slug)


@never_cache
@page
def sign(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Sign for one's party."""
    if request.method != "POST":
        return redirect("contract-signature", slug)
    found = find(request, slug)
    text = text_no(request, found, number)
    access.act_for(request.actor, found, "contract.sign", clock.today())
    form = forms.Sign(request.POST)
    refusal = None
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.sign(
                text,
                by=request.actor,
                on=clock.today(),
                sha256=data["sha256"],
                signed_on=data["signed_on"],
                signatory=data["signatory"],
            )
        except NotAllowed:
            raise
        except Refused as caught:
            refusal = caught
        else:
            messages.success(request, T("Signé.", "Signed."))
            return redirect("contract-signature", slug)
    fresh = find(request, slug)
    text = text_no(request, fresh, number)
    if text.state != "signing" and refusal:
        return answer_refusal(request, refusal)
    drafts = access.may_read_drafts(request.actor, fresh, clock.today())
    return _signature(
        request,
        fresh,
        text,
        drafts,
        sign_form=form,
        refusal=refusal,
        status=409 if refusal and refusal.kind == "conflict" else 400,
    )


@never_cache
@page
def decide(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Record one's party's deliberation."""
    if request.method != "POST":
        return redirect("contract-signature", slug)
    found = find(request, slug)
    text = text_no(request, found, number)
    access.act_for(request.actor, found, "contract.decide", clock.today())
    form = forms.Decision(request.POST, request.FILES)
    refusal = None
    if form.is_valid():
        data = form.cleaned_data
        upload = data["file"]
        try:
            actions.decide(
                text,
                by=request.actor,
                on=clock.today(),
                decided_on=data["decided_on"],
                reference=data["reference"],
                outcome=data["outcome"],
                year=data["year"],
                amount=data["amount"],
                upload=upload,
                file_name=upload.name if upload else "",
            )
        except NotAllowed:
            raise
        except Refused as caught:
            refusal = caught
        else:
            messages.success(request, T("Délibération enregistrée.", "Deliberation recorded."))
            return redirect("contract-signature", slug)
    drafts = access.may_read_drafts(request.actor, found, clock.today())
    return _signature(request, found, text, drafts, decision=form, refusal=refusal, status=400)


@acts
def refuse(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Refuse to sign."""
    text = actions.refuse(
        text_no(request, find(request, slug), number),
        reason=request.POST.get("reason", ""),
        by=request.actor,
        on=clock.today(),
    )
    messages.info(request, T("Retour à la négociation.", "Back to negotiation."))
    return redirect(_page_of(text))


@acts
def reopen(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Stop a signature that is not complete."""
    text = actions.reopen(
        text_no(request, find(request, slug), number),
        reason=request.POST.get("reason", ""),
        by=request.actor,
        on=clock.today(),
    )
    messages.info(request, T("Retour à la négociation.", "Back to negotiation."))
    return redirect(_page_of(text))


# --- annexes ------------------------------------------------------------------------------------------------------


@never_cache
@page
def annexes(request: HttpRequest, slug: str) -> HttpResponse:
    """The annexes: those that the template asks for, joined or missing; where they come from; older versions."""
    return _annexes(request, find(request, slug))


def _annexes(
    request: HttpRequest, contract: Contract, *, form: Any = None, refusal: Refused | None = None, status: int = 200
) -> HttpResponse:
    day = clock.today()
    context = frame(request, contract, "annexes")
    text = _original(contract)
    if text.state != "signed" and not context["drafts"]:
        raise Http404
    template = queries.template_of(contract)
    rows = list(text.annexes.select_related("file", "snapshot").order_by("key", "-added_at", "-id"))
    standing = [a for a in rows if a.replaced_at is None]
    party = access.party_of(request.actor, contract, day, contract.parties.all())
    may = (
        party is not None
        and text.state in ("draft", "negotiation")
        and (request.actor.can("contract.prepare") or request.actor.can("contract.negotiate"))
    )
    listed = []
    for rule in template.annexes if template else ():
        have = [a for a in standing if a.key == rule.key]
        if have or rule.required or may:
            listed.append({"rule": rule, "annexes": have, "from_register": rule.source != "upload"})
    known = {r["rule"].key for r in listed}
    if may and form is None:
        form = forms.NewAnnex(template=template, initial={"dated": day})
    return render(
        request,
        "contracts/annexes.html",
        context
        | {
            "text": text,
            "listed": listed,
            "loose": [a for a in standing if a.key not in known],
            "older": [a for a in rows if a.replaced_at is not None],
            "form": form if may else None,
            "refusal": refusal,
            "may_download": context["drafts"],
        },
        status=status,
    )


@never_cache
@page
def add_annex(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Join a file."""
    if request.method != "POST":
        return redirect("contract-annexes", slug)
    found = find(request, slug)
    text = text_no(request, found, number)
    prepares = request.actor.can("contract.prepare")
    access.act_for(request.actor, found, "contract.prepare" if prepares else "contract.negotiate", clock.today())
    form = forms.NewAnnex(request.POST, request.FILES, template=queries.template_of(found))
    refusal = None
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.add_annex(
                text,
                data["key"],
                data["file"],
                data["file"].name,
                title=data["title"],
                dated=data["dated"],
                by=request.actor,
                on=clock.today(),
            )
        except NotAllowed:
            raise
        except Refused as caught:
            refusal = caught
        else:
            messages.success(request, T("Annexe jointe.", "Annex joined."))
            return redirect("contract-annexes", slug)
    return _annexes(request, found, form=form, refusal=refusal, status=400)


@acts
def take_annexes(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take from the register what it knows."""
    text = text_no(request, find(request, slug), number)
    key = request.POST.get("key", "")
    taken = actions.take_annexes(text, by=request.actor, on=clock.today(), keys=[key] if key else None)
    if taken:
        messages.success(
            request,
            T(
                "Pris au registre : {what}.",
                "Taken from the register: {what}.",
                what=" ; ".join(a.title for a in taken),
            ),
        )
    else:
        messages.warning(
            request,
            T(
                "Le registre ne connaît rien à annexer ici : joignez un fichier.",
                "The register knows nothing to annex here: join a file.",
            ),
        )
    return redirect("contract-annexes", slug)


@page
def annex_file(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """An annex: its file, or the frozen extract of the register. For the parties only."""
    found = find(request, slug)
    if not access.may_read_drafts(request.actor, found, clock.today()):
        raise Http404
    annex = get_object_or_404(Annex.objects.select_related("file", "snapshot"), pk=pk, text__contract=found)
    if annex.file is not None:
        try:
            return FileResponse(path_of(annex.file.sha256).open("rb"), as_attachment=True, filename=annex.file.name)
        except FileNotFoundError:
            raise Refused(
                T(
                    "Le fichier « {n} » n'est plus sur ce serveur ; la sauvegarde le contient sous l'empreinte {h}.",
                    "The file “{n}” is no longer on this server; the backup holds it under the hash {h}.",
                    n=annex.file.name,
                    h=annex.file.sha256[:16],
                )
            ) from None
    if annex.snapshot is None:
        raise Http404
    answer = HttpResponse(annex.snapshot.canonical.encode("utf-8"), content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slug}-{annex.key}-{annex.dated.isoformat()}.json"'
    return answer


# --- history ------------------------------------------------------------------------------------------------------


@never_cache
@page
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Every change of a value (``?path=``) and every act on the contract: who, what, when, why, old and new."""
    found = find(request, slug)
    context = frame(request, found, "history")
    if not context["drafts"]:
        raise NotAllowed(
            T(
                "L'historique de la négociation est lu par les parties au contrat.",
                "The history of the negotiation is read by the parties of the contract.",
            )
        )
    path = request.GET.get("path", "").strip("/")
    text = next(reversed(list(found.texts.all())))
    label = None
    if path:
        label = doc.capital(doc.label(text.content, path, policy().words))
    changes = Paginator(queries.history(found, path), PER_PAGE).get_page(request.GET.get("page"))
    say = reader(text.content)
    shown = []
    for row in changes.object_list:
        where = doc.place(row.path)
        shown.append(
            {
                "row": row,
                "label": _where(row, text),
                "old": say(row.path, row.old),
                "new": say(row.path, row.new),
                "long": bool(where.field and where.field.kind == "text"),
                "state": states.PROPOSAL_TITLES[row.state],
                "tone": states.PROPOSAL_TONES[row.state],
            }
        )
    acts_ = []
    if not path:
        entries = Paginator(queries.journal_of(found), PER_PAGE).get_page(request.GET.get("actes"))
        context["entries"] = entries
        acts_ = [(e, states.ACTS.get(e.act, e.act), _said(e.after)) for e in entries.object_list]
    party = access.party_of(request.actor, found, clock.today(), found.parties.all())
    draft = any(t.state == "draft" for t in found.texts.all())
    return render(
        request,
        "contracts/history.html",
        context
        | {
            "path": path,
            "label": label,
            "changes": shown,
            "page": changes,
            "acts": acts_,
            "party": party,
            "undo": draft and party is not None,
        },
    )


def _where(row: Proposal, text: Text) -> Any:
    """The place of a change in words; an element that is not in the text is named by what was proposed."""
    words = policy().words
    content = next((c for c in (row.text.content, text.content) if doc.get(c, row.path) is not None), row.text.content)
    where = doc.place(row.path)
    item = row.new or row.old
    if where.whole and doc.get(content, row.path) is None and isinstance(item, dict):
        return doc.capital(
            T(
                "{w} « {n} »",
                "{w} “{n}”",
                w=doc.kind_word(where.element, words),
                n=doc.name_of(where.element, item),
            )
        )
    return doc.capital(doc.label(content, row.path, words))


def _said(after: Any) -> str:
    """The facts of a journal entry, in one short line."""
    if not isinstance(after, dict):
        return ""
    skip = {"values", "rev", "rows", "text", "proposal", "comment"}
    parts = [f"{key} : {value}" for key, value in after.items() if key not in skip and value not in (None, "")]
    values = after.get("values")
    if isinstance(values, dict):
        parts.insert(0, ", ".join(list(values)[:4]) + (f" … ({len(values)})" if len(values) > 4 else ""))
    return " · ".join(parts)


# --- amendments ---------------------------------------------------------------------------------------------------


@never_cache
@page
def amendments(request: HttpRequest, slug: str) -> HttpResponse:
    """The amendments of a contract, and the form to open one."""
    return _amendments(request, find(request, slug))


def _amendments(
    request: HttpRequest, contract: Contract, *, form: Any = None, refusal: Any = None, status: int = 200
) -> HttpResponse:
    context = frame(request, contract, "amendments")
    party = access.party_of(request.actor, contract, clock.today(), contract.parties.all())
    may = party is not None and request.actor.can("contract.amend") and contract.state == "signed"
    rows = []
    for text in contract.texts.all():
        if not text.number or (text.state != "signed" and not context["drafts"]):
            continue
        rows.append(
            {
                "text": text,
                "title": _amendment_title(text),
                "state": states.TITLES[text.state],
                "tone": states.TONES[text.state],
                "changes": len(doc.diff(text.base.content, text.content)) if text.base_id else 0,
                "behind": _behind(contract, text) if text.state in states.OPEN else None,
                "url": reverse("contract-amendment", args=[contract.slug, text.number]),
            }
        )
    return render(
        request,
        "contracts/amendments.html",
        context
        | {
            "rows": rows,
            "form": (form or forms.Amend()) if may else None,
            "refusal": refusal,
            "may_close": party is not None and request.actor.can("contract.prepare") and contract.state == "signed",
        },
        status=status,
    )


@never_cache
@page
def amend(request: HttpRequest, slug: str) -> HttpResponse:
    """Open an amendment."""
    if request.method != "POST":
        return redirect("contract-amendments", slug)
    found = find(request, slug)
    access.act_for(request.actor, found, "contract.amend", clock.today())
    form = forms.Amend(request.POST)
    refusal = None
    if form.is_valid():
        try:
            text = actions.amend(found, by=request.actor, on=clock.today(), **form.cleaned_data)
        except NotAllowed:
            raise
        except Refused as caught:
            refusal = caught
        else:
            messages.success(
                request,
                T("Avenant ouvert : une copie du texte en vigueur.", "Amendment opened: a copy of the binding text."),
            )
            return redirect("contract-amendment", slug, text.number)
    return _amendments(request, found, form=form, refusal=refusal, status=400)


@page
def difference(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """What an amendment changes: old and new side by side, who signs it, conflicts with what binds since."""
    return _difference(request, find(request, slug), number)


def _difference(
    request: HttpRequest, contract: Contract, number: int, *, refusal: Any = None, status: int = 200
) -> HttpResponse:
    text = text_no(request, contract, number)
    if text.base_id is None:
        raise Http404
    context = frame(request, contract, "amendments")
    words = policy().words
    old, new_ = reader(text.base.content), reader(text.content)
    changes = []
    for change in doc.diff(text.base.content, text.content, words):
        where = doc.place(change.path)
        changes.append(
            {
                "change": change,
                "label": doc.capital(change.label),
                "subject": rules.SUBJECTS[change.subject],
                "old": old(change.path, change.old),
                "new": new_(change.path, change.new),
                "long": bool(where.field and where.field.kind == "text"),
                "kind": {
                    "added": T("ajouté", "added"),
                    "removed": T("retiré", "removed"),
                    "changed": T("modifié", "changed"),
                }[change.kind],
            }
        )
    template = queries.template_of(contract)
    signers = queries.signers_of(text, template)
    everyone = {p.key: p for p in [*rules.parties_in(text.base.content), *rules.parties_in(text.content)]}
    behind = _behind(contract, text)
    clashes = []
    if behind is not None:
        theirs = reader(behind.content)
        clashes = [
            {
                "clash": c,
                "label": doc.capital(c.label),
                "old": old(c.path, c.old),
                "theirs": theirs(c.path, c.theirs),
                "ours": new_(c.path, c.ours),
            }
            for c in doc.merge(text.base.content, behind.content, text.content, words)[1]
        ]
    party = access.party_of(request.actor, contract, clock.today(), contract.parties.all())
    return render(
        request,
        "contracts/difference.html",
        context
        | {
            "text": text,
            "title": _amendment_title(text),
            "text_state": states.TITLES[text.state],
            "text_tone": states.TONES[text.state],
            "changes": changes,
            "signers": [everyone[k] for k in signers.keys if k in everyone] if signers else [],
            "signers_why": signers.why if signers else None,
            "behind": behind,
            "clashes": clashes,
            "may_rebase": behind is not None
            and party is not None
            and request.actor.can("contract.amend")
            and text.state in ("draft", "negotiation"),
            "refusal": refusal,
            "page_url": _page_of(text),
            "print_pdf": address("amendment-pdf", contract.slug, number),
            "breadcrumb": [
                *context["breadcrumb"][:-1],
                {"url": reverse("contract-amendments", args=[contract.slug]), "label": contract.title},
                {"label": _amendment_title(text)},
            ],
        },
        status=status,
    )


@never_cache
@page
def rebase(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take an amendment up on the binding text; each clash is settled by whoever asks."""
    found = find(request, slug)
    text = text_no(request, found, number)
    if text.base_id is None:
        raise Http404
    if request.method != "POST":
        return redirect("contract-difference", slug, number)
    keep = {name.removeprefix("keep:"): value for name, value in request.POST.items() if name.startswith("keep:")}
    try:
        actions.rebase(text, by=request.actor, on=clock.today(), keep=keep)
    except NotAllowed:
        raise
    except Refused as refusal:
        return _difference(request, find(request, slug), number, refusal=refusal, status=409)
    messages.success(
        request, T("L'avenant part maintenant du texte en vigueur.", "The amendment now stands on the binding text.")
    )
    return redirect("contract-amendment", slug, number)
