"""The committed files for operators fit the code."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from edge import sidecars
from edge.config import EdgeConfig, variable
from edge.metrics import Metrics
from imagepipe.urlspec import FORMATS

DEPLOY = Path(__file__).parents[2] / "edge" / "deploy"
METRIC = re.compile(r"imagepipe_edge_[a-z_]+")


def known_series() -> set[str]:
    names: set[str] = set()
    for family in Metrics().registry.collect():
        names |= {family.name, f"{family.name}_total"}
        names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
    return names


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-rules.yml"])
def test_every_metric_exists(name: str) -> None:
    used = set(METRIC.findall((DEPLOY / name).read_text("utf-8")))

    assert len(used) > 4
    assert used <= known_series()


def test_the_dashboard_shows_every_metric_once() -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    text = json.dumps(dashboard)
    for family in Metrics().registry.collect():
        assert family.name in text, family.name


@pytest.mark.parametrize("name", ["imagepipe-edge.service", "Containerfile", "nginx.conf"])
def test_every_variable_exists(name: str) -> None:
    used = set(re.findall(r"IMAGEPIPE_EDGE_[A-Z_]+", (DEPLOY / name).read_text("utf-8")))

    assert used
    assert used <= {variable(item.name) for item in fields(EdgeConfig)}


def test_nginx_promises_the_lifetimes_of_the_defaults() -> None:
    defaults = {item.name: item.default for item in fields(EdgeConfig)}
    text = (DEPLOY / "nginx.conf").read_text("utf-8")

    ages = defaults["max_age"], defaults["shared_max_age"]
    assert '"public, max-age={}, s-maxage={}"'.format(*ages) in text
    code = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert not any("open_file_cache" in line for line in code)


def test_nginx_knows_every_address_with_a_format() -> None:
    """Its pattern is that of the grammar, part by part."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    source = (DEPLOY.parents[1] / "imagepipe/urlspec/path.py").read_text("utf-8")
    for name in ("transform", "asset", "version", "slug"):
        found = re.search(rf"\(\?P<{name}>(.+?)\)", source)
        assert found is not None
        assert found[1] in text, name
    pictures = re.findall(r"\(\?:([a-z|]+)\)(\)\$|\\\.c2pa/)", text)
    assert [end for _, end in pictures] == [")$", "\\.c2pa/"]  # pictures, then sidecars
    for formats, _ in pictures:
        assert set(formats.split("|")) == set(FORMATS)
    pair = re.search(r"\(\?P<pair>(.+?)\)", inspect.getsource(sidecars))
    assert pair is not None
    assert f"/{pair[1]}$" in text
    for name, known in FORMATS.items():
        assert re.search(rf"{known.mime} +{name};", text), name
