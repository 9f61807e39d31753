"""Forms of committees: what is typed about a committee, a seat, a session, a point, a paper, a follow-up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from jalon.clusters.models import Cluster
from jalon.committees import states
from jalon.contracts.follow_forms import Day
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.people.models import Organisation, User
from jalon.people.rules import name_key

NEEDED = {"required": T("Ce champ est à remplir.", "This field is needed.")}


class Hour(forms.TimeField):
    """An hour: 14:30, or 14 h 30 as people write it."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("widget", forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
        kwargs.setdefault(
            "error_messages",
            {
                "invalid": T(
                    "Cette heure ne se lit pas : écrivez-la 14:30.", "This hour cannot be read: write it 14:30."
                )
            },
        )
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().lower().replace("\u00a0", " ").replace(" h ", ":").replace("h", ":")
            if value.endswith(":"):
                value += "00"
        return super().to_python(value)


class OrganisationName(forms.CharField):
    """An organisation of the register by its name; case and accents do not count."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = Organisation.objects.filter(name_key=name_key(text), merged_into__isnull=True).order_by("id").first()
        if found is None:
            raise forms.ValidationError(
                str(
                    T(
                        "Aucun organisme du registre ne s'appelle « {t} » : choisissez dans la liste, ou créez-le d'abord.",
                        "No organisation of the register is called “{t}”: choose from the list, or create it first.",
                        t=text,
                    )
                )
            )
        return found


class Person(forms.EmailField):
    """A person by the e-mail of their account."""

    def clean(self, value: Any) -> Any:
        email = super().clean(value)
        if not email:
            return None
        found = User.objects.filter(email=email.lower(), is_active=True).first()
        if found is None:
            raise forms.ValidationError(
                str(
                    T(
                        "Aucun compte ouvert sous « {e} » : invitez d'abord cette personne.",
                        "No open account under “{e}”: invite this person first.",
                        e=email,
                    )
                )
            )
        return found


class CommitteeForm(forms.Form):
    """A new committee."""

    kind = forms.ChoiceField(label=T("Nature", "Kind"), error_messages=NEEDED)
    title = forms.CharField(
        label=T("Nom", "Name"),
        required=False,
        max_length=255,
        help_text=T(
            "Laissé vide, il prend le nom de sa nature et du pôle.", "Left empty, it takes the name of its kind."
        ),
    )
    clusters = forms.ModelMultipleChoiceField(
        label=T("Pôles concernés", "Clusters concerned"), queryset=Cluster.objects.none(), required=False
    )
    lead = forms.ModelChoiceField(
        label=T("Chef de file (coordination thématique)", "Lead (thematic coordination)"),
        queryset=Cluster.objects.none(),
        required=False,
    )
    region_code = forms.ChoiceField(label=T("Région (comité régional)", "Region (regional committee)"), required=False)
    place = forms.CharField(
        label=T("Département dont les jours fériés comptent", "Department whose holidays count"),
        required=False,
        max_length=3,
        help_text=T(
            "Par exemple 974 ; vide : les fêtes de tout le pays.", "For instance 974; empty: national holidays."
        ),
    )
    starts_on = Day(label=T("Premier jour", "First day"))
    purpose = forms.CharField(label=T("Objet", "Purpose"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    fill = forms.BooleanField(
        label=T(
            "Donner les sièges d'après le contrat et le registre", "Give the seats from the contract and the register"
        ),
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, kinds: Any, clusters: Any, day: dt.date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(k.code, k.title) for k in kinds]
        self.fields["clusters"].queryset = clusters
        self.fields["lead"].queryset = clusters
        regions = policy().regions_on(day)
        self.fields["region_code"].choices = [
            ("", "–"),
            *((r.code, r.name) for r in (regions.regions if regions else ())),
        ]


class SeatForm(forms.Form):
    """A seat: what sits, under which function, who fills it, from when."""

    seat = forms.ChoiceField(label=T("Siège", "Seat"), error_messages=NEEDED)
    organisation = OrganisationName(
        label=T("Organisme", "Organisation"),
        widget=forms.TextInput(attrs={"list": "organismes", "autocomplete": "off"}),
        error_messages=NEEDED,
    )
    function = forms.CharField(label=T("Fonction", "Function"), required=False, max_length=200)
    user = Person(
        label=T("Personne nommée (e-mail)", "Person named (e-mail)"),
        required=False,
        help_text=T("Vide : quiconque agit pour l'organisme.", "Empty: whoever acts for the organisation."),
    )
    substitute = Person(label=T("Suppléant (e-mail)", "Substitute (e-mail)"), required=False)
    starts_on = Day(label=T("À partir du", "From"))
    ends_on = Day(label=T("Jusqu'au", "Until"), required=False)

    def __init__(self, *args: Any, kind: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["seat"].choices = [(s.code, s.title) for s in kind.seats]


class PersonsForm(forms.Form):
    """Who fills a seat, and who replaces them."""

    user = Person(label=T("Personne nommée (e-mail)", "Person named (e-mail)"), required=False)
    substitute = Person(label=T("Suppléant (e-mail)", "Substitute (e-mail)"), required=False)


class EndForm(forms.Form):
    """A last day, with a reason."""

    ends_on = Day(label=T("Dernier jour", "Last day"))
    reason = forms.CharField(label=T("Motif", "Reason"), required=False, max_length=300)


class PlanForm(forms.Form):
    """Day, hour and place of a session."""

    day = Day(label=T("Jour", "Day"))
    starts_at = Hour(label=T("Heure", "Hour"), required=False)
    where = forms.CharField(label=T("Lieu", "Place"), required=False, max_length=200)


class PostponeForm(forms.Form):
    """Another day, and why."""

    day = Day(label=T("Nouveau jour", "New day"))
    reason = forms.CharField(label=T("Motif", "Reason"), required=False, max_length=500)


class ItemForm(forms.Form):
    """A point of one's own."""

    title = forms.CharField(label=T("Intitulé", "Title"), max_length=255, error_messages=NEEDED)
    kind = forms.ChoiceField(label=T("Nature", "Kind"), choices=list(states.ITEM_KINDS.items()), initial="discussion")
    presenter = forms.CharField(label=T("Présenté par", "Presented by"), required=False, max_length=160)
    minutes = forms.IntegerField(
        label=T("Durée prévue", "Time planned"),
        required=False,
        min_value=1,
        max_value=600,
        error_messages={
            "invalid": T("Un nombre de minutes est attendu.", "A number of minutes is expected."),
            "min_value": T("De 1 à 600 minutes.", "From 1 to 600 minutes."),
            "max_value": T("De 1 à 600 minutes.", "From 1 to 600 minutes."),
        },
    )
    body = forms.CharField(label=T("Texte", "Text"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["minutes"].unit = "min"


class PaperForm(forms.Form):
    """A paper; the same title again is a new version."""

    file = forms.FileField(label=T("Fichier", "File"), error_messages=NEEDED)
    title = forms.CharField(label=T("Titre", "Title"), required=False, max_length=255)
    item = forms.TypedChoiceField(label=T("Point", "Point"), required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, items: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["item"].choices = [
            ("", T("toute la séance", "the whole session")),
            *((i.item.pk, f"{i.number}. {i.title}") for i in items),
        ]


class FollowUpForm(forms.Form):
    """What has to be done, by whom, by when."""

    title = forms.CharField(label=T("À faire", "To do"), max_length=255, error_messages=NEEDED)
    kind = forms.ChoiceField(label=T("Nature", "Kind"), choices=list(states.FOLLOW_UP_KINDS.items()), initial="action")
    owner = forms.TypedChoiceField(label=T("Qui", "Who"), required=False, coerce=int, empty_value=None)
    owner_label = forms.CharField(label=T("Ou quelqu'un d'autre", "Or somebody else"), required=False, max_length=200)
    due_on = Day(label=T("Pour le", "By"), required=False)
    case = forms.ChoiceField(label=T("Contrat concerné", "Contract concerned"), required=False)

    def __init__(self, *args: Any, seats: Any = (), contracts: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["owner"].choices = [
            ("", "–"),
            *((s.seat.pk, f"{s.title} ({s.seat.organisation.name})") for s in seats),
        ]
        self.fields["case"].choices = [("", "–"), *((f"contract:{c.slug}", c.title) for c in contracts)]


class ChangeFollowUpForm(forms.Form):
    """Another owner or another day, and why."""

    owner = forms.TypedChoiceField(label=T("Qui", "Who"), required=False, coerce=int, empty_value=None)
    due_on = Day(label=T("Pour le", "By"))
    reason = forms.CharField(label=T("Pourquoi", "Why"), required=False, max_length=300)

    def __init__(self, *args: Any, seats: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["owner"].choices = [("", "–"), *((s.pk, str(s)) for s in seats)]
