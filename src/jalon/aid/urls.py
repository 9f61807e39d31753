"""Addresses of State aid."""

from django.urls import path

from jalon.aid import views

urlpatterns = [
    path("aides/", views.ledger, name="aid-ledger"),
    path("aides/calcul/", views.calculator, name="aid-calculator"),
    path("aides/seuils/", views.thresholds, name="aid-thresholds"),
    path("aides/<int:pk>/", views.award, name="aid-award"),
    path("aides/<int:pk>/retirer/", views.withdraw, name="aid-award-withdraw"),
    path("aides/<int:pk>/publiee/", views.published, name="aid-award-published"),
    path("aides/organismes/<int:pk>/", views.organisation, name="aid-organisation"),
    path("aides/organismes/<int:pk>/inscrire/", views.new_award, name="aid-award-new"),
    path("aides/organismes/<int:pk>/lien/", views.new_link, name="aid-link-new"),
    path("aides/organismes/<int:pk>/comptes/", views.new_figures, name="aid-figures-new"),
    path("aides/organismes/<int:pk>/liens/<int:link>/clore/", views.close_link, name="aid-link-close"),
    path("poles/<slug:slug>/aides/", views.cluster, name="aid-cluster"),
]
