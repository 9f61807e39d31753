"""The developer's commands: ``jalon test``, ``jalon check``, ``jalon bench``.

``run_tests`` runs everything by default: the checks, every test on SQLite, the tests that use the database again on
PostgreSQL, and the journeys in a real browser. It needs a checkout (tests, tools of the developer lock).
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jalon.core.lang import Text

ROOT = Path(__file__).resolve().parents[2]
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
PHASES = ("checks", "sqlite", "postgres", "browser")
TITLES = {
    "checks": Text("vérifications", "checks"),
    "sqlite": Text("tests sur SQLite", "tests on SQLite"),
    "postgres": Text("tests sur PostgreSQL", "tests on PostgreSQL"),
    "browser": Text("parcours dans un navigateur", "journeys in a browser"),
}


def _say(text: Text) -> None:
    print(Text(f"jalon : {text.fr}", f"jalon: {text.en}"), flush=True)


# --- jalon test --------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What one part of the run gave."""

    code: int
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def run_tests(args: Sequence[str] = ()) -> int:
    """Runs the tests and answers the exit code: 0 only if everything asked for ran and passed.

    Without arguments, or with ``--all``: everything. ``--sqlite``, ``--postgres``, ``--browser``, ``--checks`` choose
    parts. Anything else goes to pytest (``tests/policy -k phase``); alone, it runs on SQLite.

    With ``CI=true`` a missing browser or PostgreSQL is a failure; elsewhere it is said in the last lines.
    """
    flags = {f"--{phase}": phase for phase in PHASES}
    chosen = {flags[a] for a in args if a in flags}
    rest = [a for a in args if a not in flags and a != "--all"]
    everything = "--all" in args or not args
    if everything:
        chosen = set(PHASES)
    quick = not chosen
    started = time.monotonic()
    outcomes: dict[str, Outcome] = {}
    missing: list[Text] = []

    if "checks" in chosen:
        outcomes["checks"] = Outcome(run_checks())
    if "browser" in chosen and not _provide_chromium():
        chosen.discard("browser")
        missing.append(
            Text(
                "les parcours dans un navigateur n'ont pas été exécutés : Chromium manque (sous Debian : apt-get install chromium)",
                "the journeys in a browser did not run: Chromium is missing (on Debian: apt-get install chromium)",
            )
        )
    if "postgres" in chosen and not _provide_postgres():
        chosen.discard("postgres")
        missing.append(
            Text(
                "les tests sur PostgreSQL n'ont pas été exécutés : aucun serveur n'a pu être démarré (sous Debian : apt-get install postgresql)",
                "the tests on PostgreSQL did not run: no server could be started (on Debian: apt-get install postgresql)",
            )
        )
    with tempfile.TemporaryDirectory(prefix="jalon-results-") as folder:
        if quick:
            outcomes["sqlite"] = _pytest("sqlite", rest, Path(folder))
        if "sqlite" in chosen:
            outcomes["sqlite"] = _pytest("sqlite", [*_workers(rest), "-m", "not browser", *rest], Path(folder))
        if "postgres" in chosen:
            more = [*_workers(rest), "--database=postgres", "-m", "not browser"]
            outcomes["postgres"] = _pytest("postgres", [*more, *rest], Path(folder))
        if "browser" in chosen:
            outcomes["browser"] = _pytest("browser", [*_workers(rest), "-m", "browser", *rest], Path(folder))
    return _conclude(outcomes, missing, time.monotonic() - started)


def _workers(rest: Sequence[str]) -> list[str]:
    chosen = any(a.startswith(("-n", "--numprocesses")) or a in ("--pdb", "-s", "--collect-only") for a in rest)
    return [] if chosen else ["-n", str(min(max(os.cpu_count() or 1, 2), 8))]


def _pytest(phase: str, args: Sequence[str], folder: Path) -> Outcome:
    _say(TITLES[phase])
    results = folder / f"{phase}.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={results}", *args]
    # tests/conftest.py names the settings itself, after it has set what they read.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    code = subprocess.run(command, cwd=ROOT, env=env).returncode
    outcome = Outcome(code)
    if results.exists():
        for suite in ElementTree.parse(results).getroot().iter("testsuite"):
            count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
            outcome.failed += count["failures"] + count["errors"]
            outcome.skipped += count["skipped"]
            outcome.passed += count["tests"] - count["failures"] - count["errors"] - count["skipped"]
    return outcome


