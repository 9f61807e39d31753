"""Addresses at which the register is kept. Members have theirs in ``clusters.members``; public pages in the portal."""

from django.urls import include, path

from jalon.clusters import views

urlpatterns = [
    path("poles/nouveau/", views.new, name="cluster-new"),
    path("poles/<slug:slug>/tenir/", views.sheet, name="cluster-edit"),
    path("poles/<slug:slug>/equipe/", views.team, name="cluster-team"),
    path("poles/<slug:slug>/equipe/<int:pk>/clore/", views.close_post, name="cluster-post-close"),
    path("poles/<slug:slug>/gouvernance/", views.governance, name="cluster-governance"),
    path("poles/<slug:slug>/gouvernance/<int:pk>/sieges/", views.seats, name="cluster-seats"),
    path("poles/<slug:slug>/gouvernance/mandats/<int:pk>/clore/", views.end_seat, name="cluster-seat-end"),
    path("poles/<slug:slug>/documents/", views.documents, name="cluster-documents"),
    path("poles/<slug:slug>/documents/<int:pk>/", views.document, name="cluster-document"),
    path("poles/<slug:slug>/structure-porteuse/", views.carrier, name="cluster-carrier"),
    path("poles/<slug:slug>/correspondants/", views.correspondents, name="cluster-correspondents"),
    path("poles/<slug:slug>/correspondants/<int:pk>/clore/", views.end_correspondent, name="cluster-correspondent-end"),
    path("poles/<slug:slug>/labels/", views.labels, name="cluster-labels"),
    path("labels/<slug:code>/acte/", views.label_act, name="label-act"),
    path("labels/<slug:code>/actes/<int:pk>/corriger/", views.label_act, name="label-correct"),
]

urlpatterns.append(path("", include("jalon.clusters.members.urls")))
