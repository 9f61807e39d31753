"""Addresses of the workspace."""

from django.urls import path

from jalon.workspace import views

urlpatterns = [
    path("accueil/", views.home, name="home"),
    path("agenda/<str:token>.ics", views.calendar_feed, name="calendar-feed"),
    path("recherche/", views.search_page, name="search"),
    path("journal/", views.journal_page, name="journal"),
    path("journal/preuve/", views.proof, name="proof"),
    path("journal/preuve/verifier/", views.verify_case, name="verify-case"),
    path("politique/", views.policy_page, name="policy-page"),
]
