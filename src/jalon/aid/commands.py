"""``jalon aid``: rates, thresholds, *de minimis* and size on the terminal, each with its why. No database is needed."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import nullcontext
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from jalon.aid import rules, states
from jalon.core.errors import Refused
from jalon.core.lang import T, Text, speaking
from jalon.core.why import Why
from jalon.policy.commands import one_programme

aid_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Aides d'État : taux, seuils, de minimis, taille. / State aid: rates, thresholds, de minimis, size.",
)

On = Annotated[str, typer.Option("--on", help="Jour AAAA-MM-JJ ou JJ/MM/AAAA / day YYYY-MM-DD or DD/MM/YYYY")]
Json = Annotated[bool, typer.Option("--json", help="JSON")]
Lang = Annotated[str, typer.Option("--lang", help="fr, en")]
Programme = Annotated[str, typer.Option("--programme", help="Programme / programme")]


def _voice(lang: str) -> Any:
    """Answer in the language asked for; another one is told at once."""
    code = lang.strip().casefold()
    if code not in ("", "fr", "en"):
        typer.echo(
            str(T("--lang : trouvé « {l} », attendu fr ou en.", "--lang: found “{l}”, expected fr or en.", l=lang)),
            err=True,
        )
        raise typer.Exit(1)
    return speaking(code) if code else nullcontext()


def _say(text: object = "") -> None:
    typer.echo(str(text))


def _day(text: str, option: str = "--on") -> dt.date:
    """A day: 2024-01-31, or 31/01/2024 as French officers write it."""
    for read in (dt.date.fromisoformat, lambda t: dt.datetime.strptime(t, "%d/%m/%Y").date()):
        try:
            return read(text.strip())
        except ValueError:
            continue
    raise Refused(
        T(
            "{o} : trouvé « {t} », attendu une date AAAA-MM-JJ ou JJ/MM/AAAA.",
            "{o}: found “{t}”, expected a date YYYY-MM-DD or DD/MM/YYYY.",
            o=option,
            t=text,
        ),
        kind="input",
    )


def _amount(text: str, option: str) -> Decimal:
    try:
        bare = text.replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace("€", "")
        found = Decimal(bare.replace(",", "."))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise Refused(
            T("{o} : trouvé « {t} », attendu un montant.", "{o}: found “{t}”, expected an amount.", o=option, t=text),
            kind="input",
        )
    return found


def _granted(text: str) -> tuple[dt.date, Decimal]:
    """An award already granted, « 2024-03-10:120000 »."""
    when, sign, figure = text.partition(":")
    if not sign or not figure.strip():
        raise Refused(
            T(
                "--award : trouvé « {t} », attendu le jour et le montant : 2024-03-10:120000.",
                "--award: found “{t}”, expected the day and the amount: 2024-03-10:120000.",
                t=text,
            ),
            kind="input",
        )
    return _day(when, "--award"), _amount(figure, "--award")


def _stop(refusal: Refused, as_json: bool, day: dt.date | None = None) -> typer.Exit:
    if as_json:
        typer.echo(
            json.dumps(
                {"error": str(refusal.reason), "on": day.isoformat() if day else None}, ensure_ascii=False, indent=2
            )
        )
    else:
        typer.echo(str(refusal), err=True)
    return typer.Exit(1)


def plain(value: Any) -> Any:
    """A result as JSON: decimals as numbers, days in ISO, texts in the language spoken."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


def why_as_data(why: Why) -> dict[str, Any]:
    """The explanation as data: rule, parameter, value, text, address, day, inputs, steps."""
    return {
        "rule": why.rule,
        "parameter": why.parameter,
        "value": why.value,
        "reference": why.reference,
        "url": why.url,
        "day": why.day,
        "inputs": why.inputs,
        "steps": [step["text"] if isinstance(step, dict) else step for step in why.steps],
        "reading": why.reading,
        "to_confirm": why.to_confirm,
    }


