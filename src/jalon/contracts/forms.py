"""Forms of the contract pages: what is typed, read; the rules are asked by the acts."""

from __future__ import annotations

from typing import Any

from django import forms

from jalon.clusters.models import Cluster
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.people.models import Organisation


class DayInput(forms.DateInput):
    """A day, with the browser's own calendar; typed as dd/mm/yyyy without it."""

    input_type = "date"

    def __init__(self, **kwargs: Any):
        super().__init__(format="%Y-%m-%d", **kwargs)


def day_field(label: Any, help_text: Any = "", required: bool = True) -> forms.DateField:
    """A day field that reads ISO and French notation."""
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=required,
        widget=DayInput(),
        input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"],
        error_messages={
            "required": T("Indiquez une date.", "Give a date."),
            "invalid": T("Une date (jj/mm/aaaa) est attendue.", "A date (dd/mm/yyyy) is expected."),
        },
    )


class NewContract(forms.Form):
    """A contract to prepare: cluster, phase, dates, parties."""

    cluster = forms.ModelChoiceField(
        Cluster.objects.none(),
        label=T("Pôle", "Cluster"),
        error_messages={"required": T("Choisissez le pôle.", "Choose the cluster.")},
    )
    phase = forms.ChoiceField(
        label=T("Phase", "Phase"),
        help_text=T(
            "Elle donne le modèle : articles, annexes, indicateurs communs. Les dates restent celles du contrat.",
            "It gives the template: articles, annexes, common indicators. The dates stay the contract's own.",
        ),
    )
    starts_on = day_field(T("Début", "Start"))
    ends_on = day_field(T("Fin", "End"), T("Dernier jour compris.", "Last day included."))
    state = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=T("L'État, par son service", "The State, by its service"),
        error_messages={"required": T("Choisissez le service de l'État.", "Choose the State service.")},
    )
    state_signatory = forms.CharField(
        label=T("Signataire pour l'État (fonction)", "Signatory for the State (function)"),
        max_length=160,
    )
    authorities = forms.ModelMultipleChoiceField(
        Organisation.objects.none(),
        label=T("Collectivités", "Local authorities"),
        help_text=T(
            "Une ou plusieurs, chacune pour elle-même ; plusieurs se choisissent avec la touche Ctrl.",
            "One or several, each for itself; choose several with the Ctrl key.",
        ),
        widget=forms.SelectMultiple(attrs={"size": 8}),
        error_messages={"required": T("Choisissez au moins une collectivité.", "Choose at least one authority.")},
    )
    governance_signatory = forms.CharField(
        label=T("Signataire pour le pôle (fonction)", "Signatory for the cluster (function)"),
        max_length=160,
    )
    title = forms.CharField(
        label=T("Intitulé", "Title"),
        required=False,
        max_length=200,
        help_text=T("Vide : celui du modèle.", "Empty: the template's own."),
    )

    def __init__(self, *args: Any, clusters: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        laws = policy()
        self.fields["cluster"].queryset = clusters
        kinds = Organisation.objects.filter(merged_into__isnull=True).order_by("name_key")
        self.fields["state"].queryset = kinds.filter(kind="state_service")
        self.fields["authorities"].queryset = kinds.filter(kind="authority")
        # Who signs for a side, and whether authorities must, stands in the policy's templates.
        if any(p.kind == "authority" and p.min == 0 for t in laws.contract_templates for p in t.parties):
            self.fields["authorities"].required = False
        for side in ("state", "governance"):
            roles = [p.role for t in laws.contract_templates for p in t.parties if p.kind == side]
            if roles:
                title = str(next(r.title for r in laws.roles if r.code == roles[0]))
                self.fields[f"{side}_signatory"].initial = title[:1].lower() + title[1:]
        self.fields["phase"].choices = [
            (t.phase, f"{laws.phase(t.phase).title} – {t.title}") for t in laws.contract_templates
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", T("La fin précède le début.", "The end comes before the start."))
        return data


class Decision(forms.Form):
    """A deliberation to record."""

    decided_on = day_field(T("Date de la délibération", "Date of the deliberation"))
    reference = forms.CharField(
        label=T("Référence", "Reference"),
        max_length=160,
        help_text=T("Numéro de l'acte.", "Number of the act."),
        error_messages={"required": T("Indiquez la référence.", "Give the reference.")},
    )
    outcome = forms.ChoiceField(
        label=T("Décision", "Decision"),
        choices=[("approved", T("approuve", "approves")), ("refused", T("refuse", "refuses"))],
    )
    year = forms.IntegerField(
        label=T("Année votée", "Year voted"),
        required=False,
        min_value=1990,
        max_value=2199,
        help_text=T(
            "Seulement pour le vote d'une subvention annuelle ; vide pour l'approbation du contrat.",
            "Only for the vote of a yearly grant; empty for the approval of the contract.",
        ),
    )
    amount = forms.CharField(label=T("Montant voté", "Amount voted"), required=False, max_length=40)
    file = forms.FileField(label=T("Acte (fichier)", "Act (file)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["amount"].unit = policy().currency


class Sign(forms.Form):
    """A signature."""

    sha256 = forms.CharField(widget=forms.HiddenInput())
    signed_on = day_field(T("Date de la signature", "Date of the signature"))
    signatory = forms.CharField(label=T("Signataire (fonction)", "Signatory (function)"), max_length=200)
    read = forms.BooleanField(
        label=T(
            "J'ai lu le texte dont l'empreinte figure ci-dessus.",
            "I have read the text whose hash is shown above.",
        ),
        error_messages={"required": T("Cochez la case après lecture.", "Tick the box after reading.")},
    )


class NewAnnex(forms.Form):
    """A dated file to join."""

    key = forms.ChoiceField(label=T("Annexe", "Annex"))
    title = forms.CharField(
        label=T("Intitulé", "Title"),
        required=False,
        max_length=255,
        help_text=T("Vide : celui de l'annexe.", "Empty: the annex's own."),
    )
    dated = day_field(T("Date du document", "Date of the document"))
    file = forms.FileField(
        label=T("Fichier", "File"), error_messages={"required": T("Choisissez un fichier.", "Choose a file.")}
    )

    def __init__(self, *args: Any, template: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        rules = template.annexes if template else ()
        self.fields["key"].choices = [(r.key, r.title) for r in rules] or [("other", T("Autre annexe", "Other annex"))]


class Amend(forms.Form):
    """An amendment to open."""

    title = forms.CharField(label=T("Intitulé", "Title"), required=False, max_length=255)
    reason = forms.CharField(
        label=T("Motif", "Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=T(
            "Ce qui a changé depuis la signature ; il figure dans l'avenant.",
            "What has changed since the signature; it is part of the amendment.",
        ),
        error_messages={"required": T("Un avenant demande un motif.", "An amendment needs a reason.")},
    )


class CheckFile(forms.Form):
    """A text or a hash to compare with the frozen text."""

    file = forms.FileField(label=T("Texte canonique (fichier)", "Canonical text (file)"), required=False)
    sha256 = forms.CharField(
        label=T("ou empreinte SHA-256, ou texte", "or SHA-256 hash, or text"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
