"""Addresses of the Studio in Wagtail's admin."""

from __future__ import annotations

from django.urls import path

from imagepipe.views import candidates, generation, pictures, progress, runs

app_name = "imagepipe_admin"
urlpatterns = [
    path("generate/", generation.GenerateView.as_view(), name="generate"),
    path("generate/fields/", generation.template_fields, name="template_fields"),
    path("runs/<uuid:uid>/", runs.RunView.as_view(), name="run"),
    path("runs/<uuid:uid>/cancel/", runs.cancel_run, name="run_cancel"),
    path("runs/<uuid:uid>/retry/", runs.retry_run, name="run_retry"),
    path("runs/<uuid:uid>/progress/", progress.run_progress, name="run_progress"),
    path("runs/<uuid:uid>/card/<int:index>/", progress.candidate_card, name="candidate_card"),
    path(
        "runs/<uuid:uid>/preview/<int:index>/",
        pictures.candidate_preview,
        name="candidate_preview",
    ),
    path("candidates/<uuid:uid>/", candidates.CandidateView.as_view(), name="candidate"),
    path(
        "candidates/<uuid:uid>/picture/", pictures.candidate_picture, name="candidate_picture"
    ),
    path("candidates/<uuid:uid>/reject/", candidates.reject_candidate, name="candidate_reject"),
    path("candidates/<uuid:uid>/vary/", candidates.more_like_this, name="candidate_vary"),
]
