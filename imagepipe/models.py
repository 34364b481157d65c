"""All models, imported from the subjects that own them."""

from __future__ import annotations

from imagepipe.assets.models import AltText, Asset, AssetVersion, Lineage
from imagepipe.audit.models import AuditEvent
from imagepipe.delivery.crop_models import NamedCrop
from imagepipe.delivery.models import (
    DeliveryLease,
    FeedEntry,
    PendingPurge,
    Publication,
    StoredRendition,
)
from imagepipe.generation.models import Engine
from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval.models import PictureVector
from imagepipe.review.models import Review
from imagepipe.rights.models import RightsRecord
from imagepipe.seo.models import AltSuggestion
from imagepipe.workflow.guide_models import Guide
from imagepipe.workflow.mark_models import Star
from imagepipe.workflow.models import Candidate, Run, StepRun
from imagepipe.workflow.queue_models import (
    EngineHealth,
    Expense,
    NoticePreference,
    QueueWorker,
    Quota,
    QuotaRequest,
    Share,
)
from imagepipe.workflow.style_models import Style

__all__ = [
    "AltSuggestion",
    "AltText",
    "Asset",
    "AssetVersion",
    "AuditEvent",
    "Candidate",
    "DeliveryLease",
    "Engine",
    "EngineHealth",
    "Expense",
    "FeedEntry",
    "GenerationProfile",
    "Guide",
    "Lineage",
    "NamedCrop",
    "NoticePreference",
    "PendingPurge",
    "PictureVector",
    "PromptTemplate",
    "Publication",
    "QueueWorker",
    "Quota",
    "QuotaRequest",
    "RegisteredModel",
    "Review",
    "RightsRecord",
    "Run",
    "Share",
    "Star",
    "StepRun",
    "StoredRendition",
    "Style",
]
