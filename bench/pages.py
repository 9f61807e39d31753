"""Pages against an empty page of the same layout: same base template, same account, same middleware."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache

from bench.browsing import EMPTY, Browser, NotThere
from bench.generate import OFFICER, Size
from bench.measure import Figure, Idle, Told, queries_of, turn_about

AIM = 3.0
GROWTH = 1.3
"""A page may take this many times longer, against its empty page, at size 20 than at size 1."""


@dataclass(frozen=True)
class Page:
    """A page: its name in the table, its address, who asks for it.

    ``state``: in which the page is asked for.

    * ``first``: for the first time after an act: all that was kept is forgotten before each turn.
    * ``kept``: again, nothing having changed since.
    * ``other``: for the first time at this address, while other pages of the same list were asked for since the last act.
    """

    name: str
    address: str
    who: str = ""
    state: str = "first"


def pages(size: Size) -> list[Page]:
    """The pages measured; ordinary ones first, then last pages and filters that keep little."""
    last = "9999"  # a page number past the end gives the last page
    few = f"{size.contracts - 1:04d}"
    large = "pole-0000"
    usual = f"{size.clusters // 2:04d}"
    contract = f"contrat-{size.contracts // 2:04d}"
    return [
        Page("register", "/poles/"),
        Page("sheet", f"/poles/pole-{usual}/"),
        Page("register-kept", "/poles/", state="kept"),
        Page("sheet-kept", f"/poles/pole-{usual}/", state="kept"),
        Page("members", f"/poles/{large}/membres/"),
        Page("dashboard", f"/contrats/{contract}/suivi/", OFFICER),
        Page("board", "/tableau/", OFFICER),
        Page("home", "/accueil/", OFFICER),
        Page("register-last", f"/poles/?page={last}"),
        Page("register-few", f"/poles/?q={few}"),
        Page("members-last", f"/poles/{large}/membres/?page={last}"),
        Page("members-few", f"/poles/{large}/membres/?q=00042"),
        Page("board-last", f"/tableau/?page={last}", OFFICER),
        Page("board-few", f"/tableau/?q={few}", OFFICER),
        Page("board-known", "/tableau/?known_on=2010-04-30", OFFICER),
        Page("register-last-other", f"/poles/?page={last}", state="other"),
        Page("register-few-other", f"/poles/?q={few}", state="other"),
        Page("members-kept", f"/poles/{large}/membres/", state="kept"),
        Page("dashboard-kept", f"/contrats/{contract}/suivi/", OFFICER, state="kept"),
        Page("board-kept", "/tableau/", OFFICER, state="kept"),
        Page("home-kept", "/accueil/", OFFICER, state="kept"),
    ]


_turn = itertools.count()


def _ask(browser: Browser, one: Page) -> int:
    if one.state == "first":
        cache.clear()
    # another address of the same page each time: nobody asked for it before
    return browser.page(f"{one.address}&tour={next(_turn)}" if one.state == "other" else one.address)


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """A line of the table for each page that the product has; the others are named in ``told``."""
    asked: list[tuple[Page, Callable[[], int], Callable[[], int], int]] = []
    browsers = {who: Browser(who) for who in {one.who for one in pages(size)}}
    empty = {who: (lambda browser=browser: browser.page(EMPTY)) for who, browser in browsers.items()}
    idle = {who: Idle(act) for who, act in empty.items()}
    for one in pages(size):
        act = functools.partial(_ask, browsers[one.who], one)
        try:
            asked.append((one, act, empty[one.who], idle[one.who].above(act)))
        except NotThere:
            told.absent.append(f"{one.name} ({one.address})")
        except RuntimeError as error:
            told.crashed.append(f"{one.name} ({one.address}): {error}")
    found: list[Figure] = []
    for one, act, floor, memory in asked:
        try:
            timed = turn_about(act, floor, runs, warm=2)
        except RuntimeError as error:
            told.crashed.append(f"{one.name} ({one.address}): {error}")
            continue
        found.append(
            Figure(
                "pages", one.name, timed.time, timed.base, timed.ratio, AIM,
                queries=queries_of(act), floor_queries=queries_of(floor), memory=memory, note=f"{act() / 1024:.0f} kB",
            )
        )  # fmt: skip
    return found
