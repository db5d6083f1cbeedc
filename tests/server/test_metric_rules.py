"""The shipped rules and the dashboard: they are well-formed, and name only metrics and labels that the agent has."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.server import counters, metrics, outlook

ROOT = Path(__file__).parents[2]
RULES = ROOT / "contrib/prometheus/mocdeck.rules.yml"
DASHBOARD = ROOT / "contrib/grafana/mocdeck.json"
_NAME = re.compile(r"\bmocdeck_[a-z0-9_]+\b")
_DECLARED = re.compile(r'"(mocdeck_[a-z0-9_]+)"')
_SELECTOR = re.compile(r"(mocdeck_[a-z0-9_]+)\{([^}]*)\}")


def served() -> set[str]:
    """Every sample name that a scrape may hold."""
    gauges = set(_DECLARED.findall(inspect.getsource(metrics) + inspect.getsource(outlook)))
    counted = set(_DECLARED.findall(inspect.getsource(counters)))
    histograms = {name for name in counted if name.startswith("mocdeck_core_")}
    totals = {f"{name}_total" for name in (counted - histograms) | {"mocdeck_sink_deliveries", "mocdeck_sink_failures"}}
    return gauges | totals | {f"{name}{end}" for name in histograms for end in ("_bucket", "_sum", "_count")}


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return made


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    board = dashboard()
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
    yield from (note["expr"] for note in board["annotations"]["list"])
    yield from (
        one["query"]["query"].replace("label_values", "")
        for one in board["templating"]["list"]
        if one["type"] == "query"
    )


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_names_only_metrics_that_are_served(expression: str) -> None:
    named = set(_NAME.findall(expression))
    assert named
    assert named <= served(), named - served()
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")


def test_every_alert_has_a_severity_and_a_sentence() -> None:
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]
            assert rule["annotations"]["summary"].endswith("."), rule["alert"]
            assert rule["alert"].startswith("Mocdeck")
    names = [rule.get("alert") or rule["record"] for rule in rules()]
    assert len(names) == len(set(names))


def test_a_selector_asks_for_words_that_exist() -> None:
    """A misspelt label value is a rule that never fires."""
    from backend.core.facts import Severity
    from backend.core.model import AuthorityStatus
    from backend.core.safe_off import Verdict
    from backend.core.upgrade import Result

    known = {
        "severity": {severity.name.lower() for severity in Severity},
        "status": {status.value for status in AuthorityStatus},
        "held": {"yes", "no"},
        "result": {"done", "failed", "stopped", *(result.value for result in Result)},
        "verdict": {verdict.value for verdict in Verdict},
        "answer": set(outlook._ANSWERS),
    }
    for expression in expressions():
        for _, inside in _SELECTOR.findall(expression):
            for label, word in re.findall(r'(\w+)="([^"]*)"', inside):
                assert word in known[label], expression


def test_the_dashboards_panels_have_ids_places_and_a_data_source_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_accepts_the_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
