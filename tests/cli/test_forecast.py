"""`mocdeck forecast` against a real agent: what each question answers, and with which code it ends."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Mocdeck = Callable[..., Result]
QUESTIONS = (
    ("stranded",),
    ("away", "--for", "4d"),
    ("safe-off",),
    ("reboot",),
    ("upgrade", "--duration", "6h"),
    ("skew", "--by", "-10m"),
    ("ca",),
)


def document(result: Result) -> Any:
    found = json.loads(result.stdout)
    assert found["exit_code"] == result.exit_code
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q[0])
def test_every_question_answers_in_every_form_with_the_same_code(operator: Mocdeck, question: tuple[str, ...]) -> None:
    found = document(operator("forecast", *question, "-o", "json"))
    assert found["schema"] == f"mocdeck.forecast.{question[0]}/1"
    assert found["deployment"] == "bonn"
    table = operator("forecast", *question)
    assert table.exit_code == found["exit_code"]
    assert "\x1b" not in table.stdout
    rows = list(csv.DictReader(io.StringIO(operator("forecast", *question, "-o", "csv").stdout)))
    assert len(rows) == len(found["items"])
    assert all(row["deployment"] == "bonn" for row in rows)
    assert "bonn, agent" in operator("forecast", *question, "-o", "markdown").stdout


def test_who_cannot_recover_stands_first_and_apart_from_its_expiry(operator: Mocdeck) -> None:
    result = operator("forecast", "stranded", "-o", "json")
    assert result.exit_code == 2
    first, *rest = document(result)["items"]
    assert (first["client"], first["outlook"]) == ("locked-kms", "stranded")
    dated = {one["client"]: one for one in rest}
    csi = dated["due-csi"]
    assert csi["outlook"] == "dated"
    assert csi["cannot_recover_from"] >= csi["effective_not_after"]
    assert "does not" in csi["why"] or "Nobody knows" in csi["why"]
    assert operator("forecast", "stranded", "--cluster", "nowhere").exit_code == 66


def test_a_threshold_shows_only_whom_it_concerns(operator: Mocdeck) -> None:
    near = document(operator("forecast", "stranded", "--within", "1d", "-o", "json"))
    assert [one["client"] for one in near["items"]] == ["locked-kms"]
    far = document(operator("forecast", "stranded", "--within", "25d", "-o", "json"))
    assert {one["client"] for one in far["items"]} == {"locked-kms", "due-csi"}


def test_an_absence_names_what_to_run_now(operator: Mocdeck) -> None:
    result = operator("forecast", "away", "--for", "4d", "-o", "json")
    assert result.exit_code == 2, "somebody is out already"
    found = document(result)
    matters = {one["name"]: one["matter"] for one in found["items"]}
    assert matters["locked-kms"] == "is out already"
    assert matters["due-csi"] in {"renewal falls due", "token falls due"}
    assert found["run"] == ["mocdeck repair due-csi locked-kms"], "neither sends heartbeats, so neither takes an order"
    assert "Run now, so that the list is empty:" in operator("forecast", "away", "--for", "4d").stdout


def test_an_absence_needs_one_end_that_lies_ahead(operator: Mocdeck) -> None:
    for words in ((), ("--for", "1d", "--until", "2199-01-01"), ("--until", "2001-01-01"), ("--for", "0d")):
        assert operator("forecast", "away", *words).exit_code == 64, words
    assert operator("forecast", "away", "--for", "soon").exit_code == 64


def test_safe_off_names_each_cluster_and_the_fleet_and_what_it_does_not_observe(operator: Mocdeck) -> None:
    result = operator("forecast", "safe-off", "-o", "json")
    assert result.exit_code == 2
    rows = {one["cluster"]: one for one in document(result)["items"]}
    assert set(rows) == {"wl-1", "(fleet)"}
    assert rows["wl-1"]["verdict"] == "not safe"
    assert rows["wl-1"]["safe_off_until"] is None
    assert any("KMS token expired" in reason for reason in rows["wl-1"]["reasons"])
    assert any("not observed by this agent" in note for note in rows["wl-1"]["notes"])
    assert rows["wl-1"]["limiting"] == "token of locked-kms"
    assert rows["wl-1"]["run"] == ["mocdeck repair locked-kms"], "which brings a token with it"
    assert "not observed by this agent" in operator("forecast", "safe-off").stdout


def test_a_reboot_is_not_safe_while_a_kms_token_is_dead(operator: Mocdeck) -> None:
    result = operator("forecast", "reboot")
    assert result.exit_code == 2
    assert re.search(r"wl-1 +NO +locked-kms: KMS token expired", result.stdout)


def test_an_upgrade_is_judged_by_its_duration(operator: Mocdeck) -> None:
    found = document(operator("forecast", "upgrade", "--duration", "6h", "-o", "json"))
    checks = {one["test"]: one for one in found["items"]}
    assert checks["signed in"]["clients"] == ["locked-kms", "new-kva"]
    assert checks["certificates"]["result"] == "ok"
    longer = document(operator("forecast", "upgrade", "--duration", "30d", "--margin", "1d", "-o", "json"))
    certificates = next(one for one in longer["items"] if one["test"] == "certificates")
    assert certificates["clients"] == ["due-csi"]
    assert operator("forecast", "upgrade").exit_code == 64


def test_a_clock_what_if_takes_a_sign(operator: Mocdeck) -> None:
    assert operator("forecast", "skew", "--by", "+20s").exit_code == 0
    behind = operator("forecast", "skew", "--by", "-10m", "--client", "fresh-caph")
    assert behind.exit_code == 2
    assert "first 300 s" in behind.stdout
    ahead = document(operator("forecast", "skew", "--by", "+90d", "--client", "fresh-caph", "-o", "json"))
    assert any("takes its certificate for ended" in text for text in ahead["items"][0]["breaks"])
    for wrong in ("10", "+-3d", "+9999d"):
        assert operator("forecast", "skew", "--by", wrong).exit_code == 64


def test_the_ca_says_from_when_it_cuts_certificates_short(operator: Mocdeck) -> None:
    found = document(operator("forecast", "ca", "-o", "json"))
    assert found["ca"]["generation"] == 1
    assert found["ca"]["longest_leaf_seconds"] == 90 * 86_400
    assert found["ca"]["shortened_from"] < found["ca"]["not_after"]
    assert "cut short from" in operator("forecast", "ca").stdout


def test_status_carries_the_forecasts_beside_what_it_said_before(operator: Mocdeck) -> None:
    found = json.loads(operator("status", "-o", "json", "--client", "due-csi").stdout)
    assert found["schema"] == "mocdeck.status/1"
    (client,) = found["clients"]
    assert client["stranding"]["outlook"] == "dated"
    assert client["missed_slot"] is False
    (cluster,) = found["clusters"]
    assert cluster["safe_off"]["verdict"] == "not safe", "of all its clients, whatever was selected"
    assert cluster["reboot"]["safe"] is False
    assert found["forecast"]["ca"]["generation"] == 1


def test_what_moved_since_an_earlier_status_is_told_client_by_client(operator: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    status = json.loads(operator("status", "-o", "json").stdout)
    path.write_text(json.dumps(status))
    same = operator("forecast", "compare", path, "-o", "json")
    assert same.exit_code == 0
    assert {one["moved"] for one in document(same)["items"]} == {"nothing"}

    for one in status["clients"]:
        if one["name"] == "due-csi":
            one["certificate"]["not_after"] = "2020-01-01T00:00:00Z"
        if one["name"] == "fresh-caph":
            one["token"]["expires_at"] = "2199-01-01T00:00:00Z"
        if one["name"] == "new-kva":
            one["name"] = "gone-kva"
    path.write_text(json.dumps(status))
    result = operator("forecast", "compare", path, "-o", "json")
    assert result.exit_code == 1
    moved = {one["client"]: one["moved"] for one in document(result)["items"]}
    assert (moved["due-csi"], moved["fresh-caph"]) == ("certificate", "earlier")
    assert (moved["gone-kva"], moved["new-kva"], moved["admin"]) == ("gone", "new", "nothing")
    assert operator("forecast", "compare", path).exit_code == 1


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", '{"schema": "mocdeck.status/1"}', "[" * 100_000, '{"schema": "mocdeck.status/2"}'],
    ids=["empty", "list", "cut", "null", "bare", "deep", "newer"],
)
def test_a_document_that_is_none_is_bad_usage(operator: Mocdeck, tmp_path: Path, text: str) -> None:
    path = tmp_path / "before.json"
    path.write_text(text)
    result = operator("forecast", "compare", path)
    assert result.exit_code == 64
    assert "mocdeck status -o json" in result.stderr


def test_a_document_of_another_deployment_or_of_a_part_of_the_fleet_is_refused(
    operator: Mocdeck, tmp_path: Path
) -> None:
    path = tmp_path / "before.json"
    status = json.loads(operator("status", "-o", "json").stdout)
    path.write_text(json.dumps({**status, "deployment_id": "other"}))
    assert "another deployment" in operator("forecast", "compare", path).stderr
    path.write_text(operator("status", "-o", "json", "--client", "admin").stdout)
    assert operator("forecast", "compare", path).exit_code == 64
    assert operator("forecast", "compare", tmp_path / "none.json").exit_code == 66
