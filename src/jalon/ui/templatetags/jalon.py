"""Tags and filters of the templates: ``{% load jalon %}``.

Texts as pairs, formats, lights, "why?" panels, tables, forms and charts. docs/look.md is the crib.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.forms import CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.http import QueryDict
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.templatetags.static import static
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from jalon.core.lang import T, Text, language, rewording, titled, typography
from jalon.ui import diffs, format as fmt, lights

register = template.Library()

_FIELD = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


# --- texts -------------------------------------------------------------------------------------


def _literal(text: str) -> str:
    """Escape a text written in a template; apostrophes stay, they do no harm outside '…' attributes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _shown(value: Any) -> str:
    """A value put into a sentence: dates in words, decimals with their separators, all escaped."""
    if isinstance(value, datetime):
        return escape(fmt.moment(value))
    if isinstance(value, date):
        return escape(fmt.day(value))
    if isinstance(value, (Decimal, float)):
        return escape(fmt.number(value))
    if value is None:
        return escape(fmt.unknown())
    return str(conditional_escape(value))


@lru_cache(maxsize=8192)
def _prepared(text: str, lang: str, reword: Callable[[str, str], str] | None) -> str:
    if reword is not None:
        text = reword(text, lang)
    text = _FIELD.sub(lambda m: "{" + (m.group(1) or m.group(2)) + "}", text)
    return _literal(typography(text) if lang == "fr" else text)


def sentence(fr: str, en: str, values: Mapping[str, Any]) -> SafeString:
    """The pair in the language spoken now, its ``%(name)s`` or ``{name}`` fields filled and escaped."""
    lang = language()
    text = _prepared(en if lang == "en" else fr, lang, rewording())
    if values:
        text = _FIELD.sub(lambda m: _shown(values[m.group(2)]) if m.group(2) in values else m.group(0), text)
    return mark_safe(text)  # noqa: S308 - literal text escaped above, values escaped one by one


class SentenceNode(Node):
    """``{% t "français" "English" name=value %}``; ``as x`` keeps it in a variable."""

    def __init__(
        self, fr: FilterExpression, en: FilterExpression, values: dict[str, FilterExpression], target: str | None
    ):
        self.fr, self.en, self.values, self.target = fr, en, values, target

    def render(self, context: template.Context) -> str:
        text = sentence(
            str(self.fr.resolve(context)),
            str(self.en.resolve(context)),
            {name: value.resolve(context) for name, value in self.values.items()},
        )
        if self.target:
            context[self.target] = text
            return ""
        return text


@register.tag("t")
def do_t(parser: Parser, token: Token) -> SentenceNode:
    bits = token.split_contents()
    name, rest = bits[0], bits[1:]
    target = None
    if len(rest) >= 2 and rest[-2] == "as":
        target, rest = rest[-1], rest[:-2]
    if len(rest) < 2:
        raise template.TemplateSyntaxError(f"{{% {name} %}} takes a French text, then an English one.")
    fr, en = parser.compile_filter(rest[0]), parser.compile_filter(rest[1])
    remaining = rest[2:]
    values = token_kwargs(remaining, parser)
    if remaining:
        raise template.TemplateSyntaxError(f"{{% {name} %}} cannot read {remaining[0]!r}: write name=value.")
    return SentenceNode(fr, en, values, target)


@register.simple_tag
def plural(n: Any, fr_one: str, fr_many: str, en_one: str, en_many: str) -> SafeString:
    """``{% plural n "{n} contrat" "{n} contrats" "{n} contract" "{n} contracts" %}``.

    French counts 0 and 1,5 as singular; English only 1. ``None`` is written as unknown.
    """
    found = fmt.as_decimal(n)
    one_fr = found is None or abs(found) < 2
    shown = fmt.number(n)
    return sentence(fr_one if one_fr else fr_many, en_one if found == 1 else en_many, {"n": shown})


@register.simple_tag
def name_of(thing: Any, default: Any = "") -> str:
    """The name of whatever is given: a text, or an object or mapping with title, name or label."""
    if thing is None or thing == "":
        return default
    if isinstance(thing, (str, Text)):
        return conditional_escape(thing)
    for key in ("title", "name", "label"):
        found = _get(thing, key)
        if found:
            return conditional_escape(found() if callable(found) else found)
    return conditional_escape(thing)


