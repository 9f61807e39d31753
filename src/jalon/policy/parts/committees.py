"""committees.yaml: the kinds of committees, who sits on them, how often they meet, what feeds their agenda.

Delays, quorum and majority are dated parameters of the same file; a kind names the one that holds for it
(``notice: committees.notice_before``), so that several kinds may share one value and each keeps its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.files import CODE, CODES, MAYBE_DAY, MAYBE_TEXT, TEXT, ordered
from jalon.policy.reader import Node
from jalon.policy.schema import Placed, Sourced
from jalon.policy.shapes import Key, Reading, boolean, many, natural, one_of, quoted, record, string

SCOPES = ("cluster", "region", "national", "thematic")
"""What a committee is about: one cluster, the clusters of a region, the whole programme, some clusters."""

HOLDERS = ("state", "region", "authority", "carrier", "ministry", "operator", "expert", "other")
"""What sits: the State in the region, the regional council, another authority, the organisation that carries the cluster,
a ministry, an operator of aid, an expert, others."""

MODES = ("vote", "consensus")

AGENDA_SOURCES: dict[str, Text] = {
    "follow_ups": T("Suites décidées et non faites", "Decided and not done"),
    "reports_late": T("Rapports en retard ou retournés", "Reports late or returned"),
    "indicators_missed": T("Indicateurs manqués ou inconnus", "Indicators missed or unknown"),
    "actions_late": T("Actions en retard", "Actions late"),
    "objectives_at_risk": T("Objectifs menacés", "Objectives at risk"),
    "commitments_late": T("Engagements publics en retard ou contestés", "Public commitments late or contested"),
    "commitments_ending": T("Engagements publics bientôt échus", "Public commitments soon due"),
    "contracts_ending": T("Contrats qui s'achèvent", "Contracts that end"),
    "labels_ending": T("Labels qui s'achèvent", "Labels that end"),
    "proposals_open": T("Propositions qui attendent une réponse", "Proposals that wait for an answer"),
    "amendments_open": T("Avenants ouverts", "Open amendments"),
    "signatures_waiting": T("Signatures attendues", "Signatures waited for"),
    "reviews_due": T("Examens à mi-parcours à tenir", "Mid-term reviews due"),
    "labelling": T("Projets qui demandent un label", "Projects that ask for a label"),
    "selection": T("Appels à projets", "Calls for projects"),
    "funding": T("Conventions et paiements", "Agreements and payments"),
    "evaluations": T("Évaluations", "Evaluations"),
    "decisions": T("Décisions sur les labels", "Decisions on labels"),
}
"""What may feed an agenda. The last ones are asked of the packages of that name (``jalon.<name>.agenda``)."""

TERMS = (
    "every",
    "notice",
    "papers",
    "minutes",
    "quorum",
    "second_without_quorum",
    "majority",
    "majority_of",
    "casting_vote",
    "proxies",
    "ahead",
)
"""The terms of a kind that are parameters: their paths, each may be left out (unknown, or not asked for)."""

_UNITS = {
    "every": ("days", "months", "years", "per_year"),
    "notice": ("days", "working_days", "months"),
    "papers": ("days", "working_days", "months"),
    "minutes": ("days", "working_days", "months"),
    "ahead": ("days", "working_days", "months"),
    "quorum": ("share",),
    "majority": ("share",),
    "majority_of": ("code",),
    "second_without_quorum": ("yes_no",),
    "casting_vote": ("yes_no",),
    "proxies": ("count",),
}
MAJORITY_OF = ("cast", "present")


@dataclass(frozen=True, kw_only=True)
class SeatKind(Placed):
    """A kind of seat: what sits there, whether it presides and votes, the roles under which somebody may fill it."""

    code: str
    title: Text
    holder: str
    chair: bool = False
    votes: bool = True
    several: bool = False
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CommitteeKind(Sourced):
    """A kind of committee. ``run_by``: the roles that convene it and write its minutes; ``mode``: vote or consensus.

    ``valid_from``, ``valid_to``: the days on which the programme has this kind. ``agenda``: the sources of its agenda.
    """

    code: str
    title: Text
    short: Text
    scope: str
    valid_from: date
    valid_to: date | None = None
    description: Text | None = None
    organised_by: Text | None = None
    seats: tuple[SeatKind, ...]
    run_by: tuple[str, ...]
    minutes_by: Text | None = None
    mode: str
    agenda: tuple[str, ...] = ()
    least_clusters: int = 0
    terms: Mapping[str, str]

    def seat(self, code: str) -> SeatKind | None:
        return next((s for s in self.seats if s.code == code), None)

    def on(self, day: date) -> bool:
        """Whether the programme has this kind on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def _terms(node: Node, reading: Reading) -> Any:
    return record(_Terms, {name: Key(string, "") for name in TERMS})(node, reading)


