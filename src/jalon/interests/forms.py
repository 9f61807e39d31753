"""The form of a declaration."""

from __future__ import annotations

from django import forms

from jalon.core.lang import T


class DeclareForm(forms.Form):
    """One's stance on a case, and the nature of an interest."""

    stance = forms.ChoiceField(
        label=T("Votre déclaration", "Your declaration"),
        choices=[
            ("none", T("Je n'ai aucun lien d'intérêts avec ce dossier", "I have no interest in this case")),
            ("interest", T("J'ai un lien d'intérêts : je me déporte", "I have an interest: I recuse myself")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": T("Choisissez l'une des deux déclarations.", "Choose one of the two declarations.")
        },
    )
    reason = forms.CharField(
        label=T("Nature du lien", "Nature of the interest"),
        help_text=T(
            "Demandée si vous vous déportez. Elle n'est lue que par vous : les autres voient seulement que vous êtes déporté.",
            "Needed if you recuse yourself. Only you read it: others only see that you are recused.",
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2000,
    )
