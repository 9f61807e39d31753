"""Acts on roadmaps: begin, write together, submit, return, validate.

Every act takes ``by=`` an actor and ``on=`` a day; ``at=`` is the moment of the records (the clock's now without
it). Writing takes the roadmap's row, so a text never changes between its submission and what the State reads.
A save names the revision it started from (``rev``): when somebody saved meanwhile, the words that came second are
kept as a refused revision and :class:`Conflict` shows both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from jalon.clusters.models import Carrier, Cluster, Correspondent
from jalon.core import clock, journal, outbox, workflow
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T, Text, speaking
from jalon.core.models import JournalEntry
from jalon.core.why import Why
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, User
from jalon.roadmaps import access, messages, queries, rules, states
from jalon.roadmaps.models import Item, Revision, Roadmap, Section


@dataclass(frozen=True)
class Saved:
    """What a save did: the revision that is stored now, when, and whether anything changed."""

    rev: int
    at: dt.datetime | None
    changed: bool


# -- begin ------------------------------------------------------------------------------------------------------


def start(
    cluster: Cluster,
    phase: str,
    *,
    by: Actor,
    on: dt.date,
    title: str = "",
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Roadmap:
    """Begin the roadmap of a cluster for a phase, from the template that the policy gives on the day ``on``.

    Raises:
        NotAllowed: the actor does not write for this cluster.
        Refused: no template, or a version of this phase is already open.
    """
    access.may_draft(by, cluster, on)
    template = queries.template_for(phase, on)
    if Roadmap.objects.filter(cluster=cluster, phase=phase, state__in=states.FROZEN).exists():
        raise Refused(
            T(
                "Une feuille de route validée existe pour {p} : commencez plutôt une nouvelle version à partir d'elle.",
                "A validated roadmap exists for {p}: begin a new version from it instead.",
                p=queries.phase_title(phase),
            )
        )
    return _begin(
        cluster,
        phase,
        template,
        by=by,
        on=on,
        at=at,
        title=title,
        starts_on=starts_on,
        ends_on=ends_on,
        simulated=simulated,
        based_on=None,
        texts={},
        elements=(),
        left=(),
    )


def new_version(
    previous: Roadmap,
    *,
    by: Actor,
    on: dt.date,
    phase: str = "",
    mapping: Mapping[str, str] | None = None,
    title: str = "",
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Roadmap:
    """Begin a version from a validated one, in the same phase or another; its elements keep their keys.

    Args:
        phase: of the new version; that of the previous one without it.
        mapping: where sections and levels go when the template changed (``{"section:position-technology":
            "position", "level:axis": ""}``, "" leaves them behind); what it does not name takes the proposal of
            :func:`jalon.roadmaps.rules.migration`. The journal keeps what was left behind.

    Raises:
        Refused: the previous one was never validated, a version is already open, or a target does not exist.
    """
    access.may_draft(by, previous.cluster, on)
    previous = Roadmap.objects.select_related("cluster").get(pk=previous.pk)
    if previous.state not in states.FROZEN:
        raise Refused(
            T(
                "Une nouvelle version part d'une version validée ; celle-ci est « {s} ».",
                "A new version starts from a validated one; this one is “{s}”.",
                s=states.TITLES[previous.state],
            )
        )
    phase = phase or previous.phase
    template = queries.template_for(phase, on)
    draft = queries.whole(previous)
    steps = rules.migration(draft.template, template, bodies=draft.bodies, elements=draft.elements)
    texts, elements, left = rules.migrate(
        steps, mapping or {}, new=template, bodies=draft.bodies, elements=draft.elements
    )
    same = phase == previous.phase
    return _begin(
        previous.cluster,
        phase,
        template,
        by=by,
        on=on,
        at=at,
        title=title or (previous.title if same else ""),
        starts_on=starts_on or (previous.starts_on if same else None),
        ends_on=ends_on or (previous.ends_on if same else None),
        simulated=simulated or previous.simulated,
        based_on=previous,
        texts=texts,
        elements=elements,
        left=left,
    )


def _begin(
    cluster: Cluster,
    phase: str,
    template: Any,
    *,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None,
    title: str,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    simulated: bool,
    based_on: Roadmap | None,
    texts: Mapping[str, str],
    elements: Iterable[rules.Element],
    left: Iterable[str],
) -> Roadmap:
    at = at or clock.now()
    title = rules.clean_title(title or str(template.title.fr), where=T("la feuille de route", "the roadmap"))
    _check_order(starts_on, ends_on)
    taken = Refused(
        T(
            "Une version est déjà ouverte pour « {c} » et {p} : continuez celle-là.",
            "A version is already open for “{c}” and {p}: go on with that one.",
            c=cluster.name,
            p=queries.phase_title(phase),
        )
    )
    try:
        with transaction.atomic():
            last = (
                Roadmap.objects.filter(cluster=cluster, phase=phase)
                .order_by("-version")
                .values_list("version", "state")
            ).first()
            if Roadmap.objects.filter(cluster=cluster, phase=phase, state__in=states.OPEN).exists():
                raise taken
            roadmap = Roadmap.objects.create(
                programme=policy().slug,
                cluster=cluster,
                phase=phase,
                version=(last[0] if last else 0) + 1,
                title=title,
                template=template.code,
                policy_day=on,
                starts_on=starts_on,
                ends_on=ends_on,
                created_at=at,
                based_on=based_on,
                simulated=simulated,
            )
            Section.objects.bulk_create(
                Section(roadmap=roadmap, key=s.key, order=n, body=texts.get(s.key, ""))
                for n, s in enumerate(template.sections)
            )
            elements = list(elements)
            items = {
                e.key: Item(
                    roadmap=roadmap,
                    section_key=e.section,
                    key=e.key,
                    level=e.level,
                    order=e.order,
                    title=e.title,
                    body=e.body,
                    horizon=e.horizon,
                    due_on=e.due_on,
                )
                for e in elements
            }
            Item.objects.bulk_create(items.values())
            for e in elements:
                items[e.key].parent = items[e.parent] if e.parent else None
            Item.objects.bulk_update(items.values(), ["parent"], batch_size=200)
            Revision.objects.bulk_create(
                [
                    *(_revision(roadmap, f"section:{k}", 0, {"body": b}, by, at) for k, b in texts.items()),
                    *(_revision(roadmap, f"item:{i.key}", 0, _wording(i), by, at) for i in items.values()),
                ]
            )
            journal.record(
                queries.case_of(roadmap),
                "roadmap.start",
                by=by,
                on=on,
                at=at,
                after={
                    "state": "draft",
                    "cluster": cluster.slug,
                    "phase": phase,
                    "version": roadmap.version,
                    "template": template.code,
                    "based_on": f"roadmap:{based_on.pk}" if based_on else None,
                    "left_behind": list(left),
                },
            )
            return roadmap
    except IntegrityError:  # somebody began one at the same moment
        raise taken from None


# -- write ------------------------------------------------------------------------------------------------------


def save_frame(
    roadmap: Roadmap,
    *,
    title: str,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    by: Actor,
    on: dt.date,
    seen: tuple[str, dt.date | None, dt.date | None] | None = None,
    at: dt.datetime | None = None,
) -> Roadmap:
    """Change title and period. ``seen`` is what the writer saw; a change made meanwhile is a conflict.

    Raises:
        Refused: the end precedes the start, no title, or the roadmap is not open to writing.
        Conflict: somebody changed them meanwhile.
    """
    title = rules.clean_title(title, where=T("la feuille de route", "the roadmap"))
    _check_order(starts_on, ends_on)
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        _check_writable(roadmap)
        before = (roadmap.title, roadmap.starts_on, roadmap.ends_on)
        after = (title, starts_on, ends_on)
        if after == before:
            return roadmap
        if seen is not None and seen != before:
            raise Conflict(
                T(
                    "Le titre ou la période ont été changés entre-temps : relisez-les, puis enregistrez.",
                    "The title or the period were changed meanwhile: read them again, then save.",
                ),
                theirs=_frame(before),
                yours=_frame(after),
            )
        roadmap.title, roadmap.starts_on, roadmap.ends_on = after
        roadmap.save(update_fields=["title", "starts_on", "ends_on"])
        names = ("title", "starts_on", "ends_on")
        journal.record(
            queries.case_of(roadmap),
            "roadmap.frame",
            by=by,
            on=on,
            at=at,
            before=dict(zip(names, before, strict=True)),
            after=dict(zip(names, after, strict=True)),
        )
        return roadmap


def save_section(
    roadmap: Roadmap, key: str, *, body: str, rev: int, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Saved:
    """Save the text of a section, started from revision ``rev``.

    Raises:
        Conflict: somebody saved the section meanwhile, or it was sent to the State; the words are kept as a
            refused revision (``conflict.kept``, its number in the history), and ``conflict.rev`` is what is stored.
        Refused: too long, or no such section.
    """
    section = _section(queries.template_of(roadmap), key, "text")
    body = rules.clean_text(body, where=section.title)
    at = at or clock.now()
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        row = Section.objects.get(roadmap=roadmap, key=key)
        if row.body == body:
            return Saved(row.rev, row.updated_at, False)
        refusal = _refusal(roadmap, rev, row, section.title)
        if refusal is None:
            row.body, row.rev = body, row.rev + 1
            _touch(row, by, at)
            row.save(update_fields=["body", "rev", "updated_at", "updated_by"])
            _revision(roadmap, f"section:{key}", row.rev, {"body": body}, by, at).save()
            return Saved(row.rev, at, True)
        kept = _keep_refused(roadmap, f"section:{key}", rev, {"body": body}, by, at)
    raise _conflict(refusal, row.body, body, row.rev, kept)


def restore_section(
    roadmap: Roadmap, key: str, *, revision: int, rev: int, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Saved:
    """Bring an earlier (or a refused) wording back, as a new revision; nothing of the history is lost."""
    found = Revision.objects.filter(roadmap=roadmap, element=f"section:{key}", pk=revision).first()
    if found is None:
        raise Refused(T("Cette version du texte n'existe pas.", "This wording does not exist."), kind="input")
    return save_section(roadmap, key, body=found.content["body"], rev=rev, by=by, on=on, at=at)


def add_item(
    roadmap: Roadmap,
    section_key: str,
    *,
    level: str,
    title: str,
    by: Actor,
    on: dt.date,
    parent: str = "",
    body: str = "",
    horizon: str = "",
    due_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Item:
    """Add an element at the end of its section (of its parent, when there is one).

    Raises:
        Refused: no title, a level that the section does not hold, or a parent of another level than the policy's.
    """
    template = queries.template_of(roadmap)
    section = _section(template, section_key, "items")
    rules.check_level(template, section, level)
    wording = _clean_wording(title, body, horizon, due_on, template.level(level).title)
    at = at or clock.now()
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        _check_writable(roadmap)
        items = list(Item.objects.filter(roadmap=roadmap))
        above = _parent(template, level, parent, items)
        item = Item(
            roadmap=roadmap,
            section_key=section_key,
            key=rules.next_key(level, (i.key for i in items)),
            level=level,
            parent=above,
            order=max((i.order for i in items if i.section_key == section_key), default=-1) + 1,
            rev=1,
            **wording,
        )
        _touch(item, by, at)
        item.save()
        _revision(roadmap, f"item:{item.key}", 1, _wording(item), by, at).save()
        _touch_section(roadmap, section_key, by, at)
        return item


def save_item(
    roadmap: Roadmap,
    key: str,
    *,
    title: str,
    body: str,
    horizon: str,
    due_on: dt.date | None,
    rev: int,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Saved:
    """Save the wording of an element, started from revision ``rev``; conflicts as for a section."""
    at = at or clock.now()
    template = queries.template_of(roadmap)
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        item = _item(roadmap, key)
        name = template.level(item.level).title
        wording = _clean_wording(title, body, horizon, due_on, name)
        before = _wording(item)
        yours = _as_stored(wording)
        if before == yours and item.removed_at is None:
            return Saved(item.rev, item.updated_at, False)
        refusal = _refusal(roadmap, rev, item, item.title)
        if refusal is None:
            for field, value in wording.items():
                setattr(item, field, value)
            item.rev += 1
            _touch(item, by, at)
            item.save(update_fields=[*wording, "rev", "updated_at", "updated_by"])
            _revision(roadmap, f"item:{key}", item.rev, yours, by, at).save()
            _touch_section(roadmap, item.section_key, by, at)
            return Saved(item.rev, at, True)
        kept = _keep_refused(roadmap, f"item:{key}", rev, yours, by, at)
    raise _conflict(refusal, before, yours, item.rev, kept)


def restore_item_wording(
    roadmap: Roadmap, key: str, *, revision: int, rev: int, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Saved:
    """Bring an earlier wording of an element back, as a new revision."""
    found = Revision.objects.filter(roadmap=roadmap, element=f"item:{key}", pk=revision).first()
    if found is None:
        raise Refused(T("Cette version du texte n'existe pas.", "This wording does not exist."), kind="input")
    old = found.content
    return save_item(
        roadmap,
        key,
        title=old["title"],
        body=old["body"],
        horizon=old["horizon"],
        due_on=dt.date.fromisoformat(old["due_on"]) if old["due_on"] else None,
        rev=rev,
        by=by,
        on=on,
        at=at,
    )


def move_item(
    roadmap: Roadmap,
    key: str,
    *,
    by: Actor,
    on: dt.date,
    where: str = "",
    parent: str | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Move an element: ``where`` up, down, in (one level deeper), out; or under another ``parent`` ("" detaches).

    A move does not touch the wording, so it conflicts with nobody who writes.
    """
    template = queries.template_of(roadmap)
    at = at or clock.now()
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        _check_writable(roadmap)
        items = {i.key: i for i in Item.objects.filter(roadmap=roadmap, removed_at__isnull=True)}
        item = _item(roadmap, key, among=items)
        section = template.section(item.section_key)
        elements = queries.elements(items.values())
        one = next(e for e in elements if e.key == key)
        if where:
            changed = rules.moved(template, section, elements, key, where)
        else:
            above = next((e for e in elements if e.key == parent), None) if parent else None
            if parent and above is None:
                raise _unknown_element(parent)
            rules.check_parent(template, item.level, above, key=key, elements=elements)
            changed = [replace(one, parent=parent or None)] if one.parent != (parent or None) else []
        for e in changed:
            row = items[e.key]
            row.level, row.order = e.level, e.order
            row.parent = items[e.parent] if e.parent else None
        Item.objects.bulk_update([items[e.key] for e in changed], ["level", "order", "parent"], batch_size=200)
        if changed:
            _touch_section(roadmap, item.section_key, by, at)