def _conclude(outcomes: dict[str, Outcome], missing: Sequence[Text], seconds: float) -> int:
    """The last lines: what did not run, each part, then the sum in pytest's own words."""
    print()
    for phase, outcome in outcomes.items():
        title, sign = TITLES[phase], "ok" if outcome.code == 0 else "KO"
        if phase == "checks":
            _say(Text(f"{title.fr} : {sign}", f"{title.en}: {sign}"))
            continue
        _say(
            Text(
                f"{title.fr} : {sign}, {outcome.passed} réussis, {outcome.failed} échoués, {outcome.skipped} sautés",
                f"{title.en}: {sign}, {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped",
            )
        )
    for text in missing:
        _say(text)
    passed = sum(outcome.passed for outcome in outcomes.values())
    failed = sum(outcome.failed for outcome in outcomes.values())
    # A part that fails without a failed test (nothing collected, a check, a crash) still counts as one failure.
    failed += sum(1 for outcome in outcomes.values() if outcome.code and not outcome.failed)
    failed += len(missing) if CI else 0
    print(f"{passed} passed, {failed} failed in {seconds:.0f}s", flush=True)
    return 1 if failed else 0


def find_chromium() -> str | None:
    """Path of a Chromium on this machine; ``JALON_CHROMIUM`` names another one."""
    given = os.environ.get("JALON_CHROMIUM")
    if given:
        return shutil.which(given)
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return None


def _provide_chromium() -> bool:
    return find_chromium() is not None or (_install_debian_package("chromium") and find_chromium() is not None)


def _provide_postgres() -> bool:
    """True when a server starts: tried for real, because having the programs is not enough."""
    sys.path.insert(0, str(ROOT))
    from tests import pg

    def starts() -> str:
        server = pg.Server()
        try:
            server.start()
        except pg.NoPostgres as error:
            return str(error)
        finally:
            server.stop()
        return ""

    why = starts()
    if why and _install_debian_package("postgresql"):
        why = starts()
    if why:
        print(why)
    return not why


