"""Addresses of sign-in, accounts, people and organisations."""

from django.urls import path

from jalon.people import views

urlpatterns = [
    path("connexion/", views.sign_in, name="sign-in"),
    path("connexion/demonstration/", views.demonstration_sign_in, name="demo-sign-in"),
    path("deconnexion/", views.sign_out, name="sign-out"),
    path("mot-de-passe/", views.ask_password, name="ask-password"),
    path("mot-de-passe/<str:uid>/<str:token>/", views.new_password, name="new-password"),
    path("invitation/<str:token>/", views.accept, name="accept-invitation"),
    path("langue/", views.set_language, name="set-language"),
    path("demonstration/voyage/", views.travel, name="travel"),
    path("mon-compte/", views.my_account, name="my-account"),
    path("mon-compte/agir-pour/", views.act_for, name="act-for"),
    path("mon-compte/agenda/", views.renew_calendar, name="renew-calendar"),
    path("mon-compte/fermer/", views.close_my_account, name="close-my-account"),
    path("mon-compte/session/", views.keep_session, name="keep-session"),
    path("personnes/", views.people, name="people"),
    path("personnes/inviter/", views.invite, name="invite"),
    path("personnes/invitations/<int:pk>/renvoyer/", views.invite_again, name="invite-again"),
    path("personnes/invitations/<int:pk>/retirer/", views.withdraw_invitation, name="withdraw-invitation"),
    path("personnes/deleguer/", views.delegate, name="delegate"),
    path("personnes/mandats/<int:pk>/retirer/", views.revoke, name="revoke-mandate"),
    path("personnes/<int:pk>/", views.person, name="person"),
    path("personnes/<int:pk>/compte/", views.open_or_close, name="person-account"),
    path("organismes/", views.organisation_list, name="organisations"),
    path("organismes/nouveau/", views.new_organisation, name="new-organisation"),
    path("organismes/doublons/", views.duplicates, name="duplicates"),
    path("organismes/doublons/fusionner/", views.merge, name="merge-organisations"),
    path("organismes/doublons/distinguer/", views.not_duplicate, name="not-duplicate"),
    path("organismes/fusions/<int:pk>/annuler/", views.undo_merge, name="undo-merge"),
    path("organismes/<int:pk>/", views.organisation_page, name="organisation"),
    path("organismes/<int:pk>/modifier/", views.edit_organisation, name="edit-organisation"),
    path("organismes/<int:pk>/identifiants/", views.add_identifier, name="add-identifier"),
    path(
        "organismes/<int:pk>/identifiants/<int:identifier>/retirer/", views.remove_identifier, name="remove-identifier"
    ),
    path("organismes/<int:pk>/tailles/", views.record_size, name="record-size"),
]
