"""The style sheets: weight, contrast, and no address outside the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jalon.ui

STATIC = Path(jalon.ui.__file__).parent / "static" / "jalon"
TEMPLATES = Path(jalon.ui.__file__).parent / "templates"


def tokens() -> dict[str, dict[str, str]]:
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    light, rest = css.split("@media (prefers-color-scheme: dark)")
    dark = rest.split("@media print")[0]
    read = lambda part: dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,6})", part))  # noqa: E731
    return {"light": read(light), "dark": {**read(light), **read(dark)}}


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(c * 2 for c in digits)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    one, two = sorted((luminance(a), luminance(b)), reverse=True)
    return (one + 0.05) / (two + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "papers"),
    [
        ("ink", ("paper", "panel", "panel-2", "ins", "del")),
        ("ink-2", ("paper", "panel")),
        ("accent", ("paper", "panel")),
        ("accent-ink", ("accent",)),
        ("demo-ink", ("demo",)),
        *((tone, ("paper", "panel", f"{tone}-soft")) for tone in ("good", "warn", "bad", "info", "quiet", "unknown")),
    ],
)
def test_text_can_be_read(mode, ink, papers):
    colours = tokens()[mode]
    for paper in papers:
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_drawings_and_focus_stand_out(mode):
    colours = tokens()[mode]
    for name in ("chart-1", "chart-2", "chart-3", "chart-4", "chart-target", "focus", "rule-strong"):
        assert contrast(colours[name], colours["paper"]) >= 3, name


def test_weight():
    assert sum(p.stat().st_size for p in STATIC.glob("*.css")) <= 45_000
    assert sum(p.stat().st_size for p in STATIC.glob("*.js")) <= 30_000


def test_nothing_comes_from_elsewhere_and_nothing_is_inline():
    for path in [*STATIC.iterdir(), *TEMPLATES.rglob("*.html")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        if path.name != "styleguide.html":
            assert not re.search(r"https?://", text), path
        if path.suffix == ".html":
            assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*src=)", text), path
        if path.suffix == ".js":
            assert not re.search(r"\beval\(|innerHTML|\.style\b|new Function", text), path
