"""Real campaigns, as far as the sources tell them: loaded from ``data/<programme>/campaigns.yaml`` and the register's groups.

Nothing is invented: a cluster whose group was not published has none, and ``Campaign.known`` says what was not found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db import transaction

from jalon.clusters.loading import fingerprint
from jalon.clusters.models import ClusterGroup, LabelHolder
from jalon.core import journal
from jalon.core.clock import moment_on
from jalon.core.models import Setting
from jalon.evaluations.models import Campaign, Evaluation

FILE = "campaigns.yaml"


def load_campaigns_if_changed(programme: str | None = None) -> int:
    """:func:`load_campaigns`, unless these very files were loaded already; how many campaigns were made or changed."""
    programme = programme or settings.PROGRAMME
    folder = Path(settings.DATA) / programme
    if not (folder / FILE).is_file():
        return 0
    key, mark = f"campaigns:{programme}", fingerprint(folder)
    row = Setting.objects.filter(key=key).first()
    if row and row.value == mark:
        return 0
    with transaction.atomic():
        made = load_campaigns(folder / FILE, programme)
        Setting.objects.update_or_create(key=key, defaults={"value": mark})
    return made


def load_campaigns(path: Path, programme: str) -> int:
    """Make or renew the campaigns of a file; those run here under the same code are left alone. How many were written."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8")).get("campaigns") or []
    acts: list[dict[str, Any]] = []
    for row in rows:
        present = Campaign.objects.filter(code=row["code"]).first()
        if present is not None and not present.known.get("loaded"):
            continue
        moment = moment_on(row["published_on"])
        campaign, _ = Campaign.objects.update_or_create(
            code=row["code"],
            defaults={
                "programme": programme,
                "title_fr": row["title"]["fr"],
                "title_en": row["title"]["en"],
                "kind": row["kind"],
                "evaluation": str(row["evaluation"]),
                "grid": row.get("grid") or "",
                "phase": row.get("phase") or "",
                "state": "published",
                "policy_day": row["published_on"],
                "opened_on": row.get("opened_on"),
                "published_on": row["published_on"],
                "created_at": moment,
                "known": {
                    "loaded": True,
                    "counts": {str(k): n for k, n in (row.get("counts") or {}).items()},
                    "evaluators": row.get("evaluators") or [],
                    "note": row.get("note") or {},
                    "unknown": row.get("unknown") or {},
                },
                "sources": row.get("source") or [],
            },
        )
        _evaluations(campaign, row)
        acts.append({"case": f"campaign:{campaign.code}", "act": "campaign.known", "on": row["published_on"], "at": moment, "after": {"counts": campaign.known["counts"], "sources": campaign.sources}})  # fmt: skip
    journal.record_many(acts)
    return len(acts)


def _evaluations(campaign: Campaign, row: dict[str, Any]) -> None:
    groups = {
        g.cluster_id: g
        for g in ClusterGroup.objects.filter(
            evaluation=campaign.evaluation, superseded_at__isnull=True, cluster__programme=campaign.programme
        )
    }
    day = row["published_on"]
    keys = set(groups)
    if row.get("clusters") == "labelled":
        keys |= set(
            LabelHolder.objects.filter(
                role="holder",
                cluster__programme=campaign.programme,
                label__periods__superseded_at__isnull=True,
                label__periods__starts_on__lte=day,
                label__periods__ends_on__gte=day,
            ).values_list("cluster_id", flat=True)
        )
    present = {e.cluster_id: e for e in campaign.evaluations.all()}
    made, changed = [], []
    for key in sorted(keys):
        group = groups.get(key)
        one = present.get(key) or Evaluation(campaign=campaign, cluster_id=key)
        one.state, one.origin, one.published_on, one.final_on = "published", "recorded", day, None
        one.group = group.group if group else ""
        one.certainty = "known" if group else "unknown"
        one.sources = list(group.sources) if group else []
        (changed if one.pk else made).append(one)
    Evaluation.objects.bulk_create(made, batch_size=200)
    Evaluation.objects.bulk_update(changed, ["group", "certainty", "sources", "state", "origin", "published_on"], batch_size=200)  # fmt: skip
    campaign.evaluations.exclude(cluster_id__in=keys).delete()
