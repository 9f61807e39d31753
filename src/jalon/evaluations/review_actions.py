"""Acts on reviews of a contract: open with the evidence of the day, conclude, and open the revision of its funding."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction

from jalon.contracts import access as contract_access, actions as contract_acts
from jalon.contracts.models import Contract
from jalon.core import journal, workflow
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.evaluations import access, messages, packs, queries, shared, states
from jalon.evaluations.access import case_of_review
from jalon.evaluations.hearing_actions import why_kept
from jalon.evaluations.models import Review
from jalon.people.access import Actor


@transaction.atomic
def open_review(
    contract: Contract,
    kind: str,
    *,
    by: Actor,
    on: dt.date,
    due_on: dt.date | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Review:
    """Open a review of a contract; what was done and reached is frozen as known on the day.

    Args:
        kind: yearly, axes (improvement axes, 18 months, for the groups whose contracts carry axes), mid_term.
        due_on: which of the reviews that the contract owes; the first one not opened yet without it.

    Raises:
        NotAllowed: the actor does not run reviews of this contract.
        Refused: the contract is not signed, owes no such review (group 1 has no review of axes), or it is opened already.
    """
    if kind not in states.REVIEW_KINDS:
        raise Refused(T("« {k} » n'est pas un genre d'examen.", "“{k}” is no kind of review.", k=kind), kind="input")
    contract = Contract.objects.select_for_update(of=("self",)).select_related("cluster").get(pk=contract.pk)
    access.may_review(by, contract, on)
    if contract.state != "signed":
        raise Refused(
            T(
                "Un examen porte sur un contrat signé qui court ; celui-ci ne l'est pas.",
                "A review is about a signed contract that runs; this one is not.",
            )
        )
    owed = [r for r in queries.review_days(contract) if r.kind == kind]
    opened = set(Review.objects.filter(contract=contract, kind=kind).values_list("due_on", flat=True))
    day = next((r for r in owed if r.due_on == due_on or (due_on is None and r.due_on not in opened)), None)
    if day is None:
        raise Refused(
            T(
                "Ce contrat ne doit pas d'examen de ce genre ({k}){g}.",
                "This contract owes no such review ({k}){g}.",
                k=states.REVIEW_KINDS[kind],
                g=T(", ou ils sont ouverts", ", or they are opened") if owed else "",
            )
        )
    moment = shared.moment(on, at)
    try:
        with transaction.atomic():
            review = Review.objects.create(
                contract=contract,
                kind=kind,
                due_on=day.due_on,
                opened_on=on,
                why=why_kept(day.why),
                created_at=moment,
                simulated=simulated or contract.simulated,
            )
    except IntegrityError:
        raise Refused(T("Cet examen est déjà ouvert.", "This review is already opened.")) from None
    review.pack = journal.freeze(case_of_review(review), "review.pack", packs.review_pack(contract, on), at=moment)
    review.save(update_fields=["pack"])
    journal.record(
        case_of_review(review), "review.open", by=by, on=on, at=moment,
        after={"contract": contract.slug, "kind": kind, "due_on": day.due_on, "sha256": review.pack.sha256},
    )  # fmt: skip
    return review


@transaction.atomic
def conclude_review(
    review: Review,
    conclusion: str,
    *,
    by: Actor,
    on: dt.date,
    reason: str,
    revise_funding: bool | None = None,
    at: dt.datetime | None = None,
) -> Review:
    """Conclude a review. An unsatisfactory one opens the revision of funding: an amendment of the contract, negotiated as any other.

    Args:
        conclusion: satisfactory or unsatisfactory.
        revise_funding: open the amendment; yes by default when the review is unsatisfactory, never when it is satisfactory.

    Raises:
        Refused: no reason; the findings were notified and the hearing is not closed; an unsatisfactory conclusion without a single
            finding that stands (nothing is sanctioned without having been debated, or on a settled point); the contract has ended
            (its funding can no longer be revised), or no amendment can be drawn from its text.
    """
    review = shared.lock_review(review)
    contract = review.contract
    access.may_review(by, contract, on)
    if conclusion not in states.CONCLUSIONS:
        raise Refused(T("Une conclusion est satisfaisante ou insatisfaisante.", "A conclusion is satisfactory or unsatisfactory."), kind="input")  # fmt: skip
    move = workflow.check(states.REVIEW_MOVES, states.REVIEW_STATES, "conclude", review.state, reason)
    reason = shared.clean(reason, T("les motifs", "the reasons"))
    hearing = queries.hearing_of(review)
    if hearing is not None and hearing.state not in ("drafting", "closed"):
        raise Refused(
            T(
                "Le contradictoire n'est pas clos ({s}) : un examen se conclut après lui.",
                "The hearing is not closed ({s}): a review is concluded after it.",
                s=states.HEARING_TITLES[hearing.state],
            )
        )
    if conclusion == "unsatisfactory":
        standing = queries.usable_findings(hearing) if hearing is not None and hearing.state == "closed" else []
        if not standing:
            raise Refused(
                T(
                    "Une conclusion insatisfaisante repose sur un constat notifié, débattu et maintenu ou modifié ; il n'y en a aucun.",
                    "An unsatisfactory conclusion rests on a finding notified, debated, and maintained or amended; there is none.",
                )
            )  # fmt: skip
    revise = (conclusion == "unsatisfactory") if revise_funding is None else revise_funding
    if revise and conclusion == "satisfactory":
        raise Refused(
            T(
                "Un examen satisfaisant n'ouvre pas de révision du financement.",
                "A satisfactory review opens no revision of funding.",
            ),
            kind="input",
        )
    moment = shared.moment(on, at)
    before = review.state
    review.state, review.conclusion, review.reason = move.target, conclusion, reason
    review.concluded_on, review.concluded_by, review.revise_funding = on, by.user_label[:200], revise
    if revise:
        review.amendment = _revision(review, by=by, on=on, moment=moment)
    review.save()
    journal.record(
        case_of_review(review), "review.conclude", by=by, on=on, at=moment, why=reason, before={"state": before},
        after={
            "state": review.state, "conclusion": conclusion,
            "amendment": review.amendment.number if review.amendment_id else None,
        },
    )  # fmt: skip
    shared.tell(
        shared.pole_people(contract.cluster_id, "review.reply", on),
        messages.review_concluded(contract.cluster.name, contract.title, revise),
        case_of_review(review),
    )
    return review


def _revision(review: Review, *, by: Actor, on: dt.date, moment: dt.datetime) -> Any:
    """The draft amendment that revises the funding of the reviewed contract; the same act as on the contract's own page."""
    contract = review.contract
    if contract.ends_on is not None and contract.ends_on < on:
        raise Refused(
            T(
                "Le contrat a pris fin le {d} : son financement ne se révise plus. Conclure sans révision.",
                "The contract ended on {d}: its funding can no longer be revised. Conclude without a revision.",
                d=contract.ends_on,
            )
        )
    contract_access.act_for(by, contract, "contract.amend", on)
    text = contract_acts.amend(
        contract,
        reason=str(
            T(
                "Révision du financement après un examen insatisfaisant ({k}, {d}).",
                "Revision of funding after an unsatisfactory review ({k}, {d}).",
                k=states.REVIEW_KINDS[review.kind],
                d=on,
            )
        ),
        title=str(T("Révision du financement", "Revision of funding")),
        by=by,
        on=on,
        at=moment,
    )
    journal.record(
        case_of_review(review), "review.revise", by=by, on=on, at=moment, after={"contract": contract.slug, "text": text.number}
    )  # fmt: skip
    return text
