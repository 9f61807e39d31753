"""Addresses of roadmaps."""

from django.urls import path

from jalon.roadmaps import views

urlpatterns = [
    path("poles/<slug:slug>/feuilles-de-route/", views.index, name="roadmaps"),
    path("poles/<slug:slug>/feuilles-de-route/commencer/", views.begin, name="roadmap-start"),
    path("feuilles-de-route/<int:pk>/", views.read, name="roadmap"),
    path("feuilles-de-route/<int:pk>/rediger/", views.edit, name="roadmap-edit"),
    path("feuilles-de-route/<int:pk>/cadre/", views.frame, name="roadmap-frame"),
    path("feuilles-de-route/<int:pk>/sections/<slug:key>/", views.save_section, name="roadmap-section"),
    path("feuilles-de-route/<int:pk>/sections/<slug:key>/ajouter/", views.add_item, name="roadmap-item-add"),
    path("feuilles-de-route/<int:pk>/elements/<slug:key>/", views.save_item, name="roadmap-item"),
    path("feuilles-de-route/<int:pk>/elements/<slug:key>/deplacer/", views.move_item, name="roadmap-item-move"),
    path("feuilles-de-route/<int:pk>/elements/<slug:key>/retirer/", views.remove_item, name="roadmap-item-remove"),
    path("feuilles-de-route/<int:pk>/elements/<slug:key>/remettre/", views.restore_item, name="roadmap-item-restore"),
    path("feuilles-de-route/<int:pk>/historique/<str:name>/", views.history, name="roadmap-history"),
    path("feuilles-de-route/<int:pk>/conflits/<int:revision>/", views.conflict, name="roadmap-conflict"),
    path("feuilles-de-route/<int:pk>/comparer/", views.compare, name="roadmap-compare"),
    path("feuilles-de-route/<int:pk>/nouvelle-version/", views.new_version, name="roadmap-new-version"),
    path("feuilles-de-route/<int:pk>/soumettre/", views.submit, name="roadmap-submit"),
    path("feuilles-de-route/<int:pk>/examen/", views.review, name="roadmap-review"),
    path("feuilles-de-route/<int:pk>/retourner/", views.give_back, name="roadmap-return"),
    path("feuilles-de-route/<int:pk>/valider/", views.validate, name="roadmap-validate"),
]