def _install_debian_package(name: str) -> bool:
    """Installs a Debian package where that is allowed without asking anything: as root, or by a sudo without password."""
    apt = shutil.which("apt-get")
    if apt is None:
        return False
    become: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True).returncode:
            return False
        become = [sudo, "-n"]
    _say(Text(f"installation du paquet Debian {name}…", f"installing the Debian package {name}…"))
    env = [*become, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq"]
    subprocess.run([*env, "update"], capture_output=True)
    install = [*env, "-y", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", name]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        print("\n".join((done.stdout + done.stderr).strip().splitlines()[-5:]))
    return done.returncode == 0


# --- jalon bench -------------------------------------------------------------------------------------------------


def run_bench(args: Sequence[str] = ()) -> int:
    """The measurements of the folder ``bench``, as ratios; arguments go to ``python -m bench``."""
    return subprocess.run([sys.executable, "-m", "bench", *args], cwd=ROOT).returncode


# --- jalon check -------------------------------------------------------------------------------------------------


def run_checks(*, write: bool = False) -> int:
    """Everything that reads the code without running it. Prints each fault; answers 0 or 1.

    ``write=True`` first mends what can be mended without thought: layout, order of the imports, generated pages.
    """
    if write:
        subprocess.run(_tool("ruff", "check", "--fix", "--quiet", "."), cwd=ROOT, capture_output=True)
        subprocess.run(_tool("ruff", "format", "--quiet", "."), cwd=ROOT)
        for path, content in generated_pages().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    checks: tuple[tuple[Text, Callable[[], list[str]]], ...] = (
        (Text("style et erreurs du code", "style and faults of the code"), _ruff),
        (Text("mise en forme", "layout of the code"), _layout),
        (Text("sens des imports", "direction of the imports"), _imports),
        (Text("configuration de Django et migrations", "Django's configuration and migrations"), _django),
        (Text("pages générées", "generated pages"), _generated),
        (Text("secrets et fichiers binaires", "secrets and binary files"), _secrets),
        (Text("verrous sans adresse", "locks without addresses"), _locks),
    )
    code = 0
    for title, check in checks:
        faults = check()
        _say(Text(f"{title.fr} : {'ok' if not faults else 'KO'}", f"{title.en}: {'ok' if not faults else 'KO'}"))
        for fault in faults:
            print(fault)
        code = code or int(bool(faults))
    return code


def _tool(name: str, *args: str) -> list[str]:
    return [str(Path(sys.executable).with_name(name)), *args]


def _said(command: Sequence[str], **env: str) -> list[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | env)
    return (
        [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines() or [f"code {done.returncode}"]
    )


def _ruff() -> list[str]:
    return _said(_tool("ruff", "check", "--quiet", "--output-format=concise", "."))


def _layout() -> list[str]:
    faults = _said(_tool("ruff", "format", "--check", "--quiet", "--output-format=concise", "."))
    return [*faults, "./jalon check --write"] if faults else []


def _imports() -> list[str]:
    return [line for line in _said(_tool("lint-imports", "--no-cache")) if not set(line) & set("╔╗╚╝║╠╣╩╦")]


def _django() -> list[str]:
    with tempfile.TemporaryDirectory(prefix="jalon-check-") as home:
        env = {
            "JALON_HOME": home,
            "JALON_DATABASE_URL": "",
            "JALON_SECRET_KEY": "only-for-checks-" * 4,
            "DJANGO_SETTINGS_MODULE": "jalon.config.settings",
        }
        manage = [sys.executable, "-m", "django"]
        faults = _said([*manage, "check", "--fail-level", "WARNING"], **env)
        return faults or _said([*manage, "makemigrations", "--check", "--dry-run"], **env)


def _locks() -> list[str]:
    return [
        f"requirements/{path.name}:{number}: {line}"
        for path in sorted((ROOT / "requirements").glob("*.txt"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "://" in line
    ]


SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bglpat-[\w-]{20}\b|\bxox[baprs]-[\w-]{10,}"
    r"|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}"
)
BINARY_ALLOWED = {".png", ".ico", ".woff2", ".xlsx", ".ods", ".docx"}


def _secrets() -> list[str]:
    faults = []
    for path in _files():
        content = path.read_bytes()
        name = path.relative_to(ROOT)
        if b"\0" in content[:8192]:
            if path.suffix not in BINARY_ALLOWED:
                faults.append(f"{name}: a binary file")
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if SECRETS.search(line):
                faults.append(f"{name}:{number}: looks like a secret")
    return faults


def _files() -> Iterable[Path]:
    """What is, or would be, in a commit."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
        )
        if listed.returncode == 0:
            names = listed.stdout.decode().split("\0")
            return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    tree: list[Path] = []
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [n for n in inside if n == ".ci" or not (n.startswith(".") or n in ("var", "__pycache__"))]
        tree += [Path(folder, name) for name in names]
    return tree


# --- generated pages ---------------------------------------------------------------------------------------------


def _generated() -> list[str]:
    faults = []
    try:
        pages = generated_pages()
    except RuntimeError as error:
        return [str(error)]
    for path, content in pages.items():
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        if kept != content:
            name = str(path.relative_to(ROOT))
            faults.append(f"{name}: stale; write it again with: ./jalon check --write")
            changes = difflib.unified_diff(kept.splitlines(), content.splitlines(), "kept", "now", lineterm="", n=0)
            faults += list(changes)[:12]
    return faults


def generated_pages() -> dict[Path, str]:
    """The pages of the documentation that are drawn from the code and from the policy: path and content.

    Raises:
        RuntimeError: Django does not start, or the policy has faults; the message is its last words.
    """
    # In a process of its own: the pages are drawn with the settings as shipped, whatever this process has loaded.
    with tempfile.TemporaryDirectory(prefix="jalon-pages-") as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JALON_")}
        env = kept | {"DJANGO_SETTINGS_MODULE": "jalon.config.settings", "JALON_HOME": home}
        code = "import json; from jalon import devpages; print(json.dumps(devpages.pages()))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError("\n".join(done.stderr.strip().splitlines()[-3:]))
    return {ROOT / "docs" / name: content for name, content in json.loads(done.stdout).items()}
