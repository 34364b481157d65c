"""The delivery document of an asset and the change feed, shared by publisher and edge.

Uses the standard library and `cryptography` only.
"""

from __future__ import annotations

from imagepipe.grants.decision import STATUS, Decision, decide
from imagepipe.grants.documents import canonical_json, seal, unseal
from imagepipe.grants.exceptions import (
    BadSignature,
    DocumentError,
    InvalidDocument,
    RolledBack,
    UnknownKey,
    WrongKind,
)
from imagepipe.grants.feed import MOST_ENTRIES, FeedDocument, FeedEntry, changes_since
from imagepipe.grants.grant import Grant
from imagepipe.grants.keys import (
    InvalidKeyFile,
    create_key_files,
    generate_signing_key,
    key_id_of,
    load_public_keys,
    load_signing_key,
    save_public_keys,
    save_signing_key,
)
from imagepipe.grants.paths import (
    SHARDS,
    feed_path,
    grant_path,
    master_path,
    parent_path,
    shard_of,
)
from imagepipe.grants.sequence import SequenceGuard
from imagepipe.grants.version import CREDIT_FIELDS, GrantedVersion

__all__ = [
    "CREDIT_FIELDS",
    "MOST_ENTRIES",
    "SHARDS",
    "STATUS",
    "BadSignature",
    "Decision",
    "DocumentError",
    "FeedDocument",
    "FeedEntry",
    "Grant",
    "GrantedVersion",
    "InvalidDocument",
    "InvalidKeyFile",
    "RolledBack",
    "SequenceGuard",
    "UnknownKey",
    "WrongKind",
    "canonical_json",
    "changes_since",
    "create_key_files",
    "decide",
    "feed_path",
    "generate_signing_key",
    "grant_path",
    "key_id_of",
    "load_public_keys",
    "load_signing_key",
    "master_path",
    "parent_path",
    "save_public_keys",
    "save_signing_key",
    "seal",
    "shard_of",
    "unseal",
]
