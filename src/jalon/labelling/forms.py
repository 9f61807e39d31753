"""Forms of labelling: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from jalon.core.lang import T
from jalon.labelling import states

CONDITIONS = 4
"""Lines of conditions that the form of the decision offers."""


def _day(**kwargs: Any) -> forms.DateField:
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        error_messages={
            "invalid": T(
                "Donnez une date existante, par exemple 2010-12-31.", "Give an existing date, such as 2010-12-31."
            )
        },
        **kwargs,
    )


def _text(rows: int = 4, **kwargs: Any) -> forms.CharField:
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **{"max_length": 20_000, **kwargs})


class AskForm(forms.Form):
    """Ask a pôle for its label."""

    cluster = forms.ModelChoiceField(queryset=None, label=T("Pôle", "Cluster"))
    lead = forms.TypedChoiceField(
        label=T("En qualité de", "As"),
        choices=[("1", T("pôle chef de file", "lead labelling cluster")), ("0", T("colabel", "co-label"))],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
    )
    message = _text(3, label=T("Message au pôle", "Message to the cluster"), required=False)
    keep_out = forms.ModelMultipleChoiceField(
        queryset=None,
        label=T("Membres qui ne doivent pas voir le dossier", "Members who must not see the file"),
        help_text=T(
            "Ils ne verront rien du projet, ne siégeront pas et n'en sauront rien.",
            "They will see nothing of the project, will not sit on it and will not hear of it.",
        ),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    keep_out_why = _text(2, label=T("Pourquoi", "Why"), required=False)
    keep_away = _text(
        2,
        label=T("Autres personnes à tenir à l'écart", "Other people to keep away"),
        help_text=T(
            "Experts ou cabinets, par leur nom : l'équipe du pôle ne les sollicitera pas.",
            "Experts or firms, by name: the cluster's team will not ask them.",
        ),
        required=False,
    )

    def __init__(self, *args: Any, clusters: Any, members: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["cluster"].queryset = clusters
        self.fields["keep_out"].queryset = members
        self.fields["keep_out"].label_from_instance = lambda m: (
            f"{m.user.name} – {m.cluster.name} ({states.BODIES[m.body]})"
        )


class ReasonForm(forms.Form):
    """A reason that is needed."""

    reason = _text(3, label=T("Motif", "Reason"))


class ReceiveForm(forms.Form):
    """Name the correspondent."""

    correspondent = forms.ModelChoiceField(
        queryset=None, label=T("Correspondant du dossier", "The file's correspondent")
    )

    def __init__(self, *args: Any, team: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["correspondent"].queryset = team
        self.fields["correspondent"].label_from_instance = lambda user: user.name


class AdmitForm(forms.Form):
    """Declare admissible, under a set of criteria."""

    criteria = forms.ChoiceField(label=T("Grille de critères", "Set of criteria"))

    def __init__(self, *args: Any, procedure: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["criteria"].choices = [(c.code, str(c.title)) for c in procedure.criteria]


class InviteForm(forms.Form):
    """Ask an expert for an opinion."""

    expert = forms.ModelChoiceField(queryset=None, label=T("Expert", "Expert"))
    days = forms.IntegerField(label=T("Délai", "Delay"), min_value=1)

    def __init__(self, *args: Any, experts: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["expert"].queryset = experts
        self.fields["expert"].label_from_instance = lambda user: user.name
        self.fields["days"].unit = T("jours", "days")


class OpenVoteForm(forms.Form):
    """Open the committee's vote."""

    way = forms.ChoiceField(label=T("Vote", "Vote"), widget=forms.RadioSelect)
    closes_on = _day(
        label=T("Jour de la réunion, ou dernier jour du vote", "Day of the meeting, or last day of the vote"),
        help_text=T("Jusqu'à minuit, heure de Paris.", "Until midnight, Paris time."),
    )
    place = forms.CharField(label=T("Lieu de la réunion", "Place of the meeting"), max_length=160, required=False)
    reason = _text(
        2,
        label=T("Motif, si le comité se passe d'avis", "Reason, if the committee does without opinions"),
        required=False,
    )

    def __init__(self, *args: Any, procedure: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["way"].choices = [(w, states.WAYS[w]) for w in procedure.vote.ways]


class CloseVoteForm(forms.Form):
    """Close the vote, with its minutes."""

    minutes = _text(3, label=T("Compte rendu", "Minutes"), required=False)


class DecideForm(forms.Form):
    """The bureau's decision."""

    outcome = forms.ChoiceField(
        label=T("Décision", "Decision"), choices=list(states.OUTCOMES.items()), widget=forms.RadioSelect
    )
    reasons = _text(
        4,
        label=T("Motifs", "Reasons"),
        help_text=T(
            "Lus par le porteur. Demandés pour un refus, un ajournement, ou si le bureau s'écarte du vote.",
            "Read by the leader. Needed for a refusal, a deferral, or if the bureau departs from the vote.",
        ),
        required=False,
    )
    reference = forms.CharField(label=T("Référence", "Reference"), max_length=120, required=False)
    despite_closing = forms.BooleanField(
        label=T("Label sans valeur pour cet appel (déjà clos)", "Label without value for this call (already closed)"),
        required=False,
    )

    def __init__(self, *args: Any, call_closed: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for n in range(1, CONDITIONS + 1):
            self.fields[f"condition_{n}"] = forms.CharField(
                label=T("Condition {n}", "Condition {n}", n=n), max_length=2000, required=False
            )
            self.fields[f"condition_{n}_due"] = _day(
                label=T("à remplir avant le", "to be met by"),
                required=False,
            )
        if not call_closed:
            del self.fields["despite_closing"]

    @property
    def conditions(self) -> list[tuple[str, dt.date | None]]:
        """The conditions that were written, each with its day."""
        data = self.cleaned_data
        pairs = [(data.get(f"condition_{n}", ""), data.get(f"condition_{n}_due")) for n in range(1, CONDITIONS + 1)]
        return [(text, due) for text, due in pairs if text.strip()]

    @property
    def main(self) -> list[Any]:
        """The fields that are not conditions, for the template."""
        return [field for field in self if not field.name.startswith("condition_")]

    @property
    def lines(self) -> list[tuple[Any, Any]]:
        """The pairs of fields of conditions, for the template."""
        return [(self[f"condition_{n}"], self[f"condition_{n}_due"]) for n in range(1, CONDITIONS + 1)]


class SeatForm(forms.Form):
    """Name a member of the committee or the bureau."""

    user = forms.ModelChoiceField(queryset=None, label=T("Personne", "Person"))
    body = forms.ChoiceField(label=T("Instance", "Body"), choices=list(states.BODIES.items()))
    chair = forms.BooleanField(label=T("Préside", "Chairs"), required=False)

    def __init__(self, *args: Any, people: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = people
        self.fields["user"].label_from_instance = lambda user: user.name


class DelaysForm(forms.Form):
    """The pôle's own delays, within its procedure's bounds."""

    reason = forms.CharField(label=T("Motif", "Reason"), max_length=300, required=False)

    def __init__(self, *args: Any, procedure: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.steps = []
        titles = {s.code: s.title for s in procedure.steps}
        for delay in procedure.delays:
            self.fields[delay.step] = forms.IntegerField(
                label=titles[delay.step],
                help_text=T("De {a} à {b} jours.", "From {a} to {b} days.", a=delay.least, b=delay.most),
                min_value=0,
            )
            self.fields[delay.step].unit = T("jours", "days")
            self.steps.append(delay.step)
        self.order_fields([*self.steps, "reason"])

    @property
    def delays(self) -> dict[str, int]:
        return {step: self.cleaned_data[step] for step in self.steps}
