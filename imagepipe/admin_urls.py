"""Addresses of the Studio in Wagtail's admin."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views import View

from imagepipe.views import (
    alt_curation,
    alt_runs,
    asset_forms,
    asset_listing,
    assets,
    candidates,
    chooser_generation,
    costs,
    crops,
    editing,
    engines,
    generation,
    history,
    iiif,
    marks,
    matrix,
    model_listing,
    model_registration,
    notices,
    pictures,
    progress,
    queue,
    quota_requests,
    quotas,
    recipe_import,
    recipes,
    replays,
    review_listing,
    routes,
    run_listing,
    run_stream,
    runs,
    styles,
    suggestions,
    versions,
    workers,
)

app_name = "imagepipe_admin"


def listing(address: str, view: type[View], name: str) -> list[URLPattern]:
    """A listing and the part of it that searching and filtering replace."""
    return [
        path(address, view.as_view(), name=name),
        path(f"{address}results/", view.as_view(results_only=True), name=f"{name}_results"),
    ]


run = "runs/<uuid:uid>/"
candidate = "candidates/<uuid:uid>/"
asset = "pictures/<uuid:uid>/"
version = f"{asset}versions/<int:number>/"
crop = f"{version}crops/<slug:name>/"

urlpatterns = [
    path("generate/", generation.GenerateView.as_view(), name="generate"),
    path("generate/import/", recipe_import.ImportRecipeView.as_view(), name="import_recipe"),
    path("generate/matrix/", matrix.MatrixView.as_view(), name="matrix"),
    path("matrix/<uuid:uid>/", matrix.MatrixRunsView.as_view(), name="matrix_runs"),
    path("generate/fields/", generation.template_fields, name="template_fields"),
    path("generate/suggestions/", suggestions.suggestions, name="suggestions"),
    path("generate/limits/", generation.model_limits, name="model_limits"),
    path("generate/cost/", costs.generation_cost, name="generation_cost"),
    path("queue/", queue.QueueView.as_view(), name="queue"),
    path("queue/results/", queue.QueueView.as_view(results_only=True), name="queue_results"),
    path("queue/change/", queue.change_queue, name="queue_change"),
    path("queue/workers/", workers.WorkersView.as_view(), name="workers"),
    path(
        "queue/workers/results/",
        workers.WorkersView.as_view(results_only=True),
        name="workers_results",
    ),
    *listing("queue/requests/", quota_requests.QuotaRequestIndexView, "quota_requests"),
    path("queue/requests/<int:pk>/", quota_requests.decide_quota_request, name="quota_decide"),
    *listing("queue/quotas/", quotas.QuotaIndexView, "quotas"),
    path("queue/quotas/add/", quotas.QuotaView.as_view(), name="quota_add"),
    path("queue/quotas/<int:pk>/", quotas.QuotaView.as_view(), name="quota"),
    path("queue/quotas/<int:pk>/remove/", quotas.remove_quota, name="quota_remove"),
    path("queue/quotas/<int:pk>/ask/", quotas.AskView.as_view(), name="quota_ask"),
    *listing("engines/", engines.EngineIndexView, "engines"),
    path("engines/routes/", routes.RoutesView.as_view(), name="routes"),
    path("engines/add/", engines.EngineFormView.as_view(), name="engine_add"),
    path("engines/<int:pk>/", engines.EngineFormView.as_view(), name="engine"),
    path("engines/<int:pk>/switch/", engines.switch_engine, name="engine_switch"),
    *listing("history/", history.HistoryView, "history"),
    *listing("runs/", run_listing.RunIndexView, "runs"),
    path(run, runs.RunView.as_view(), name="run"),
    path(f"{run}cancel/", runs.cancel_run, name="run_cancel"),
    path(f"{run}retry/", runs.retry_run, name="run_retry"),
    path(f"{run}replayed/", replays.replay_picture, name="replay_picture"),
    path(f"{run}notice/", notices.ask_for_notice, name="run_notice"),
    path(f"{run}progress/", progress.run_progress, name="run_progress"),
    path(f"{run}events/", run_stream.run_stream, name="run_stream"),
    path(f"{run}cards/<int:index>/", progress.candidate_card, name="candidate_card"),
    path(f"{run}previews/<int:index>/", pictures.candidate_preview, name="candidate_preview"),
    path(candidate, candidates.CandidateView.as_view(), name="candidate"),
    path(f"{candidate}thumbnail/", pictures.candidate_thumbnail, name="candidate_thumbnail"),
    path(f"{candidate}picture/", pictures.candidate_picture, name="candidate_picture"),
    path(f"{candidate}reject/", candidates.reject_candidate, name="candidate_reject"),
    path(f"{candidate}vary/", candidates.more_like_this, name="candidate_vary"),
    path(f"{candidate}pin/", marks.pin_candidate, name="candidate_pin"),
    path(f"{candidate}star/", marks.star_candidate, name="candidate_star"),
    path(f"{candidate}refine/", editing.RefineView.as_view(), name="candidate_refine"),
    path(f"{candidate}extend/", editing.ExtendView.as_view(), name="candidate_extend"),
    *listing("pictures/", asset_listing.AssetIndexView, "assets"),
    path(asset, assets.AssetView.as_view(), name="asset"),
    path(f"{asset}rights/", asset_forms.RightsView.as_view(), name="asset_rights"),
    path(f"{asset}alt/", asset_forms.AltTextView.as_view(), name="asset_alt"),
    path(f"{asset}decorative/", asset_forms.mark_decorative, name="asset_decorative"),
    path(f"{asset}withdraw/", versions.withdraw_asset, name="asset_withdraw"),
    path(f"{asset}viewers/", iiif.set_iiif, name="asset_iiif"),
    path(f"{version}picture/", pictures.version_picture, name="version_picture"),
    path(f"{version}thumbnail/", pictures.version_thumbnail, name="version_thumbnail"),
    path(f"{version}recipe/", recipes.recipe_json, name="recipe"),
    path(f"{version}replay/", replays.replay_version, name="replay"),
    path(f"{version}refine/", editing.RefineView.as_view(), name="version_refine"),
    path(f"{version}extend/", editing.ExtendView.as_view(), name="version_extend"),
    path(f"{version}approve/", versions.approve_version, name="version_approve"),
    path(f"{version}reject/", versions.reject_version, name="version_reject"),
    path(f"{version}publish/", versions.publish_version, name="version_publish"),
    path(crop, crops.CropView.as_view(), name="crop"),
    path(f"{crop}remove/", crops.remove_crop, name="crop_remove"),
    path(f"{crop}restore/<int:pk>/", crops.restore_crop, name="crop_restore"),
    path("images/<str:image_id>/crops/", crops.image_crops, name="image_crops"),
    path("alt-texts/", alt_curation.CurationView.as_view(), name="alt_texts"),
    path("alt-texts/advice/", alt_curation.alt_advice, name="alt_advice"),
    path("alt-texts/again/", alt_curation.start_over, name="alt_texts_again"),
    path("alt-texts/suggest/", alt_runs.start_suggestions, name="alt_suggest"),
    path("alt-texts/runs/<uuid:uid>/", alt_runs.suggestions_progress, name="alt_progress"),
    path(
        "alt-texts/runs/<uuid:uid>/cancel/", alt_runs.cancel_suggestions, name="alt_cancel"
    ),
    *listing("review/", review_listing.ReviewIndexView, "review"),
    path("chooser/generate/", chooser_generation.start, name="chooser_generate"),
    path(f"chooser/{run}", chooser_generation.watch, name="chooser_run"),
    path(f"chooser/{run}cancel/", chooser_generation.cancel, name="chooser_cancel"),
    path(f"chooser/{run}progress/", chooser_generation.progress, name="chooser_progress"),
    path(f"chooser/{run}cards/<int:index>/", chooser_generation.card, name="chooser_card"),
    path(f"chooser/{candidate}use/", chooser_generation.use, name="chooser_use"),
    path(f"chooser/{candidate}vary/", chooser_generation.vary, name="chooser_vary"),
    path(
        "models/register/",
        model_registration.RegisterModelView.as_view(),
        name="model_register",
    ),
    path(f"{version}style/", styles.AddStyleView.as_view(), name="style_add"),
    path("styles/", styles.StylesView.as_view(), name="styles"),
    path("styles/<uuid:uid>/retire/", styles.retire_style, name="style_retire"),
    *listing("models/", model_listing.ModelIndexView, "models"),
]
