"""Addresses of the exchange of a contract with spreadsheets and YAML."""

from __future__ import annotations

from django.urls import path

from jalon.contracts.exchange import views

urlpatterns = [
    path("contrats/<slug:slug>/echange/", views.index, name="contract-exchange"),
    path("contrats/<slug:slug>/echange/contrat.xlsx", views.download, {"kind": "xlsx"}, name="contract-xlsx"),
    path("contrats/<slug:slug>/echange/contrat.yaml", views.download, {"kind": "yaml"}, name="contract-yaml"),
    path("contrats/<slug:slug>/echange/deposer/", views.upload, name="contract-import"),
    path("contrats/<slug:slug>/echange/apercu/", views.preview, name="contract-import-preview"),
    path("contrats/<slug:slug>/echange/reprendre/", views.accept, name="contract-import-accept"),
]
