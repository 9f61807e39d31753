"""Lines of the register, written in one go: by template tags, its seven cells a line cost half of the page's time.

Everything that comes from the register is escaped; addresses are made of slugs.
"""

from __future__ import annotations

from html import escape  # of the standard library: that of Django asks each text whether it is lazy
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from jalon.core.lang import T, language
from jalon.ui import format as fmt

register = template.Library()


def _said(fr: str, en: str) -> str:
    return escape(str(T(fr, en)))


@register.simple_tag
def register_lines(rows: Any, query: str) -> SafeString:
    """The lines of the list of clusters; ``query`` is what their links carry to stay on the day asked for."""
    from jalon.ui.templatetags.jalon import simulated, unknown_mark

    lang, unknown, mark, out = language(), unknown_mark(), f" {simulated(True)}", []
    standing, tier, place = _said("Situation", "Standing"), _said("Catégorie", "Tier"), _said("Territoire", "Territory")
    seat, members, period = _said("Siège", "Seat"), _said("Membres", "Members"), _said("Période", "Period")
    deduced = f' <span class="small">{_said("déduit", "deduced")}</span>'
    unpublished = f'<span class="unknown">{_said("non publiée", "not published")}</span>'
    no_end, query = _said("sans terme", "open"), escape(query)
    words: dict[Any, str] = {}

    def once(thing: Any) -> str:
        key = id(thing)
        if key not in words:
            words[key] = escape(str(thing))
        return words[key]

    for row in rows:
        if written := row.written.get((lang, query)):  # by another page of the same list
            out.append(written)
            continue
        theme = f'<span class="row-theme">{escape(str(row.theme))}</span>' if row.theme.fr else ""
        sure = deduced if row.certainty == "deduced" else ""
        named = once(row.tier_title) if row.tier_title else unpublished if row.label_code else "–"
        if row.members is None:
            count = unknown
        else:
            count = escape(fmt.number(row.members))
            if row.members_simulated:
                count += mark
            elif row.members_year:
                count += f'<span class="row-theme">{row.members_year}</span>'
        since = "–"
        if row.since:
            until = f'<span class="nowrap">{fmt.day_short(row.until, lang)}</span>' if row.until else no_end
            since = f'<span class="nowrap">{fmt.day_short(row.since, lang)}</span> – {until}'
        row.written[lang, query] = (
            f'<tr><th scope="row"><a href="{escape(row.url)}{query}">{escape(row.name)}</a>{theme}</th>'
            f'<td data-label="{standing}"><span><span class="badge tone-{row.tone}">{once(row.status_title)}</span>{sure}</span></td>'
            f'<td data-label="{tier}">{named}</td>'
            f'<td data-label="{place}">{escape(row.regions_text) if row.regions else unknown}</td>'
            f'<td data-label="{seat}">{escape(row.city) if row.city else unknown}</td>'
            f'<td class="num" data-label="{members}"><span>{count}</span></td>'
            f'<td data-label="{period}"><span>{since}</span></td></tr>\n'
        )
        out.append(row.written[lang, query])
    return mark_safe("".join(out))  # noqa: S308