def say_why(why: Why) -> None:
    """The explanation, line by line: steps, rule, text, address, parameter."""
    for step in why.steps:
        _say(f"  {step['text'] if isinstance(step, dict) else step}")
    _say(T("  règle : {r}", "  rule: {r}", r=why.rule))
    _say(T("  texte : {r}", "  text: {r}", r=why.reference))
    if why.url:
        _say(f"  {why.url}")
    if why.day:
        _say(T("  règles du {d}", "  rules as of {d}", d=why.day))
    if why.parameter:
        _say(T("  paramètre : {p}", "  parameter: {p}", p=why.parameter))
    if why.reading:
        _say(T("  lecture de Jalon, non publiée comme telle", "  our reading, not published as such"))
    if why.to_confirm:
        _say(T("  à confirmer sur le texte officiel", "  to be confirmed on the official text"))


def _words(value: list[str]) -> list[str]:
    return [word.strip() for one in value for word in one.split(",") if word.strip()]


@aid_app.command()
def intensity(
    *,
    research: Annotated[
        str, typer.Option("--research", help="fundamental, industrial, experimental, feasibility")
    ] = "",
    size: Annotated[str, typer.Option("--size", help="micro, small, medium, large")] = "",
    bonus: Annotated[
        list[str] | None,
        typer.Option("--bonus", help="collaboration, dissemination, licensing, a-area, region, design"),
    ] = None,
    on: On = "",
    as_json: Json = False,
    lang: Lang = "",
    programme: Programme = "",
) -> None:
    """Le taux le plus haut de l'article 25, et pourquoi. / The highest rate of article 25, and why."""
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            found = rules.intensity(one_programme(programme), research, size, _words(bonus or []), day)
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        if as_json:
            _say(
                json.dumps(
                    plain(
                        {
                            "rate": found.rate,
                            "unit": "percent",
                            "sum": found.sum,
                            "capped": found.capped,
                            "research": found.category,
                            "size": found.size,
                            "bonuses": found.bonuses,
                            "on": found.day,
                            "rule_set": found.rules.code,
                            "parts": [{"what": w, "points": p, "to_confirm": c} for w, p, c in found.points],
                            "why": why_as_data(found.why),
                        }
                    ),
                    ensure_ascii=False,
                    indent=2,
                )
            )
            return
        _say(rules.percent(found.rate))
        say_why(found.why)


@aid_app.command("de-minimis")
def de_minimis(
    *,
    amount: Annotated[str, typer.Option("--amount", help="Montant demandé / amount asked for")],
    award: Annotated[
        list[str] | None,
        typer.Option(
            "--award", help="Aide déjà accordée, AAAA-MM-JJ:montant / award already granted, YYYY-MM-DD:amount"
        ),
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="general, sgei")] = "general",
    on: On = "",
    as_json: Json = False,
    lang: Lang = "",
    programme: Programme = "",
) -> None:
    """Une aide de minimis tient-elle sous le plafond ? / Does a de minimis award fit under the ceiling?

    Répond 1 quand elle est refusée. / Answers 1 when it is refused.
    """
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            kind = kind.strip().casefold()
            known = str(T("l'entreprise unique", "the single undertaking"))
            awards = [
                rules.Award(known, sum_, when, kind, declared=True)
                for when, sum_ in (_granted(text) for text in award or [])
            ]
            found = rules.de_minimis(one_programme(programme), awards, _amount(amount, "--amount"), day, kind=kind)
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        if as_json:
            _say(
                json.dumps(
                    plain(
                        {
                            "allowed": found.allowed,
                            "amount": found.amount,
                            "ceiling": found.ceiling,
                            "used": found.used,
                            "left": found.left,
                            "window_from": found.window_from,
                            "on": day,
                            "allowed_from": found.allowed_from,
                            "refusal": found.refusal,
                            "coverage": found.coverage,
                            "why": why_as_data(found.why),
                        }
                    ),
                    ensure_ascii=False,
                    indent=2,
                )
            )
        else:
            _say(
                found.refusal
                or T(
                    "Possible : {u} déjà accordés depuis le {s}, plus {a} : sous le plafond de {c}.",
                    "Possible: {u} already granted since {s}, plus {a}: within the ceiling of {c}.",
                    u=rules.euros(found.used),
                    s=found.window_from,
                    a=rules.euros(found.amount),
                    c=rules.euros(found.ceiling),
                )
            )
            say_why(found.why)
        if not found.allowed:
            raise typer.Exit(1)


