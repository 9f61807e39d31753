"""Forms of campaigns, interviews and conclusions: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

from typing import Any

from django import forms

from jalon.clusters.models import Cluster
from jalon.contracts.forms import day_field
from jalon.core.lang import T
from jalon.evaluations import states
from jalon.people.access import policy
from jalon.people.models import Organisation


class CampaignForm(forms.Form):
    """A campaign to open. ``kinds``: those that the actor may open."""

    code = forms.SlugField(label=T("Code", "Code"), max_length=80, help_text=T("En minuscules, sans espaces : il figure dans l'adresse.", "Lower case, no spaces: it is part of the address."))  # fmt: skip
    title_fr = forms.CharField(label=T("Titre en français", "Title in French"), max_length=255)
    title_en = forms.CharField(label=T("Titre en anglais", "Title in English"), max_length=255, required=False)
    kind = forms.ChoiceField(label=T("Genre", "Kind"))
    grid = forms.ChoiceField(label=T("Grille", "Grid"))
    policy_day = day_field(
        T("Jour dont les règles valent", "Day whose rules hold"),
        T("Celui de l'ouverture si rien n'est dit.", "The opening day when nothing is said."),
        required=False,
    )
    ends_on = day_field(T("Notes attendues pour le", "Notes expected by"), required=False)
    clusters = forms.ModelMultipleChoiceField(label=T("Pôles", "Clusters"), queryset=Cluster.objects.none())

    def __init__(self, *args: Any, kinds: list[str], clusters: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(k, states.KINDS[k]) for k in kinds]
        self.fields["grid"].choices = [(g.code, g.title) for g in policy().grids]
        self.fields["clusters"].queryset = clusters


class EntrustForm(forms.Form):
    """Clusters and criteria for an evaluator."""

    organisation = forms.ModelChoiceField(label=T("Évaluateur", "Evaluator"), queryset=Organisation.objects.none())
    clusters = forms.ModelMultipleChoiceField(
        label=T("Pôles", "Clusters"),
        help_text=T("Tous ceux de la campagne si aucun n'est choisi.", "All of the campaign when none is chosen."),
        queryset=Cluster.objects.none(),
        required=False,
    )
    criteria = forms.MultipleChoiceField(
        label=T("Critères", "Criteria"),
        help_text=T("Tous si aucun n'est choisi.", "All when none is chosen."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reference = forms.CharField(label=T("Référence du mandat", "Reference of the mandate"), max_length=200, required=False)  # fmt: skip
    statement = forms.CharField(
        label=T("Déclaration d'intérêts reçue avec le mandat", "Statement of interests received with the mandate"),
        help_text=T("Vide : le cabinet la fait lui-même avant que rien ne s'ouvre.", "Empty: the firm makes it itself before anything opens."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, grid: Any, clusters: Any, evaluators: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = evaluators
        self.fields["clusters"].queryset = clusters
        self.fields["criteria"].choices = [(c.code, c.title) for c in grid.criteria] if grid else []


class InterviewForm(forms.Form):
    """The record of an interview; one participant a line."""

    held_on = day_field(T("Tenu le", "Held on"))
    participants = forms.CharField(
        label=T("Participants, un par ligne", "Participants, one a line"),
        help_text=T("Fonction et organisme plutôt que nom.", "Function and organisation rather than name."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    record = forms.CharField(label=T("Compte rendu", "Record"), widget=forms.Textarea(attrs={"rows": 8}))


class ConclusionForm(forms.Form):
    """The conclusion of a review."""

    conclusion = forms.ChoiceField(
        label=T("Conclusion", "Conclusion"), choices=list(states.CONCLUSIONS.items()), widget=forms.RadioSelect
    )
    reason = forms.CharField(label=T("Motifs", "Reasons"), widget=forms.Textarea(attrs={"rows": 5}))
    keep_funding = forms.BooleanField(
        label=T("Ne pas ouvrir de révision du financement", "Do not open a revision of funding"), required=False
    )


class FindingForm(forms.Form):
    """A finding to write or to change."""

    question = forms.ChoiceField(label=T("Question de la grille", "Question of the grid"), required=False)
    about = forms.CharField(label=T("Objet, en quelques mots", "Subject, in a few words"), max_length=255, required=False)  # fmt: skip
    text = forms.CharField(label=T("Constat", "Finding"), widget=forms.Textarea(attrs={"rows": 5}))
    evidence = forms.CharField(
        label=T("Pièce où cela se voit", "Where it is seen"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, grid: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if grid is None:
            del self.fields["question"]
        else:
            choices = [(f"{c.code}/{q.code}", f"{c.title} – {q.title}") for c, q in grid.questions]
            self.fields["question"].choices = [("", "–"), *choices]
