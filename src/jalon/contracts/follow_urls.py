"""Addresses of the life of contracts."""

from __future__ import annotations

from django.urls import path

from jalon.contracts import follow_views as views

HERE = "contrats/<slug:slug>/suivi/"

urlpatterns = [
    path("portefeuille/", views.portfolio, name="portfolio"),
    path("tableau/", views.board, name="board"),
    path("tableau/indicateurs/", views.board_indicators, name="board-indicators"),
    path("campagnes/", views.rounds, name="rounds"),
    path("campagnes/ouvrir/", views.round_open, name="round-open"),
    path("campagnes/<slug:code>/relancer/", views.round_remind, name="round-remind"),
    path("campagnes/<slug:code>/clore/", views.round_close, name="round-close"),
    path(HERE, views.contract_dashboard, name="contract-dashboard"),
    path(f"{HERE}budget/", views.contract_budget, name="contract-budget"),
    path(f"{HERE}actions/", views.contract_actions, name="contract-actions"),
    path(f"{HERE}actions/<slug:key>/", views.action_progress, name="action-progress"),
    path(f"{HERE}actions/<slug:key>/jalons/<slug:milestone>/", views.milestone_progress, name="milestone-progress"),
    path(f"{HERE}objectifs/<slug:key>/", views.objective_follow, name="objective-follow"),
    path(f"{HERE}engagements/<path:key>/", views.commitment_follow, name="commitment-follow"),
    path(f"{HERE}indicateurs/<slug:key>/", views.contract_indicator, name="contract-indicator"),
    path(f"{HERE}indicateurs/<slug:key>/calcul/<int:year>/", views.calculation, name="calculation"),
    path(f"{HERE}pieces/<int:pk>/", views.evidence, name="evidence"),
    path(f"{HERE}<slug:round_code>/", views.report, name="report"),
    path(f"{HERE}<slug:round_code>/valeur/<slug:key>/", views.declare_value, name="declare-value"),
    path(f"{HERE}<slug:round_code>/soumettre/", views.submit_report, name="submit-report"),
    path(f"{HERE}<slug:round_code>/examen/", views.report_review, name="report-review"),
]
