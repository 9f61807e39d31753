"""Forms of the register: they parse and keep what was typed; the acts decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from jalon.clusters import queries
from jalon.clusters.actions import DOCUMENT_KINDS
from jalon.clusters.labels import ENDING, GRANTING
from jalon.clusters.models import Cluster, Label
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.people.models import Identifier, Mandate, Organisation
from jalon.people.rules import name_key, plain_key


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class OrganisationField(forms.CharField):
    """An organisation typed as its name or an official identifier; the error lists the close ones."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault(
            "help_text",
            T(
                "Nom exact, SIREN, SIRET ou autre identifiant, tel qu'il est dans la liste des organismes.",
                "Exact name, SIREN, SIRET or another identifier, as in the list of organisations.",
            ),
        )
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Organisation | None:
        text = super().clean(value)
        if not text:
            return None
        compact = plain_key(text).replace(" ", "").upper()
        if any(c.isdigit() for c in compact):
            found = Identifier.objects.filter(value=compact).select_related("organisation").first()
            if found:
                return found.organisation
        matches = list(Organisation.objects.filter(name_key=name_key(text), merged_into__isnull=True)[:5])
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise forms.ValidationError(
                T(
                    "Plusieurs organismes portent ce nom ({list}) : donner un identifiant.",
                    "Several organisations bear this name ({list}): give an identifier.",
                    list=", ".join(f"{m.name} – {m.city or '?'}" for m in matches),
                )
            )
        words = name_key(text).split()
        close = Organisation.objects.filter(merged_into__isnull=True)
        for word in words[:2]:
            close = close.filter(name_key__contains=word)
        names = ", ".join(close.order_by("name_key").values_list("name", flat=True)[:5]) if words else ""
        raise forms.ValidationError(
            T(
                "Aucun organisme de ce nom. Proches : {list}. Un nouvel organisme s'ajoute dans la liste des organismes.",
                "No organisation of that name. Close ones: {list}. A new one is added in the list of organisations.",
                list=names or "–",
            )
        )

    def prepare_value(self, value: Any) -> Any:
        return value.name if isinstance(value, Organisation) else value


class ClustersField(forms.CharField):
    """Clusters typed as short names (slugs), separated by spaces or commas."""

    def clean(self, value: Any) -> list[Cluster]:
        text = super().clean(value)
        slugs = [s for s in text.replace(",", " ").replace(";", " ").split() if s]
        found = {c.slug: c for c in Cluster.objects.filter(slug__in=slugs)}
        unknown = [s for s in slugs if s not in found]
        if unknown:
            raise forms.ValidationError(
                T("Pôle inconnu : {list}.", "Unknown cluster: {list}.", list=", ".join(unknown))
            )
        return [found[s] for s in slugs]


