"""The canary's messages: what a client understands of a task, and what an agent takes of a report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.canary import ORDER, SERVER_NAMES, CanaryKind, CanaryReport, CanaryResult, CanaryTask
from backend.core.errors import InvalidInput
from backend.wire.convert.canary import report_message, report_of, task_message, task_of
from backend.wire.mocdeck.v1 import client_pb2

TASK = CanaryTask(rotation_id="r-1", port=55001, nonce="0f" * 32)


def sent(task: CanaryTask = TASK) -> client_pb2.CanaryTask:
    message = task_message(task)
    assert message is not None
    return message


@pytest.mark.parametrize("root", ["", "-----BEGIN CERTIFICATE-----"])
def test_a_task_comes_back_and_names_the_doors_with_the_one_that_proves_last(root: str) -> None:
    task = CanaryTask(rotation_id="r-1", port=1, nonce="a", rehearsal_root_pem=root)
    assert task_of(sent(task)) == task
    assert [door.server_name for door in sent().doors] == [SERVER_NAMES[kind] for kind in ORDER]
    assert ORDER[-1] is CanaryKind.TRUST
    assert task_message(None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"port": 0},
        {"port": 65536},
        {"nonce": ""},
        {"nonce": "a" * 65},
        {"nonce": "a b"},
        {"nonce": "a\r\nGET /"},
        {"nonce": "ä"},
    ],
)
def test_a_task_that_is_none_is_left_alone(changes: dict[str, object]) -> None:
    message = sent()
    for name, value in changes.items():
        setattr(message, name, value)
    assert task_of(message) is None


def test_a_task_with_doors_of_another_program_is_left_alone() -> None:
    """A client goes where its own program knows the way, not wherever it is told."""
    missing, strange = sent(), sent()
    del missing.doors[0]
    strange.doors[0].server_name = "agent.example"
    assert task_of(missing) is None
    assert task_of(strange) is None


def test_a_report_comes_back_with_its_words_made_inert() -> None:
    said = CanaryReport(
        rotation_id="r-1",
        results=(
            CanaryResult(kind=CanaryKind.NEGATIVE, opened=False, failure="no issuer"),
            CanaryResult(kind=CanaryKind.TRUST, opened=True),
        ),
    )
    message = report_message(said)
    assert message is not None
    assert report_of(message) == said
    message.results[0].failure = "\x1b[31mred\n" + "x" * 5000
    words = report_of(message).results[0].failure
    assert "\x1b" not in words
    assert "\n" not in words
    assert len(words) <= 210
    assert report_message(None) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.text(max_size=20)), max_size=20), st.text(max_size=3000))
def test_any_report_is_taken_or_refused(results: list[tuple[int, bool, str]], rotation_id: str) -> None:
    message = client_pb2.CanaryReport(rotation_id=rotation_id.encode("utf-8", "replace").decode())
    for kind, opened, failure in results:
        text = failure.encode("utf-8", "replace").decode()
        message.results.add(kind=kind, opened=opened, failure=text)
    try:
        taken = report_of(message)
    except InvalidInput:
        return
    assert len(taken.results) <= len(CanaryKind)


def test_whoever_opened_a_door_that_nobody_should_is_not_careful_and_neither_is_silence() -> None:
    def report(**opened: bool) -> CanaryReport:
        results = tuple(CanaryResult(kind=CanaryKind(kind), opened=was) for kind, was in opened.items())
        return CanaryReport(rotation_id="r", results=results)

    assert report(negative=False, name=False).is_careful
    assert report(negative=False, name=False, trust=True).is_careful
    for careless in (
        report(negative=True, name=False), report(negative=False, name=True), report(negative=False),
        report(trust=True), report(),
    ):  # fmt: skip
        assert not careless.is_careful