@aid_app.command()
def notification(
    *,
    amount: Annotated[
        str,
        typer.Option("--amount", help="Aide à une entreprise pour un projet / aid to one undertaking for one project"),
    ],
    cost: Annotated[
        list[str] | None,
        typer.Option("--cost", help="Coûts admissibles par catégorie, industrial=1000000 / eligible costs by category"),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", help="Code d'un seuil (cluster…) / code of a threshold (cluster…)")
    ] = "",
    european: Annotated[bool, typer.Option("--european", help="Projet Eureka ou d'une entreprise commune")] = False,
    advances: Annotated[
        bool, typer.Option("--advances", help="Avances récupérables seules / repayable advances only")
    ] = False,
    on: On = "",
    as_json: Json = False,
    lang: Lang = "",
    programme: Programme = "",
) -> None:
    """Faut-il notifier l'aide à la Commission, et la publier ? / Must the aid be notified, and published?"""
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            policy, figure = one_programme(programme), _amount(amount, "--amount")
            costs: dict[str, Decimal] | None = None
            for text in cost or []:
                name, sign, value = (part.strip() for part in text.partition("="))
                if not sign or not value:
                    raise Refused(
                        T(
                            "--cost : trouvé « {t} », attendu la catégorie et les coûts : industrial=1000000.",
                            "--cost: found “{t}”, expected the category and the costs: industrial=1000000.",
                            t=text,
                        ),
                        kind="input",
                    )
                costs = costs or {}
                costs[name.casefold()] = costs.get(name.casefold(), Decimal(0)) + _amount(value, "--cost")
            if costs is None and not kind:
                raise Refused(
                    T(
                        "Donnez les coûts par catégorie (--cost industrial=1000000) ou un seuil (--kind cluster).",
                        "Give costs by category (--cost industrial=1000000) or a threshold (--kind cluster).",
                    ),
                    kind="input",
                )
            found = rules.notification(
                policy, figure, day, costs=costs, kind=kind, european=european, advances=advances
            )
            published, silent = None, None
            try:
                published = rules.publication(policy, figure, day)
            except rules.NoRules as nothing:
                silent = nothing
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        if as_json:
            _say(
                json.dumps(
                    plain(
                        {
                            "notify": found.needed,
                            "threshold": found.threshold,
                            "kind": found.code,
                            "publish": published.needed if published else None,
                            "publication_threshold": published.threshold if published else None,
                            "publish_by": published.due_on if published else None,
                            "on": day,
                            "why": why_as_data(found.why),
                            "why_publish": why_as_data(published.why)
                            if published
                            else {"rule": silent.reason if silent else ""},
                        }
                    ),
                    ensure_ascii=False,
                    indent=2,
                )
            )
            return
        _say(
            T(
                "À notifier : {a} au-delà de {l} ({t}).",
                "To be notified: {a} above {l} ({t}).",
                a=rules.euros(figure),
                l=rules.euros(found.threshold),
                t=found.title,
            )
            if found.needed
            else T(
                "Pas de notification : {a}, seuil {l} ({t}).",
                "No notification: {a}, threshold {l} ({t}).",
                a=rules.euros(figure),
                l=rules.euros(found.threshold),
                t=found.title,
            )
        )
        say_why(found.why)
        if published is None:
            _say(silent.reason if silent else "")
            return
        _say(
            T("À publier au plus tard le {d}.", "To be published by {d}.", d=published.due_on)
            if published.due_on
            else T(
                "Pas de publication : sous le seuil de {l}.",
                "No publication: within the threshold of {l}.",
                l=rules.euros(published.threshold),
            )
        )
        say_why(published.why)


