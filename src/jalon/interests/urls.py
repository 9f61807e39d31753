"""Addresses of declarations of interests."""

from django.urls import path

from jalon.interests import views

urlpatterns = [
    path("mes-declarations/", views.mine, name="my-interests"),
    path("mes-declarations/<str:case>/", views.declare, name="interest"),
]
