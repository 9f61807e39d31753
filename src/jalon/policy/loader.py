"""Loads a programme's folder: reads its files, checks them against each other."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy import files, grids, parts as optional, reader, vocabulary
from jalon.policy.faults import Fault, PolicyFaults, day_text
from jalon.policy.policy import Policy
from jalon.policy.reader import Node
from jalon.policy.schema import Governance, Indicator, Members, Source
from jalon.policy.shapes import BAD, Reading, quoted, record


@dataclass(frozen=True)
class _SourceBody:
    title: str
    url: str | None = None


# A page asks for the policy many times: its files are looked at again after this many seconds.
RECHECK_AFTER = 1.0
ALL_FILES = {**files.FILES, **{name: module.KEYS for name, module in optional.MODULES.items()}}
_cache: dict[str, tuple[float, tuple[Any, ...], Policy]] = {}


def programmes() -> dict[str, Path]:
    """The programmes that can be loaded: slug → folder.

    Looks in the folders of ``JALON_POLICIES`` (several may be given, separated as in PATH), else in
    the ``policies`` folder of the project. A folder is a programme when it holds programme.yaml.
    """
    named = os.environ.get("JALON_POLICIES", "")
    roots = [Path(part) for part in named.split(os.pathsep) if part] or [reader.ROOT / "policies"]
    found: dict[str, Path] = {}
    for root in roots:
        candidates = [root] if (root / "programme.yaml").is_file() else []
        if root.is_dir():
            candidates += sorted(p for p in root.iterdir() if (p / "programme.yaml").is_file())
        for folder in candidates:
            found.setdefault(folder.name, folder)
    return found


def load(folder: str | Path) -> Policy:
    """Read a programme's folder, or the one of that slug; kept until one of its files changes.

    Raises:
        PolicyFaults: everything that is wrong with the folder, at once.
    """
    key = str(folder)
    kept = _cache.get(key)
    if kept is not None and monotonic() - kept[0] < RECHECK_AFTER:
        return kept[2]
    path = Path(folder)
    if not path.is_dir() and isinstance(folder, str):
        path = programmes().get(folder, path)
    path = path.resolve()
    stamp = (str(path), *_stamp(path))
    policy = kept[2] if kept is not None and kept[1] == stamp else _load(path)
    _cache[key] = (monotonic(), stamp, policy)
    return policy


def _stamp(path: Path) -> tuple[Any, ...]:
    if not path.is_dir():
        return ()
    stats = [(entry.name, entry.stat()) for entry in os.scandir(path) if entry.is_file()]
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def _load(folder: Path) -> Policy:
    reading = Reading()
    if not folder.is_dir():
        raise PolicyFaults(
            [
                Fault(
                    reader.shown(folder),
                    1,
                    folder.name,
                    T("aucun dossier", "no folder"),
                    T("le dossier d’un programme", "a programme's folder"),
                )
            ]
        )
    known = {files.SOURCES, *ALL_FILES}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml") and (path.stem not in known or path.suffix == ".yml"):
            reading.faults.append(
                Fault(
                    reader.shown(path),
                    1,
                    path.stem,
                    T("le fichier {f}", "the file {f}", f=path.name),
                    T("l’un de {k}", "one of {k}", k=quoted(f"{n}.yaml" for n in sorted(known))),
                )
            )
    roots: dict[str, Node] = {}
    for name in (files.SOURCES, *ALL_FILES):
        path = folder / f"{name}.yaml"
        if (name == files.SOURCES or name in optional.MODULES) and not path.exists():
            continue
        try:
            roots[name] = reader.read(path)
        except PolicyFaults as error:
            reading.faults.extend(error.faults)
    _sources(roots.get(files.SOURCES), reading)
    money = "EUR"
    if "programme" in roots:
        money_node = roots["programme"].get("currency")
        money = str(money_node.value) if money_node else money
    parts: dict[str, dict[str, Any]] = {}
    parameters: dict[str, Any] = {}
    for name, keys in ALL_FILES.items():
        if name in roots:
            parts[name] = _file(name, roots[name], keys, reading, parameters, money)
    _cross(roots, parts, parameters, reading, money)
    if reading.faults:
        raise PolicyFaults(reading.faults)
    return _policy(folder, parts, parameters, reading.sources)


def _sources(root: Node | None, reading: Reading) -> None:
    if root is None:
        return
    shape = record(_SourceBody, files.SOURCE)
    for key, _, node in root.entries:
        body = shape(node, reading)
        if body is not BAD:
            reading.sources[str(key)] = Source(key=str(key), title=body.title, url=body.url)


def _file(
    name: str,
    root: Node,
    keys: dict[str, Any],
    reading: Reading,
    parameters: dict[str, Any],
    money: str,
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if root.kind != "map":
        reading.fault(
            root,
            T("une liste ou une valeur seule", "a list or a single value"),
            T("des clés et des valeurs", "keys and values"),
            key=name,
        )
        return out
    for key, line, node in root.entries:
        if key in keys:
            out[key] = keys[key].shape(node, reading)
        elif name in files.NO_PARAMETERS or node.kind != "map":
            reading.fault(
                root,
                T("la clé « {k} »", "the key “{k}”", k=key),
                T("l’une de {k}", "one of {k}", k=quoted(keys))
                if name in files.NO_PARAMETERS
                else T(
                    "l’une de {k}, ou un paramètre daté (title, unit, values)",
                    "one of {k}, or a dated parameter (title, unit, values)",
                    k=quoted(keys),
                ),
                key=str(key),
                line=line,
            )
        else:
            path = f"{name}.{key}"
            node.line = line
            history = files.parameter(node, reading, path=path, money=money)
            if history is not BAD:
                parameters[path] = history
    for key, shape in keys.items():
        if key not in out:
            if shape.required:
                reading.fault(
                    root,
                    T("aucune clé « {k} »", "no key “{k}”", k=key),
                    T("la clé « {k} »", "the key “{k}”", k=key),
                )
            else:
                out[key] = shape.default
    return out


class _Cross:
    """Checks that what one file names, another defines."""

    def __init__(self, roots: dict[str, Node], reading: Reading):
        self.roots = roots
        self.reading = reading

    def fault(self, thing: Any, path: str, found: Text, expected: Text) -> None:
        self.reading.faults.append(Fault(thing.file, thing.line, path, found, expected))

    def known(self, thing: Any, path: str, what: Text, word: str, words: Any) -> None:
        """``word`` must be one of ``words``; None when these could not be read, so nothing can be said."""
        if words is not None and word not in words:
            self.fault(
                thing,
                path,
                T("{what} « {w} »", "{what} “{w}”", what=what, w=word),
                T("l’un de {all}", "one of {all}", all=quoted(sorted(words)) or "—"),
            )


_ROLE, _PHASE = T("le rôle", "the role"), T("la phase", "the phase")
_INDICATOR, _GROUP = T("l’indicateur", "the indicator"), T("le groupe", "the group")


def _cross(
    roots: dict[str, Node],
    parts: dict[str, dict[str, Any]],
    parameters: dict[str, Any],
    reading: Reading,
    money: str,
) -> None:
    cross = _Cross(roots, reading)
    # Parameters by name, also those whose values could not be read: their own faults are told already.
    named = {
        f"{name}.{key}"
        for name, root in roots.items()
        for key, _, _ in root.entries
        if key not in ALL_FILES.get(name, {})
    }

    def sound(file: str, key: str) -> Any:
        """What was read under a key (of a list, at least its sound elements), or None when it could not be."""
        value = parts.get(file, {}).get(key, BAD)
        return reading.halves.get((file, key), (None, ()))[0] if value is BAD else value

    def codes(file: str, key: str) -> Any:
        """Code → what it names (None for what is wrong itself); None when the list could not be read."""
        things = sound(file, key)
        if things is None:
            return None
        written = reading.halves.get((file, key), ((), ()))[1]
        return {**dict.fromkeys(written), **{thing.code: thing for thing in things}}

    phases = sound("phases", "phases") or ()
    phase_codes = codes("phases", "phases")
    roles = codes("roles", "roles")
    indicators = codes("indicators", "indicators")
    groups = codes("evaluations", "groups")
    roadmaps = codes("roadmaps", "templates")
    types = codes("members", "types")
    for before, after in pairwise(phases):
        end = before.ends_finally
        if after.starts_on <= end:
            cross.fault(
                after,
                f"phases.{after.code}.starts_on",
                T("{d}", "{d}", d=day_text(after.starts_on)),
                T(
                    "une date après la fin de « {p} » ({d})",
                    "a date after the end of “{p}” ({d})",
                    p=before.code,
                    d=day_text(end),
                ),
            )
    for phase in phases:
        for budget in phase.budgets:
            if budget.unit != money:
                cross.fault(
                    budget,
                    f"phases.{phase.code}.budgets",
                    T("l’unité « {u} »", "the unit “{u}”", u=budget.unit),
                    T("la monnaie du programme, {m}", "the programme's currency, {m}", m=money),
                )
    for template in sound("roadmaps", "templates") or ():
        for code in template.phases:
            cross.known(template, f"templates.{template.code}.phases", _PHASE, code, phase_codes)
    for template in sound("contracts", "templates") or ():
        path = f"templates.{template.code}"
        cross.known(template, f"{path}.phase", _PHASE, template.phase, phase_codes)
        if template.roadmap:
            roadmap = T("la feuille de route", "the roadmap")
            cross.known(template, f"{path}.roadmap", roadmap, template.roadmap, roadmaps)
        for code in template.common_indicators:
            cross.known(template, f"{path}.common_indicators", _INDICATOR, code, indicators)
        for code in template.improvement_axes_for_groups:
            cross.known(template, f"{path}.improvement_axes_for_groups", _GROUP, code, groups)
        for party in template.parties:
            where = f"{path}.parties.{party.kind}.role"
            cross.known(party, where, _ROLE, party.role, roles)
            role = (roles or {}).get(party.role)
            if role is not None and "contract.sign" not in role.permissions:
                cross.fault(
                    party,
                    where,
                    T(
                        "le rôle « {r} », qui ne peut pas signer",
                        "the role “{r}”, which may not sign",
                        r=party.role,
                    ),
                    T("un rôle qui a le droit contract.sign", "a role that holds contract.sign"),
                )
    for indicator in sound("indicators", "indicators") or ():
        for code in indicator.phases:
            cross.known(indicator, f"indicators.{indicator.code}.phases", _PHASE, code, phase_codes)
    calendar = sound("reporting", "calendar")
    if calendar is not None:
        cross.known(calendar, "calendar.declared_by", _ROLE, calendar.declared_by, roles)
        cross.known(calendar, "calendar.validated_by", _ROLE, calendar.validated_by, roles)
    for group in sound("evaluations", "groups") or ():
        cross.known(group, f"groups.{group.code}.phase", _PHASE, group.phase, phase_codes)
        if group.review_after:
            delay = T("le paramètre", "the parameter")
            cross.known(group, f"groups.{group.code}.review_after", delay, group.review_after, named)
    whole = None if ("evaluations", "groups") in reading.halves else sound("evaluations", "groups")
    grids.cross(sound("evaluations", "grids"), whole, named, cross.fault)
    for scheme in sound("members", "size_schemes") or ():
        for size in scheme.categories:
            kind = T("le type de membre", "the member type")
            cross.known(scheme, f"size_schemes.{scheme.code}", kind, size.member_type, types)
    for before, after in pairwise(sound("territories", "region_sets") or ()):
        if before.valid_to is None or after.valid_from <= before.valid_to:
            cross.fault(
                after,
                f"region_sets.{after.code}.valid_from",
                T("{d}", "{d}", d=day_text(after.valid_from)),
                T("une date après la fin de « {p} »", "a date after “{p}” ended", p=before.code),
            )
    for name, module in optional.MODULES.items():
        check = getattr(module, "cross", None)
        if check is not None and name in roots and BAD not in parts.get(name, {}).values():
            # Parameters by path; None for one that could not be read (its own faults are told already).
            check(
                SimpleNamespace(**parts[name]),
                {**parts, "parameters": {**dict.fromkeys(named), **parameters}},
                cross.fault,
            )
    for path in vocabulary.REQUIRED_PARAMETERS:
        name, key = path.split(".")
        root = roots.get(name)
        if path not in parameters and root is not None and root.get(key) is None:
            cross.reading.fault(
                root,
                T("aucun paramètre « {p} »", "no parameter “{p}”", p=path),
                T("ce paramètre, que le code demande", "this parameter, which the code asks for"),
            )


def _policy(
    folder: Path,
    parts: dict[str, dict[str, Any]],
    parameters: dict[str, Any],
    sources: dict[str, Source],
) -> Policy:
    programme = dict(parts["programme"])
    members = parts["members"]
    labels = parts["labels"]
    return Policy(
        slug=folder.name,
        folder=str(folder),
        **programme,
        phases=parts["phases"]["phases"],
        tiers=tuple(sorted(labels["tiers"], key=lambda t: t.order)),
        label_acts=labels["acts"],
        label_deciders=labels["decided_by"],
        members=Members(
            types=members["types"],
            colleges=members["colleges"],
            size_schemes=members["size_schemes"],
        ),
        governance=Governance(bodies=parts["governance"]["bodies"]),
        roles=parts["roles"]["roles"],
        roadmap_templates=parts["roadmaps"]["templates"],
        contract_templates=parts["contracts"]["templates"],
        indicators=tuple(_with_unit(i, programme["currency"]) for i in parts["indicators"]["indicators"]),
        official_indicator_list=parts["indicators"]["official_list"],
        reporting=parts["reporting"]["calendar"],
        evaluation_groups=parts["evaluations"]["groups"],
        grids=parts["evaluations"]["grids"],
        questionnaires=parts["evaluations"]["questionnaires"],
        regions=parts["territories"]["region_sets"],
        sources=sources,
        parameters=parameters,
        parts={name: SimpleNamespace(**parts[name]) for name in optional.MODULES if name in parts},
    )


def _with_unit(indicator: Indicator, currency: str) -> Indicator:
    if indicator.unit_title is not None:
        return indicator
    title = T(currency, currency)
    if indicator.unit != "money":
        title = vocabulary.INDICATOR_UNITS[indicator.unit]
    return replace(indicator, unit_title=title)