@register.simple_tag
def reference(text: Any) -> str:
    """The text behind a rule, in the language spoken where the policy gives it in both (what was stored is in French)."""
    return conditional_escape(titled(text)) if isinstance(text, str) else name_of(text)


# --- formats -----------------------------------------------------------------------------------


def _filter(name: str, function: Any) -> None:
    register.filter(name, function, is_safe=False)


_filter("day", lambda value: fmt.day(value))
_filter("day_long", lambda value: fmt.day_long(value))
_filter("day_short", lambda value: fmt.day_short(value))
_filter("month", lambda value: fmt.month(value))
_filter("month_short", lambda value: fmt.month_short(value))
_filter("quarter", lambda value: fmt.quarter(value))
_filter("datetime", lambda value: fmt.moment(value))
_filter("number", lambda value, places=None: fmt.number(value, places))
_filter("signed", lambda value, places=None: fmt.signed(value, places))
_filter("money", lambda value, currency=None: fmt.money(value, currency or None))
_filter("money_short", lambda value, currency=None: fmt.money_short(value, currency or None))
_filter("percent", lambda value, places=None: fmt.percent(value, places))
_filter("ratio", lambda value, places=None: fmt.ratio(value, places))
_filter("filesize", lambda value: fmt.filesize(value))
_filter("with_unit", lambda value, unit=None: fmt.value(value, unit))
_filter("ordinal", lambda value: fmt.ordinal(int(value)))


@register.filter
def unknown(value: Any) -> Any:
    """The value, or the mark of the unknown when there is none. Zero is a value."""
    if value is None or value == "":
        return unknown_mark()
    return value


def unknown_mark() -> SafeString:
    return format_html('<span class="unknown">{}</span>', fmt.unknown())


@register.filter
def iso(value: Any) -> str:
    """2010-05-11, for ``datetime=`` and ``value=`` attributes."""
    found = fmt.as_date(value)
    return found.isoformat() if found else ""


@register.simple_tag
def period(starts: Any, ends: Any = None) -> str:
    """« du 1er janvier 2009 au 31 décembre 2011 »."""
    return fmt.period(starts, ends)


@register.simple_tag
def day_tag(value: Any) -> SafeString:
    """A day as a ``<time>`` element."""
    found = fmt.as_date(value)
    if found is None:
        return unknown_mark()
    return format_html('<time datetime="{}">{}</time>', found.isoformat(), fmt.day(found))


@register.filter("lines")
def lines(value: Any) -> SafeString:
    """Text typed by somebody, with its paragraphs and line breaks; nothing else is interpreted."""
    paragraphs = re.split(r"\n\s*\n", str(value or "").replace("\r\n", "\n").strip())
    return format_html_join(
        "",
        "<p>{}</p>",
        ((mark_safe(escape(p).replace("\n", "<br>")),) for p in paragraphs if p),  # noqa: S308
    )


# --- lights and marks --------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _light(code: str, lang: str, short: bool) -> SafeString:
    one = lights.light(code)
    word = one.title.in_language(lang)
    if short:
        return format_html(
            '<span class="light light-short tone-{}" title="{}"><svg class="shape" aria-hidden="true"><use href="#s-{}"/></svg>'
            '<span class="sr">{}</span></span>',
            one.tone,
            word,
            one.shape,
            word,
        )
    return format_html(
        '<span class="light tone-{}"><svg class="shape" aria-hidden="true"><use href="#s-{}"/></svg>{}</span>',
        one.tone,
        one.shape,
        word,
    )


def light_span(code: Any, *, short: bool = False) -> SafeString:
    """A light as word + shape + colour; ``None`` is unknown. ``short`` keeps the word for readers only."""
    code = "unknown" if code is None or code == "" else str(getattr(code, "value", code))
    return _light(code, language(), short)


register.filter("light", lambda code: light_span(code))
register.filter("light_short", lambda code: light_span(code, short=True))


@register.simple_tag(name="light")
def light_tag(code: Any, label: Any = None) -> SafeString:
    """``{% light "late" %}``, or with words of one's own: ``{% light "late" "12 jours de retard" %}``."""
    if label is None or label == "":
        return light_span(code)
    one = lights.light("unknown" if code in (None, "") else str(getattr(code, "value", code)))
    return format_html(
        '<span class="light tone-{}" title="{}"><svg class="shape" aria-hidden="true"><use href="#s-{}"/></svg>{}</span>',
        one.tone,
        one.title,
        one.shape,
        label,
    )


