"""Lines of the list of members, written in one go (see ``portal/templatetags/register.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape  # of the standard library: that of Django asks each text whether it is lazy
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from jalon.core.lang import T, language
from jalon.ui import format as fmt

register = template.Library()


@register.simple_tag
def member_lines(rows: Any, slug: str, types: Mapping[str, Any], colleges: Mapping[str, Any], home: str) -> SafeString:
    """The lines of memberships: name, type, college, town, entry, exit."""
    from jalon.ui.templatetags.jalon import simulated, unknown_mark

    lang, unknown, mark, out = language(), unknown_mark(), f" {simulated(True)}", []
    kinds = {code: escape(str(title)) for code, title in types.items()}
    groups = {code: escape(str(title)) for code, title in colleges.items()}
    titles = [("Type", "Type"), ("Collège", "College"), ("Ville", "Town"), ("Entrée", "Joined"), ("Sortie", "Left")]
    kind, group, town, joined, left = (escape(str(T(fr, en))) for fr, en in titles)
    address = reverse("member", args=[slug, 0]).replace("/0/", "/{}/")

    def day(value: Any) -> str:
        return f'<time datetime="{value.isoformat()}">{fmt.day(value, lang)}</time>'

    for m in rows:
        body = m.organisation
        place = escape(body.city) if body.city else ""
        if body.country != home:
            place = f"{place} ({escape(body.country)})" if place else escape(body.country)
        out.append(
            f'<tr><th scope="row"><a href="{address.format(m.organisation_id)}">{escape(body.name)}</a>'
            f"{mark if m.simulated else ''}</th>"
            f'<td data-label="{kind}">{kinds.get(m.member_type) or escape(m.member_type)}</td>'
            f'<td data-label="{group}">{groups.get(m.college) or escape(m.college) or unknown}</td>'
            f'<td data-label="{town}">{place or unknown}</td>'
            f'<td data-label="{joined}">{day(m.joined_on)}</td>'
            f'<td data-label="{left}">{day(m.left_on) if m.left_on else "–"}</td></tr>\n'
        )
    return mark_safe("".join(out))  # noqa: S308 - every value escaped
