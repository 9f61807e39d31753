"""Real contracts of which the sources tell parties, territory and dates but not the text.

They are kept as facts with their sources (``Contract.known``): no text is invented for them, and pages say what is not known.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from jalon.clusters.labels import Register, load_register
from jalon.clusters.loading import fingerprint, organisation_of
from jalon.clusters.models import Cluster
from jalon.contracts import content as doc
from jalon.contracts.models import Contract, Party, Text
from jalon.contracts.queries import called
from jalon.core import journal
from jalon.core.clock import moment_on
from jalon.core.models import Setting
from jalon.people.access import policy
from jalon.people.models import Organisation


def load_known_if_changed(programme: str | None = None) -> int:
    """:func:`load_known` for the programme's folder of data, unless these very files were loaded; how many were made."""
    programme = programme or settings.PROGRAMME
    folder = Path(settings.DATA) / programme
    if not folder.is_dir():
        return 0
    key, mark = f"contracts:{programme}", fingerprint(folder)
    row = Setting.objects.filter(key=key).first()
    if row and row.value == mark:
        return 0
    with transaction.atomic():
        made = load_known(load_register(folder), programme)
        Setting.objects.update_or_create(key=key, defaults={"value": mark})
    return made


def load_known(register: Register, programme: str, skip: Collection[str] = ()) -> int:
    """Make a row for each real contract of the register that is not in ``skip`` or there already; how many were made.

    The recorded moment is the day of the signature, or of the start when no such day is known, so that a board asked
    "as known on" an earlier day does not show it.
    """
    clusters = {c.slug: c for c in Cluster.objects.filter(programme=programme)}
    present = set(Contract.objects.values_list("slug", flat=True)) | set(skip)
    region_codes = {r.name: r.code for s in policy().regions for r in s.regions if s.code == "regions-1970"}
    acts = []
    for row in register.contracts:
        if row["code"] in present or row["slug"] not in clusters:
            continue
        cluster = clusters[row["slug"]]
        starts, ends, signed = row.get("starts_on"), row.get("ends_on"), row.get("signed_on")
        known_from = signed or starts
        if known_from is None:
            continue
        template = next((t for t in policy().contract_templates if t.phase == row["phase"]), None)
        exact = row.get("signed_precision") == "day"
        made = Contract.objects.create(
            programme=programme,
            cluster=cluster,
            slug=row["code"],
            title=_title(template, called(cluster, known_from), starts, ends),
            kind=row["kind"],
            phase=row["phase"],
            template=template.code if template else "",
            policy_day=known_from,
            starts_on=starts,
            ends_on=ends,
            state="signed",
            created_at=moment_on(known_from),
            signed_on=signed if exact else None,
            known=known_of(row),
            sources=_keys(row),
        )
        _text(made, row, region_codes)
        acts.append(
            {
                "case": f"contract:{row['code']}",
                "act": "contract.known",
                "on": known_from,
                "at": moment_on(known_from),
                "after": {"signed_on": signed, "precision": row.get("signed_precision"), "sources": _keys(row)},
            }
        )
    journal.record_many(acts)
    return len(acts)


def _text(contract: Contract, row: dict[str, Any], region_codes: dict[str, str]) -> None:
    """The known part of a real contract's document: title, dates, territory, parties. Nothing else is in it."""
    parties = []
    for position, party in enumerate(row.get("parties") or []):
        kind = {"state": "state", "local_authority": "authority", "governance": "governance"}.get(party["role"])
        if kind is None:
            continue
        name = party["name"]
        if kind == "state" and party.get("represented_by"):
            name = f"État – {party['represented_by']}"
        region = next((r for r in region_codes if name.endswith(r)), "") if party.get("level") == "region" else ""
        council = (
            region
            and Organisation.objects.filter(
                kind="authority", level="region", region_code=region_codes[region], merged_into=None
            ).first()
        )
        organisation, _ = (
            (council, False)
            if council
            else organisation_of(
                name,
                kind={"state": "state_service", "authority": "authority", "governance": "association"}[kind],
                siren=str(party.get("siren") or ""),
                sources=_keys(row),
                level=party.get("level") or "",
                region_code=region_codes.get(region, ""),
            )
        )
        parties.append(
            {
                "key": kind if kind != "authority" else f"authority{position}",
                "kind": kind,
                "organisation": organisation.pk,
                "name": name,
                "signatory": party.get("represented_by") or "",
            }
        )
    content = doc.tidied(
        {
            "title": contract.title,
            "starts_on": doc.iso(contract.starts_on),
            "ends_on": doc.iso(contract.ends_on),
            "territory": [region_codes.get(name, name) for name in row.get("territory") or []],
            "parties": parties,
        }
    )
    Text.objects.create(
        contract=contract,
        number=0,
        state="signed",
        content=content,
        created_at=contract.created_at,
        effective_on=contract.signed_on,
    )
    Party.objects.bulk_create(
        Party(
            contract=contract,
            key=p["key"],
            kind=p["kind"],
            organisation_id=p["organisation"],
            signatory=p["signatory"][:160],
            order=order,
            sources=_keys(row),
        )
        for order, p in enumerate(parties)
    )


def _title(template: Any, cluster: str, starts: Any, ends: Any) -> str:
    years = f" {starts.year}-{ends.year}" if starts and ends else ""
    return f"{template.title.in_language('fr') if template else 'Contrat'} – {cluster}{years}"


def _keys(row: dict[str, Any]) -> list[str]:
    keys = row.get("source") or []
    return [keys] if isinstance(keys, str) else [str(k) for k in keys]


def known_of(row: dict[str, Any]) -> dict[str, Any]:
    """What the sources tell of a real contract: dates with their precision, parties, territory, what is missing."""
    return {
        "starts_on": row["starts_on"].isoformat() if row.get("starts_on") else None,
        "ends_on": row["ends_on"].isoformat() if row.get("ends_on") else None,
        "signed_on": row["signed_on"].isoformat() if row.get("signed_on") else None,
        "signed_precision": row.get("signed_precision") or "",
        "territory": list(row.get("territory") or []),
        "parties": [
            {k: str(v) for k, v in party.items() if k in ("role", "level", "name", "represented_by", "certainty")}
            for party in row.get("parties") or []
        ],
        "parties_complete": bool(row.get("parties_complete")),
        "note": row.get("note") or {},
        "sources": _keys(row),
    }
