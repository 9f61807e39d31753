"""Address of the style guide."""

from __future__ import annotations

from django.urls import path

from jalon.ui import views

urlpatterns = [path("guide-de-style/", views.styleguide, name="styleguide")]
