"""Forms of State aid: what is typed, read; the rules are asked by the acts."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import Q

from jalon.aid import states
from jalon.contracts.forms import day_field
from jalon.core.lang import T
from jalon.people.access import Actor, policy
from jalon.people.models import Identifier, Organisation
from jalon.people.rules import name_key


class FigureField(forms.CharField):
    """A number as people write it: « 1 234,50 » or 1,234.50; empty is unknown."""

    def __init__(self, *, places: int = 2, least: int = 0, unit: str = "", **kwargs: Any):
        super().__init__(**kwargs)
        self.places, self.least, self.unit = places, least, unit
        self.widget.attrs["inputmode"] = "decimal"

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        bare = text.replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace("€", "").replace("%", "")
        if "," in bare and "." in bare:
            bare = bare.replace(",", "")
        try:
            found = Decimal(bare.replace(",", "."))
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or found < self.least or abs(found) >= Decimal(10) ** 12:
            raise forms.ValidationError(
                T("Trouvé « {t} », attendu un nombre.", "Found “{t}”, expected a number.", t=text[:40]), code="invalid"
            )
        exponent = found.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            raise forms.ValidationError(
                T(
                    "Trouvé « {t} », attendu au plus {n} décimales.",
                    "Found “{t}”, expected at most {n} decimals.",
                    t=text[:40],
                    n=self.places,
                ),
                code="places",
            )
        return found


class OrganisationField(forms.CharField):
    """An organisation told by its identifier (SIREN, SIRET) or its whole name."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("maxlength", 255)

    def run_validators(self, value: Any) -> None:
        """Nothing: what was found is an organisation."""

    def to_python(self, value: Any) -> Any:
        text = " ".join((super().to_python(value) or "").split())[:255]
        if not text:
            return None
        compact = "".join(text.split()).upper()
        found = Organisation.objects.filter(merged_into__isnull=True)
        by_number = Identifier.objects.filter(Q(value=compact) | Q(scheme="siret", value__startswith=compact))
        if compact.isdigit() and len(compact) in (9, 14):
            rows = list(found.filter(pk__in=by_number.values("organisation_id"))[:3])
        else:
            rows = list(found.filter(name_key=name_key(text))[:3])
        if len(rows) == 1:
            return rows[0]
        if rows:
            raise forms.ValidationError(
                T(
                    "Plusieurs organismes portent ce nom : donnez le SIREN ou le SIRET.",
                    "Several organisations have this name: give the SIREN or the SIRET.",
                ),
                code="several",
            )
        raise forms.ValidationError(
            T(
                "Trouvé « {t} », attendu le SIREN, le SIRET ou le nom entier d'un organisme connu.",
                "Found “{t}”, expected the SIREN, the SIRET or the whole name of a known organisation.",
                t=text[:80],
            ),
            code="unknown",
        )


def _titles(things: Any) -> list[tuple[str, str]]:
    return [(thing.code, str(thing.title)) for thing in things]