class Sheet(forms.Form):
    website = forms.URLField(label=T("Site", "Website"), required=False, max_length=300, assume_scheme="https")
    theme_fr = forms.CharField(label=T("Thèmes, en français", "Themes, in French"), required=False, max_length=300)
    theme_en = forms.CharField(label=T("Thèmes, en anglais", "Themes, in English"), required=False, max_length=300)
    theme_family = forms.ChoiceField(label=T("Famille de thèmes", "Theme family"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        families = sorted(queries.families().items(), key=lambda item: plain_key(str(item[1])))
        self.fields["theme_family"].choices = [("", T("inconnue", "unknown")), *families]


class NewCluster(Sheet):
    name = forms.CharField(label=T("Nom", "Name"), max_length=200)
    slug = forms.SlugField(
        label=T("Nom court", "Short name"),
        max_length=80,
        help_text=T(
            "Minuscules et tirets ; il fait l'adresse de la fiche et ne change plus.",
            "Lower case and hyphens; it makes the address of the sheet and does not change.",
        ),
    )
    city = forms.CharField(label=T("Ville du siège", "Town of the seat"), required=False, max_length=120)
    latitude = forms.DecimalField(
        label=T("Latitude de la ville", "Latitude of the town"),
        required=False,
        max_digits=8,
        decimal_places=4,
        min_value=-90,
        max_value=90,
        help_text=T(
            "En degrés ; sans elle, pas de point sur la carte.", "In degrees; without it, no point on the map."
        ),
    )
    longitude = forms.DecimalField(
        label=T("Longitude de la ville", "Longitude of the town"),
        required=False,
        max_digits=8,
        decimal_places=4,
        min_value=-180,
        max_value=180,
    )
    regions = forms.MultipleChoiceField(
        label=T("Régions", "Regions"), required=False, widget=forms.CheckboxSelectMultiple
    )
    source_title = forms.CharField(label=T("Source : titre", "Source: title"), required=False, max_length=400)
    source_url = forms.URLField(
        label=T("Source : adresse", "Source: address"), required=False, max_length=600, assume_scheme="https"
    )
    field_order = [
        "name", "slug", "theme_fr", "theme_en", "theme_family", "regions", "city", "latitude", "longitude",
        "website", "source_title", "source_url",
    ]  # fmt: skip

    def __init__(self, *args: Any, day: dt.date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        regions = policy().regions_on(day)
        self.fields["regions"].choices = [(r.code, r.name) for r in regions.regions] if regions else []

    def clean_slug(self) -> str:
        return self.cleaned_data["slug"].lower()


class _Basis(forms.Form):
    """What every act of the register rests on."""

    decided_on = forms.DateField(
        label=T("Jour de la décision", "Day of the decision"),
        required=False,
        widget=_day_input(),
        help_text=T("Laisser vide s'il n'a pas été publié.", "Leave empty when it was not published."),
    )
    reference = forms.CharField(
        label=T("Référence", "Reference"),
        required=False,
        max_length=300,
        help_text=T(
            "Texte ou numéro de la décision. Une référence ou une source est nécessaire.",
            "Text or number of the decision. A reference or a source is needed.",
        ),
    )
    source_title = forms.CharField(label=T("Source : titre", "Source: title"), required=False, max_length=400)
    source_url = forms.URLField(
        label=T("Source : adresse", "Source: address"), required=False, max_length=600, assume_scheme="https"
    )


class LabelActForm(_Basis):
    act = forms.ChoiceField(label=T("Acte", "Act"))
    effective_from = forms.DateField(
        label=T("Effet à partir du", "Effective from"),
        widget=_day_input(),
        help_text=T(
            "Premier jour de la période ; pour un retrait, premier jour sans label.",
            "First day of the period; for a withdrawal, the first day without a label.",
        ),
    )
    until = forms.DateField(label=T("Jusqu'au (inclus)", "Until (included)"), required=False, widget=_day_input())
    note = forms.CharField(
        label=T("Note", "Note"), required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 2})
    )
    field_order = ["act", "effective_from", "until", "decided_on", "reference", "source_title", "source_url", "note"]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        known = {a.code: a.title for a in policy().label_acts}
        self.fields["act"].choices = [
            (code, known.get(code, queries.ACTS_SHORT[code])) for code in (*GRANTING, *ENDING) if code in known
        ]


class NewLabel(_Basis):
    name = forms.CharField(
        label=T("Nom du label", "Name of the label"),
        max_length=200,
        help_text=T("Tel qu'il est donné ; il restera.", "As it is given; it will stay."),
    )
    code = forms.SlugField(
        label=T("Code", "Code"),
        max_length=80,
        help_text=T("Minuscules et tirets, par exemple p5-aquanova.", "Lower case and hyphens, like p5-aquanova."),
    )
    holders = ClustersField(
        label=T("Titulaires", "Holders"),
        help_text=T(
            "Noms courts des pôles qui répondent ensemble, séparés par un espace.",
            "Short names of the clusters that answer together, separated by a space.",
        ),
    )
    tier = forms.ChoiceField(label=T("Catégorie", "Tier"), required=False)
    effective_from = forms.DateField(label=T("Effet à partir du", "Effective from"), widget=_day_input())
    until = forms.DateField(label=T("Jusqu'au (inclus)", "Until (included)"), required=False, widget=_day_input())
    field_order = [
        "name", "code", "holders", "tier", "effective_from", "until",
        "decided_on", "reference", "source_title", "source_url",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["tier"].choices = [("", T("aucune", "none")), *queries.tier_titles().items()]

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        if Label.objects.filter(code=code).exists():
            raise forms.ValidationError(T("Le code « {c} » est déjà pris.", "The code “{c}” is taken.", c=code))
        return code


class CarrierForm(forms.Form):
    organisation = OrganisationField(label=T("Structure porteuse", "Carrier"))
    starts_on = forms.DateField(label=T("À partir du", "From"), widget=_day_input())
    note = forms.CharField(label=T("Note", "Note"), required=False, max_length=300)
    source_title = forms.CharField(label=T("Source : titre", "Source: title"), required=False, max_length=400)
    source_url = forms.URLField(
        label=T("Source : adresse", "Source: address"), required=False, max_length=600, assume_scheme="https"
    )


class CorrespondentForm(forms.Form):
    mandate = forms.ChoiceField(
        label=T("Agent et service", "Officer and service"),
        help_text=T(
            "Personnes qui ont un mandat de l'État en vigueur.", "People with a mandate of the State in force."
        ),
    )
    starts_on = forms.DateField(label=T("À partir du", "From"), widget=_day_input())

    def __init__(self, *args: Any, mandates: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.mandates = {str(m.pk): m for m in mandates}
        self.fields["mandate"].choices = [
            (key, f"{m.user.name} – {m.organisation.name}") for key, m in self.mandates.items()
        ]

    def clean_mandate(self) -> Mandate:
        return self.mandates[self.cleaned_data["mandate"]]


class Post(forms.Form):
    title = forms.CharField(
        label=T("Fonction", "Function"),
        max_length=120,
        help_text=T("La fonction, jamais le nom d'une personne.", "The function, never a person's name."),
    )
    fte = forms.DecimalField(
        label=T("Équivalents temps plein", "Full-time equivalents"), max_digits=5, decimal_places=2
    )
    status = forms.ChoiceField(
        label=T("Statut", "Status"),
        choices=[
            ("employed", T("employé par la structure", "employed by the carrier")),
            ("seconded", T("mis à disposition", "seconded")),
        ],
    )
    seconded_by = OrganisationField(label=T("Mis à disposition par", "Seconded by"), required=False)
    starts_on = forms.DateField(label=T("Depuis le", "Since"), widget=_day_input())
    ends_on = forms.DateField(label=T("Jusqu'au (inclus)", "Until (included)"), required=False, widget=_day_input())

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["fte"].unit = T("ETP", "FTE")


class Ending(forms.Form):
    """The last day of a post, a mandate or a correspondent."""

    ends_on = forms.DateField(label=T("Dernier jour", "Last day"), widget=_day_input())


class Body(forms.Form):
    kind = forms.ChoiceField(label=T("Nature de l'instance", "Kind of body"))
    title = forms.CharField(label=T("Nom de l'instance", "Name of the body"), max_length=160)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(b.code, b.title) for b in policy().governance.bodies]


class Seats(forms.Form):
    college = forms.ChoiceField(label=T("Collège", "College"))
    number = forms.IntegerField(label=T("Nombre de sièges", "Number of seats"), min_value=1, max_value=200, initial=1)
    organisation = OrganisationField(label=T("Organisme", "Organisation"), required=False)
    function = forms.CharField(label=T("Fonction", "Function"), required=False, max_length=80)
    starts_on = forms.DateField(label=T("Mandat du", "Mandate from"), widget=_day_input())
    ends_on = forms.DateField(label=T("au (inclus)", "to (included)"), required=False, widget=_day_input())

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["college"].choices = [(c.code, c.title) for c in policy().members.colleges]


class Document(forms.Form):
    kind = forms.ChoiceField(label=T("Nature", "Kind"), choices=list(DOCUMENT_KINDS.items()))
    title = forms.CharField(label=T("Titre", "Title"), max_length=255)
    dated = forms.DateField(label=T("Daté du", "Dated"), widget=_day_input())
    file = forms.FileField(
        label=T("Fichier", "File"),
        help_text=T("PDF, document de texte, image ; 25 Mo au plus.", "PDF, text document, picture; 25 MB at most."),
    )
