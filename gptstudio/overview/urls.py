"""The address of home."""

from __future__ import annotations

from django.urls import path

from gptstudio.overview import views

urlpatterns = [
    path("", views.home, name="home"),
    path("home/running", views.running, name="home-running"),
]
