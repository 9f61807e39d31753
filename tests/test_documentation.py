"""What the documentation says of the repository is true: dependencies, links, commands, settings."""

from __future__ import annotations

import re
import tomllib

import pytest

from jalon.devtools import ROOT

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench" / "README.md"])


def _names(requirements) -> set[str]:
    return {re.split(r"[\[~=<>;! ]", line, maxsplit=1)[0].lower() for line in requirements if isinstance(line, str)}


def _explained(part: str) -> set[str]:
    rows = re.findall(r"^\| ([^|]+?) \|", part, re.M)
    found = {name.strip().lower() for row in rows for name in row.split(",")}
    return found - {"library"} - {name for name in found if set(name) <= {"-"}}


def test_each_dependency_is_explained_and_nothing_else_is():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    product, tools = text.split("## Tests and checks")
    tools = tools.partition("## Installing")[0]
    assert _explained(product) == _names(declared["project"]["dependencies"])
    groups = declared["dependency-groups"]
    assert _explained(tools) == {name for lines in groups.values() for name in _names(lines)}


@pytest.mark.parametrize("page", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_documentation_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), f"{target}: no such file"
        if anchor and found.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.M)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{target}: no such heading"


def test_every_setting_read_from_the_environment_is_documented():
    read = set()
    for path in [*(ROOT / "src" / "jalon").rglob("*.py"), ROOT / "jalon"]:
        text = path.read_text(encoding="utf-8")
        read |= set(re.findall(r"""environ(?:\.get\(|\[)["'](JALON_[A-Z_]+)["']""", text))
    told = set(re.findall(r"`(JALON_[A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    inner = {"JALON_RESTARTED", "JALON_TEST_SQLITE"}  # the entry and the tests talk to themselves
    assert told == read - inner


def test_every_package_and_page_is_named():
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "src" / "jalon").glob("*/__init__.py")}
    assert sorted(name for name in packages if f"src/jalon/{name}" not in architecture) == []
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert sorted(name for name in pages if f"docs/{name}" not in readme) == []
