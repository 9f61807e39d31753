"""A real Chromium for the journeys: Debian's, driven by Playwright, with no access beyond this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

SCREENSHOTS = Path(__file__).resolve().parents[1] / "var" / "screenshots"

# Without these, Chromium looks up its maker's hosts at every start.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]

SERIOUS = ("serious", "critical")


class Faults:
    """What went wrong in a page without showing: script errors, refusals of the content policy, files not found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def watch(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.found.append(f"script error: {error}"))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message: Any) -> None:
        # A page that answers 403 or 404 on purpose also prints "Failed to load resource".
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.found.append(f"console: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
            self.found.append(f"{response.status}: {response.url}")


def file_name(nodeid: str) -> str:
    return re.sub(r"[^\w.-]+", "_", nodeid.removeprefix("tests/")).strip("_")[:150]


def accessibility_faults(page: Any, *, ignore: tuple[str, ...] = ()) -> list[str]:
    """Serious and critical findings of axe-core on the page as it stands, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    lines = []
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in SERIOUS and violation["id"] not in ignore:
            for node in violation["nodes"]:
                why = " ".join((node.get("failureSummary") or "").split())
                lines.append(f"{violation['id']} ({violation['impact']}) at {node['target']}: {why}")
    return lines
