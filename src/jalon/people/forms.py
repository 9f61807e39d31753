"""Forms of accounts, mandates and organisations: they parse, the acts decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from jalon.core.lang import T
from jalon.people import actions
from jalon.people.access import policy

DAY_INPUT = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

KIND_TITLES = {
    "company": T("Entreprise", "Company"),
    "laboratory": T("Laboratoire, organisme de recherche", "Laboratory, research body"),
    "training": T("Établissement de formation", "Training institution"),
    "authority": T("Collectivité territoriale", "Local authority"),
    "state_service": T("Service de l'État", "State service"),
    "association": T("Association", "Association"),
    "bank": T("Banque, organisme financier", "Bank, financial body"),
    "chamber": T("Chambre consulaire", "Chamber of commerce"),
    "other": T("Autre", "Other"),
}
LEVELS = [
    ("", T("sans objet", "not applicable")),
    ("region", T("Région", "Region")),
    ("department", T("Département", "Department")),
    ("urban_community", T("Intercommunalité", "Urban community")),
    ("city", T("Commune", "City")),
]


class SignIn(forms.Form):
    email = forms.EmailField(
        label=T("Adresse électronique", "E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=T("Mot de passe", "Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class AskPassword(forms.Form):
    email = forms.EmailField(
        label=T("Adresse électronique de votre compte", "E-mail address of your account"),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class NewPassword(forms.Form):
    password = forms.CharField(
        label=T("Nouveau mot de passe", "New password"),
        help_text=T(
            "12 caractères au moins ; quelques mots mis bout à bout se retiennent bien.",
            "At least 12 characters; a few words in a row are easy to remember.",
        ),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class Accept(NewPassword):
    name = forms.CharField(
        label=T("Votre nom, tel que les autres le verront", "Your name, as others will see it"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "password"]


class Invite(forms.Form):
    email = forms.EmailField(label=T("Adresse électronique", "E-mail address"))
    name = forms.CharField(label=T("Nom", "Name"), max_length=150, required=False)
    role = forms.ChoiceField(label=T("Rôle", "Role"))
    ends_on = forms.DateField(
        label=T("Dernier jour du mandat", "Last day of the mandate"),
        help_text=T("Vide : sans fin prévue.", "Empty: no end foreseen."),
        required=False,
        widget=DAY_INPUT,
    )
    language = forms.ChoiceField(
        label=T("Langue du message", "Language of the message"), choices=[("fr", "Français"), ("en", "English")]
    )

    def __init__(self, *args: Any, roles: list[Any], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(r.code, r.title) for r in roles]


class Delegate(forms.Form):
    to = forms.TypedChoiceField(label=T("À qui", "To whom"), coerce=int)
    starts_on = forms.DateField(label=T("Premier jour", "First day"), widget=DAY_INPUT)
    ends_on = forms.DateField(label=T("Dernier jour", "Last day"), widget=DAY_INPUT)
    reason = forms.CharField(
        label=T("Motif", "Reason"), max_length=300, help_text=T("Congé, remplacement…", "Leave, replacement…")
    )

    def __init__(self, *args: Any, colleagues: list[Any], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [(u.id, u.name) for u in colleagues]


class Preferences(forms.Form):
    name = forms.CharField(label=T("Nom", "Name"), max_length=150)
    language = forms.ChoiceField(label=T("Langue", "Language"), choices=[("fr", "Français"), ("en", "English")])
    reminders = forms.ChoiceField(
        label=T("Rappels par courriel", "Reminders by e-mail"),
        help_text=T(
            "Un seul message à la fois, avec ce qui vous attend sur votre accueil ; rien quand rien n'attend.",
            "One message at a time, with what waits on your home page; none when nothing waits.",
        ),
        choices=[
            ("daily", T("chaque jour", "every day")),
            ("weekly", T("une fois par semaine", "once a week")),
            ("never", T("jamais", "never")),
        ],
    )


class OrganisationForm(forms.Form):
    name = forms.CharField(label=T("Nom", "Name"), max_length=255)
    short_name = forms.CharField(label=T("Nom court, sigle", "Short name"), max_length=80, required=False)
    kind = forms.ChoiceField(label=T("Nature", "Kind"), choices=list(KIND_TITLES.items()))
    legal_form = forms.CharField(label=T("Forme juridique", "Legal form"), max_length=80, required=False)
    activity_code = forms.CharField(label=T("Code d'activité", "Activity code"), max_length=20, required=False)
    city = forms.CharField(label=T("Ville", "Town"), max_length=120, required=False)
    postcode = forms.CharField(label=T("Code postal", "Postcode"), max_length=12, required=False)
    region_code = forms.CharField(
        label=T("Code de la région", "Region code"),
        help_text=T("Code officiel géographique.", "Official geographic code."),
        max_length=10,
        required=False,
    )
    country = forms.CharField(
        label=T("Pays", "Country"),
        help_text=T("Deux lettres : FR, DE…", "Two letters: FR, DE…"),
        max_length=2,
        min_length=2,
    )
    level = forms.ChoiceField(label=T("Niveau (collectivités)", "Level (authorities)"), choices=LEVELS, required=False)
    website = forms.URLField(label=T("Site", "Website"), max_length=300, required=False, assume_scheme="https")

    def clean_country(self) -> str:
        return self.cleaned_data["country"].upper()


class NewOrganisation(OrganisationForm):
    scheme = forms.ChoiceField(label=T("Identifiant officiel", "Official identifier"))
    identifier = forms.CharField(
        label=T("Numéro", "Number"),
        help_text=T("Facultatif ; les espaces sont acceptés.", "Optional; spaces are accepted."),
        max_length=80,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["scheme"].choices = schemes()


class IdentifierForm(forms.Form):
    scheme = forms.ChoiceField(label=T("Identifiant", "Identifier"))
    value = forms.CharField(label=T("Numéro", "Number"), max_length=80)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["scheme"].choices = schemes()


class SizeForm(forms.Form):
    size = forms.ChoiceField(label=T("Catégorie", "Category"))
    as_of = forms.DateField(label=T("À la date du", "As of"), widget=DAY_INPUT)
    headcount = forms.IntegerField(label=T("Effectif", "Headcount"), min_value=0, required=False)
    evidence = forms.CharField(
        label=T("Preuve", "Evidence"),
        help_text=T("Liasse fiscale, déclaration datée, extrait…", "Tax return, dated declaration, extract…"),
        max_length=300,
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["size"].choices = [
            (f"{scheme.code}:{category.code}", f"{category.title} ({scheme.title})")
            for scheme in policy().members.size_schemes
            for category in scheme.categories
        ]


def schemes() -> list[tuple[str, Any]]:
    """The schemes of the policy, as choices."""
    return [(s.code, s.title) for s in policy().identifiers]


def parsed_day(text: str | None) -> dt.date | None:
    """A day from an address (``2010-06-30``); None when there is none or it cannot be read."""
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def region_titles() -> dict[str, str]:
    """Names of the regions by code; the most recent set of the policy names a code last."""
    return {region.code: region.name for one in policy().regions for region in one.regions}


assert set(KIND_TITLES) == set(actions.KINDS)
