"""Forms of calls and projects: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.projects import rules, states


def day(label: Any, help_text: Any = "", required: bool = True) -> forms.DateField:
    """A day that reads ISO and French notation."""
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=required,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        error_messages={
            "required": T("Indiquez une date.", "Give a date."),
            "invalid": T("Une date (jj/mm/aaaa) est attendue.", "A date (dd/mm/yyyy) is expected."),
        },
    )


class Amount(forms.CharField):
    """An amount in euros: spaces and French decimals are read."""

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        try:
            return rules.amount(text, where=self.label)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal.reason)) from None


class OpenCall(forms.Form):
    """Open a call from a scheme."""

    scheme = forms.ChoiceField(
        label=T("Dispositif", "Scheme"),
        help_text=T("Il donne les règles, avec leurs textes.", "It gives the rules, with their texts."),
    )
    number = forms.IntegerField(label=T("Numéro", "Number"), required=False, min_value=1, max_value=999)
    title = forms.CharField(
        label=T("Titre", "Title"),
        required=False,
        max_length=255,
        help_text=T("Vide : celui du dispositif.", "Empty: the scheme's."),
    )
    title_en = forms.CharField(label=T("Titre en anglais", "Title in English"), required=False, max_length=255)
    opens_on = day(T("Ouverture", "Opening"))
    closes_on = day(
        T("Clôture", "Closing"),
        T("À minuit de ce jour, heure de Paris.", "At midnight of that day, Paris time."),
        required=False,
    )
    results_on = day(T("Résultats attendus", "Results expected"), required=False)
    envelope = Amount(label=T("Enveloppe", "Envelope"), required=False)
    envelope.unit = "€"

    def __init__(self, *args: Any, schemes: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["scheme"].choices = [(s.code, str(s.title)) for s in schemes]


class EditCall(forms.Form):
    """The facts of the exercise."""

    title_fr = forms.CharField(label=T("Titre", "Title"), max_length=255)
    title_en = forms.CharField(label=T("Titre en anglais", "Title in English"), max_length=255)
    opens_on = day(T("Ouverture", "Opening"), required=False)
    closes_on = day(
        T("Clôture", "Closing"),
        T("À minuit de ce jour, heure de Paris.", "At midnight of that day, Paris time."),
        required=False,
    )
    results_on = day(T("Résultats", "Results"), required=False)
    envelope = Amount(label=T("Enveloppe", "Envelope"), required=False)
    envelope.unit = "€"
    rev = forms.IntegerField(widget=forms.HiddenInput)


class StartProject(forms.Form):
    """Start a project: call, acronym, title."""

    call = forms.ChoiceField(
        label=T("Appel à projets", "Call"),
        required=False,
        help_text=T("Il peut être choisi plus tard.", "It may be chosen later."),
    )
    acronym = forms.CharField(label=T("Sigle", "Acronym"), max_length=60)
    title = forms.CharField(label=T("Titre", "Title"), max_length=255)

    def __init__(self, *args: Any, calls: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["call"].choices = [("", str(T("pas encore", "not yet"))), *calls]


class NewPartner(forms.Form):
    """A partner that the register does not know."""

    name = forms.CharField(label=T("Nom de l'organisme", "Name of the organisation"), max_length=255)
    organisation_kind = forms.ChoiceField(
        label=T("Nature", "Kind"),
        choices=[
            ("company", T("entreprise", "company")),
            ("laboratory", T("laboratoire, organisme de recherche", "laboratory, research body")),
            ("training", T("organisme de formation", "training body")),
            ("association", T("association", "association")),
            ("other", T("autre", "other")),
        ],
    )
    siren = forms.CharField(label="SIREN", required=False, max_length=20)
    country = forms.CharField(label=T("Pays (deux lettres)", "Country (two letters)"), initial="FR", max_length=2)


class Clarify(forms.Form):
    """Ask for clarification: sections, message, deadline."""

    sections = forms.MultipleChoiceField(
        label=T("Sections rouvertes", "Sections opened again"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(code, states.SECTIONS[code]) for code in states.OPENABLE],
        error_messages={"required": T("Nommez au moins une section.", "Name at least one section.")},
    )
    message = forms.CharField(label=T("Ce qui est demandé", "What is asked"), widget=forms.Textarea(attrs={"rows": 4}))
    due_on = day(
        T("Réponse avant le", "Answer by"),
        T("Vide : le délai de la politique.", "Empty: the policy's delay."),
        required=False,
    )


class Outcome(forms.Form):
    """An outcome: kind, year, number, evidence."""

    kind = forms.ChoiceField(label=T("Résultat", "Outcome"), choices=list(states.OUTCOMES.items()))
    year = forms.IntegerField(label=T("Année", "Year"))
    quantity = forms.CharField(label=T("Nombre ou montant", "Number or amount"), max_length=30)
    title = forms.CharField(label=T("Intitulé", "Title"), required=False, max_length=255)
    evidence = forms.CharField(
        label=T("Justificatif (référence)", "Evidence (reference)"), required=False, max_length=300
    )
    file = forms.FileField(label=T("ou fichier", "or file"), required=False)


class Amend(forms.Form):
    """A change of a selected project."""

    kind = forms.ChoiceField(label=T("Changement", "Change"), choices=list(states.AMENDMENT_KINDS.items()))
    partner = forms.ChoiceField(
        label=T("Partenaire concerné", "Partner concerned"),
        required=False,
        help_text=T("Pour une sortie ou un budget.", "For leaving or a budget."),
    )
    organisation = forms.CharField(
        label=T("Organisme entrant (nom ou SIREN)", "Organisation joining (name or SIREN)"),
        required=False,
        max_length=255,
    )
    months = forms.IntegerField(
        label=T("Nouvelle durée, en mois", "New duration, in months"),
        required=False,
        min_value=1,
        max_value=rules.MAX_MONTHS,
    )
    lines = forms.CharField(
        label=T("Nouveau budget", "New budget"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=T(
            "Une ligne par dépense : année ; catégorie ; classe Frascati ; classe d'aide ; montant. Exemple : 2011 ; personnel ; applied ; industrial ; 45 000",
            "One line per cost: year ; category ; Frascati class ; aid class ; amount. Example: 2011 ; personnel ; applied ; industrial ; 45000",
        ),
    )
    reason = forms.CharField(label=T("Motif", "Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partners: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["partner"].choices = [("", "–"), *((p.key, p.organisation.name) for p in partners)]

    def clean_lines(self) -> list[list[str]]:
        found = []
        for number, line in enumerate(self.cleaned_data["lines"].splitlines(), start=1):
            if not line.strip():
                continue
            cells = [cell.strip() for cell in line.split(";")]
            if len(cells) != 5 or not cells[0].isdigit():
                raise forms.ValidationError(
                    str(
                        T(
                            "Ligne {n} : cinq éléments séparés par des points-virgules, l'année d'abord.",
                            "Line {n}: five items separated by semicolons, the year first.",
                            n=number,
                        )
                    )
                )
            found.append(cells)
        return found


class Report(forms.Form):
    """A yearly report."""

    standing = forms.ChoiceField(
        label=T("Où en est le projet", "Where the project stands"),
        choices=[("", "–"), *states.STANDINGS.items()],
        required=False,
    )
    progress = forms.CharField(label=T("Avancement", "Progress"), required=False, max_length=3)
    progress.unit = "%"
    achievements = forms.CharField(
        label=T("Ce qui a été fait", "What was done"), required=False, widget=forms.Textarea(attrs={"rows": 5})
    )
    deviations = forms.CharField(
        label=T("Écarts et leurs raisons", "Deviations and their reasons"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    trl_reached = forms.ChoiceField(
        label=T("TRL atteint", "TRL reached"), choices=[("", "–"), *((n, str(n)) for n in range(1, 10))], required=False
    )
    trl_reached_on = day(T("Jour où il a été atteint", "Day on which it was reached"), required=False)
