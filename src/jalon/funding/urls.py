"""Addresses of agreements, payments and relay finance."""

from django.urls import path

from jalon.funding import accounting_views, relay_views, return_views, views

urlpatterns = [
    path("financements/", views.desk, name="funding-desk"),
    path("conventions/", views.index, name="agreements"),
    path("conventions/preparer/<int:share>/", views.new, name="agreement-new"),
    path("conventions/comptes-rendus/", return_views.index, name="financial-returns"),
    path("conventions/<int:pk>/comptes-rendus/<int:year>/", return_views.read, name="financial-return"),
    path(
        "conventions/<int:pk>/comptes-rendus/<int:year>/pieces/<int:file>/",
        return_views.piece,
        name="financial-return-file",
    ),
    path(
        "conventions/<int:pk>/comptes-rendus/<int:year>/acte/<slug:act>/", return_views.act, name="financial-return-act"
    ),
    path("conventions/<int:pk>/", views.read, name="agreement"),
    path("conventions/<int:pk>/echeancier/", views.plan, name="agreement-plan"),
    path("conventions/<int:pk>/avenant/", views.amend, name="agreement-amend"),
    path("conventions/<int:pk>/demander/<int:number>/", views.claim_new, name="claim-new"),
    path("conventions/<int:pk>/acte/<slug:act>/", views.agreement_act, name="agreement-act"),
    path("conventions/avenants/<int:pk>/<slug:act>/", views.amendment_act, name="agreement-amendment-act"),
    path("demandes-de-versement/<int:pk>/", views.claim, name="claim"),
    path("demandes-de-versement/<int:pk>/completer/", views.claim_edit, name="claim-edit"),
    path("demandes-de-versement/<int:pk>/pieces/<int:file>/", views.claim_file, name="claim-file"),
    path("demandes-de-versement/<int:pk>/acte/<slug:act>/", views.claim_act, name="claim-act"),
    path("ordres-de-paiement/<int:pk>/acte/<slug:act>/", views.order_act, name="payment-order-act"),
    path("reversements/<int:pk>/acte/<slug:act>/", views.recovery_act, name="recovery-act"),
    path("mon-argent/", views.my_money, name="my-money"),
    path("mon-argent/<int:pk>/tresorerie/", relay_views.calendar, name="cash-calendar"),
    path("delais-de-versement/", views.delays, name="payment-delays"),
    path("donnees-de-subvention/", accounting_views.scdl_page, name="subsidy-data"),
    path("comptabilite/", accounting_views.index, name="accounting"),
    path("comptabilite/ordres/", accounting_views.export_orders, name="accounting-orders"),
    path("comptabilite/imports/<int:pk>/", accounting_views.batch, name="accounting-import"),
    path("comptabilite/imports/<int:pk>/colonnes/", accounting_views.columns, name="accounting-columns"),
    path("comptabilite/imports/<int:pk>/acte/<slug:act>/", accounting_views.batch_act, name="accounting-act"),
    path("financement-relais/", relay_views.index, name="relays"),
    path("financement-relais/bilan/", relay_views.scheme, name="relay-scheme"),
    path("financement-relais/demander/<int:partner>/<int:funder>/", relay_views.ask, name="relay-ask"),
    path("financement-relais/<int:pk>/", relay_views.read, name="relay"),
    path("financement-relais/<int:pk>/acte/<slug:act>/", relay_views.act, name="relay-act"),
]
