"""Alerts from the command line, against a real agent that tells a real HTTP server; and where its metrics are."""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from click.testing import Result

    from tests.cli.conftest import Running

Mocdeck = Callable[..., "Result"]


class Sink:
    """A server on loopback that takes notices, or refuses them."""

    def __init__(self) -> None:
        self.status = 200
        self.notices: list[dict[str, Any]] = []
        self.arrived = threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if sink.status == 200:
                    sink.notices += body["notices"]
                    sink.arrived.set()
                self.send_response(sink.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture(scope="module")
def agent(born: Path, sink: Sink, tmp_path_factory: pytest.TempPathFactory, start: Any) -> Iterator[Running]:
    """An agent with history that tells the sink, and serves metrics."""
    directory = tmp_path_factory.mktemp("telling") / "agent"
    shutil.copytree(born, directory)
    config = directory / "alerts.yaml"
    config.write_text(f"sinks:\n  - name: oncall\n    url: http://127.0.0.1:{sink.server.server_port}/secret-path\n")
    config.chmod(0o600)
    running, end = start(directory, "--metrics-port", "0")
    yield running
    assert end(running) == 0


def listed(operator: Mocdeck) -> Any:
    return json.loads(operator("alerts", "list", "-o", "json").stdout)


def test_what_is_bad_at_the_start_is_told_once_and_listed_worst_first(operator: Mocdeck, sink: Sink) -> None:
    assert sink.arrived.wait(30)
    names = {notice["name"] for notice in sink.notices}
    assert {"locked-kms", "new-kva"} <= names
    assert len(names) == len(sink.notices)
    found = listed(operator)
    assert found["schema"] == "mocdeck.alerts/1"
    order = ["expired", "critical", "unknown", "warning"]
    ranks = [order.index(alert["severity"]) for alert in found["alerts"]]
    assert ranks == sorted(ranks)
    assert "secret-path" not in json.dumps(found)
    text = operator("alerts", "list").stdout
    assert "locked-kms" in text
    assert "oncall" in text


def test_an_acknowledged_alert_shows_until_when_and_by_whom(operator: Mocdeck) -> None:
    result = operator("alerts", "ack", "locked-kms", "--for", "2d", "--reason", "spare part", "--yes")
    assert result.exit_code == 0, result.stderr
    assert "unless it gets worse than expired" in result.stdout
    (silence,) = listed(operator)["silences"]
    assert (silence["name"], silence["acknowledgement"], silence["actor"]) == ("locked-kms", True, "admin")
    assert "spare part" in operator("alerts", "list").stdout
    event = json.loads(operator("audit", "-o", "json", "--limit", "1").stdout)["events"][0]
    assert (event["action"], event["origin"], event["subject"]) == ("acknowledge_alert", "cli", "locked-kms")
    assert operator("alerts", "silence", "locked-kms", "--end", "--yes").exit_code == 0


def test_a_cluster_is_silenced_and_the_silence_ended(operator: Mocdeck) -> None:
    assert operator("alerts", "silence", "wl-1", "--cluster", "--for", "8h", "--confirm", "wl-1").exit_code == 0
    assert [one["subject"] for one in listed(operator)["silences"]] == ["cluster:wl-1"]
    assert "no longer" in operator("alerts", "silence", "wl-1", "--cluster", "--end", "-y").stdout
    assert listed(operator)["silences"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ack", "nobody", "--for", "2d"), 66),
        (("ack", "locked-kms", "--for", "2y"), 64),
        (("ack", "locked-kms", "--for", "400d", "-y"), 64),
        (("ack", "locked-kms"), 64),
        (("silence", "wl-1", "--cluster"), 64),
        (("silence", "wl-1", "--cluster", "--for", "1d", "--end"), 64),
        (("silence", "nobody", "--for", "1d", "-y"), 66),
        (("silence", "wl-1", "--cluster", "--for", "1d"), 6),
        (("silence", "wl-1", "--cluster", "--for", "1d", "--confirm", "wl-2"), 6),
        (("test", "nobody"), 66),
    ],
)
def test_a_wrong_request_ends_with_its_code_and_a_sentence(
    operator: Mocdeck, words: tuple[str, ...], code: int
) -> None:
    result = operator("alerts", *words)
    assert result.exit_code == code, result.stderr
    assert "mocdeck: " in result.stderr


def test_without_confirmation_nothing_is_acknowledged(operator: Mocdeck) -> None:
    assert operator("alerts", "ack", "due-csi", "--for", "2d").exit_code in (6, 66)
    dry = operator("alerts", "ack", "locked-kms", "--for", "2d", "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, "")
    assert "EXPIRED locked-kms" in dry.stderr
    assert operator("alerts", "ack", "locked-kms", "--for", "2d").exit_code == 6
    assert listed(operator)["silences"] == []


def test_a_test_notice_tells_whether_it_was_taken(operator: Mocdeck, sink: Sink) -> None:
    taken = operator("alerts", "test")
    assert (taken.exit_code, taken.stdout) == (0, "oncall: taken\n"), taken.stderr
    assert sink.notices[-1]["event"] == "test"
    sink.status = 500
    refused = operator("alerts", "test", "oncall")
    assert refused.exit_code == 7
    assert "status 500" in refused.stdout
    assert "Sink oncall takes no notices" in operator("alerts", "list").stderr
    sink.status = 200
    assert operator("alerts", "test").exit_code == 0, "a test does not wait for the next try"


def test_the_agent_tells_where_its_metrics_are(agent: Running) -> None:
    assert agent.process.stdout is not None
    found = re.fullmatch(r"metrics on (http://127\.0\.0\.1:\d+/metrics)\n", agent.process.stdout.readline())
    assert found
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(found[1], timeout=30) as answer:
        families = {family.name: family for family in text_string_to_metric_families(answer.read().decode())}
    ranks = {s.labels["identity"]: s.value for s in families["mocdeck_identity_severity_rank"].samples}
    assert ranks["locked-kms"] == 0
    assert [s.labels["sink"] for s in families["mocdeck_sink_failing"].samples] == ["oncall"]
