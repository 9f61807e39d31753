"""Printed documents: who may read the text may print it; a draft is marked as one."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jalon.contracts import queries as contracts
from jalon.contracts.models import Contract, Text
from jalon.core import clock
from jalon.core.lang import LANGUAGES
from jalon.decisions import access as decision_access, letters
from jalon.decisions.models import Decision
from jalon.documents import (
    evaluation as evaluation_document,
    labelling as labelling_document,
    make,
    project as project_document,
    queries,
)
from jalon.documents.agreement import AgreementView
from jalon.documents.roadmap import RoadmapView
from jalon.evaluations import access as evaluation_access, queries as evaluations
from jalon.evaluations.hearing_views import readable_hearing
from jalon.evaluations.states import OUTCOMES
from jalon.funding import (
    access as funding_access,
    actions as funding_actions,
    queries as funding,
    states as funding_states,
)
from jalon.labelling import access as labelling_access, states as labelling_states
from jalon.labelling.models import LabelRequest
from jalon.people.access import policy
from jalon.projects.views import find
from jalon.roadmaps import access as roadmap_access, queries as roadmaps, states as roadmap_states
from jalon.roadmaps.models import Roadmap
from jalon.selection import access as selection_access, letters as selection_letters, queries as selections
from jalon.ui.http import page


def _lang(request: HttpRequest) -> str:
    """The language asked for by ``?lang=``; the programme's own otherwise, because the document is the programme's."""
    asked = request.GET.get("lang", "")
    return asked if asked in LANGUAGES else ""


def _number(request: HttpRequest) -> int | None:
    asked = request.GET.get("texte", request.GET.get("text", ""))
    if not asked:
        return None
    if not asked.isdecimal() or len(asked) > 6:
        raise Http404
    return int(asked)


def _answer(data: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=make.TYPES[kind])
    response["Content-Disposition"] = (
        f'{"inline" if kind == "pdf" else "attachment"}; filename="{slugify(name)}.{kind}"'
    )
    return response


def _readable(request: HttpRequest, slug: str, number: int | None, on: dt.date) -> tuple[Contract, Text]:
    contract = contracts.with_texts(slug, request.actor, on)
    text = queries.readable_text(contract, number, request.actor, on) if contract else None
    if contract is None or text is None:
        raise Http404
    return contract, text


@require_safe
@never_cache
@page
def contract(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """A contract; ``?texte=`` names an earlier or later text (0: the original), ``?lang=`` the language of the labels."""
    on = clock.today()
    found, text = _readable(request, slug, _number(request), on)
    address = request.build_absolute_uri(make.address_of(found.slug))
    data = make.contract(text, kind, on=on, address=address, lang=_lang(request))
    return _answer(data, kind, f"{found.slug}-{'texte' if text.state == 'signed' else 'projet'}-{text.number}")


@require_safe
@never_cache
@page
def amendment(request: HttpRequest, slug: str, number: int, kind: str) -> HttpResponse:
    """An amendment with its difference."""
    on = clock.today()
    found, text = _readable(request, slug, number, on)
    if text.base_id is None:
        raise Http404
    address = request.build_absolute_uri(make.address_of(found.slug))
    return _answer(
        make.amendment(text, kind, on=on, address=address, lang=_lang(request)), kind, f"{found.slug}-avenant-{number}"
    )


@require_safe
@never_cache
@page
def roadmap(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A roadmap, the validated text when there is one."""
    on = clock.today()
    found = get_object_or_404(Roadmap.objects.select_related("cluster", "frozen"), pk=pk)
    place = roadmap_access.standing(request.actor, found.cluster, on)
    if not roadmap_access.may_read(found, place):
        raise Http404
    laws = policy()
    view = RoadmapView(
        document=roadmaps.document(found),
        cluster=found.cluster.name,
        programme=laws.title,
        phase=roadmaps.phase_title(found.phase),
        language=laws.language if laws.language in LANGUAGES else "fr",
        day=on,
        address=request.build_absolute_uri(reverse("roadmap", args=[found.pk])),
        state=roadmap_states.TITLES[found.state],
        horizons=roadmap_states.HORIZONS,
        validated_on=found.validated_on,
        sha256=found.frozen.sha256 if found.frozen else "",
        simulated=found.simulated,
    )
    return _answer(
        make.roadmap(view, kind, lang=_lang(request)), kind, f"{found.cluster.slug}-{found.phase}-v{found.version}"
    )