class AwardForm(forms.Form):
    """An award to record, or one to declare (``declared``)."""

    use_required_attribute = False
    authority = OrganisationField(
        label=T("Accordée par", "Granted by"),
        help_text=T("SIREN, SIRET ou nom entier.", "SIREN, SIRET or whole name."),
        required=False,
    )
    base = forms.ChoiceField(
        label=T("Base juridique", "Legal base"),
        error_messages={"required": T("Choisissez la base juridique.", "Choose the legal base.")},
    )
    amount = FigureField(
        label=T("Équivalent-subvention brut", "Gross grant equivalent"),
        help_text=T("Vide pour un prêt ou une garantie seulement.", "Empty for a loan or a guarantee only."),
        unit="€",
        required=False,
    )
    granted_on = day_field(
        T("Accordée le", "Granted on"),
        T(
            "Le jour où le droit est conféré, quel que soit le versement.",
            "The day the right is conferred, whatever the payment.",
        ),
    )
    instrument = forms.ChoiceField(label=T("Forme de l'aide", "Form of the aid"))
    nominal = FigureField(
        label=T("Montant nominal, si ce n'est pas une subvention", "Nominal amount, if it is not a grant"),
        help_text=T(
            "Prêt ou garantie de minimis : l'équivalent vide se calcule du nominal et de la durée quand un texte le permet.",
            "De minimis loan or guarantee: left empty, the equivalent is computed from amount and duration where a text allows.",
        ),
        required=False,
        unit="€",
    )
    years = FigureField(
        label=T("Durée du prêt ou de la garantie", "Duration of the loan or guarantee"),
        required=False,
        unit=T("ans", "years"),
    )
    title = forms.CharField(label=T("Objet", "Object"), required=False, max_length=255)
    number = forms.CharField(label=T("Numéro de l'aide", "Number of the aid"), required=False, max_length=80)
    measure = forms.CharField(
        label=T("Référence du régime", "Reference of the scheme"), help_text="SA.…", required=False, max_length=40
    )
    case = forms.CharField(
        label=T("Dossier", "Case"),
        help_text=T(
            "Le projet (project:…) : les aides d'un même dossier sur les mêmes coûts s'ajoutent.",
            "The project (project:…): aid of one case on the same costs is added up.",
        ),
        required=False,
        max_length=120,
    )
    size = forms.ChoiceField(
        label=T("Taille le jour de l'octroi", "Size on the day of granting"),
        help_text=T(
            "Vide : celle qui se calcule des comptes et des liens.", "Empty: the one computed from accounts and links."
        ),
        required=False,
    )
    size_evidence = forms.CharField(
        label=T("Preuve de la taille", "Evidence of the size"), required=False, max_length=300
    )
    bonuses = forms.MultipleChoiceField(
        label=T("Bonus", "Bonuses"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, declared: bool = False, day: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        laws = policy()
        part = laws.part("aid")
        self.fields["base"].choices = [("", "–"), *((code, str(title)) for code, title in states.BASES.items())]
        self.fields["authority"].required = not declared
        self.fields["authority"].error_messages["required"] = T("Dites qui accorde l'aide.", "Say who grants the aid.")
        self.fields["instrument"].choices = _titles(part.instruments)
        self.hows = [(i.title, i.how) for i in part.instruments if i.how is not None]
        scheme = next((s for s in laws.members.size_schemes if s.code == part.size_scheme), None)
        self.fields["size"].choices = [("", "–"), *(_titles(scheme.categories) if scheme else [])]
        known: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        for rules in part.rule_sets:
            known |= dict(_titles(rules.bonuses))
            self.categories |= dict(_titles(rules.categories))
        self.fields["bonuses"].choices = list(known.items())
        for code, title in self.categories.items():
            self.fields[f"cost_{code}"] = FigureField(
                label=T("Coûts admissibles : {c}", "Eligible costs: {c}", c=title), required=False, unit="€"
            )
        if declared:
            self.fields["authority"].label = T(
                "Accordée par, si l'organisme est connu ici", "Granted by, if the body is known here"
            )
            self.fields["authority_name"] = forms.CharField(
                label=T("Sinon, le nom de l'organisme qui l'a accordée", "Else the name of the body that granted it"),
                required=False,
                max_length=255,
            )
            self.order_fields(["authority", "authority_name"])

    def clean(self) -> Any:
        data = super().clean() or {}
        if data.get("amount") is None and data.get("nominal") is None and not {"amount", "nominal"} & set(self.errors):
            self.add_error("amount", T("Donnez le montant.", "Give the amount."))
        return data

    @property
    def costs(self) -> dict[str, Decimal]:
        """Eligible costs by category, those given."""
        return {c: self.cleaned_data[f"cost_{c}"] for c in self.categories if self.cleaned_data.get(f"cost_{c}")}

    @property
    def first(self) -> list[Any]:
        """The fields of every award."""
        names = [
            n
            for n in self.fields
            if not n.startswith("cost_") and n not in ("size", "size_evidence", "bonuses", "case", "measure")
        ]
        return [self[n] for n in names]

    @property
    def second(self) -> list[Any]:
        """The fields of project aid: costs, size, bonuses."""
        shown = {f.name for f in self.first}
        return [self[n] for n in self.fields if n not in shown]


class LinkForm(forms.Form):
    """Who holds what share of whom."""

    use_required_attribute = False
    way = forms.ChoiceField(
        label=T("Sens", "Way"),
        choices=[("owner", T("est détenu par", "is held by")), ("owned", T("détient", "holds"))],
    )
    other = OrganisationField(
        label=T("L'autre organisme", "The other organisation"),
        help_text=T("SIREN, SIRET ou nom entier.", "SIREN, SIRET or whole name."),
        error_messages={"required": T("Dites lequel.", "Say which one.")},
    )
    share = FigureField(
        label=T("Part du capital ou des voix, la plus haute", "Share of capital or votes, the higher"),
        places=3,
        unit="%",
        required=False,
    )
    control = forms.BooleanField(
        label=T(
            "Contrôle (majorité des voix, nomination, influence dominante, accord)",
            "Control (majority of votes, appointment, dominant influence, agreement)",
        ),
        required=False,
    )
    owner_kind = forms.ChoiceField(label=T("Qui détient", "Who holds"))
    kind = forms.ChoiceField(
        label=T("Lien", "Link"),
        choices=[
            ("holding", T("détention", "holding")),
            ("absorption", T("absorption (fusion)", "absorption (merger)")),
        ],
    )
    starts_on = day_field(T("Depuis le", "Since"), required=False)
    ends_on = day_field(T("Jusqu'au", "Until"), required=False)
    evidence = forms.CharField(
        label=T("Preuve", "Evidence"),
        max_length=300,
        error_messages={"required": T("Donnez la preuve.", "Give the evidence.")},
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["owner_kind"].choices = _titles(policy().part("aid").owner_kinds)


class FiguresForm(forms.Form):
    """A closed accounting year."""

    use_required_attribute = False
    year = forms.IntegerField(
        label=T("Exercice clos en", "Year closed in"), min_value=1990, max_value=2100,
        error_messages={"required": T("Donnez l'année.", "Give the year."), "invalid": T("Une année est attendue.", "A year is expected.")},
    )  # fmt: skip
    headcount = FigureField(
        label=T("Effectif (unités de travail par an)", "Headcount (annual work units)"), required=False
    )
    turnover = FigureField(label=T("Chiffre d'affaires", "Turnover"), required=False, unit="€")
    balance = FigureField(label=T("Total du bilan", "Balance sheet total"), required=False, unit="€")
    evidence = forms.CharField(
        label=T("Preuve", "Evidence"),
        max_length=300,
        error_messages={"required": T("Donnez la preuve.", "Give the evidence.")},
    )


class ClusterYearForm(forms.Form):
    """A year of the cluster's own costs, and what one funder pays for it."""

    use_required_attribute = False
    year = forms.IntegerField(
        label=T("Année", "Year"),
        min_value=2004,
        max_value=2100,
        error_messages={"required": T("Donnez l'année.", "Give the year.")},
    )
    kind = forms.ChoiceField(label=T("Nature", "Kind"), choices=list(states.CLUSTER_KINDS.items()))
    area = forms.ChoiceField(
        label=T("Zone (investissement)", "Area (investment)"), choices=list(states.AREAS.items()), required=False
    )
    eligible = FigureField(
        label=T("Coûts admissibles de l'année", "Eligible costs of the year"), required=False, unit="€"
    )
    not_counted = forms.CharField(
        label=T(
            "Si l'année ne compte pas dans la durée d'aide : pourquoi",
            "If the year does not count in the period of aid: why",
        ),
        required=False,
        max_length=300,
    )
    funder = OrganisationField(
        label=T("Financeur public", "Public funder"),
        help_text=T("SIREN, SIRET ou nom entier.", "SIREN, SIRET or whole name."),
        required=False,
    )
    amount = FigureField(label=T("Aide de ce financeur", "Aid of this funder"), required=False, unit="€")
    evidence = forms.CharField(
        label=T("Preuve", "Evidence"),
        max_length=300,
        error_messages={"required": T("Donnez la preuve.", "Give the evidence.")},
    )

    def clean(self) -> Any:
        data = super().clean() or {}
        if data.get("eligible") is None and data.get("amount") is None and not self.errors:
            raise forms.ValidationError(
                T(
                    "Donnez les coûts admissibles, ou l'aide d'un financeur.",
                    "Give the eligible costs, or the aid of a funder.",
                )
            )
        if data.get("amount") is not None and data.get("funder") is None and "funder" not in self.errors:
            self.add_error("funder", T("Dites qui paie.", "Say who pays."))
        return data


def default_authority(actor: Actor) -> str:
    """What the field of the granting body holds at first: the actor's own organisation, unless it is national."""
    return "" if actor.national else actor.organisation_label
