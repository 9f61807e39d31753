"""Forms of agreements, claims, payments and relay finance: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from jalon.contracts.follow_forms import Amount, Day
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import as_date, as_decimal
from jalon.funding import rules, states


class Percent(Amount):
    """A rate in percent, as people type it."""

    unit = "%"


class Reason(forms.Form):
    """Why."""

    reason = forms.CharField(label=T("Motif", "Reason"), widget=forms.Textarea(attrs={"rows": 3}))


class Files(forms.FileField):
    """Several files at once; each is checked when it is kept."""

    class Input(forms.ClearableFileInput):
        allow_multiple_selected = True

    widget = Input

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if self.required and not given:
            raise forms.ValidationError(str(T("Choisissez un fichier.", "Choose a file.")))
        return [one for one in given if one]


# -- agreements ---------------------------------------------------------------------------------------------------


class NewAgreement(forms.Form):
    """The agreement of a decided share."""

    number = forms.CharField(
        label=T("Numéro de la convention", "Agreement's number"),
        help_text=T("Tel qu'il figurera en comptabilité.", "As it will stand in the accounts."),
        max_length=40,
    )
    subject = forms.CharField(label=T("Objet", "Subject"), max_length=255)
    amount = Amount(label=T("Montant accordé", "Amount granted"))
    starts_on = Day(label=T("Premier jour des travaux", "First day of the work"), required=False)
    ends_on = Day(label=T("Dernier jour des travaux", "Last day of the work"), required=False)
    returns = forms.ChoiceField(
        label=T("Comptes rendus financiers", "Financial returns"),
        help_text=T(
            "La loi en demande un aux organismes de droit privé, pour l'année d'attribution.",
            "The law asks private-law bodies for one, about the year of the award.",
        ),
        choices=tuple(states.RETURN_KINDS.items()),
        required=False,
    )

    def clean_returns(self) -> str:
        return self.cleaned_data.get("returns") or "law"


class Commitment(forms.Form):
    """The number of the commitment in the accounts."""

    commitment = forms.CharField(
        label=T("Numéro d'engagement", "Commitment number"),
        help_text=T(
            "Celui de la comptabilité : il fait partie de la clé de chaque paiement.",
            "That of the accounts: it is part of the key of every payment.",
        ),
        max_length=40,
    )


class Answer(forms.Form):
    """A word with an answer."""

    answer = forms.CharField(
        label=T("Motif du refus", "Reason of the refusal"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )


class NewTerms(forms.Form):
    """An amendment: what changes; what stays as it is is left as it stands."""

    reason = forms.CharField(
        label=T("Motif de l'avenant", "Reason of the amendment"), widget=forms.Textarea(attrs={"rows": 2})
    )
    amount = Amount(label=T("Montant de la convention", "Amount of the agreement"))
    starts_on = Day(label=T("Premier jour des travaux", "First day of the work"), required=False)
    ends_on = Day(label=T("Dernier jour des travaux", "Last day of the work"), required=False)
    partner = forms.ChoiceField(label=T("Bénéficiaire", "Beneficiary"))

    def __init__(self, *args: Any, partners: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["partner"].choices = [(str(p.pk), p.organisation.name) for p in partners]


def read_parts(data: Mapping[str, Any]) -> list[rules.Part]:
    """The instalments typed in the rows of a form (``kind-1``, ``amount-1``, ``due-1``, ``condition-1``…); empty rows are left out.

    Raises:
        Refused: an amount or a day that cannot be read, with the row.
    """
    out, wrong = [], []
    for n in range(1, 31):
        typed = {k: str(data.get(f"{k}-{n}", "")).strip() for k in ("kind", "amount", "due", "condition")}
        if not typed["amount"] and not typed["due"] and not typed["condition"]:
            continue
        try:
            amount = as_decimal(typed["amount"])
            due = as_date(typed["due"])
        except Refused as refusal:
            wrong.append(T("Tranche {n} : {r}", "Instalment {n}: {r}", n=n, r=refusal.reason))
            continue
        if amount is None:
            wrong.append(T("Tranche {n} : le montant manque.", "Instalment {n}: the amount is missing.", n=n))
            continue
        out.append(rules.Part(len(out) + 1, typed["kind"], amount, due, typed["condition"]))
    if wrong:
        raise Refused(T("L'échéancier ne se lit pas.", "The instalments cannot be read."), missing=wrong, kind="input")
    return out


def shown_parts(parts: list[rules.Part] | None, data: Mapping[str, Any] | None, extra: int = 2) -> list[dict[str, Any]]:
    """The rows of the form: what was typed when something was, else the instalments, and some empty rows."""
    rows = []
    if data is not None:
        for n in range(1, 31):
            row = {k: str(data.get(f"{k}-{n}", "")) for k in ("kind", "amount", "due", "condition")}
            if any(row[k] for k in ("amount", "due", "condition")):
                rows.append(row)
    else:
        for part in parts or ():
            rows.append(
                {
                    "kind": part.kind,
                    "amount": str(rules.euros(part.amount)),
                    "due": part.due_on.isoformat() if part.due_on else "",
                    "condition": part.condition,
                }
            )
    rows += [{"kind": "intermediate", "amount": "", "due": "", "condition": ""} for _ in range(extra)]
    return [row | {"n": n} for n, row in enumerate(rows[:30], 1)]


# -- claims -------------------------------------------------------------------------------------------------------


class ClaimForm(forms.Form):
    """A claim for payment, with its evidence."""

    amount = Amount(label=T("Montant demandé", "Amount claimed"))
    statement = forms.CharField(
        label=T("Ce qui a été fait", "What was done"),
        help_text=T(
            "L'avancement qui justifie ce versement, en quelques lignes.",
            "The progress that justifies this payment, in a few lines.",
        ),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )
    evidence = Files(label=T("Pièces justificatives", "Evidence"), required=False)


def read_expenses(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The expenses typed in the rows of a form (``year-1``, ``category-1``, ``label-1``, ``amount-1``…); empty rows are left out.

    Raises:
        Refused: an amount or a year that cannot be read, with the row.
    """
    out, wrong = [], []
    for n in range(1, 201):
        typed = {k: str(data.get(f"{k}-{n}", "")).strip() for k in ("year", "category", "label", "spent")}
        if not any(typed.values()):
            continue
        try:
            amount = as_decimal(typed["spent"])
        except Refused as refusal:
            wrong.append(T("Dépense {n} : {r}", "Expense {n}: {r}", n=n, r=refusal.reason))
            continue
        if amount is None:
            wrong.append(T("Dépense {n} : le montant manque.", "Expense {n}: the amount is missing.", n=n))
        elif not typed["year"].isdecimal() or len(typed["year"]) != 4:
            wrong.append(
                T(
                    "Dépense {n} : « {y} » n'est pas une année ; attendu : 2010.",
                    "Expense {n}: “{y}” is no year; expected: 2010.",
                    n=n,
                    y=typed["year"],
                )
            )
        else:
            out.append(
                {"year": int(typed["year"]), "category": typed["category"], "label": typed["label"], "amount": amount}
            )
    if wrong:
        raise Refused(T("Les dépenses ne se lisent pas.", "The expenses cannot be read."), missing=wrong, kind="input")
    return out


