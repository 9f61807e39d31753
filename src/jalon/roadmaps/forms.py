"""Forms of roadmaps: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

from typing import Any

from django import forms

from jalon.core.lang import T
from jalon.roadmaps import rules


class _LaterDate(forms.DateField):
    """A day that is asked for, but may be saved empty meanwhile: it is only needed before submission."""

    def validate(self, value: Any) -> None:
        """Nothing: the list of what is missing says that it is not given yet."""


def _day(kind: type[forms.DateField] = forms.DateField, **kwargs: Any) -> forms.DateField:
    return kind(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        **kwargs,
    )


class FrameForm(forms.Form):
    """Title and period. The hidden fields hold what the writer saw, so that a change made meanwhile is noticed."""

    title = forms.CharField(label=T("Titre", "Title"), max_length=rules.MAX_TITLE)
    starts_on = _day(_LaterDate, label=T("Premier jour", "First day"))
    ends_on = _day(_LaterDate, label=T("Dernier jour", "Last day"))
    use_required_attribute = False
    seen_title = forms.CharField(widget=forms.HiddenInput, required=False)
    seen_starts_on = forms.DateField(widget=forms.HiddenInput, required=False)
    seen_ends_on = forms.DateField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, template: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if template is not None:
            self.fields["ends_on"].help_text = T(
                "La politique demande un horizon de {min} à {max} ans.",
                "The policy asks for a horizon of {min} to {max} years.",
                min=template.horizon_years.min,
                max=template.horizon_years.max,
            )


class StartForm(forms.Form):
    """Begin a roadmap: phase, title, period."""

    phase = forms.ChoiceField(label=T("Phase", "Phase"))
    title = forms.CharField(
        label=T("Titre", "Title"),
        help_text=T("Sans titre, celui du modèle est pris.", "Without a title, that of the template is taken."),
        max_length=rules.MAX_TITLE,
        required=False,
    )
    starts_on = _day(
        label=T("Premier jour", "First day"),
        help_text=T("Peut être donné plus tard, avant l'envoi.", "May be given later, before it is sent."),
        required=False,
    )
    ends_on = _day(label=T("Dernier jour", "Last day"), required=False)

    def __init__(self, *args: Any, phases: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["phase"].choices = [(p.code, str(p.title)) for p in phases]


LEAVE = "-"
"""The choice that leaves a section or level behind."""


class NewVersionForm(StartForm):
    """Begin a version from a validated one: where each section and level goes."""

    def __init__(self, *args: Any, steps: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.steps = list(steps)
        leave = (LEAVE, str(T("Laisser de côté", "Leave behind")))
        for step in self.steps:
            choices = [(code, str(title)) for code, title in step.choices]
            ask = [] if step.target else [("", str(T("Choisir", "Choose")))]
            self.fields[step.name] = forms.ChoiceField(
                label=str(step.title),
                help_text=_proposal(step),
                choices=[*ask, *choices, leave],
                initial=step.target,
                error_messages={"required": T("Dites où va ce texte.", "Say where this goes.")},
            )

    @property
    def mapping(self) -> dict[str, str]:
        """What was chosen for each step."""
        chosen = {step.name: self.cleaned_data[step.name] for step in self.steps}
        return {name: "" if target == LEAVE else target for name, target in chosen.items()}

    @property
    def own(self) -> list[Any]:
        """The fields that are not steps, for the template."""
        names = {step.name for step in self.steps}
        return [field for field in self if field.name not in names]

    @property
    def migration(self) -> list[Any]:
        """The fields of the steps, for the template."""
        return [self[step.name] for step in self.steps]


def _proposal(step: rules.Step) -> Any:
    what = {
        "same": T("Le nouveau modèle la garde.", "The new template keeps it."),
        "near": T("Proposé par ressemblance : à vérifier.", "Proposed by likeness: to be checked."),
        "none": T(
            "Le nouveau modèle n'a rien de tel : choisissez, ou laissez de côté.",
            "The new template has nothing like it: choose, or leave it behind.",
        ),
    }[step.proposal]
    kind = T("Niveau", "Level") if step.kind == "level" else T("Section", "Section")
    return T("{kind}. {what}", "{kind}. {what}", kind=kind, what=what)


class ItemForm(forms.Form):
    """The wording of an element."""

    title = forms.CharField(label=T("Intitulé", "Title"), required=False)
    body = forms.CharField(label=T("Texte", "Text"), required=False, strip=False)
    horizon = forms.CharField(label=T("Horizon", "Horizon"), required=False)
    due_on = _day(
        label=T("Échéance", "Due date"),
        required=False,
        error_messages={
            "invalid": T(
                "Donnez une date existante, par exemple 2010-12-31.", "Give an existing date, such as 2010-12-31."
            )
        },
    )


class ReturnForm(forms.Form):
    """The reasons of a return."""

    reason = forms.CharField(
        label=T("Motifs du retour", "Reasons of the return"),
        help_text=T(
            "Ce qui manque ou ne convient pas, section par section. Le pôle lit ces motifs et les reçoit par message.",
            "What is missing or does not fit, section by section. The cluster reads these reasons and gets them by message.",
        ),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