@register.simple_tag
def lights_legend(*codes: str) -> SafeString:
    """What the lights mean, in words: all of them, or those that are named."""
    chosen = [lights.light(code) for code in codes] or list(lights.LIGHTS.values())
    return format_html(
        '<dl class="legend">{}</dl>',
        format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", ((light_span(x.code), x.meaning) for x in chosen)),
    )


@register.simple_tag
def sprite() -> SafeString:
    """The drawings of the lights, once per page (base.html does it)."""
    return _sprite()


@lru_cache(maxsize=1)
def _sprite() -> SafeString:
    symbols = "".join(
        f'<symbol id="s-{name}" viewBox="0 0 16 16">{drawing}</symbol>' for name, drawing in lights.SHAPES.items()
    )
    return mark_safe(  # noqa: S308 - constants of lights.py
        f'<svg class="sprite" width="0" height="0" aria-hidden="true" focusable="false">{symbols}</svg>'
    )


_SIMULATED = T("simulé", "simulated")
_SIMULATED_TITLE = T(
    "Donnée simulée à partir d'agrégats publiés : ce n'est pas une observation.",
    "Simulated from published aggregates: not an observation.",
)


@register.simple_tag
def options(pairs: Any, chosen: Any = "") -> SafeString:
    """The ``<option>`` of each (code, title), the chosen one selected: ``{% options regions filters.region %}``."""
    return mark_safe(  # noqa: S308 - both halves escaped
        "".join(
            f'<option value="{html.escape(str(code))}"{" selected" if code == chosen else ""}>{html.escape(str(title))}</option>'
            for code, title in pairs
        )
    )


@register.simple_tag
def simulated(flag: Any = True) -> SafeString | str:
    """The mark of simulated data. ``{% simulated obs.simulated %}`` shows it only when true."""
    if not flag:
        return ""
    return format_html('<span class="simulated" title="{}">{}</span>', _SIMULATED_TITLE, _SIMULATED)


@register.simple_tag
def badge(text: Any, tone: str = "") -> SafeString:
    """A plain label: ``{% badge "Phase 2" %}``, toned: ``{% badge "clos" "quiet" %}``."""
    return format_html('<span class="badge{}">{}</span>', f" tone-{tone}" if tone else "", text)


@register.simple_tag
def progress(done: Any, total: Any = 100, label: Any = "") -> SafeString:
    """A bar with its figure in words. ``done`` unknown gives the word, not an empty bar."""
    part, whole = fmt.as_decimal(done), fmt.as_decimal(total)
    if part is None or not whole:
        return unknown_mark()
    share = fmt.ratio(part / whole, 0)
    return format_html(
        '<span class="meter"><progress max="{}" value="{}" aria-label="{}">{}</progress><span class="meter-text">{}</span></span>',
        whole,
        part,
        label or share,
        share,
        share,
    )


@register.simple_tag
def js(*names: str) -> SafeString:
    """``{% js "autosave" "confirm" %}`` in the block ``scripts``: the small scripts a page needs."""
    return format_html_join("", '<script src="{}" defer></script>', ((static(f"jalon/{name}.js"),) for name in names))


# --- why, sources, people ----------------------------------------------------------------------


def _get(thing: Any, key: str) -> Any:
    if isinstance(thing, Mapping):
        return thing.get(key)
    return getattr(thing, key, None)


def _pairs(inputs: Any) -> list[dict[str, Any]]:
    """Inputs as rows of name and value, whatever their shape: mapping, pairs, or objects."""
    if not inputs:
        return []
    if isinstance(inputs, Mapping):
        return [{"name": name, "value": value} for name, value in inputs.items()]
    rows = []
    for item in inputs:
        if isinstance(item, (str, Text)):
            rows.append({"name": "", "value": item})
        elif isinstance(item, (tuple, list)):
            rows.append(
                {
                    "name": item[0],
                    "value": item[1] if len(item) > 1 else None,
                    "source": item[2] if len(item) > 2 else None,
                }
            )
        else:
            rows.append({key: _get(item, key) for key in ("name", "value", "unit", "source", "url", "simulated")})
    return rows


