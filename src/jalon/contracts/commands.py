"""``jalon contract``: list and show contracts, export and import their document, check a signed text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T

contract_app = typer.Typer(
    no_args_is_help=True, help="Les contrats : liste, export, import, vérification. / The contracts."
)

Slug = Annotated[str, typer.Argument(help="Nom court du contrat / short name of the contract", metavar="CONTRAT")]
TextNumber = Annotated[
    int | None, typer.Option("--text", help="Numéro du texte (0 : l'original) / number of the text", min=0)
]


def say(message: object) -> None:
    """One line on the output."""
    typer.echo(str(message))


def fail(message: object, code: int = 1) -> Any:
    """A sentence on the error output, then the exit code."""
    typer.echo(str(message), err=True)
    raise typer.Exit(code)


def ready() -> None:
    """Start Django, if it is not yet."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jalon.config.settings")
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal becomes its sentences on the error output and exit code 1."""
    try:
        yield
    except Refused as refusal:
        for line in (refusal.reason, *(f"  - {m}" for m in refusal.missing)):
            typer.echo(str(line), err=True)
        raise typer.Exit(1) from None


def find(slug: str) -> Any:
    """The contract of that name; exit code 2 with the nearest names when there is none."""
    ready()
    from rapidfuzz import process

    from jalon.contracts.models import Contract

    found = Contract.objects.select_related("cluster").filter(slug=slug).first()
    if found is not None:
        return found
    known = list(Contract.objects.order_by("slug").values_list("slug", flat=True))
    near = [match[0] for match in process.extract(slug, known, limit=3, score_cutoff=55)]
    if near:
        fail(
            T(
                "Aucun contrat « {s} ». Les plus proches : {n}.",
                "No contract “{s}”. The nearest: {n}.",
                s=slug,
                n=", ".join(near),
            ),
            2,
        )
    return fail(
        T(
            "Aucun contrat « {s} ». « jalon contract list » donne les {n} qui existent.",
            "No contract “{s}”. “jalon contract list” gives the {n} that exist.",
            s=slug,
            n=len(known),
        ),
        2,
    )


def text_of(contract: Any, number: int | None) -> Any:
    """A text of the contract: the one of that number, else the binding one or the original."""
    from jalon.contracts import queries

    text = queries.current_text(contract) if number is None else contract.texts.filter(number=number).first()
    if text is None:
        numbers = ", ".join(str(n) for n in contract.texts.order_by("number").values_list("number", flat=True))
        fail(
            T(
                "Le contrat « {s} » n'a pas de texte n° {n} ; il a : {all}.",
                "The contract “{s}” has no text no. {n}; it has: {all}.",
                s=contract.slug,
                n=number,
                all=numbers,
            ),
            2,
        )
    text.contract = contract
    return text


def _ending(path: Path, accepted: tuple[str, ...]) -> str:
    from jalon.contracts.exchange.actions import wrong_ending

    ending = path.suffix.lower().lstrip(".")
    if ending not in accepted:
        fail(wrong_ending(path.name, accepted), 2)
    return ending


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        fail(
            T(
                "« {p} » n'a pas pu être écrit : {e}.",
                "“{p}” could not be written: {e}.",
                p=path,
                e=error.strerror or str(error),
            )
        )


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; exit code 2 with a sentence when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        return fail(
            T(
                "« {p} » n'a pas pu être lu : {e}.",
                "“{p}” could not be read: {e}.",
                p=path,
                e=error.strerror or str(error),
            ),
            2,
        )


@contract_app.command("list")
def list_contracts(
    state: Annotated[str, typer.Option("--state", help="Seulement cet état / only this state")] = "",
) -> None:
    """Les contrats de la base, un par ligne. / The contracts, one a line."""
    ready()
    from jalon.contracts import states
    from jalon.contracts.models import Contract
    from jalon.ui import format as fmt

    if state and state not in states.TITLES:
        fail(
            T(
                "État inconnu : « {s} ». Attendu : {all}.",
                "Unknown state: “{s}”. Expected: {all}.",
                s=state,
                all=", ".join(s.code for s in states.STATES),
            ),
            2,
        )
    rows = Contract.objects.select_related("cluster").order_by("cluster__name_key", "starts_on", "slug")
    if state:
        rows = rows.filter(state=state)
    rows = list(rows)
    if not rows:
        say(T("Aucun contrat.", "No contract."))
        return
    wide = max(len(r.slug) for r in rows)
    for row in rows:
        period = fmt.period(row.starts_on, row.ends_on) if row.starts_on or row.ends_on else fmt.unknown()
        mark = T(" (simulé)", " (simulated)") if row.simulated else ""
        say(f"{row.slug:<{wide}}  {states.TITLES[row.state]}  {period}  {row.title}{mark}")


@contract_app.command()
def show(slug: Slug) -> None:
    """Un contrat : état, parties, textes. / One contract: state, parties, texts."""
    contract = find(slug)
    from jalon.contracts import content as doc, queries, states
    from jalon.core import clock
    from jalon.people.access import policy
    from jalon.ui import format as fmt

    say(contract.title)
    for name, value in (
        (T("Pôle", "Cluster"), queries.called(contract.cluster, clock.today())),
        (T("État", "State"), states.TITLES[contract.state]),
        (
            T("Période", "Period"),
            fmt.period(contract.starts_on, contract.ends_on)
            if contract.starts_on or contract.ends_on
            else fmt.unknown(),
        ),
    ):
        say(T("{n} : {v}", "{n}: {v}", n=name, v=value))
    if contract.simulated:
        say(T("Données simulées (démonstration).", "Simulated data (demonstration)."))
    text = queries.current_text(contract)
    words = policy().words
    for party in text.content.get("parties") or ():
        signatory = f" ({party['signatory']})" if party.get("signatory") else ""
        say(f"  - {doc.name_of(doc.PARTY, party)}{signatory}")
    counts = dict.fromkeys(doc.KINDS, 0)
    for _, kind, _ in doc.elements(text.content):
        counts[kind] += 1
    say(", ".join(f"{n} {doc.kind_word(kind, words, plural=n != 1)}" for kind, n in counts.items() if n))
    for row in contract.texts.select_related("frozen").order_by("number"):
        name = (
            T("texte 0 (original)", "text 0 (original)")
            if not row.number
            else T("avenant {n}", "amendment {n}", n=row.number)
        )
        seal = f", SHA-256 {row.frozen.sha256}" if row.frozen else T(", révision {r}", ", revision {r}", r=row.rev)
        say(f"{name} : {states.TITLES[row.state]}{seal}")


@contract_app.command()
def export(
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="FICHIER.xlsx ou FICHIER.yaml / the file to write", metavar="FICHIER")],
    text: TextNumber = None,
) -> None:
    """Écrire le contrat dans un classeur ou un fichier YAML. / Write the contract to a workbook or a YAML file."""
    contract = find(slug)
    from jalon.contracts.exchange.views import write

    kind = _ending(file, ("xlsx", "yaml", "yml"))
    chosen = text_of(contract, text)
    with refusals():
        write_file(file, write(chosen, "yaml" if kind == "yml" else kind))
    say(
        T(
            "{f} : contrat « {s} », texte n° {n}, révision {r}.",
            "{f}: contract “{s}”, text no. {n}, revision {r}.",
            f=file,
            s=contract.slug,
            n=chosen.number,
            r=chosen.rev,
        )
    )


@contract_app.command("import")
def import_file(
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="Le fichier changé / the changed file", metavar="FICHIER")],
    accept: Annotated[bool, typer.Option("--accept", help="Écrire ce qui change / write what changes")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Motif / reason")] = "",
    as_email: Annotated[
        str, typer.Option("--as", help="Adresse du compte qui agit / account that acts", metavar="ADRESSE")
    ] = "",
    leave_faulty: Annotated[
        bool, typer.Option("--leave-faulty", help="Laisser de côté les cellules en erreur / leave out cells in error")
    ] = False,
    text: TextNumber = None,
) -> None:
    """Montrer ce que le fichier change ; n'écrire qu'avec --accept. / Show what the file changes; write with --accept."""
    contract = find(slug)
    from jalon.contracts.exchange import actions
    from jalon.core import clock
    from jalon.core.canonical import sha256

    data = read_bytes(file)
    _ending(file, (*actions.READ, "csv", "xls", "xlsm"))
    with refusals():
        target = actions.target(contract, text)
        returned = actions.read_file(data, file.name, target)
        found = actions.difference(target, returned)
    _print(found)
    faulty = bool(found.errors or found.refused)
    if found.nothing and not faulty:
        say(T("Aucune différence.", "No difference."))
        return
    if not accept:
        if found.changes and not faulty:
            say(T("Rien n'est écrit ; --accept l'écrit.", "Nothing is written; --accept writes it."))
        raise typer.Exit(1 if faulty else 0)
    if not found.changes and not faulty:
        say(T("Rien à écrire.", "Nothing to write."))
        return
    with refusals():
        on = clock.today()
        by = _account(as_email, contract, on) if as_email else operator()
        taken = actions.take(
            target,
            returned,
            by=by,
            on=on,
            reason=reason or str(T("Fichier {name} importé", "File {name} imported", name=file.name)),
            without_faulty=leave_faulty,
            file=file.name,
            sha256=sha256(data),
        )
    say(taken.sentence)


def _print(found: Any) -> None:
    """The difference on the output, faults on the error output."""
    from jalon.contracts import content as doc

    for fault in found.faults:
        word = T("erreur", "error") if fault.level == "error" else T("remarque", "remark")
        typer.echo(str(T("{w} {p} : {m}", "{w} {p}: {m}", w=word, p=fault.place, m=fault.message)), err=True)
    for remark in found.remarks:
        typer.echo(str(remark), err=True)
    for change in found.changes:
        place = found.places.get(change.path) or found.places.get(doc.place(change.path).element_path) or change.path
        say(f"{place}  {doc.capital(change.label)}")
        if change.kind == "added":
            say(T("    + {v}", "    + {v}", v=_short(doc.said(change.path, change.new))))
        elif change.kind == "removed":
            say(T("    - {v}", "    - {v}", v=_short(doc.said(change.path, change.old))))
        else:
            say(
                T(
                    "    {a} → {b}",
                    "    {a} → {b}",
                    a=_short(doc.said(change.path, change.old)),
                    b=_short(doc.said(change.path, change.new)),
                )
            )
        if change.path in found.refused:
            typer.echo(str(T("erreur {p} : {m}", "error {p}: {m}", p=place, m=found.refused[change.path])), err=True)
    for clash in found.clashes:
        who = f" ({clash.who}, {clash.at:%Y-%m-%d})" if clash.at else ""
        say(
            T(
                "conflit  {l} : « {t} » dans Jalon{w}, « {o} » dans le fichier ; la valeur de Jalon reste",
                "clash  {l}: “{t}” in Jalon{w}, “{o}” in the file; Jalon's value stays",
                l=doc.capital(clash.label),
                t=_short(doc.said(clash.path, clash.theirs)),
                o=_short(doc.said(clash.path, clash.ours)),
                w=who,
            )
        )
    for one in found.already_proposed:
        say(
            T(
                "déjà proposé, en attente : {l} ({w})",
                "already proposed, waiting: {l} ({w})",
                l=one.change.label,
                w=one.proposal.user_label,
            )
        )
    if not found.nothing:
        say(
            T(
                "{n} changement(s), {c} conflit(s), {p} déjà proposé(s), {e} erreur(s).",
                "{n} change(s), {c} clash(es), {p} already proposed, {e} error(s).",
                n=len(found.changes),
                c=len(found.clashes),
                p=len(found.already_proposed),
                e=len(found.errors) + len(found.refused),
            )
        )


def _short(value: Any, most: int = 160) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def operator() -> Any:
    """Whoever runs the installation, at its terminal: acts for the State party; the journal says who did it."""
    from jalon.people.access import Actor

    name = "Exploitation de Jalon (ligne de commande)"
    return Actor(
        user_id=0,
        user_label=name,
        organisation_label=name,
        role="operator",
        role_title=T("exploitation", "operator"),
        side="state",
        scope="national",
        permissions=frozenset({"contract.prepare", "contract.negotiate", "contract.amend", "draft.read"}),
    )


def _account(email: str, contract: Any, on: Any) -> Any:
    """The account of that address, under its mandate for a party of the contract."""
    from jalon.contracts import access
    from jalon.people.models import User
    from jalon.people.queries import actor_from, mandates_on

    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        raise Refused(T("Aucun compte actif « {e} ».", "No active account “{e}”.", e=email), kind="input")
    actors = [
        actor_from(m) for m in mandates_on(user, on).select_related("user", "organisation", "delegated_from__user")
    ]
    for actor in actors:
        if access.party_of(actor, contract, on) is not None:
            return actor
    raise NotAllowed(
        T(
            "Le compte « {e} » n'agit pour aucune partie de ce contrat.",
            "The account “{e}” acts for no party of this contract.",
            e=email,
        )
    )


@contract_app.command()
def check(
    slug: Slug,
    file: Annotated[
        str, typer.Argument(help="Fichier de la forme canonique, ou empreinte / file or hash", metavar="FICHIER|SHA256")
    ],
    text: TextNumber = None,
) -> None:
    """Vérifier qu'un texte canonique ou une empreinte est celui du contrat figé. / Check a canonical text or a hash."""
    contract = find(slug)
    from jalon.contracts import actions

    chosen = text_of(contract, text)
    if chosen.frozen is None:
        fail(
            T(
                "Le texte n° {n} de « {s} » n'est pas figé : il n'y a rien à comparer.",
                "Text no. {n} of “{s}” is not frozen: there is nothing to compare.",
                n=chosen.number,
                s=slug,
            )
        )
    given: str | bytes = file.strip()
    if not actions.HASH.match(file.strip().lower()):
        given = read_bytes(Path(file))
        if len(given) <= 200 and actions.HASH.match(given.decode("ascii", "replace").split(" ")[0].strip().lower()):
            given = given.decode("ascii").split(" ")[0]
    if actions.same_text(chosen, given):
        say(
            T(
                "Identique : c'est le texte n° {n} de « {s} », figé, SHA-256 {h}.",
                "The same: this is text no. {n} of “{s}”, frozen, SHA-256 {h}.",
                n=chosen.number,
                s=slug,
                h=chosen.frozen.sha256,
            )
        )
        return
    fail(
        T(
            "Différent du texte n° {n} de « {s} », dont le SHA-256 est {h}.",
            "Not the same as text no. {n} of “{s}”, whose SHA-256 is {h}.",
            n=chosen.number,
            s=slug,
            h=chosen.frozen.sha256,
        )
    )
