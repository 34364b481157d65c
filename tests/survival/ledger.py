"""What must still be there later: masters, versions, audit events."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.audit import trail
from imagepipe.audit.models import AuditEvent
from tests.delivery.library import Library

FROZEN = ("asset_id", "number", "origin", "sha256", "mime", "width", "height", "recipe")


@dataclass
class Ledger:
    """Writes down what there is; ``check`` fails when any of it is gone or has changed."""

    library: Library
    masters: dict[Path, tuple[int, int]] = field(default_factory=dict)
    versions: dict[int, tuple[object, ...]] = field(default_factory=dict)
    events: dict[int, str] = field(default_factory=dict)

    def write_down(self) -> Ledger:
        for version in AssetVersion.objects.all():
            self.versions[version.pk] = tuple(getattr(version, name) for name in FROZEN)
            path = self.library.private / version.master_name
            facts = path.stat()
            self.masters.setdefault(path, (facts.st_ino, facts.st_mtime_ns))
        self.events |= dict(AuditEvent.objects.values_list("pk", "hash"))
        return self

    def check(self) -> None:
        found = {
            version.pk: tuple(getattr(version, name) for name in FROZEN)
            for version in AssetVersion.objects.filter(pk__in=self.versions)
        }
        assert found == self.versions
        for path, facts in self.masters.items():
            stat = path.stat()
            assert (stat.st_ino, stat.st_mtime_ns) == facts, "a master was written again"
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        events = AuditEvent.objects.filter(pk__in=self.events)
        assert dict(events.values_list("pk", "hash")) == self.events
        for asset in Asset.objects.all():
            assert trail.verify_chain(asset.uid.hex) is None
