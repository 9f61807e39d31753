"""Addresses of printed documents."""

from __future__ import annotations

from django.urls import path

from jalon.documents import committee_views, views

urlpatterns = [
    path("contrats/<slug:slug>/document.pdf", views.contract, {"kind": "pdf"}, name="contract-pdf"),
    path("contrats/<slug:slug>/document.docx", views.contract, {"kind": "docx"}, name="contract-docx"),
    path(
        "contrats/<slug:slug>/avenants/<int:number>/document.pdf",
        views.amendment,
        {"kind": "pdf"},
        name="amendment-pdf",
    ),
    path(
        "contrats/<slug:slug>/avenants/<int:number>/document.docx",
        views.amendment,
        {"kind": "docx"},
        name="amendment-docx",
    ),
    path("selection/lettres/<int:pk>/lettre.pdf", views.selection_letter, {"kind": "pdf"}, name="selection-letter-pdf"),
    path(
        "selection/lettres/<int:pk>/lettre.docx", views.selection_letter, {"kind": "docx"}, name="selection-letter-docx"
    ),
    path("feuilles-de-route/<int:pk>/document.pdf", views.roadmap, {"kind": "pdf"}, name="roadmap-pdf"),
    path("feuilles-de-route/<int:pk>/document.docx", views.roadmap, {"kind": "docx"}, name="roadmap-docx"),
    path("projets/<slug:slug>/dossier.pdf", views.project, {"kind": "pdf"}, name="project-pdf"),
    path("projets/<slug:slug>/dossier.docx", views.project, {"kind": "docx"}, name="project-docx"),
    path("conventions/<int:pk>/document.pdf", views.agreement, {"kind": "pdf"}, name="agreement-pdf"),
    path("conventions/<int:pk>/document.docx", views.agreement, {"kind": "docx"}, name="agreement-docx"),
    *(
        path(
            f"comites/<slug:slug>/seances/<int:number>/{name}.{kind}",
            committee_views.session_paper,
            {"kind": kind, "which": which},
            name=f"session-{which}-{kind}",
        )
        for name, which in (("convocation", "convocation"), ("compte-rendu", "minutes"))
        for kind in ("pdf", "docx")
    ),
    path("labellisation/<int:pk>/decision.pdf", views.label_decision, {"kind": "pdf"}, name="label-decision-pdf"),
    path("labellisation/<int:pk>/decision.docx", views.label_decision, {"kind": "docx"}, name="label-decision-docx"),
    path("labellisation/<int:pk>/rapport.pdf", views.label_report, {"kind": "pdf"}, name="label-report-pdf"),
    path("labellisation/<int:pk>/rapport.docx", views.label_report, {"kind": "docx"}, name="label-report-docx"),
    path(
        "dossiers-de-decision/<slug:slug>/lignes/<int:line>/lettre.<slug:kind>",
        views.decision_letter,
        name="decision-letter",
    ),
    path("evaluations/<int:pk>/explication.pdf", views.explanation, {"kind": "pdf"}, name="evaluation-explanation-pdf"),
    path(
        "evaluations/<int:pk>/explication.docx", views.explanation, {"kind": "docx"}, name="evaluation-explanation-docx"
    ),
    path("contradictoire/<int:pk>/document.pdf", views.hearing, {"kind": "pdf"}, name="hearing-pdf"),
    path("contradictoire/<int:pk>/document.docx", views.hearing, {"kind": "docx"}, name="hearing-docx"),
]
