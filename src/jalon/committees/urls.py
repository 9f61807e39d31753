"""Addresses of committees."""

from __future__ import annotations

from django.urls import path

from jalon.committees import views

SESSION = "comites/<slug:slug>/seances/<int:number>/"

urlpatterns = [
    path("comites/", views.index, name="committees"),
    path("nouveau-comite/", views.new, name="committee-new"),
    path("suites-des-comites/", views.follow_ups, name="committee-follow-ups"),
    path("suites-des-comites/<int:pk>/", views.follow_up, name="committee-follow-up"),
    path("suites-des-comites/<int:pk>/<slug:act>/", views.follow_up_act, name="committee-follow-up-act"),
    path("comites/<slug:slug>/", views.committee, name="committee"),
    path("comites/<slug:slug>/sieges/", views.seats, name="committee-seats"),
    path("comites/<slug:slug>/sieges/<int:pk>/<slug:act>/", views.seat_act, name="committee-seat"),
    path("comites/<slug:slug>/clore/", views.end, name="committee-end"),
    path("comites/<slug:slug>/seances/", views.plan, name="session-plan"),
    path(SESSION, views.session, name="committee-session"),
    path(f"{SESSION}acte/<slug:act>/", views.session_act, name="session-act"),
    path(f"{SESSION}points/", views.add_item, name="session-item-add"),
    path(f"{SESSION}points/<int:pk>/<slug:act>/", views.item_act, name="session-item"),
    path(f"{SESSION}textes/<int:pk>/", views.words, name="session-words"),
    path(f"{SESSION}pieces/", views.add_paper, name="session-paper-add"),
    path(f"{SESSION}pieces/<int:pk>/", views.paper, name="session-paper"),
    path(f"{SESSION}presences/", views.presence, name="session-presence"),
    path(f"{SESSION}scrutins/<int:pk>/<slug:act>/", views.ballot_act, name="session-ballot"),
    path(f"{SESSION}suites/", views.add_follow_up, name="session-follow-up"),
    path(f"{SESSION}salle/", views.room, name="session-room"),
    path(f"{SESSION}salle/etat/", views.room_state, name="session-room-state"),
    path(f"{SESSION}compte-rendu/", views.minutes, name="session-minutes"),
    path(f"{SESSION}compte-rendu/texte/", views.minutes_text, name="session-minutes-text"),
]