@dataclass(frozen=True)
class _Terms:
    every: str = ""
    notice: str = ""
    papers: str = ""
    minutes: str = ""
    quorum: str = ""
    second_without_quorum: str = ""
    majority: str = ""
    majority_of: str = ""
    casting_vote: str = ""
    proxies: str = ""
    ahead: str = ""

    def get(self, name: str) -> str:
        return getattr(self, name)


SEAT = record(
    SeatKind,
    {
        "code": CODE,
        "title": TEXT,
        "holder": Key(one_of(HOLDERS)),
        "chair": Key(boolean, False),
        "votes": Key(boolean, True),
        "several": Key(boolean, False),
        "roles": CODES,
    },
)


def _kind(built: CommitteeKind, node: Node, reading: Reading) -> None:
    ordered("valid_from", "valid_to")(built, node, reading)
    if built.mode == "vote":
        for term in ("quorum", "majority"):
            if not built.terms.get(term):
                reading.fault(
                    node,
                    T("« {c} » vote sans « {t} »", "“{c}” votes without “{t}”", c=built.code, t=term),
                    T("terms.{t} : le paramètre qui le fixe", "terms.{t}: the parameter that fixes it", t=term),
                )
    if built.mode == "vote" and not any(seat.votes for seat in built.seats):
        reading.fault(
            node,
            T("« {c} » sans siège qui vote", "“{c}” without a seat that votes", c=built.code),
            T("un siège avec votes: true", "a seat with votes: true"),
        )


KIND = record(
    CommitteeKind,
    {
        "code": CODE,
        "title": TEXT,
        "short": TEXT,
        "scope": Key(one_of(SCOPES)),
        "valid_from": Key(MAYBE_DAY.shape),
        "valid_to": MAYBE_DAY,
        "description": MAYBE_TEXT,
        "organised_by": MAYBE_TEXT,
        "seats": Key(many(SEAT, unique="code", least=1)),
        "run_by": Key(many(CODE.shape, unique="", least=1)),
        "minutes_by": MAYBE_TEXT,
        "mode": Key(one_of(MODES)),
        "agenda": Key(many(one_of(tuple(AGENDA_SOURCES)), unique=""), ()),
        "least_clusters": Key(natural, 0),
        "terms": Key(_terms, _Terms()),
    },
    sourced=True,
    check=_kind,
)

KEYS = {"kinds": Key(many(KIND, unique="code"), ())}


def cross(part: SimpleNamespace, others: Mapping[str, Any], fault: Callable[..., None]) -> None:
    """Roles and parameters that a kind names must exist; the role that runs a committee may manage one."""
    roles = {r.code: r for r in (others.get("roles") or {}).get("roles") or ()}
    parameters = others.get("parameters") or {}
    for kind in part.kinds:
        path = f"kinds.{kind.code}"
        for code in kind.run_by:
            role = roles.get(code)
            if role is None or "committee.manage" not in role.permissions:
                fault(
                    kind,
                    f"{path}.run_by",
                    T("le rôle « {r} »", "the role “{r}”", r=code),
                    T(
                        "un rôle de roles.yaml qui a le droit committee.manage",
                        "a role of roles.yaml that holds committee.manage",
                    ),
                )
        for seat in kind.seats:
            for code in seat.roles:
                if code not in roles:
                    fault(
                        seat,
                        f"{path}.seats.{seat.code}.roles",
                        T("le rôle « {r} »", "the role “{r}”", r=code),
                        T("l’un de {all}", "one of {all}", all=quoted(sorted(roles)) or "–"),
                    )
        for term in TERMS:
            name = kind.terms.get(term)
            if not name:
                continue
            history = parameters.get(name)
            if name not in parameters:
                fault(
                    kind,
                    f"{path}.terms.{term}",
                    T("le paramètre « {p} »", "the parameter “{p}”", p=name),
                    T("un paramètre de la politique", "a parameter of the policy"),
                )
            elif history is not None and history.unit not in _UNITS[term]:
                fault(
                    kind,
                    f"{path}.terms.{term}",
                    T("« {p} », en {u}", "“{p}”, in {u}", p=name, u=history.unit),
                    T("un paramètre en {u}", "a parameter in {u}", u=quoted(_UNITS[term])),
                )
            elif history is not None and term == "majority_of":
                for value in history.values:
                    if value.value not in MAJORITY_OF:
                        fault(
                            value,
                            f"{name}.values",
                            T("« {v} »", "“{v}”", v=value.value),
                            T("l’un de {u}", "one of {u}", u=quoted(MAJORITY_OF)),
                        )
