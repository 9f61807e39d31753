"""Forms of the follow-up: what is typed about an action, a milestone, an objective, a commitment."""

from __future__ import annotations

from typing import Any

from django import forms

from jalon.contracts import follow_states as states
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.indicators.rules import read_number


class Day(forms.DateField):
    """A day; browsers send 2010-06-30, people also type 30/06/2010."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d/%m/%Y"])
        kwargs.setdefault(
            "error_messages",
            {
                "invalid": T(
                    "Cette date ne se lit pas : écrivez-la 30/06/2010.",
                    "This date cannot be read: write it 2010-06-30.",
                ),
                "required": T("Une date est attendue ici.", "A date is expected here."),
            },
        )
        super().__init__(**kwargs)


class Amount(forms.CharField):
    """An amount as people type it: « 12 500,50 »."""

    unit = "€"

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return read_number(text)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal.reason)) from None


class ProgressForm(forms.Form):
    """Where an action stands. ``seen`` is the version that the form showed."""

    status = forms.ChoiceField(
        label=T("Où en est l'action ?", "Where does the action stand?"),
        choices=list(states.ACTION_STATUSES.items()),
        widget=forms.RadioSelect,
    )
    percent = forms.IntegerField(
        label=T("Avancement", "Progress"),
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"step": 5}),
        error_messages={
            "min_value": T("L'avancement va de 0 à 100 %.", "Progress goes from 0 to 100%."),
            "max_value": T("L'avancement va de 0 à 100 %.", "Progress goes from 0 to 100%."),
            "invalid": T("Un nombre entier de 0 à 100 est attendu.", "A whole number from 0 to 100 is expected."),
        },
    )
    expected_end = Day(
        label=T("Fin maintenant attendue", "End now expected"),
        required=False,
        help_text=T("Si elle a glissé ; dites alors pourquoi.", "If it slipped; then say why."),
    )
    done_on = Day(label=T("Achevée le", "Finished on"), required=False)
    reason = forms.CharField(
        label=T("Pourquoi, en une phrase", "Why, in one sentence"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["percent"].unit = "%"


class MilestoneForm(forms.Form):
    """A milestone: passed on a day, or expected on another."""

    done_on = Day(label=T("Franchi le", "Passed on"), required=False)
    expected = Day(label=T("Attendu le", "Expected on"), required=False)
    reason = forms.CharField(label=T("Pourquoi, s'il glisse", "Why, if it slips"), required=False)


class ObjectiveForm(forms.Form):
    """Where an objective stands, in the eyes of the pôle."""

    status = forms.ChoiceField(
        label=T("Où en est l'objectif ?", "Where does the objective stand?"),
        choices=list(states.OBJECTIVE_STATUSES.items()),
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=T("En une phrase", "In one sentence"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class JudgeForm(forms.Form):
    """What the State says of the pôle's declaration."""

    note = forms.CharField(
        label=T("Motif, si vous contestez", "Reason, if you contest it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class StepForm(forms.Form):
    """What happened to a public commitment."""

    kind = forms.ChoiceField(label=T("Que s'est-il passé ?", "What happened?"), widget=forms.RadioSelect)
    day = Day(label=T("Le", "On"))
    amount = Amount(
        label=T("Montant", "Amount"),
        required=False,
        help_text=T("Vide : ce qui reste à verser.", "Empty: what is left to pay."),
    )
    reference = forms.CharField(
        label=T("Référence (mandat, délibération)", "Reference (order, deliberation)"), required=False, max_length=200
    )

    def __init__(self, *args: Any, support: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        kinds = ("decided", "delivered", "refused") if support else ("decided", "paid", "refused")
        self.fields["kind"].choices = [(k, states.STEPS[k]) for k in kinds]
        if support:
            del self.fields["amount"]


class ExtendForm(forms.Form):
    """More time for one report."""

    due_on = Day(label=T("Nouvelle échéance", "New due day"))
    reason = forms.CharField(label=T("Motif", "Reason"))


class BudgetForm(forms.Form):
    """The running budget of one year: a field for each kind of income; empty is unknown, never zero."""

    reason = forms.CharField(
        label=T("Motif, si vous corrigez un montant déjà déclaré", "Reason, if you correct an amount already declared"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, unit: str = "", **kwargs: Any):
        super().__init__(*args, **kwargs)
        for kind, title in states.BUDGET.items():
            self.fields[kind] = Amount(label=title, required=False)
            self.fields[kind].unit = unit
        self.fields["in_kind"].help_text = T(
            "Comptées à part : elles n'entrent ni dans le total ni dans les parts.",
            "Counted apart: they enter neither the total nor the shares.",
        )
        self.order_fields([*states.BUDGET, "reason", "seen"])

    @property
    def amounts(self) -> dict[str, Any]:
        return {kind: self.cleaned_data[kind] for kind in states.BUDGET}
