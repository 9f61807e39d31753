"""Addresses of contracts: pages, then the acts (POST) on a text, a proposal, a comment."""

from __future__ import annotations

from django.urls import include, path

from jalon.contracts import views

urlpatterns = [
    path("contrats/", views.contract_list, name="contract-list"),
    path("contrats/nouveau/", views.new, name="contract-new"),
    path("contrats/<slug:slug>/", views.contract, name="contract"),
    path("contrats/<slug:slug>/texte/", views.reading, name="contract-text"),
    path("contrats/<slug:slug>/texte/<int:number>/", views.reading, name="contract-text-no"),
    path("contrats/<slug:slug>/texte/<int:number>/canonique/", views.canonical, name="contract-canonical"),
    path("contrats/<slug:slug>/texte/<int:number>/verifier/", views.check_file, name="contract-check"),
    path("contrats/<slug:slug>/signature/", views.signature, name="contract-signature"),
    path("contrats/<slug:slug>/historique/", views.history, name="contract-history"),
    path("contrats/<slug:slug>/annexes/", views.annexes, name="contract-annexes"),
    path("contrats/<slug:slug>/annexes/<int:pk>/", views.annex_file, name="contract-annex"),
    path("contrats/<slug:slug>/avenants/", views.amendments, name="contract-amendments"),
    path("contrats/<slug:slug>/avenants/<int:number>/", views.amendment, name="contract-amendment"),
    path("contrats/<slug:slug>/avenants/<int:number>/difference/", views.difference, name="contract-difference"),
    path("contrats/<slug:slug>/avenants/ouvrir/", views.amend, name="contract-amend"),
    path("contrats/<slug:slug>/clore/", views.close, name="contract-close"),
    path("contrats/<slug:slug>/textes/<int:number>/proposer/", views.propose, name="contract-propose"),
    path("contrats/<slug:slug>/textes/<int:number>/retirer/", views.remove, name="contract-remove"),
    path("contrats/<slug:slug>/textes/<int:number>/enregistrer/", views.autosave, name="contract-autosave"),
    path("contrats/<slug:slug>/textes/<int:number>/commenter/", views.comment, name="contract-comment"),
    path("contrats/<slug:slug>/textes/<int:number>/negociation/", views.open_negotiation, name="contract-negotiate"),
    path("contrats/<slug:slug>/textes/<int:number>/tour/", views.next_round, name="contract-next-round"),
    path("contrats/<slug:slug>/textes/<int:number>/figer/", views.open_signature, name="contract-open-signature"),
    path("contrats/<slug:slug>/textes/<int:number>/signer/", views.sign, name="contract-sign"),
    path("contrats/<slug:slug>/textes/<int:number>/refuser/", views.refuse, name="contract-refuse"),
    path("contrats/<slug:slug>/textes/<int:number>/rouvrir/", views.reopen, name="contract-reopen"),
    path("contrats/<slug:slug>/textes/<int:number>/deliberer/", views.decide, name="contract-decide"),
    path("contrats/<slug:slug>/textes/<int:number>/abandonner/", views.abandon, name="contract-abandon"),
    path("contrats/<slug:slug>/textes/<int:number>/joindre/", views.add_annex, name="contract-annex-add"),
    path("contrats/<slug:slug>/textes/<int:number>/annexer/", views.take_annexes, name="contract-annex-take"),
    path("contrats/<slug:slug>/textes/<int:number>/reprendre/", views.rebase, name="contract-rebase"),
    path("contrats/<slug:slug>/textes/<int:number>/lots/<slug:batch>/", views.decide_batch, name="batch-decide"),
    path("contrats/<slug:slug>/propositions/<int:pk>/accepter/", views.accept, name="proposal-accept"),
    path("contrats/<slug:slug>/propositions/<int:pk>/rejeter/", views.reject, name="proposal-reject"),
    path("contrats/<slug:slug>/propositions/<int:pk>/retirer/", views.withdraw, name="proposal-withdraw"),
    path("contrats/<slug:slug>/commentaires/<int:pk>/regler/", views.resolve, name="comment-resolve"),
]

urlpatterns += [path("", include("jalon.contracts.follow_urls")), path("", include("jalon.contracts.exchange.urls"))]