@register.filter
def plain(value: Any) -> Any:
    """A value of any kind as it is read: dates in words, decimals with separators, yes or no."""
    if value is None or value == "":
        return unknown_mark()
    if isinstance(value, bool):
        return T("oui", "yes") if value else T("non", "no")
    if isinstance(value, (date, Decimal, float)):
        return _shown(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(plain(v)) for v in value) if value else unknown_mark()
    return value


@register.inclusion_tag("jalon/components/why.html")
def why(explanation: Any, label: Any = None) -> dict[str, Any]:
    """The « Pourquoi ? » panel of a computed date, figure or refusal.

    ``explanation``: mapping or object with any of result, rule, parameter, value, reference, url, day,
    inputs, steps, formula, reading (our reading of an unclear text), to_confirm. Nothing given: nothing shown.
    """
    if not explanation:
        return {"shown": False}
    if isinstance(explanation, (str, Text)):
        explanation = {"rule": explanation}
    keys = (
        "title",
        "result",
        "rule",
        "parameter",
        "value",
        "reference",
        "url",
        "day",
        "formula",
        "reading",
        "to_confirm",
        "unit",
    )
    found = {key: _get(explanation, key) for key in keys}
    steps = _get(explanation, "steps") or []
    return {
        **found,
        "inputs": _pairs(_get(explanation, "inputs")),
        "steps": steps,
        "links": _get(explanation, "links") or [],
        "label": label,
        "shown": True,
    }


@register.simple_tag(takes_context=True)
def source(context: template.Context, thing: Any) -> SafeString:
    """Where a fact comes from: a web address (or several, « | » between), a key of ``sources``
    (or several, a space between), or an object.

    Objects and mappings give any of title, url, publisher, date (``published_on``), ``read_on``, page.
    """
    if thing is None or thing == "":
        return format_html('<span class="source unknown">{}</span>', T("source inconnue", "source unknown"))
    if isinstance(thing, (list, tuple)):
        return format_html_join(" ", "{}", ((source(context, one),) for one in thing))
    if isinstance(thing, str):
        known = (context.get("sources") or {}) if hasattr(context.get("sources"), "get") else {}
        if thing in known:
            return source(context, known[thing])
        keys = thing.split()
        if len(keys) > 1 and all(key in known for key in keys):
            return source(context, keys)
        if "|" in thing:
            return source(context, [part.strip() for part in thing.split("|") if part.strip()])
        if thing.startswith(("http://", "https://")):
            host = urlsplit(thing).hostname or thing
            return format_html('<a class="source" href="{}" rel="noreferrer">{}</a>', thing, host.removeprefix("www."))
        return format_html('<span class="source">{}</span>', thing)
    url = _get(thing, "url")
    title = _get(thing, "title") or _get(thing, "name") or url or thing
    details = [_get(thing, key) for key in ("publisher", "page")]
    published = _get(thing, "published_on") or _get(thing, "date")
    if published:
        details.append(fmt.day(published))
    tail = format_html_join("", ", {}", ((d,) for d in details if d))
    if url and str(url).startswith(("http://", "https://", "/")):
        return format_html('<span class="source"><a href="{}" rel="noreferrer">{}</a>{}</span>', url, title, tail)
    return format_html('<span class="source">{}{}</span>', title, tail)


@register.simple_tag
def person(user: Any, organisation: Any = None) -> SafeString:
    """Who did it: name, and the organisation acted for. Nobody known is said so."""
    if not user or getattr(user, "is_anonymous", False):
        return unknown_mark() if not user else format_html("{}", T("visiteur", "visitor"))
    if isinstance(user, (str, Text)):
        name: Any = user
    else:
        full = _get(user, "get_full_name")
        name = (full() if callable(full) else "") or _get(user, "name") or _get(user, "username") or user
        organisation = organisation or _get(user, "organisation")
    tail = format_html('<span class="person-for">, {}</span>', organisation) if organisation else ""
    return format_html('<span class="person">{}{}</span>', name, tail)


# --- tables: query string, sort, pages, exports --------------------------------------------------