def shown_expenses(rows: Any, data: Mapping[str, Any] | None, extra: int = 4) -> list[dict[str, Any]]:
    """The rows of the form: what was typed when something was, else the expenses of the claim, and some empty rows."""
    out = []
    if data is not None:
        for n in range(1, 201):
            row = {k: str(data.get(f"{k}-{n}", "")) for k in ("year", "category", "label", "spent")}
            if any(row.values()):
                out.append(row)
    else:
        for e in rows:
            out.append(
                {"year": str(e.year), "category": e.category, "label": e.label, "spent": str(rules.euros(e.amount))}
            )
    out += [dict.fromkeys(("year", "category", "label", "spent"), "") for _ in range(extra)]
    return [row | {"n": n} for n, row in enumerate(out[:200], 1)]


class ReturnForm(forms.Form):
    """A financial return: what was done, why it differs from what was planned, and the evidence."""

    report = forms.CharField(
        label=T("Compte rendu qualitatif", "Report in words"),
        help_text=T("Ce que la subvention a permis de faire.", "What the grant made possible."),
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
    )
    annex = forms.CharField(
        label=T("Annexe", "Annex"),
        help_text=T(
            "Clés de répartition, contributions en nature, explication des écarts.",
            "Allocation keys, contributions in kind, explanation of the gaps.",
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
    )
    evidence = Files(label=T("Pièces justificatives", "Evidence"), required=False)


def read_lines(data: Mapping[str, Any]) -> list[rules.Line]:
    """The lines typed in the rows of a form (``charge-label-1``, ``charge-planned-1``, ``charge-actual-1``…); empty rows are left out.

    Raises:
        Refused: an amount that cannot be read, with the row.
    """
    out, wrong = [], []
    for side, title in rules.SIDES:
        for n in range(1, 61):
            typed = {k: str(data.get(f"{side}-{k}-{n}", "")).strip() for k in ("label", "planned", "actual")}
            if not any(typed.values()):
                continue
            amounts = []
            for key in ("planned", "actual"):
                try:
                    amounts.append(as_decimal(typed[key]) or rules.ZERO)
                except Refused as refusal:
                    wrong.append(T("{s}, ligne {n} : {r}", "{s}, line {n}: {r}", s=title, n=n, r=refusal.reason))
            if len(amounts) == 2:
                out.append(rules.Line(side, typed["label"], *amounts))
    if wrong:
        raise Refused(T("Le tableau ne se lit pas.", "The table cannot be read."), missing=wrong, kind="input")
    return out


def shown_lines(rows: Any, data: Mapping[str, Any] | None, suggested: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """The rows of the form by side: what was typed, else the lines kept, else those suggested, and some empty ones."""
    out = []
    for side, title in rules.SIDES:
        mine: list[dict[str, str]] = []
        if data is not None:
            for n in range(1, 61):
                row = {k: str(data.get(f"{side}-{k}-{n}", "")) for k in ("label", "planned", "actual")}
                if any(row.values()):
                    mine.append(row)
        else:
            kept = [r for r in rows if r.side == side] or suggested.get(side, [])
            mine = [
                {"label": r.label, "planned": str(rules.euros(r.planned)), "actual": str(rules.euros(r.actual))}
                for r in kept
            ]
        mine += [dict.fromkeys(("label", "planned", "actual"), "") for _ in range(3)]
        out.append({"side": side, "title": title, "rows": [r | {"n": n} for n, r in enumerate(mine[:60], 1)]})
    return out


class CheckForm(forms.Form):
    """What the checker proposes to certify."""

    proposed = Amount(label=T("Montant proposé à la certification", "Amount proposed for certification"))
    correction = forms.CharField(
        label=T("Pourquoi moins que demandé", "Why less than claimed"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
    )


class CertifyForm(forms.Form):
    """What the second person certifies."""

    amount = Amount(label=T("Montant certifié", "Amount certified"))
    correction = forms.CharField(
        label=T("Pourquoi moins que proposé", "Why less than proposed"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
    )


class OrderForm(forms.Form):
    """The number of a payment order."""

    number = forms.CharField(
        label=T("Numéro de l'ordre de paiement", "Number of the payment order"), max_length=40, required=False
    )


class PaymentForm(forms.Form):
    """A payment that was made."""

    paid_on = Day(label=T("Payé le", "Paid on"))
    reference = forms.CharField(label=T("Référence comptable", "Accounting reference"), max_length=80, required=False)


class RecoveryForm(forms.Form):
    """What is asked back, and why."""

    amount = Amount(label=T("Montant à reverser", "Amount to be repaid"))
    reason = forms.CharField(label=T("Motif", "Reason"), widget=forms.Textarea(attrs={"rows": 2}))


class RepaidForm(forms.Form):
    """A recovery that was repaid."""

    repaid_on = Day(label=T("Reversé le", "Repaid on"))
    reference = forms.CharField(label=T("Référence comptable", "Accounting reference"), max_length=80, required=False)


class Upload(forms.Form):
    """A file of the accounting system."""

    file = forms.FileField(
        label=T("Fichier de la comptabilité", "File of the accounting system"),
        help_text=T(
            "CSV, XLSX ou ODS ; vous confirmez ensuite ce que contient chaque colonne.",
            "CSV, XLSX or ODS; you then confirm what each column holds.",
        ),
    )


# -- relay finance ------------------------------------------------------------------------------------------------


class AskForm(forms.Form):
    """A request to a bank."""

    bank = forms.ChoiceField(label=T("Banque", "Bank"))
    amount = Amount(label=T("Avance demandée", "Advance asked for"))
    purpose = forms.CharField(
        label=T("À quoi elle servira", "What it is for"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )

    def __init__(self, *args: Any, banks: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["bank"].choices = [(str(b.pk), b.name) for b in banks]


class OfferForm(forms.Form):
    """A bank's offer."""

    amount = Amount(label=T("Avance proposée", "Advance offered"))
    months = forms.IntegerField(label=T("Durée, en mois", "Duration, in months"), min_value=1, max_value=120)
    rate = Percent(label=T("Taux annuel", "Yearly rate"))
    fee = Amount(label=T("Frais", "Fee"), required=False)
    guarantor = forms.ChoiceField(label=T("Contre-garantie", "Counter-guarantee"), required=False)
    note = forms.CharField(
        label=T("Conditions", "Conditions"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )

    def __init__(self, *args: Any, guarantors: Any = (), share: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["guarantor"].choices = [
            ("", str(T("Aucune", "None"))),
            *((str(g.pk), g.name) for g in guarantors),
        ]
        if share is not None:
            self.fields["guarantor"].help_text = T(
                "Elle couvre {s} % de l'avance.", "It covers {s}% of the advance.", s=share
            )

    def clean_fee(self) -> Decimal:
        return self.cleaned_data.get("fee") or rules.ZERO


class GuaranteeForm(forms.Form):
    """The guarantor's word."""

    note = forms.CharField(
        label=T("Conditions, ou motif du refus", "Conditions, or reason of the refusal"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
    )


class AssignForm(forms.Form):
    """The notification of an assignment."""

    reference = forms.CharField(
        label=T("Référence de la notification", "Reference of the notification"), max_length=120, required=False
    )


class MoneyOn(forms.Form):
    """An amount and its day."""

    amount = Amount(label=T("Montant", "Amount"))
    day = Day(label=T("Le", "On"))


class PaidOn(forms.Form):
    """A day of payment."""

    day = Day(label=T("Versé le", "Paid on"))


KIND_CHOICES = tuple(states.INSTALMENT_KINDS.items())