@aid_app.command()
def equivalent(
    *,
    instrument: Annotated[str, typer.Option("--instrument", help="loan, guarantee, repayable_advance, grant…")] = "",
    amount: Annotated[str, typer.Option("--amount", help="Montant nominal / nominal amount")],
    years: Annotated[str, typer.Option("--years", help="Durée en années / duration in years")] = "",
    kind: Annotated[str, typer.Option("--kind", help="general, sgei")] = "general",
    on: On = "",
    as_json: Json = False,
    lang: Lang = "",
    programme: Programme = "",
) -> None:
    """L'équivalent-subvention brut d'un prêt, d'une garantie. / The gross grant equivalent of a loan, a guarantee.

    Répond 1 quand aucune méthode ne le donne. / Answers 1 when no method gives it.
    """
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            found = rules.grant_equivalent(
                one_programme(programme),
                instrument.strip().casefold().replace("-", "_"),
                _amount(amount, "--amount"),
                _amount(years, "--years") if years.strip() else None,
                day,
                kind=kind.strip().casefold(),
            )
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        if as_json:
            data = {"equivalent": found.amount, "reason": found.reason, "on": day, "why": why_as_data(found.why)}
            _say(json.dumps(plain(data), ensure_ascii=False, indent=2))
        else:
            _say(rules.euros(found.amount) if found.amount is not None else found.reason)
            say_why(found.why)
        if found.amount is None:
            raise typer.Exit(1)


@aid_app.command()
def cluster(
    *,
    operating: Annotated[
        list[str] | None,
        typer.Option("--operating", help="Année:coûts:aides, 2024:600000:280000 / year:costs:aid"),
    ] = None,
    investment: Annotated[
        list[str] | None,
        typer.Option("--investment", help="Année:coûts:aides[:zone a ou c] / year:costs:aid[:area a or c]"),
    ] = None,
    on: On = "",
    as_json: Json = False,
    lang: Lang = "",
    programme: Programme = "",
) -> None:
    """L'aide au pôle lui-même tient-elle (article 27) ? / Does the aid to the cluster itself hold (article 27)?

    Répond 1 quand un plafond est passé. / Answers 1 when a ceiling is passed.
    """
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            lines = [_cluster_line("operating", text) for text in operating or []]
            lines += [_cluster_line("investment", text) for text in investment or []]
            if not lines:
                raise Refused(
                    T(
                        "Donnez au moins une année : --operating 2024:600000:280000.",
                        "Give at least one year: --operating 2024:600000:280000.",
                    ),
                    kind="input",
                )
            found = rules.cluster_aid(one_programme(programme), lines, day)
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        told = found.notification
        if as_json:
            rows = [
                {"kind": c.kind, "aid": c.aid, "eligible": c.eligible, "share": c.share, "ceiling": c.ceiling,
                 "margin": c.margin, "refusal": c.refusal, "why": why_as_data(c.why)}
                for c in found.checks
            ]  # fmt: skip
            data = {
                "checks": rows, "years": found.years, "most_years": found.most_years, "years_refusal": found.years_refusal,
                "notify": told.needed if told else None, "on": day,
            }  # fmt: skip
            _say(json.dumps(plain(data), ensure_ascii=False, indent=2))
        else:
            for check in found.checks:
                _say(check.refusal or _cluster_share(check))
                say_why(check.why)
            if found.years:
                _say(
                    found.years_refusal
                    or T(
                        "Durée : {n} ans comptés, au plus {m}.",
                        "Period: {n} years counted, at most {m}.",
                        n=found.years,
                        m=found.most_years,
                    )
                )
                say_why(found.years_why)
            if told is not None and told.needed:
                _say(T("À notifier : au-delà de {l}.", "To be notified: above {l}.", l=rules.euros(told.threshold)))
                say_why(told.why)
        if found.years_refusal is not None or any(not check.holds for check in found.checks):
            raise typer.Exit(1)


