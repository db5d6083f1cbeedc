"""What a refusal looks like to a Go client: one table from error to gRPC code, and moc.Error in the details."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2

from backend.core import errors
from backend.server.status import DETAILS_KEY, RETRY_KEY, InternalFault, NotServed, code_of, text_of, trailers_of
from backend.store.errors import StoreDamaged
from backend.store.sqlite import _explain
from backend.wire.moc import common_pb2

STORE = Path("/var/lib/mocdeck/store.db")


def detail(refusal: errors.AgentError) -> tuple[Any, common_pb2.Error]:
    trailer = dict(trailers_of(refusal))[DETAILS_KEY]
    assert isinstance(trailer, bytes)
    status = status_pb2.Status.FromString(trailer)
    error = common_pb2.Error()
    assert status.details[0].Unpack(error)
    return status, error


@pytest.mark.parametrize(
    ("refusal", "grpc_code", "moc_code"),
    [
        (errors.NotFound("Identity kms-1: Not Found"), grpc.StatusCode.NOT_FOUND, 1),
        (errors.AlreadyExists("taken"), grpc.StatusCode.ALREADY_EXISTS, 7),
        (errors.TokenRejected(), grpc.StatusCode.UNAUTHENTICATED, 33),
        (errors.InvalidInput("wrong"), grpc.StatusCode.UNKNOWN, 4),
        (errors.NotSupported("no"), grpc.StatusCode.UNKNOWN, 6),
        (errors.OldVersion("stale"), grpc.StatusCode.UNKNOWN, 14),
        (errors.InconsistentState("not now"), grpc.StatusCode.UNKNOWN, 24),
        (errors.PlanChanged("look again"), grpc.StatusCode.UNKNOWN, 24),
        (errors.CertificateExpired("Certificate has expired: Expired"), grpc.StatusCode.UNKNOWN, 29),
        (errors.Revoked("gone"), grpc.StatusCode.UNKNOWN, 30),
        (errors.AccessDenied("Access is denied"), grpc.StatusCode.UNKNOWN, 40),
        (errors.ConfirmationRefused("other name"), grpc.StatusCode.UNKNOWN, 50),
        (errors.Fenced(timedelta(seconds=5)), grpc.StatusCode.UNKNOWN, 51),
        (errors.StoreUnavailable("disk full"), grpc.StatusCode.UNKNOWN, 51),
        (errors.LimitReached("too many", timedelta(seconds=5)), grpc.StatusCode.UNKNOWN, 51),
        (InternalFault(), grpc.StatusCode.UNKNOWN, 11),
        (NotServed("/moc.cloudagent.compute.VirtualMachineAgent/Invoke"), grpc.StatusCode.UNIMPLEMENTED, 20),
    ],
)
def test_each_refusal_has_its_grpc_code_and_its_moc_code(
    refusal: errors.AgentError, grpc_code: grpc.StatusCode, moc_code: int
) -> None:
    status, error = detail(refusal)
    assert code_of(refusal) is grpc_code
    assert status.code == grpc_code.value[0]
    assert error.Code == moc_code
    assert error.Message == str(refusal)
    assert status.message == text_of(refusal)
    assert error.Parameters == refusal.reason
    assert error.Code  # code 0 with an empty message would read as success (6.3)


def test_a_fence_and_a_limit_tell_when_to_come_back_and_nothing_else_does() -> None:
    assert dict(trailers_of(errors.LimitReached("too many", timedelta(seconds=9))))[RETRY_KEY] == "9"
    assert dict(trailers_of(errors.Fenced(timedelta(seconds=7))))[RETRY_KEY] == "7"
    assert RETRY_KEY not in dict(trailers_of(errors.NotFound("gone")))


def test_only_an_expired_certificate_says_expired() -> None:
    """6.4: any text with the word makes Go clients sign in again, so it stands where that cures."""
    others: list[errors.AgentError] = [
        errors.TokenRejected(), errors.Fenced(timedelta(seconds=5)), InternalFault(),
    ]  # fmt: skip
    assert all("expired" not in str(other).lower() for other in others)


@pytest.mark.parametrize("name", ["expired", "Expired-1", "unexpired", "EXPIRED" * 9])
def test_a_name_with_the_word_expired_sends_no_client_to_sign_in_again(name: str) -> None:
    """A name is anybody's choice; with it in every refusal, Go clients would sign in and come back without end."""
    for refusal in (
        errors.AccessDenied(f"{name} may not"),
        errors.Revoked(f"{name!r}"),
        errors.NotFound(f"{name}: no"),
    ):
        status, error = detail(refusal)
        assert "expired" not in f"{status.message} {error.Message} {text_of(refusal)}".lower()
    told = text_of(errors.NotFound("identity 'expired-1': Not Found"))
    assert told == "identity 'expi\u00b7red-1': Not Found"
    cured = errors.CertificateExpired("Certificate has expired: Expired")
    assert "Certificate has expired" in text_of(cured)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            _explain(sqlite3.OperationalError("disk I/O error"), STORE),
            "the store failed: disk I/O error; nothing was changed",
        ),
        (
            StoreDamaged(STORE, "file is not a database"),
            "the store cannot be read: file is not a database; it was left as it is, restore it from a copy",
        ),
        (errors.StoreUnavailable("the agent is stopping"), "the agent is stopping"),
    ],
)
def test_where_the_store_lies_is_for_the_log_and_not_for_callers(failure: errors.AgentError, told: str) -> None:
    """Whoever dials the login port without any credential would learn the agent's paths."""
    status, error = detail(failure)
    assert error.Message == told
    assert text_of(failure) == status.message
    assert "/var" not in status.message
    assert ("/var/lib/mocdeck/store.db" in str(failure)) is ("store" in told)


def test_an_internal_fault_tells_the_caller_nothing_of_the_cause() -> None:
    assert "log" in str(InternalFault())


@pytest.mark.parametrize("sentence", ["client-0001 is new; " * 5_000, "\u0448" * 5_000])
def test_a_refusal_that_names_a_whole_fleet_still_fits_the_headers_of_an_answer(sentence: str) -> None:
    """gRPC drops an answer whose headers pass 8 kB, and the caller would learn nothing of the refusal."""
    refusal = errors.PlanChanged(sentence)
    header_bytes = 3 * len(text_of(refusal).encode())  # percent-encoded, at worst
    header_bytes += sum(len(value) * 4 // 3 for _, value in trailers_of(refusal))
    assert header_bytes < 8 * 1024
    assert text_of(refusal).endswith("Inconsistent State")
    _, error = detail(refusal)
    assert error.Parameters == "plan_changed"
