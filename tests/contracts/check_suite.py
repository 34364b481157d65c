"""What every automatic check must do. Subclass :class:`CheckSuite` and fill ``check``."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from imagepipe.quality.protocol import Check, Finding, Outcome

MODES = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F")


def photograph() -> Image.Image:
    from skimage import data

    return Image.fromarray(data.astronaut())


class CheckSuite:
    @pytest.fixture
    def check(self) -> Check:
        raise NotImplementedError

    def test_satisfies_the_protocol(self, check: Check) -> None:
        assert isinstance(check, Check)
        assert check.slug

    def test_an_ordinary_photograph_passes_with_a_score(self, check: Check) -> None:
        finding = check.check(photograph())
        assert finding.outcome is Outcome.PASSED, finding
        assert finding.check == check.slug
        assert finding.code
        assert finding.message.endswith(".")

    def test_finding_is_plain_json(self, check: Check) -> None:
        finding = check.check(photograph())
        assert json.loads(json.dumps(finding.to_dict(), allow_nan=False)) == finding.to_dict()

    def test_repeats_itself_also_from_threads(self, check: Check) -> None:
        picture = photograph()
        expected = check.check(picture)
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(check.check, [picture] * 4)) == [expected] * 4

    def test_leaves_the_picture_alone(self, check: Check) -> None:
        picture = photograph()
        before = picture.tobytes()
        check.check(picture)
        assert (picture.size, picture.mode, picture.tobytes()) == ((512, 512), "RGB", before)

    @pytest.mark.parametrize("mode", MODES)
    def test_any_mode_is_answered(self, check: Check, mode: str) -> None:
        source = photograph().resize((64, 64))
        if mode in {"I;16", "F"}:
            array = np.asarray(source.convert("L")).astype("uint16" if mode == "I;16" else "f4")
            picture = Image.fromarray(array)
        elif mode == "LA":
            picture = source.convert("L").convert("LA")
        else:
            picture = source.convert(mode)
        assert isinstance(check.check(picture), Finding)

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (5000, 3)])
    def test_any_size_is_answered(self, check: Check, size: tuple[int, int]) -> None:
        assert isinstance(check.check(Image.new("RGB", size, (90, 120, 40))), Finding)