def remove_item(roadmap: Roadmap, key: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> list[str]:
    """Take an element and what hangs under it in its section out of the text; undo is :func:`restore_item`.

    Returns the keys taken out. What hangs under it in other sections stays, without parent.
    """
    at = at or clock.now()
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        _check_writable(roadmap)
        items = {i.key: i for i in Item.objects.filter(roadmap=roadmap, removed_at__isnull=True)}
        item = _item(roadmap, key, among=items)
        elements = queries.elements(e for e in items.values() if e.section_key == item.section_key)
        gone = [key, *rules.descendants(elements, key)]
        Item.objects.filter(roadmap=roadmap, key__in=gone).update(
            removed_at=at, updated_at=at, updated_by=by.user_label[:200]
        )
        Revision.objects.bulk_create(
            _revision(roadmap, f"item:{k}", items[k].rev, {**_wording(items[k]), "removed": True}, by, at) for k in gone
        )
        _touch_section(roadmap, item.section_key, by, at)
        return gone


def restore_item(roadmap: Roadmap, key: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> list[str]:
    """Undo a removal: the element comes back with what was taken out together with it."""
    at = at or clock.now()
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_draft(by, roadmap.cluster, on)
        _check_writable(roadmap)
        item = _item(roadmap, key)
        if item.removed_at is None:
            return []
        together = Item.objects.filter(roadmap=roadmap, removed_at=item.removed_at, section_key=item.section_key)
        elements = [queries.element(i, {j.pk: j.key for j in together}) for i in together]
        back = [key, *rules.descendants(elements, key)]
        Item.objects.filter(roadmap=roadmap, key__in=back).update(
            removed_at=None, updated_at=at, updated_by=by.user_label[:200]
        )
        rows = {i.key: i for i in together}
        Revision.objects.bulk_create(
            _revision(roadmap, f"item:{k}", rows[k].rev, _wording(rows[k]), by, at) for k in back
        )
        _touch_section(roadmap, item.section_key, by, at)
        return back


# -- decide -----------------------------------------------------------------------------------------------------


def submit(roadmap: Roadmap, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Roadmap:
    """Send the roadmap to the State; its correspondents are told.

    Raises:
        Refused: with the list of what is missing.
    """
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_submit(by, roadmap.cluster, on)
        move = workflow.check(states.MOVES, states.STATES, "submit", roadmap.state)
        draft = queries.whole(roadmap)
        gaps = draft.missing()
        if gaps:
            raise Refused(
                T(
                    "La feuille de route n'est pas complète : rien n'a été envoyé.",
                    "The roadmap is not complete: nothing was sent.",
                ),
                missing=[gap.text for gap in gaps],
                why=_why_complete(draft),
            )
        before = {"state": roadmap.state}
        _record_wording(roadmap, by=by, on=on, at=at)
        roadmap.state, roadmap.submitted_on = move.target, on
        roadmap.save(update_fields=["state", "submitted_on"])
        journal.record(
            queries.case_of(roadmap),
            "roadmap.submit",
            by=by,
            on=on,
            at=at,
            before=before,
            after={
                "state": roadmap.state,
                "version": roadmap.version,
                "content_sha256": queries.fingerprint(queries.content(draft)),
            },
        )
        told = User.objects.filter(
            is_active=True,
            pk__in=Correspondent.objects.filter(_in_force(on), cluster=roadmap.cluster).values("user_id"),
        )
        _tell(told, messages.submitted(roadmap, on), roadmap)
        return roadmap


def return_with_reasons(
    roadmap: Roadmap, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Roadmap:
    """Send the roadmap back to the cluster, with reasons; drafting opens again.

    Raises:
        Refused: no reason, or the roadmap is not submitted.
    """
    reason = rules.clean_text(reason, where=T("les motifs", "the reasons")).strip()
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_review(by, roadmap.cluster, on)
        move = workflow.check(states.MOVES, states.STATES, "return", roadmap.state, reason)
        roadmap.state, roadmap.returned_reason = move.target, reason
        roadmap.save(update_fields=["state", "returned_reason"])
        journal.record(
            queries.case_of(roadmap),
            "roadmap.return",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"state": "submitted"},
            after={"state": roadmap.state},
        )
        _tell(_writers(roadmap, on), messages.returned(roadmap, on, reason), roadmap)
        return roadmap


def validate(roadmap: Roadmap, *, by: Actor, on: dt.date, seen: str = "", at: dt.datetime | None = None) -> Roadmap:
    """Validate and freeze the roadmap; the version validated before it (same phase) is replaced.

    ``seen``: fingerprint of the text that was read (:func:`jalon.roadmaps.queries.fingerprint`).

    Raises:
        Conflict: the text is not the one that was read.
        Refused: the roadmap is not submitted.
    """
    with transaction.atomic():
        roadmap = _locked(roadmap)
        access.may_review(by, roadmap.cluster, on)
        move = workflow.check(states.MOVES, states.STATES, "validate", roadmap.state)
        content = queries.content(queries.whole(roadmap))
        found = queries.fingerprint(content)
        if seen and seen != found:
            raise Conflict(
                T(
                    "Le texte a changé depuis que vous l'avez ouvert : relisez-le avant de valider.",
                    "The text has changed since you opened it: read it again before validating.",
                ),
                theirs=found,
                yours=seen,
            )
        case = queries.case_of(roadmap)
        frozen = journal.freeze(case, "roadmap", content, at=at)
        older = list(
            Roadmap.objects.select_for_update()
            .filter(cluster=roadmap.cluster, phase=roadmap.phase, state="validated")
            .exclude(pk=roadmap.pk)
        )
        for one in older:
            one.state = workflow.check(states.MOVES, states.STATES, "replace", one.state).target
            one.save(update_fields=["state"])
            journal.record(
                queries.case_of(one),
                "roadmap.replace",
                by=by,
                on=on,
                at=at,
                before={"state": "validated"},
                after={"state": one.state, "by": case},
            )
        roadmap.state, roadmap.validated_on, roadmap.frozen = move.target, on, frozen
        roadmap.returned_reason = ""
        roadmap.save(update_fields=["state", "validated_on", "frozen", "returned_reason"])
        journal.record(
            case,
            "roadmap.validate",
            by=by,
            on=on,
            at=at,
            before={"state": "submitted"},
            after={
                "state": roadmap.state,
                "version": roadmap.version,
                "sha256": frozen.sha256,
                "content_sha256": found,
                "replaces": [queries.case_of(one) for one in older],
            },
        )
        _tell(_writers(roadmap, on), messages.validated(roadmap, on, frozen.sha256), roadmap)
        return roadmap


# -- what the acts share ----------------------------------------------------------------------------------------


def _locked(roadmap: Roadmap) -> Roadmap:
    return Roadmap.objects.select_for_update(of=("self",)).select_related("cluster").get(pk=roadmap.pk)


def _in_force(on: dt.date) -> Q:
    return (Q(starts_on__isnull=True) | Q(starts_on__lte=on)) & (Q(ends_on__isnull=True) | Q(ends_on__gte=on))


def _not_open(roadmap: Roadmap) -> Text:
    return T(
        "La feuille de route est « {s} » : son texte ne change plus. {mend}",
        "The roadmap is “{s}”: its text no longer changes. {mend}",
        s=states.TITLES[roadmap.state],
        mend=T(
            "L'État peut vous la retourner avec ses motifs.",
            "The State may return it to you with its reasons.",
        )
        if roadmap.state == "submitted"
        else T("Commencez une nouvelle version.", "Begin a new version."),
    )


def _check_writable(roadmap: Roadmap) -> None:
    if roadmap.state not in states.WRITABLE:
        raise Refused(_not_open(roadmap))


def _check_order(starts_on: dt.date | None, ends_on: dt.date | None) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        raise Refused(T("La fin précède le début.", "The end comes before the start."), kind="input")


def _refusal(roadmap: Roadmap, rev: int, row: Section | Item, title: Any) -> Text | None:
    """Why a save cannot be written over what is stored, if so."""
    if roadmap.state not in states.WRITABLE:
        return _not_open(roadmap)
    if isinstance(row, Item) and row.removed_at is not None:
        return T(
            "« {t} » a été retiré entre-temps par {who} : remettez-le, ou reprenez vos mots ailleurs.",
            "“{t}” was removed meanwhile by {who}: bring it back, or use your words elsewhere.",
            t=title,
            who=row.updated_by or T("quelqu'un", "somebody"),
        )
    if row.rev != rev:
        return T(
            "« {t} » a été modifié entre-temps par {who}. Vos mots sont gardés dans l'historique ; "
            "rien n'a été écrasé. Comparez les deux textes, puis enregistrez celui qui convient.",
            "“{t}” was changed meanwhile by {who}. Your words are kept in the history; "
            "nothing was overwritten. Compare both texts, then save the right one.",
            t=title,
            who=row.updated_by or T("quelqu'un", "somebody"),
        )
    return None


def _conflict(reason: Text, theirs: Any, yours: Any, rev: int, kept: Revision) -> Conflict:
    conflict = Conflict(reason, theirs=theirs, yours=yours)
    conflict.rev = rev
    conflict.kept = kept
    return conflict


def _keep_refused(roadmap: Roadmap, name: str, rev: int, content: Any, by: Actor, at: dt.datetime) -> Revision:
    """Keep words that could not be saved; the same words sent again (a retry) are kept once."""
    last = (
        Revision.objects.filter(roadmap=roadmap, element=name, rev=rev, refused=True, user_label=by.user_label[:200])
        .order_by("-id")
        .first()
    )
    if last is not None and last.content == content:
        return last
    kept = _revision(roadmap, name, rev, content, by, at, refused=True)
    kept.save()
    return kept


def _revision(
    roadmap: Roadmap, name: str, rev: int, content: Any, by: Actor, at: dt.datetime, *, refused: bool = False
) -> Revision:
    return Revision(
        roadmap=roadmap, element=name, rev=rev, content=content, at=at, user_label=by.user_label[:200], refused=refused
    )


def _touch(row: Section | Item, by: Actor, at: dt.datetime) -> None:
    row.updated_at, row.updated_by = at, by.user_label[:200]


def _touch_section(roadmap: Roadmap, key: str, by: Actor, at: dt.datetime) -> None:
    Section.objects.filter(roadmap=roadmap, key=key).update(updated_at=at, updated_by=by.user_label[:200])


def _section(template: Any, key: str, kind: str) -> Any:
    section = next((s for s in template.sections if s.key == key and s.kind == kind), None)
    if section is None:
        raise Refused(
            T("Cette section n'existe pas dans le modèle : {k}.", "This section is not in the template: {k}.", k=key),
            kind="input",
        )
    return section


def _unknown_element(key: str) -> Refused:
    return Refused(T("Cet élément n'existe pas : {k}.", "This element does not exist: {k}.", k=key), kind="input")


def _item(roadmap: Roadmap, key: str, among: Mapping[str, Item] | None = None) -> Item:
    item = among.get(key) if among is not None else Item.objects.filter(roadmap=roadmap, key=key).first()
    if item is None:
        raise _unknown_element(key)
    return item


def _parent(template: Any, level: str, key: str, items: Iterable[Item]) -> Item | None:
    if not key:
        return None
    item = next((i for i in items if i.key == key and i.removed_at is None), None)
    if item is None:
        raise _unknown_element(key)
    rules.check_parent(template, level, queries.element(item, {}))
    return item


def _clean_wording(title: str, body: str, horizon: str, due_on: dt.date | None, where: Any) -> dict[str, Any]:
    if horizon and horizon not in states.HORIZONS:
        raise Refused(T("Horizon inconnu : {h}.", "Unknown horizon: {h}.", h=horizon), kind="input")
    title = rules.clean_title(title, where=where)
    return {"title": title, "body": rules.clean_text(body, where=title), "horizon": horizon, "due_on": due_on}


def _as_stored(wording: Mapping[str, Any]) -> dict[str, Any]:
    return {**wording, "due_on": wording["due_on"].isoformat() if wording["due_on"] else None}


def _wording(item: Item) -> dict[str, Any]:
    return _as_stored({"title": item.title, "body": item.body, "horizon": item.horizon, "due_on": item.due_on})


def _frame(values: tuple[str, dt.date | None, dt.date | None]) -> str:
    title, starts_on, ends_on = values
    return f"{title} ({starts_on or '…'} – {ends_on or '…'})"


def _record_wording(roadmap: Roadmap, *, by: Actor, on: dt.date, at: dt.datetime | None) -> None:
    """One row for the writing since the last envoi: which texts, at which revision, by whom.

    The wordings themselves are in the revisions; the journal keeps that they were written.
    """
    case = queries.case_of(roadmap)
    noted = JournalEntry.objects.filter(case=case, act="roadmap.worded").order_by("-id").first()
    since = noted.after["last_revision"] if noted else 0
    new = Revision.objects.filter(roadmap=roadmap, refused=False, pk__gt=since).order_by("pk")
    written: dict[str, dict[str, Any]] = {}
    last = since
    for pk, name, rev, who in new.values_list("pk", "element", "rev", "user_label"):
        row = written.setdefault(name, {"rev": rev, "saves": 0, "by": []})
        row["rev"], row["saves"] = rev, row["saves"] + 1
        if who not in row["by"]:
            row["by"].append(who)
        last = pk
    if written:
        journal.record(case, "roadmap.worded", by=by, on=on, at=at, after={"texts": written, "last_revision": last})


def _why_complete(draft: queries.Draft) -> Why:
    template = draft.template
    return Why(
        rule=T(
            "Une feuille de route part à l'État quand chaque section obligatoire est remplie, chaque élément rattaché "
            "et sa période dans l'horizon.",
            "A roadmap goes to the State when every required section is filled, every element attached "
            "and its period within the horizon.",
        ),
        parameter=f"roadmaps.{template.code}",
        reference=template.reference,
        url=template.url or "",
        day=draft.roadmap.policy_day,
        inputs={
            T("Modèle", "Template"): template.title,
            T("Sections obligatoires", "Required sections"): sum(1 for s in template.sections if s.required),
        },
        reading=template.reading,
    )


def _writers(roadmap: Roadmap, on: dt.date) -> Iterable[User]:
    """Who writes the roadmap: users acting on that day for the organisations that carry the cluster."""
    roles = [role.code for role in policy().roles_with("roadmap.draft")]
    carriers = Carrier.objects.filter(_in_force(on), cluster=roadmap.cluster).values("organisation_id")
    mandates = Mandate.objects.filter(
        _in_force(on), organisation_id__in=carriers, role__in=roles, revoked_at__isnull=True
    )
    return User.objects.filter(pk__in=mandates.values("user_id"), is_active=True).order_by("pk")


def _tell(users: Iterable[User], message: tuple[Text, Text], roadmap: Roadmap) -> None:
    subject, body = message
    for user in users:
        with speaking(user.language):
            outbox.post(user.email, str(subject), str(body), case=queries.case_of(roadmap))
