"""Addresses of decisions, applications for the label, phases, timelines and the replay."""

from django.urls import path

from jalon.decisions import views, views_candidacies, views_phases, views_replay

urlpatterns = [
    path("dossiers-de-decision/", views.index, name="decision-files"),
    path("dossiers-de-decision/proposer/", views.propose, name="decision-new"),
    path("dossiers-de-decision/recours/<int:pk>/reponse/", views.answer_appeal, name="decision-appeal-answer"),
    path("dossiers-de-decision/<slug:slug>/", views.read, name="decision"),
    path("dossiers-de-decision/<slug:slug>/lignes/", views.lines, name="decision-lines"),
    path("dossiers-de-decision/<slug:slug>/effets/", views.effects_page, name="decision-effects"),
    path("dossiers-de-decision/<slug:slug>/demander-les-avis/", views.submit, name="decision-submit"),
    path("dossiers-de-decision/<slug:slug>/reprendre/", views.take_up, name="decision-return"),
    path("dossiers-de-decision/<slug:slug>/abandonner/", views.drop, name="decision-drop"),
    path("dossiers-de-decision/<slug:slug>/avis/", views.opine, name="decision-opine"),
    path("dossiers-de-decision/<slug:slug>/decider/", views.decide, name="decision-decide"),
    path("dossiers-de-decision/<slug:slug>/publier/", views.publish, name="decision-publish"),
    path("dossiers-de-decision/<slug:slug>/notifier/", views.notify, name="decision-notify"),
    path("dossiers-de-decision/<slug:slug>/lignes/<int:line>/recu/", views.acknowledge, name="decision-received"),
    path("dossiers-de-decision/<slug:slug>/lignes/<int:line>/recours/", views.appeal, name="decision-appeal"),
    path(
        "dossiers-de-decision/<slug:slug>/lignes/<int:line>/conditions/", views.conditions, name="decision-conditions"
    ),
    path("poles/<slug:slug>/chronologie/", views.timeline, name="cluster-timeline"),
    path("candidatures/", views_candidacies.calls, name="candidacy-calls"),
    path("candidatures/nouvel-appel/", views_candidacies.new_call, name="candidacy-call-new"),
    path("candidatures/appels/<slug:code>/", views_candidacies.call, name="candidacy-call"),
    path("candidatures/appels/<slug:code>/avancer/", views_candidacies.move_call, name="candidacy-call-move"),
    path("candidatures/appels/<slug:code>/candidater/", views_candidacies.start, name="candidacy-start"),
    path("candidatures/dossiers/<slug:slug>/", views_candidacies.read, name="candidacy"),
    path("candidatures/dossiers/<slug:slug>/rediger/", views_candidacies.edit, name="candidacy-edit"),
    path("candidatures/dossiers/<slug:slug>/piece/", views_candidacies.paper, name="candidacy-paper"),
    path(
        "candidatures/dossiers/<slug:slug>/pieces/<int:pk>/", views_candidacies.paper_file, name="candidacy-paper-file"
    ),
    path("candidatures/dossiers/<slug:slug>/deposer/", views_candidacies.submit, name="candidacy-submit"),
    path("candidatures/dossiers/<slug:slug>/retirer/", views_candidacies.withdraw, name="candidacy-withdraw"),
    path("candidatures/dossiers/<slug:slug>/examiner/", views_candidacies.review, name="candidacy-review"),
    path("candidatures/dossiers/<slug:slug>/declarer/", views_candidacies.declare, name="candidacy-declare"),
    path("candidatures/dossiers/<slug:slug>/suite/", views_candidacies.settle, name="candidacy-settle"),
    path("phases/", views_phases.index, name="phases"),
    path("phases/<slug:code>/", views_phases.read, name="phase"),
    path("phases/<slug:code>/clore/", views_phases.close, name="phase-close"),
    path("phases/<slug:code>/ouvrir/", views_phases.open_phase, name="phase-open"),
    path("indicateurs/<slug:code>/filiation/", views_phases.national_lineage, name="indicator-lineage"),
    path("poles/<slug:slug>/indicateurs/<slug:code>/filiation/", views_phases.lineage, name="cluster-lineage"),
    path("rejeu/", views_replay.read, name="replay"),
]