@require_safe
@never_cache
@page
def selection_letter(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """An official letter of the selection, as frozen; who may read it may print it."""
    if not request.actor.signed_in:
        selection_access.require_part(request.actor)
    letter = selection_access.letters_for(request.actor).filter(pk=pk).first()
    if letter is None:
        raise Http404
    laws = policy()
    data = make.selection_letter(
        selection_letters.text_of(letter),
        kind,
        authority=selections.authority_of(letter.exercise.call),
        programme=laws.title,
        sha256=letter.frozen.sha256,
        address=request.build_absolute_uri(reverse("selection-letter", args=[letter.pk])),
        lang=_lang(request),
        language=laws.language,
    )
    return _answer(data, kind, f"lettre-{letter.reference}")


@require_safe
@never_cache
@page
def project(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """A project's file: its public part, and the confidential one for who reads the file."""
    found, place = find(request, slug)
    address = request.build_absolute_uri(reverse("project", args=[found.slug]))
    document = project_document.file_of(found, place, on=clock.today(), address=address, lang=_lang(request))
    return _answer(make.set_as(document, kind), kind, f"projet-{found.slug}")


@require_safe
@never_cache
@page
def agreement(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A funding agreement: the frozen text once it is sent, else as it stands, marked as a draft."""
    on, laws = clock.today(), policy()
    found = get_object_or_404(
        funding_access.visible_agreements(request.actor, on).select_related(
            "project", "beneficiary", "funder", "frozen"
        ),
        pk=pk,
    )
    frozen = found.frozen
    told = json.loads(frozen.canonical)["content"] if frozen else funding_actions.content(found)
    duty = next((d for d in funding.duties_of(found) if d.why.parameter == "funding.convention_above"), None)
    applied = found.amendments.filter(state="applied").order_by("number")
    view = AgreementView(
        content=told,
        programme=laws.title,
        language=laws.language if laws.language in LANGUAGES else "fr",
        currency=laws.currency,
        day=on,
        address=request.build_absolute_uri(reverse("agreement", args=[found.pk])),
        state=funding_states.AGREEMENT_TITLES[found.state],
        kinds=funding_states.INSTALMENT_KINDS,
        instruments=funding_states.INSTRUMENTS,
        signed=(
            (found.signed_beneficiary_on, found.signed_beneficiary_by),
            (found.signed_funder_on, found.signed_funder_by),
        ),
        amendments=tuple((a.number, a.answered_on, a.reason) for a in applied),
        bound_on=found.signed_on,
        sha256=frozen.sha256 if frozen else "",
        convention_above=duty.why.value if duty is not None and duty.applies else None,
        reference=duty.why.reference if duty is not None and duty.applies else "",
    )
    return _answer(make.agreement(view, kind, lang=_lang(request)), kind, f"convention-{found.number}")


@require_safe
@never_cache
@page
def label_decision(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A pôle's decision on a label, as a letter: for the consortium, the pôle and those who follow projects."""
    row, place = _label_request(request, pk)
    if row.decided_on is None or row.state not in labelling_states.DECIDED:
        raise Http404
    if not (place.leader or place.partner or place.unit or place.decider or place.follower):
        raise Http404
    return _label_document(request, row, labelling_document.decision, kind, "decision-label")


@require_safe
@never_cache
@page
def label_report(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The evaluation report of a request: for those of the pôle to whom the file is open."""
    row, place = _label_request(request, pk)
    if not (place.opened and (place.unit or place.decider or place.member)):
        raise Http404
    return _label_document(request, row, labelling_document.report, kind, "rapport-evaluation")


def _label_request(request: HttpRequest, pk: int) -> tuple[LabelRequest, labelling_access.Standing]:
    row = get_object_or_404(LabelRequest.objects.select_related("project__call", "cluster"), pk=pk)
    place = labelling_access.standing(request.actor, row, clock.today())
    if not place.any:
        raise Http404
    return row, place


def _label_document(request: HttpRequest, row: LabelRequest, build: Any, kind: str, name: str) -> HttpResponse:
    address = request.build_absolute_uri(reverse("labelling-request", args=[row.pk]))
    document = build(row, on=clock.today(), address=address, lang=_lang(request))
    return _answer(make.set_as(document, kind), kind, f"{name}-{row.project.slug}-{row.cluster.slug}")


@require_safe
@never_cache
@page
def decision_letter(request: HttpRequest, slug: str, line: int, kind: str) -> HttpResponse:
    """The letter that notified a decision to a cluster: for the cluster itself and for those who work on the decision."""
    on = clock.today()
    if kind not in make.TYPES:
        raise Http404
    decision = decision_access.visible_to(request.actor, on, Decision.objects.filter(slug=slug)).first()
    row = decision and (
        decision_access.lines_of(request.actor, decision, on).select_related("cluster").filter(pk=line).first()
    )
    if not row or not decision_access.reads_line_work(request.actor, row, on):
        raise Http404
    notice = row.notices.select_related("letter").first()
    if notice is None or notice.letter is None:
        raise Http404
    return _answer(
        make.decision_letter(
            letters.read(notice),
            kind,
            programme=policy().title,
            sha256=notice.letter.sha256,
            frozen_on=notice.letter.frozen_at.astimezone(clock.PARIS).date(),
            lang=_lang(request),
        ),
        kind,
        f"{decision.slug}-{row.cluster.slug if row.cluster else row.pk}",
    )


@require_safe
@never_cache
@page
def explanation(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The explanation of an evaluation's result, as it was frozen, for whoever reads its marks."""
    on, laws = clock.today(), policy()
    found = get_object_or_404(
        evaluation_access.visible_to(request.actor, on).select_related("campaign__ordered_by", "cluster", "explained"),
        pk=pk,
    )
    place = evaluation_access.standing(request.actor, found, on)
    grid = evaluations.grid_of(found.campaign)
    if not found.explained_id or not evaluation_access.reads(place, found, "marks", grid.sight if grid else None):
        raise Http404
    document = evaluation_document.explanation(
        found.explained, programme=laws.title, default=laws.language, lang=_lang(request)
    )
    return _answer(make.set_as(document, kind), kind, f"explication-{found.cluster.slug}-{found.campaign.code}")


@require_safe
@never_cache
@page
def hearing(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The findings as notified, or the whole exchange once it is closed; for whoever reads the hearing."""
    laws = policy()
    found, _ = readable_hearing(request, pk)
    frozen = found.final or found.provisional
    if frozen is None:
        raise Http404
    document = evaluation_document.hearing(
        json.loads(frozen.canonical)["content"],
        cluster=found.cluster.name,
        programme=laws.title,
        default=laws.language,
        day=found.closed_on or found.notified_on,
        sha=frozen.sha256,
        simulated=found.simulated,
        outcomes=OUTCOMES,
        lang=_lang(request),
    )
    return _answer(make.set_as(document, kind), kind, f"contradictoire-{found.cluster.slug}-{found.pk}")
