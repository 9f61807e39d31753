"""Addresses of labelling."""

from django.urls import path

from jalon.labelling import views

urlpatterns = [
    path("labellisation/", views.entry, name="labelling"),
    path("poles/<slug:slug>/labellisation/", views.board, name="labelling-board"),
    path("poles/<slug:slug>/labellisation/comite/", views.committee, name="labelling-committee"),
    path("poles/<slug:slug>/labellisation/reglages/", views.settings, name="labelling-settings"),
    path("labellisation/<int:pk>/", views.request_page, name="labelling-request"),
    path("projets/<slug:slug>/labellisation/", views.project_page, name="project-labelling"),
    path("avis/", views.my_opinions, name="my-opinions"),
    path("avis/<int:pk>/", views.opinion_page, name="labelling-opinion"),
    path("avis/<int:pk>/enregistrer/", views.opinion_save, name="labelling-opinion-save"),
    path("avis/<int:pk>/piece/", views.opinion_file, name="labelling-opinion-file"),
    path("labels-de-projets/", views.register, name="project-labels"),
]
