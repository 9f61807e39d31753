"""The product's addresses and the empty page of the measurements."""

from django.urls import include, path

from bench.browsing import EMPTY, empty

urlpatterns = [path(EMPTY.lstrip("/"), empty), path("", include("jalon.config.urls"))]
