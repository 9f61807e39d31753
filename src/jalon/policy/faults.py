"""What can be wrong with a policy: a fault in its files, or a value that is not in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from jalon.core.lang import T, Text

_MONTHS_FR = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
_MONTHS_EN = "January February March April May June July August September October November December".split()


def day_text(day: date) -> Text:
    """A day in words, in both languages: 1er mai 2010, 1 May 2010."""
    number = "1er" if day.day == 1 else str(day.day)
    return T(
        f"{number} {_MONTHS_FR[day.month - 1]} {day.year}",
        f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}",
    )


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one place of a policy folder.

    ``line`` starts at 1; ``path`` is where in the file, as ``templates[0].parties[1].role``.
    """

    file: str
    line: int
    path: str
    found: Text
    expected: Text

    @property
    def text(self) -> Text:
        place = f"{self.file}:{self.line}: {self.path}"
        return T(
            "{place} : trouvé {found}, attendu {expected}",
            "{place}: found {found}, expected {expected}",
            place=place,
            found=self.found,
            expected=self.expected,
        )

    def __str__(self) -> str:
        return str(self.text)


class PolicyFaults(Exception):
    """A policy folder cannot be used; ``faults`` lists everything wrong with it, at once."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = sorted(faults, key=lambda f: (f.file, f.line, f.path))
        super().__init__(f"{len(self.faults)} fault(s)")

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class UnknownParameter(AttributeError, LookupError):
    """No parameter of that name exists in the programme, on any day."""

    def __init__(self, path: str, near: Sequence[str] = ()):
        self.path = path
        self.near = list(near)
        hint = ", ".join(self.near)
        self.text = (
            T(
                "Le paramètre « {path} » n’existe pas ; les plus proches : {hint}.",
                "There is no parameter “{path}”; the nearest are: {hint}.",
                path=path,
                hint=hint,
            )
            if hint
            else T(
                "Le paramètre « {path} » n’existe pas.",
                "There is no parameter “{path}”.",
                path=path,
            )
        )
        super().__init__(path)

    def __str__(self) -> str:
        return str(self.text)


class NoValueInForce(LookupError):
    """The parameter exists, but no value of it is in force on that day.

    Attributes:
        path, title: the parameter.
        day: the day that was asked.
        next_since: first day of the next value, if one comes later.
        last_until: last day of the value before, if there was one.
    """

    def __init__(
        self,
        path: str,
        day: date,
        next_since: date | None = None,
        last_until: date | None = None,
        title: Text | None = None,
    ):
        self.path = path
        self.day = day
        self.next_since = next_since
        self.last_until = last_until
        self.title = title or T(path, path)
        fr = "Aucune valeur en vigueur le {day} pour « {title} » ({path})"
        en = "No value is in force on {day} for “{title}” ({path})"
        args: dict[str, object] = {"day": day_text(day), "title": self.title, "path": path}
        if last_until:
            fr += " ; la dernière a cessé de valoir après le {last}"
            en += "; the last one ended after {last}"
            args["last"] = day_text(last_until)
        if next_since:
            fr += " ; la suivante vaut à partir du {next}"
            en += "; the next one starts on {next}"
            args["next"] = day_text(next_since)
        self.text = T(fr + ".", en + ".", **args)
        super().__init__(path, day)

    def __str__(self) -> str:
        return str(self.text)
