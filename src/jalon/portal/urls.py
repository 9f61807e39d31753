"""Public addresses; none needs an account."""

from django.urls import path

from jalon.portal import views

urlpatterns = [
    path("", views.home, name="portal-home"),
    path("poles/", views.register, name="register"),
    path("poles/<slug:slug>/", views.cluster, name="cluster"),
    path("labels/<slug:code>/", views.label, name="label"),
    path("decisions/", views.decisions, name="decisions"),
    path("accessibilite/", views.accessibility, name="accessibility"),
    path("donnees/", views.open_data, name="open-data"),
    path("donnees/points.json", views.points, name="map-points"),
    path("donnees/observations/", views.observations, name="open-observations"),
    path("donnees/<slug:table>/", views.open_table, name="open-table"),
]
