"""The words of a refusal, which are all that many Go clients can tell refusals apart by (moc/protocol.md 6.2, 6.4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.core import errors
from backend.server.status import NotServed, text_of


@pytest.mark.parametrize(
    ("refusal", "word"),
    [
        (errors.NotFound("identity 'kms-1' is gone"), "Not Found"),
        (errors.AlreadyExists("the name is taken"), "Already Exists"),
        (errors.InvalidInput("the name is empty"), "Invalid Input"),
        (errors.NotSupported("the agent signs no CA certificates"), "Not Supported"),
        (errors.OldVersion("somebody else changed it"), "OldVersion"),
        (errors.InconsistentState("location 'a' still holds a node"), "Inconsistent State"),
        (errors.AccessDenied("no role allows this"), "Access is denied"),
        (errors.Revoked("the identity has ended"), "Revoked"),
        (errors.CertificateExpired("past its end"), "Expired"),
        (errors.CertificateUntrusted("not one of ours"), "NoAuthenticationInformation"),
        (errors.Fenced(timedelta(seconds=5)), "ProviderNotReady"),
        (NotServed("/moc.cloudagent.admin.DebugAgent/Invoke"), "Not Implemented"),
    ],
)
def test_the_status_text_ends_with_mocs_base_text(refusal: errors.AgentError, word: str) -> None:
    assert text_of(refusal) == f"{refusal}: {word}"


def test_a_sentence_that_says_the_base_text_already_is_not_made_longer() -> None:
    assert text_of(errors.NotFound("identity 'kms-1': Not Found; create it first")).count("Not Found") == 1
    assert text_of(errors.Revoked("identity 'kms-1' was revoked today")) == "identity 'kms-1' was revoked today"


def test_a_rejected_token_keeps_the_words_that_operators_search_for() -> None:
    assert text_of(errors.TokenRejected()) == "Valid Token Required."


def test_a_call_that_is_not_served_does_not_read_as_a_thing_that_is_not_there() -> None:
    assert "not found" not in text_of(NotServed("/moc.cloudagent.compute.VirtualMachineAgent/Invoke")).lower()


def test_the_path_of_a_call_that_is_not_served_is_made_harmless() -> None:
    text = text_of(NotServed("/\x1b[2J" + "x" * 5000))
    assert "\x1b" not in text
    assert len(text) < 300
