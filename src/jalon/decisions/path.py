"""The path of the policy as data: ``path.yaml`` and ``candidacies.yaml`` of a programme's folder.

Read once per version of the files; a programme without them has no path, and the pages say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jalon.clusters.labels import LabelActRecord, LabelRecord, Register, load_register
from jalon.clusters.queries import data_folder
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.policy.reader import read

KIND_OF = {
    "granted": "label",
    "confirmed": "confirm",
    "maintained": "probation",
    "extended": "extend",
    "renewed": "renew",
    "withdrawn": "withdraw",
    "merged": "merge",
}
"""Which kind of decision an act of the register is."""


@dataclass(frozen=True)
class Step:
    """A step of the path: a day, what is done, and what the files tell of it."""

    number: int
    day: dt.date
    do: str
    said: dict[str, Any]

    def get(self, key: str, default: Any = "") -> Any:
        return self.said.get(key, default)

    @property
    def simulated(self) -> bool:
        return bool(self.said.get("simulated"))

    @property
    def decided_on(self) -> dt.date:
        return self.said.get("decided_on") or self.day


@dataclass(frozen=True)
class PolicyPath:
    """The whole path with the register that it reads."""

    steps: tuple[Step, ...]
    ends_on: dt.date
    calls: tuple[dict[str, Any], ...]
    register: Register

    @property
    def first_day(self) -> dt.date:
        """The first day that can be asked for: that of the first step. No label is held before the first decision."""
        return self.steps[0].day

    def call(self, code: str) -> dict[str, Any]:
        return next(c for c in self.calls if c["code"] == code)

    def acts_of(self, step: Step) -> list[tuple[LabelRecord, LabelActRecord]]:
        """The acts of the register that a step carries out, in the order of the register."""
        found = []
        for label in self.register.labels:
            for act in label.acts:
                if step.do == "register":
                    hit = (
                        act.act == step.get("act")
                        and act.effective_from == step.day
                        and (act.reference or "") == step.get("national")
                    )
                else:
                    hit = act.reference == step.get("national") and (
                        "decided_on" not in step.said or act.decided_on == step.said["decided_on"]
                    )
                if hit:
                    found.append((label, act))
        return found

    def national(self, code: str) -> dict[str, Any] | None:
        """A national decision of the register."""
        return next((d for d in self.register.decisions if d["code"] == code), None)

    def published_count(self, day: dt.date) -> tuple[int | None, str]:
        """How many clusters were counted publicly by a day, and by which decision; None when nothing was published."""
        found: tuple[int | None, str] = (None, "")
        for row in sorted((d for d in self.register.decisions if d.get("on")), key=lambda d: d["on"]):
            if row["on"] > day:
                break
            counts = row.get("counts") or {}
            value = counts.get("published", counts.get("derived"))
            if value is not None:
                found = (int(value), str(row["code"]))
        return found


def path_of(programme: str | None = None) -> PolicyPath | None:
    """The path of a programme; None when its folder of data has none."""
    folder = data_folder(programme)
    if not (folder / "path.yaml").exists() or not (folder / "candidacies.yaml").exists():
        return None
    marks = tuple(sorted((p.name, p.stat().st_mtime_ns) for p in folder.iterdir() if p.is_file()))
    return _read(str(folder), marks)


def calls_of(programme: str | None = None) -> Sequence[dict[str, Any]]:
    """The real calls for applications of a programme's folder of data; none when it has no such file."""
    folder = data_folder(programme)
    if not (folder / "candidacies.yaml").exists():
        return ()
    return tuple(read(folder / "candidacies.yaml").plain().get("calls") or ())


@lru_cache(maxsize=2)
def _read(folder: str, _marks: tuple[tuple[str, int], ...]) -> PolicyPath:
    place = Path(folder)
    plain = read(place / "path.yaml").plain()
    steps = tuple(
        Step(number, row["day"], row["do"], {k: v for k, v in row.items() if k not in ("day", "do")})
        for number, row in enumerate(plain["steps"], 1)
    )
    for before, after in zip(steps, steps[1:], strict=False):
        if after.day < before.day:
            raise Refused(
                T(
                    "path.yaml : l'étape du {b} vient après celle du {a}.",
                    "path.yaml: the step of {b} comes after that of {a}.",
                    a=before.day,
                    b=after.day,
                ),
                kind="input",
            )
    return PolicyPath(
        steps, plain["ends_on"], tuple(read(place / "candidacies.yaml").plain()["calls"]), load_register(place)
    )


def title_of(step: Step, path: PolicyPath) -> Text:
    """What a step is called."""
    if step.get("title"):
        return T(step.said["title"]["fr"], step.said["title"]["en"])
    national = path.national(step.get("national")) if step.get("national") else None
    if national is not None:
        return T(national["title"]["fr"], national["title"]["en"])
    if step.do == "call":
        title = path.call(step.said["call"])["title"]
        move = {
            "open": T("s'ouvre", "opens"),
            "close": T("se clôt", "closes"),
        }[step.get("move")]
        return T("{t} : {m}", "{t}: {m}", t=T(title["fr"], title["en"]), m=move)
    titles = {
        ("evaluation", "open"): T("Évaluation {c} : campagne ouverte", "Evaluation {c}: campaign opened"),
        ("evaluation", "record"): T("Évaluation {c} : résultats", "Evaluation {c}: results"),
        ("evaluation", "publish"): T(
            "Évaluation {c} : classement confirmé", "Evaluation {c}: classification confirmed"
        ),
        ("interviews", ""): T(
            "Entretiens contradictoires avec les pôles du groupe 3", "Interviews that heard both sides, with group 3"
        ),
        ("contracts", "roadmaps"): T("Feuilles de route écrites et validées", "Roadmaps written and validated"),
        ("contracts", "prepare"): T("Contrats de performance préparés", "Performance contracts prepared"),
        ("contracts", "negotiate"): T("Contrats négociés", "Contracts negotiated"),
        ("contracts", "deliberate"): T("Délibérations des collectivités", "Deliberations of the authorities"),
        ("contracts", "open_signature"): T("Textes figés, signature ouverte", "Texts frozen, signature opened"),
        ("contracts", "sign"): T("Contrats signés", "Contracts signed"),
        ("contracts", "sign_others"): T("Autres contrats signés", "Other contracts signed"),
        ("register", ""): T(
            "Labels tenus en attendant la décision (déduit)", "Labels held until the decision (deduced)"
        ),
    }
    found = titles.get((step.do, step.get("move"))) or T(step.do, step.do)
    return found.format(c=step.get("campaign"))