def _cluster_line(kind: str, text: str) -> rules.ClusterLine:
    parts = [part.strip() for part in text.split(":")]
    most = 4 if kind == "investment" else 3
    if not 3 <= len(parts) <= most or not parts[0].isdigit():
        raise Refused(
            T(
                "--{o} : trouvé « {t} », attendu année:coûts:aides, 2024:600000:280000{z}.",
                "--{o}: found “{t}”, expected year:costs:aid, 2024:600000:280000{z}.",
                o=kind,
                t=text,
                z=T(" (et la zone, a ou c)", " (and the area, a or c)") if kind == "investment" else "",
            ),
            kind="input",
        )
    option = f"--{kind}"
    payers = {str(T("financeurs publics", "public funders")): _amount(parts[2], option)}
    area = parts[3].casefold() if len(parts) > 3 else ""
    return rules.ClusterLine(int(parts[0]), kind, _amount(parts[1], option), payers, area)


def _cluster_share(check: rules.ClusterCheck) -> Text:
    return T(
        "{k} : {a} pour {e} de coûts admissibles, {s} ; plafond {c}.",
        "{k}: {a} for {e} of eligible costs, {s}; ceiling {c}.",
        k=states.CLUSTER_KINDS[check.kind],
        a=rules.euros(check.aid),
        e=rules.euros(check.eligible),
        s=rules.percent(check.share),
        c=rules.percent(check.ceiling),
    )


@aid_app.command()
def thresholds(on: On = "", as_json: Json = False, lang: Lang = "", programme: Programme = "") -> None:
    """Les seuils de notification d'un jour. / The notification thresholds of a day."""
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            found = rules.rule_set(one_programme(programme), day)
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        if as_json:
            rows = [
                {"code": t.code, "title": t.title, "article": t.article, "amount": t.amount, "per": t.per,
                 "intensity": t.intensity, "to_confirm": t.to_confirm, "reference": t.reference, "url": t.url}
                for t in found.thresholds
            ]  # fmt: skip
            _say(
                json.dumps(plain({"rule_set": found.code, "on": day, "thresholds": rows}), ensure_ascii=False, indent=2)
            )
            return
        _say(found.title)
        for t in found.thresholds:
            mark = T(" (à confirmer)", " (to be confirmed)") if t.to_confirm else T("", "")
            _say(
                T(
                    "  {c} : {a}, article {n}, {t}{m}",
                    "  {c}: {a}, article {n}, {t}{m}",
                    c=t.code,
                    a=rules.euros(t.amount),
                    n=t.article,
                    t=t.title,
                    m=mark,
                )
            )


