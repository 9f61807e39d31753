"""Addresses of the members of a cluster."""

from __future__ import annotations

from django.urls import path

from jalon.clusters.members import views

HERE = "poles/<slug:slug>/membres/"
BATCH = HERE + "importer/<int:pk>/"

urlpatterns = [
    path(HERE, views.index, name="members"),
    path(HERE + "modele.xlsx", views.template, name="members-template"),
    path(HERE + "ajouter/", views.add, name="member-add"),
    path(HERE + "<int:organisation>/", views.member, name="member"),
    path(HERE + "adhesions/<int:pk>/corriger/", views.correct, name="member-correct"),
    path(HERE + "adhesions/<int:pk>/depart/", views.leave, name="member-leave"),
    path(HERE + "importer/", views.imports, name="members-import"),
    path(BATCH, views.batch, name="members-import-batch"),
    path(BATCH + "colonnes/", views.columns, name="members-import-columns"),
    path(BATCH + "confirmer/", views.confirm, name="members-import-confirm"),
    path(BATCH + "choix/", views.choose, name="members-import-choices"),
    path(BATCH + "accepter/", views.accept, name="members-import-accept"),
    path(BATCH + "abandonner/", views.abandon, name="members-import-abandon"),
    path(BATCH + "reprendre/", views.resume, name="members-import-resume"),
    path(BATCH + "avancement/", views.progress, name="members-import-progress"),
    path(BATCH + "verdicts.xlsx", views.verdicts, name="members-import-verdicts"),
]
