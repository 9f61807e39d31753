"""Addresses of campaigns, evaluations, hearings, reviews and questionnaires."""

from django.urls import path

from jalon.evaluations import hearing_views, views

urlpatterns = [
    path("evaluations/", views.campaigns, name="campaigns"),
    path("evaluations/ouvrir/", views.open_campaign, name="campaign-open"),
    path("evaluations/campagnes/<slug:code>/", views.campaign, name="campaign"),
    path("evaluations/campagnes/<slug:code>/acte/", views.campaign_act, name="campaign-act"),
    path("evaluations/campagnes/<slug:code>/confier/", views.entrust, name="campaign-entrust"),
    path("evaluations/campagnes/<slug:code>/calage/", views.calibration, name="campaign-calibration"),
    path("evaluations/campagnes/<slug:code>/questionnaire/", views.survey_board, name="campaign-survey"),
    path("evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/acte/", views.evaluation_act, name="evaluation-act"),
    path("evaluations/<int:pk>/declarer/", views.declare, name="evaluation-declare"),
    path("evaluations/<int:pk>/pieces/", views.pack, name="evaluation-pack"),
    path("evaluations/<int:pk>/notes/", views.score, name="evaluation-score"),
    path("evaluations/<int:pk>/notes/enregistrer/", views.save_note, name="evaluation-note"),
    path("evaluations/<int:pk>/consensus/", views.consensus, name="evaluation-consensus"),
    path("evaluations/<int:pk>/explication/", views.explanation, name="evaluation-explanation"),
    path("evaluations/<int:pk>/constats/", hearing_views.of_evaluation, name="evaluation-hearing"),
    path("contradictoire/<int:pk>/", hearing_views.hearing, name="hearing"),
    path("contradictoire/<int:pk>/acte/", hearing_views.hearing_act, name="hearing-act"),
    path("contradictoire/<int:pk>/dossier.zip", hearing_views.sealed_file, name="hearing-sealed"),
    path("contradictoire/<int:pk>/pieces/<int:file>/", hearing_views.document, name="hearing-document"),
    path("constats/<int:pk>/reponse/", hearing_views.reply, name="finding-reply"),
    path("constats/<int:pk>/acte/", hearing_views.finding_act, name="finding-act"),
    path("examens/", hearing_views.review_list, name="review-list"),
    path("contrats/<slug:slug>/examens/", hearing_views.reviews, name="reviews"),
    path("examens/<int:pk>/", hearing_views.review, name="review"),
    path("examens/<int:pk>/acte/", hearing_views.review_act, name="review-act"),
    path("questionnaires/<str:token>/", views.survey, name="survey"),
    path("mes-questionnaires/<int:pk>/", views.survey_mine, name="survey-mine"),
]
