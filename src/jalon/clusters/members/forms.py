"""Forms of members: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

from typing import Any

from django import forms

from jalon.core.lang import T
from jalon.people.access import policy


def _day(**kwargs: Any) -> forms.DateField:
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        **kwargs,
    )


class _WithTypes(forms.Form):
    """Types and colleges are the policy's."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        members = policy().members
        self.fields["member_type"].choices = [("", "—"), *((t.code, str(t.title)) for t in members.types)]
        self.fields["college"].choices = [("", "—"), *((c.code, str(c.title)) for c in members.colleges)]


class UploadForm(forms.Form):
    """A list of members handed in."""

    file = forms.FileField(
        label=T("Liste des membres", "List of members"),
        help_text=T(
            "Classeur .xlsx ou .ods, ou fichier .csv (celui d'Excel français aussi), 30 Mo au plus. Rien n'est écrit avant votre accord.",
            "Workbook .xlsx or .ods, or .csv file (Excel's French one too), 30 MB at most. Nothing is written before you agree.",
        ),
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.ods,.csv,.txt,.tsv"}),
    )


class AddForm(_WithTypes):
    """One member."""

    name = forms.CharField(
        label=T("Raison sociale", "Name"),
        max_length=255,
        required=False,
        help_text=T(
            "Facultative si l'identifiant est déjà connu du registre.",
            "Optional when the register already knows the identifier.",
        ),
    )
    identifier = forms.CharField(
        label=T("Identifiant officiel", "Official identifier"),
        max_length=80,
        required=False,
        help_text=T(
            "SIRET, SIREN, RNA ou ROR ; pour un autre, sa nature devant (« LEI 5493… »).",
            "SIRET, SIREN, RNA or ROR; for another one, its kind in front (“LEI 5493…”).",
        ),
    )
    country = forms.CharField(
        label=T("Pays", "Country"),
        max_length=60,
        required=False,
        help_text=T("Vide : le pays du programme.", "Empty: the programme's country."),
    )
    postcode = forms.CharField(label=T("Code postal", "Postcode"), max_length=12, required=False)
    city = forms.CharField(label=T("Ville", "City"), max_length=120, required=False)
    member_type = forms.ChoiceField(label=T("Type de membre", "Member type"))
    college = forms.ChoiceField(label=T("Collège", "College"), required=False)
    joined_on = _day(label=T("Date d'entrée", "Joined on"))
    left_on = _day(label=T("Date de sortie", "Left on"), required=False)
    headcount = forms.IntegerField(label=T("Effectif", "Headcount"), min_value=0, required=False)


class CorrectForm(_WithTypes):
    """A correction of one membership."""

    member_type = forms.ChoiceField(label=T("Type de membre", "Member type"))
    college = forms.ChoiceField(label=T("Collège", "College"), required=False)
    joined_on = _day(label=T("Date d'entrée", "Joined on"))
    left_on = _day(label=T("Date de sortie", "Left on"), required=False)
    from_day = _day(
        label=T("Changement de type à compter du", "Type changes from"),
        required=False,
        help_text=T(
            "Le membre a changé de type ou de collège ce jour-là. Vide : la correction vaut pour toute l'adhésion.",
            "The member changed type or college on that day. Empty: the correction holds for the whole membership.",
        ),
    )
    why = forms.CharField(label=T("Motif", "Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class LeaveForm(forms.Form):
    """A departure."""

    left_on = _day(label=T("Dernier jour de l'adhésion", "Last day of the membership"))
    why = forms.CharField(label=T("Motif", "Reason"), max_length=300, required=False)
