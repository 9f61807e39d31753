"""Addresses of the selection: exercise, instruction, consensus, ranking, financing, scenarios, letters, results."""

from django.urls import path

from jalon.selection import views

urlpatterns = [
    path("selection/", views.index, name="selection-index"),
    path("selection/avis/<int:pk>/", views.assess, name="selection-assess"),
    path("selection/avis/<int:pk>/rendre/", views.submit, name="selection-submit"),
    path("selection/avis/<int:pk>/retirer/", views.withdraw, name="selection-withdraw"),
    path("selection/projets/<slug:slug>/consensus/", views.consensus, name="selection-consensus"),
    path("selection/projets/<slug:slug>/consensus/ouvrir/", views.consensus_open, name="selection-consensus-open"),
    path("selection/projets/<slug:slug>/financement/", views.project_financing, name="project-financing"),
    path("selection/projets/<slug:slug>/intention/", views.intention, name="selection-intention"),
    path("selection/projets/<slug:slug>/repartir/", views.intention_total, name="selection-intention-total"),
    path("selection/projets/<slug:slug>/decision/", views.funder_decision, name="selection-fund"),
    path("selection/projets/<slug:slug>/reprendre/", views.promote, name="selection-promote"),
    path("selection/projets/<slug:slug>/liberer/", views.release, name="selection-release"),
    path("selection/lettres/", views.letters_list, name="selection-letters"),
    path("selection/lettres/<int:pk>/", views.letter, name="selection-letter"),
    path("selection/scenarios/<int:pk>/", views.scenario, name="selection-scenario"),
    path("selection/scenarios/<int:pk>/abandonner/", views.scenario_drop, name="selection-scenario-drop"),
    path("selection/scenarios/<int:pk>/arreter/", views.decide, name="selection-decide"),
    path("selection/<slug:code>/", views.exercise, name="selection"),
    path("selection/<slug:code>/ouvrir/", views.open_, name="selection-open"),
    path("selection/<slug:code>/criteres/", views.criterion, name="selection-criterion"),
    path("selection/<slug:code>/regles/", views.rules_, name="selection-rules"),
    path("selection/<slug:code>/enveloppe/", views.envelope, name="selection-envelope"),
    path("selection/<slug:code>/annoncer/", views.announce, name="selection-announce"),
    path("selection/<slug:code>/instruction/", views.desk, name="selection-desk"),
    path("selection/<slug:code>/designer/", views.assign, name="selection-assign"),
    path("selection/<slug:code>/classement/", views.ranking, name="selection-ranking"),
    path("selection/<slug:code>/financement/", views.financing, name="selection-financing"),
    path("selection/<slug:code>/financeur/", views.funder, name="selection-funder"),
    path("selection/<slug:code>/financeur/importer/", views.funder_import, name="selection-funder-import"),
    path("selection/<slug:code>/scenarios/", views.scenarios, name="selection-scenarios"),
    path("selection/<slug:code>/resultats/", views.results, name="selection-results"),
]
