"""Forms of decisions: they read what was typed; the rules are the acts' own."""

from __future__ import annotations

from typing import Any

from django import forms

from jalon.core.lang import T
from jalon.decisions import rules, states


def day_field(**kwargs: Any) -> forms.DateField:
    """A day typed by hand or picked."""
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        **kwargs,
    )


def text_field(**kwargs: Any) -> forms.CharField:
    rows = kwargs.pop("rows", 4)
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), max_length=20_000, **kwargs)


class ProposeForm(forms.Form):
    """Open a file: what it is called, what it rests on."""

    title = forms.CharField(label=T("Intitulé", "Title"), max_length=255)
    campaign = forms.ChoiceField(
        label=T("Évaluation sur laquelle elle repose", "Evaluation that it rests on"),
        required=False,
        help_text=T("Vide : la proposition dit ses motifs.", "Empty: the proposal says its grounds."),
    )
    grounds = text_field(label=T("Motifs de la proposition", "Grounds of the proposal"), required=False)

    def __init__(self, *args: Any, campaigns: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["campaign"].choices = [("", str(T("aucune", "none"))), *((c, str(t)) for c, t in campaigns)]


class LineForm(forms.Form):
    """One line: which label (or application), what, from when, until when, why."""

    kind = forms.ChoiceField(label=T("Décision", "Decision"))
    target = forms.ChoiceField(label=T("Label ou candidature", "Label or application"))
    effective_from = day_field(label=T("À compter du", "From"))
    until = day_field(label=T("Jusqu'au", "Until"), required=False)
    conditions = text_field(label=T("Conditions", "Conditions"), required=False, rows=2)
    conditions_due_on = day_field(label=T("Conditions à remplir avant le", "Conditions to be met by"), required=False)
    reasons = text_field(label=T("Motifs", "Reasons"), required=False, rows=2)

    def __init__(self, *args: Any, kinds: Any = (), targets: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(k.code, str(k.title)) for k in kinds]
        self.fields["target"].choices = targets


class OpinionForm(forms.Form):
    """What a body says."""

    body = forms.ChoiceField(label=T("Instance", "Body"))
    outcome = forms.ChoiceField(label=T("Avis", "Opinion"))
    given_on = day_field(label=T("Rendu le", "Given on"), required=False)
    text = text_field(
        label=T("Ce qui est dit", "What is said"),
        required=False,
        help_text=T(
            "Demandé pour des réserves ou un avis défavorable.", "Asked for reservations or an unfavourable opinion."
        ),
    )

    def __init__(self, *args: Any, bodies: Any = (), known: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["body"].choices = [(b.code, str(b.title)) for b in bodies]
        self.fields["outcome"].choices = [
            (code, str(title)) for code, title in rules.OUTCOMES.items() if known or code != "not_found"
        ]


class DecideForm(forms.Form):
    """The act of the authority."""

    authority = forms.ChoiceField(label=T("Autorité", "Authority"))
    reference = forms.CharField(
        label=T("Référence de l'acte", "Reference of the act"),
        max_length=300,
        help_text=T("Par exemple : CIADT du 11 mai 2010.", "For example: CIADT of 11 May 2010."),
    )
    decided_on = day_field(label=T("Décidé le", "Decided on"))
    published_on = day_field(label=T("Publié le", "Published on"), required=False)
    publication = forms.CharField(label=T("Publication", "Publication"), max_length=300, required=False)
    rev = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, authorities: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["authority"].choices = [(a.code, str(a.title)) for a in authorities]


class PublishForm(forms.Form):
    published_on = day_field(label=T("Publié le", "Published on"))
    publication = forms.CharField(label=T("Publication", "Publication"), max_length=300, required=False)


class NotifyForm(forms.Form):
    """Letters sent to the clusters of the lines that are ticked."""

    sent_on = day_field(label=T("Envoyé le", "Sent on"))
    received_on = day_field(
        label=T("Reçu le", "Received on"),
        required=False,
        help_text=T("Le délai de recours en part ; vide s'il n'est pas connu.", "The delay to appeal starts then; empty if not known."),
    )  # fmt: skip
    channel = forms.ChoiceField(
        label=T("Mode d'envoi", "Channel"), choices=[(k, t) for k, t in states.CHANNELS.items()]
    )


class ReceivedForm(forms.Form):
    received_on = day_field(label=T("Reçu le", "Received on"))


class AppealForm(forms.Form):
    kind = forms.ChoiceField(label=T("Nature", "Kind"), choices=[(k, t) for k, t in states.APPEAL_KINDS.items()])
    lodged_on = day_field(label=T("Déposé le", "Lodged on"), required=False)
    text = text_field(label=T("Motifs du recours", "Grounds of the appeal"))


class AnswerForm(forms.Form):
    outcome = forms.ChoiceField(
        label=T("Suite", "Outcome"), choices=[(k, t) for k, t in states.APPEAL_OUTCOMES.items()]
    )
    text = text_field(label=T("Motifs", "Grounds"))


class ReasonForm(forms.Form):
    reason = text_field(label=T("Motif", "Reason"), rows=3)


class ConditionsForm(forms.Form):
    met_on = day_field(label=T("Conditions remplies le", "Conditions met on"))
    note = text_field(label=T("Constat", "Finding"), required=False, rows=2)


class CallForm(forms.Form):
    """A call for applications."""

    code = forms.SlugField(label=T("Code", "Code"), max_length=80)
    title_fr = forms.CharField(label=T("Intitulé en français", "Title in French"), max_length=255)
    title_en = forms.CharField(label=T("Intitulé en anglais", "Title in English"), max_length=255)
    opens_on = day_field(label=T("Ouvre le", "Opens on"))
    closes_on = day_field(
        label=T("Clôt le", "Closes on"), help_text=T("À minuit, heure de Paris.", "At midnight, Paris time.")
    )
    criteria = forms.MultipleChoiceField(
        label=T("Critères", "Criteria"), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, criteria: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["criteria"].choices = [(c.code, str(c.title)) for c in criteria]


class StartForm(forms.Form):
    name = forms.CharField(label=T("Nom du projet de pôle", "Name of the project of a cluster"), max_length=200)


class CandidacyForm(forms.Form):
    """The application; partners one a line: name ; kind."""

    name = forms.CharField(label=T("Nom du projet de pôle", "Name of the project of a cluster"), max_length=200)
    city = forms.CharField(label=T("Siège", "Seat"), max_length=120, required=False)
    regions = forms.MultipleChoiceField(
        label=T("Territoire", "Territory"), widget=forms.CheckboxSelectMultiple, required=False
    )
    theme = text_field(label=T("Thématique", "Theme"), required=False, rows=2)
    stakes = text_field(label=T("Enjeux économiques", "Economic stakes"), required=False)
    axes = text_field(label=T("Axes de recherche et développement", "R&D axes"), required=False)
    partnership = text_field(label=T("Partenariat", "Partnership"), required=False)
    collaboration = text_field(
        label=T("Collaboration entre entreprises, recherche et formation", "Collaboration of firms, research and training"),
        required=False,
    )  # fmt: skip
    partners = text_field(
        label=T("Partenaires", "Partners"),
        required=False,
        help_text=T(
            "Un par ligne : nom ; nature (company, research, training, authority, other).",
            "One a line: name; kind (company, research, training, authority, other).",
        ),
    )
    rev = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, regions: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["regions"].choices = [(r.code, str(r.name)) for r in regions]

    def partner_rows(self) -> list[dict[str, str]]:
        """The partners typed, one a line."""
        found = []
        for line in self.cleaned_data.get("partners", "").splitlines():
            if line.strip():
                name, _, kind = line.partition(";")
                found.append({"name": name.strip(), "kind": kind.strip().lower()})
        return found


class ReviewForm(forms.Form):
    """An opinion on an application, with scores where the level scores."""

    opinion = forms.ChoiceField(label=T("Avis", "Opinion"))
    justification = text_field(label=T("Justification", "Justification"))

    def __init__(self, *args: Any, criteria: Any = (), most: int = 5, scored: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["opinion"].choices = [(c, str(t)) for c, t in rules.OPINIONS.items()]
        self.criteria = list(criteria) if scored else []
        for code, title in self.criteria:
            self.fields[f"score-{code}"] = forms.CharField(
                label=title,
                required=False,
                max_length=10,
                help_text=T("de 0 à {m}, virgule admise", "from 0 to {m}, comma accepted", m=most),
            )
        self.order_fields(["opinion", *(f"score-{c}" for c, _ in self.criteria), "justification"])

    def scores(self) -> dict[str, str]:
        return {code: self.cleaned_data.get(f"score-{code}", "") for code, _ in self.criteria}


class SettleForm(forms.Form):
    outcome = forms.ChoiceField(
        label=T("Suite", "Outcome"),
        choices=[
            ("sent_back", T("renvoyer à une étude", "send back for study")),
            ("attached", T("rattacher à un pôle existant", "attach to an existing cluster")),
        ],
    )
    text = text_field(label=T("Motif", "Reason"), rows=3)


class CloseForm(forms.Form):
    reason = text_field(label=T("Compte rendu de clôture", "Closing report"), rows=4)
