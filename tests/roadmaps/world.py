"""A small world for roadmaps: a cluster, its team, its correspondent, an authority of its contract."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from jalon.roadmaps import actions, queries
from tests import factories as make

DAY = make.DAY
PHASE = "phase-2"


def fill(roadmap, by, on=DAY):
    """Write a complete roadmap, whatever its template says."""
    template = queries.template_of(roadmap)
    tops = {}
    for section in template.sections:
        if section.kind == "text":
            actions.save_section(
                roadmap, section.key, body=f"Texte de {section.key}, écrit à l'été.", rev=0, by=by, on=on
            )
            continue
        for level in section.levels:
            above = template.level(level).parent
            item = actions.add_item(
                roadmap,
                section.key,
                level=level,
                title=f"{level} de {section.key}",
                parent=tops.get(above, ""),
                by=by,
                on=on,
            )
            tops.setdefault(level, item.key)
    roadmap.refresh_from_db()
    return roadmap


def build():
    cluster = make.make_cluster("foret", "Produits et Matériaux des Forêts Cultivées")
    region = make.make_organisation("Conseil régional", "authority")
    contract = make.make_contract(cluster, parties=[region])
    director = make.make_actor("cluster_director", cluster=cluster)
    draft = actions.start(
        cluster, PHASE, by=director, on=DAY, starts_on=dt.date(2009, 1, 1), ends_on=dt.date(2011, 12, 31)
    )
    return SimpleNamespace(
        cluster=cluster,
        contract=contract,
        region=region,
        draft=draft,
        director=director,
        team=make.make_actor("cluster_team", cluster=cluster),
        other_team=make.make_actor("cluster_director", cluster=make.make_cluster("autre")),
        correspondent=make.make_actor("state_correspondent", cluster=cluster),
        other_correspondent=make.make_actor("state_correspondent", cluster=make.make_cluster("ailleurs")),
        prefect=make.make_actor("prefect", cluster=cluster),
        national=make.make_actor("national_officer"),
        authority=make.make_actor("local_authority", organisation=region),
        other_authority=make.make_actor("local_authority"),
        reader=make.make_actor("reader"),
    )