@aid_app.command()
def size(
    *,
    file: Annotated[
        Path, typer.Argument(help="Comptes et liens, en YAML ou JSON / accounts and links, in YAML or JSON")
    ],
    firm: Annotated[str, typer.Argument(help="L'entreprise / the firm")],
    on: On = "",
    as_json: Json = False,
    lang: Lang = "",
    programme: Programme = "",
) -> None:
    """La taille d'une entreprise, définition européenne et française. / The size of a firm, EU and French definitions.

    firms: {A: {2008: {headcount: 40, turnover: 8000000, balance: 7000000}}}, links: [{owner: B, owned: A, share: 60}].
    """
    day = None
    with _voice(lang):
        try:
            day = _day(on)
            figures, links = read_facts(file)
            policy = one_programme(programme)
            if firm not in figures:
                raise Refused(
                    T(
                        "« {f} » n'est pas dans le fichier ; il y a {k}.",
                        "“{f}” is not in the file; there is {k}.",
                        f=firm,
                        k=", ".join(figures) or "–",
                    ),
                    kind="input",
                )
            found = [
                rules.eu_size(policy, firm, figures, links, day),
                rules.national_size(policy, firm, figures, links, day),
            ]
        except Refused as refusal:
            raise _stop(refusal, as_json, day) from None
        if as_json:
            rows = [
                {"scheme": s.scheme, "category": s.category, "title": s.title, "certain": s.certain, "missing": s.missing,
                 "why": why_as_data(s.why)}
                for s in found
            ]  # fmt: skip
            _say(json.dumps(plain({"firm": firm, "on": day, "sizes": rows}), ensure_ascii=False, indent=2))
        else:
            names = {"eu": T("Union européenne", "European Union"), "fr": T("France", "France")}
            for one in found:
                _say(T("{n} : {t}", "{n}: {t}", n=names.get(one.scheme, one.scheme), t=one.title))
                for lacking in one.missing:
                    _say(T("  manque : {m}", "  missing: {m}", m=lacking))
                say_why(one.why)
        if found[0].category is None:
            raise typer.Exit(1)


def read_facts(path: Path) -> tuple[dict[str, dict[int, rules.Figures]], list[rules.Link]]:
    """Accounts by firm and year, and links, from a YAML or JSON file.

    Raises:
        Refused: the file cannot be read, or a key is not one of those expected.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refused(
            T(
                "« {f} » ne peut pas être lu : {e}",
                "“{f}” cannot be read: {e}",
                f=str(path),
                e=str(error).split("\n")[0],
            ),
            kind="input",
        ) from None
    if not isinstance(data, dict) or not isinstance(data.get("firms"), dict):
        raise _bad(T("le fichier", "the file"), T("les clés firms et links", "the keys firms and links"))
    figures: dict[str, dict[int, rules.Figures]] = {}
    for name, years in data["firms"].items():
        figures[str(name)] = {}
        for year, values in (years or {}).items():
            where = T("{f}, {y}", "{f}, {y}", f=name, y=year)
            if (
                not str(year).isdigit()
                or not isinstance(values, dict)
                or set(values) - {"headcount", "turnover", "balance"}
            ):
                raise _bad(
                    where,
                    T("une année, puis headcount, turnover, balance", "a year, then headcount, turnover, balance"),
                )
            figures[str(name)][int(year)] = rules.Figures(**{k: _number(v, where) for k, v in values.items()})
    links = []
    for link in data.get("links") or []:
        allowed = {"owner", "owned", "share", "control", "starts_on", "ends_on", "owner_kind", "kind"}
        if not isinstance(link, dict) or set(link) - allowed or not {"owner", "owned"} <= set(link):
            raise _bad(
                T("links", "links"),
                T("owner, owned, share, control, owner_kind…", "owner, owned, share, control, owner_kind…"),
            )
        links.append(
            rules.Link(
                owner=str(link["owner"]),
                owned=str(link["owned"]),
                share=None if link.get("share") is None else _number(link["share"], T("links, share", "links, share")),
                control=bool(link.get("control", False)),
                starts_on=_moment(link.get("starts_on")),
                ends_on=_moment(link.get("ends_on")),
                owner_kind=str(link.get("owner_kind", "firm")),
                kind=str(link.get("kind", "holding")),
            )
        )
    return figures, links


def _bad(where: Text, expected: Text) -> Refused:
    return Refused(T("{w} : attendu {e}.", "{w}: expected {e}.", w=where, e=expected), kind="input")


def _number(value: Any, where: Text) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise _bad(where, T("un nombre", "a number")) from None


def _moment(value: Any) -> dt.date | None:
    if value is None or isinstance(value, dt.date):
        return value
    return _day(str(value), "links")