def _query(context: template.Context, **changes: Any) -> str:
    request = context.get("request")
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        elif isinstance(value, (list, tuple)):
            query.setlist(key, value)
        else:
            query[key] = fmt.as_date(value).isoformat() if isinstance(value, date) else str(value)
    return "?" + query.urlencode() if query else "?"


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The address of this page with other parameters: ``{% query tier="national" page=None %}``."""
    return _query(context, **changes)


@register.simple_tag(takes_context=True)
def sortable(context: template.Context, column: str, label: Any, cls: str = "", default: str = "") -> SafeString:
    """A table header that sorts by ``?sort=column`` and, clicked again, by ``?sort=-column``.

    ``default`` is the sort in force when the address names none; ``cls`` (``num``) goes on the cell.
    """
    request = context.get("request")
    current = (request.GET.get("sort") if request is not None else None) or default or context.get("sort_default") or ""
    state = {column: "ascending", "-" + column: "descending"}.get(current)
    target = "-" + column if current == column else column
    hint = T("trier", "sort") if state is None else T("inverser le tri", "reverse the sort")
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="{}">{}<span class="sort-mark" aria-hidden="true"></span>'
        '<span class="sr"> ({})</span></a></th>',
        format_html(' class="{}"', cls) if cls else "",
        format_html(' aria-sort="{}"', state) if state else "",
        _query(context, sort=target, page=None),
        label,
        hint,
    )


@register.inclusion_tag("jalon/components/pages.html", takes_context=True)
def paginate(context: template.Context, page: Any, name: str = "page") -> dict[str, Any]:
    """Links to the other pages of a list, with its total; nothing when it is empty."""
    last = page.paginator.num_pages
    links = [
        {"number": n, "url": _query(context, **{name: n}), "current": n == page.number, "gap": not isinstance(n, int)}
        for n in page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    ]
    return {
        "page": page,
        "links": links,
        "several": last > 1,
        "total": page.paginator.count,
        "previous": _query(context, **{name: page.number - 1}) if page.has_previous() else "",
        "following": _query(context, **{name: page.number + 1}) if page.has_next() else "",
    }


@register.inclusion_tag("jalon/components/exports.html", takes_context=True)
def exports(context: template.Context, formats: str = "csv,xlsx,ods,json", base: str = "") -> dict[str, Any]:
    """Links that download exactly what is shown: the same address with ``format=``."""
    names = {
        "csv": "CSV",
        "xlsx": "Excel (XLSX)",
        "ods": "OpenDocument (ODS)",
        "json": "JSON",
        "pdf": "PDF",
        "docx": "Word (DOCX)",
        "yaml": "YAML",
        "ics": T("agenda (iCal)", "calendar (iCal)"),
        "geojson": "GeoJSON",
    }
    chosen = [f.strip() for f in formats.split(",") if f.strip()]
    return {
        "links": [{"name": names.get(f, f.upper()), "url": base + _query(context, format=f, page=None)} for f in chosen]
    }


# --- forms ---------------------------------------------------------------------------------------


def _described(bound: Any) -> str:
    ids = []
    if bound.help_text:
        ids.append(f"{bound.auto_id}-help")
    if bound.errors:
        ids.append(f"{bound.auto_id}-error")
    return " ".join(ids)


@register.inclusion_tag("jalon/components/field.html")
def field(bound: Any, unit: Any = None, hint: Any = None) -> dict[str, Any]:
    """One field: label above, help before, unit inside, error beside. ``unit`` may also stand on the form field."""
    widget = bound.field.widget
    attrs: dict[str, Any] = {}
    described = _described(bound)
    if described and bound.auto_id:
        attrs["aria-describedby"] = described
    if bound.errors:
        attrs["aria-invalid"] = "true"
    kind = "plain"
    if isinstance(widget, CheckboxInput):
        kind = "check"
    elif isinstance(widget, (RadioSelect, CheckboxSelectMultiple)):
        kind = "group"
    return {
        "bound": bound,
        "kind": kind,
        "control": bound.as_widget(attrs=attrs),
        "hidden": bound.is_hidden,
        "unit": unit or getattr(bound.field, "unit", None),
        "help": hint or bound.help_text,
        "required": bound.field.required,
    }


@register.inclusion_tag("jalon/components/errors.html")
def errors(form: Any) -> dict[str, Any]:
    """The summary above a form: every error, each a link to its field. Nothing when there is none."""
    rows: list[dict[str, Any]] = []
    forms: Iterable[Any] = form if isinstance(form, (list, tuple)) else [form]
    for one in forms:
        if one is None or not getattr(one, "is_bound", False):
            continue
        rows += [{"text": e, "target": "", "label": ""} for e in one.non_field_errors()]
        for bound in one:
            target = bound.id_for_label or bound.auto_id
            rows += [{"text": e, "target": target, "label": bound.label} for e in bound.errors]
    return {"rows": rows}


@register.inclusion_tag("jalon/components/form.html")
def form(form: Any, summary: bool = True) -> dict[str, Any]:
    """Every field of a form, with the summary of its errors; the ``<form>`` tag and buttons stay yours."""
    return {"form": form, "summary": summary}


@register.inclusion_tag("jalon/components/refused.html")
def refused(refusal: Any) -> dict[str, Any]:
    """A refusal: the reason, the list of what is missing, and why. Nothing when there is none."""
    if not refusal:
        return {"refusal": None}
    return {
        "refusal": refusal,
        "reason": _get(refusal, "reason") or refusal,
        "missing": _get(refusal, "missing") or [],
        "why": _get(refusal, "why"),
    }


# --- longer components ---------------------------------------------------------------------------


@register.simple_tag
def diff(before: Any, after: Any, side: bool = False) -> SafeString:
    """What changed between two texts, word by word; ``side=True`` puts them side by side."""
    return diffs.side_by_side(before, after) if side else diffs.inline(before, after)


@register.inclusion_tag("jalon/components/stepper.html")
def signoff(steps: Any, label: Any = None) -> dict[str, Any]:
    """Who must act, in order: steps with name, light, and any of role, day, note, current, url."""
    keys = ("name", "role", "light", "day", "note", "current", "url")
    return {"steps": [{key: _get(step, key) for key in keys} for step in steps], "label": label}


@register.inclusion_tag("jalon/components/timeline.html", takes_context=True)
def timeline(context: template.Context, events: Any) -> dict[str, Any]:
    """Dated events, oldest first: day, title, and any of text, who, url, source, light, simulated."""
    keys = ("day", "title", "text", "who", "url", "source", "light", "simulated", "until")
    return {
        "events": [{key: _get(event, key) for key in keys} for event in events],
        "sources": context.get("sources"),
    }


@register.inclusion_tag("jalon/components/chart.html", takes_context=True)
def chart_with_table(
    context: template.Context,
    chart: Any,
    title: Any = "",
    note: Any = "",
    source: Any = "",
    download: str = "",
    wide: Any = None,
    open: bool = False,
) -> dict[str, Any]:  # noqa: A002
    """A figure: title, drawing, note and source, and its values as a table with a download link.

    ``wide`` is a second, wider drawing of the same values for large screens.
    """
    return {
        "chart": chart,
        "wide": wide,
        "table": getattr(chart, "table", None),
        "title": title or getattr(chart, "title", ""),
        "note": note,
        "source": source,
        "download": download,
        "open": open,
        "sources": context.get("sources"),
        "simulated": getattr(chart, "simulated", False),
    }


@register.inclusion_tag("jalon/components/empty.html")
def empty(title: Any, text: Any = "", url: str = "", action: Any = "") -> dict[str, Any]:
    """A list with nothing in it: what will be here, and how to begin."""
    return {"title": title, "text": text, "url": url, "action": action}


class PanelNode(Node):
    """``{% notice "warn" %}…{% endnotice %}``."""

    def __init__(self, tone: FilterExpression, nodes: NodeList):
        self.tone, self.nodes = tone, nodes

    def render(self, context: template.Context) -> str:
        tone = str(self.tone.resolve(context))
        shape = {"good": "check", "warn": "triangle", "bad": "diamond"}.get(tone, "disc")
        return (
            f'<div class="notice tone-{escape(tone)}"><svg class="shape" aria-hidden="true"><use href="#s-{shape}"/></svg>'
            f"<div>{self.nodes.render(context)}</div></div>"
        )


@register.tag("notice")
def do_notice(parser: Parser, token: Token) -> PanelNode:
    bits = token.split_contents()
    tone = parser.compile_filter(bits[1] if len(bits) > 1 else '"info"')
    nodes = parser.parse(("endnotice",))
    parser.delete_first_token()
    return PanelNode(tone, nodes)
