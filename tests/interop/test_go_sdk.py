"""Microsoft's open Go client library, unchanged, lives whole client lives against this agent.

Pinned in go/go.mod: the releases that cluster-api-provider-azurestackhci pins, moc-sdk-for-go v0.24.2 and moc v0.25.0.
Not part of `make test`; `make interop` runs it, and skips with the reason where it cannot run.
"""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend.client.access_file import read_access_file

if TYPE_CHECKING:  # pytest loads conftest.py by itself; the names are for mypy and the reader
    from conftest import Site, Step, Tell

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]  # the first one fetches and builds the library

DUE = timedelta(days=70)  # of 90: under the 30 % that are left when clients renew
PAST = timedelta(days=100)
NINETY_DAYS = 90 * 24 * 3600


def seen(steps: dict[str, Step], name: str) -> dict[str, Any]:
    """What a step that went well saw."""
    step = steps[name]
    assert step["ok"], f"{name}: {step['error']}"
    facts: dict[str, Any] = step.get("seen") or {}
    return facts


def refusals(steps: dict[str, Step]) -> dict[str, set[str]]:
    """The steps that were refused, each with the questions of the library that say yes to its error."""
    return {name: set(step.get("is", ())) for name, step in steps.items() if not step["ok"]}


async def test_it_signs_in_writes_its_access_file_and_is_accepted(site: Site, tell: Tell) -> None:
    steps = await tell("sign-in")
    assert refusals(steps) == {}
    assert seen(steps, "login") == {"identity": "admin", "type": "CA-Signed"}
    assert seen(steps, "authorizer")["name"] == "admin"
    assert seen(steps, "call")["version"]
    assert stat.S_IMODE(site.access_file.stat().st_mode) == 0o600


async def test_it_signs_in_by_host_name_as_well_as_by_address(tell: Tell) -> None:
    assert refusals(await tell("sign-in", "localhost")) == {}


async def test_our_client_reads_the_access_file_that_it_wrote(site: Site, tell: Tell) -> None:
    steps = await tell("sign-in")
    assert refusals(steps) == {}
    assert read_access_file(site.access_file).identity_name == "admin"


async def test_it_manages_identities(tell: Tell) -> None:
    await tell("sign-in")
    steps = await tell("identities")
    made = seen(steps, "create")
    assert made | {"version": ""} == {
        "name": "caph-go", "has_id": True, "has_token": True, "version": "", "days": 30, "seconds": 30 * 24 * 3600,
        "revoked": False, "location": "MocLocation", "client_type": "ControlPlane", "fqdn": "localhost", "port": 55000,
        "auth_port": 65000, "auth_type": "CA-Signed", "auto_rotate": False, "login_file": "", "owner": "caph",
    }  # fmt: skip
    assert seen(steps, "get") == made | {"has_token": False}
    assert seen(steps, "list") == {"names": ["admin", "caph-go"]}
    assert seen(steps, "update what was read")["location"] == "Elsewhere"
    assert seen(steps, "precheck") == {"answer": True}
    assert seen(steps, "rotate")["has_token"]
    assert seen(steps, "revoke")["revoked"]
    assert seen(steps, "get revoked")["revoked"]
    assert seen(steps, "create with automatic rotation")["auto_rotate"]
    gone = {"NotFound", "GRPCNotFound"}
    assert refusals(steps) == {
        "update what is stale": {"OldVersion"},
        "precheck of nonsense": {"InvalidInput"},
        "get what is gone": gone,
        "delete what is gone": gone,
        "rotate what is gone": gone,
    }


async def test_it_manages_roles_and_assignments(tell: Tell) -> None:
    await tell("sign-in")
    steps = await tell("roles")
    assert {"Owner", "Contributor", "Reader"} < set(seen(steps, "list built-in roles")["names"])
    role = {"name": "rotator", "has_version": True, "actions": 2, "not_actions": 1, "scopes": 1}
    assert seen(steps, "create role") == seen(steps, "get role") == role
    assert seen(steps, "assign")["has_name"]
    assert seen(steps, "assign again") == seen(steps, "assign")
    assert seen(steps, "list assignments of the identity") == {"count": 1, "first": "rotator"}
    assert seen(steps, "list all assignments") == {"some": True}
    gone = {"NotFound", "GRPCNotFound"}
    assert refusals(steps) == {
        "unassign what is gone": gone,
        "get role that is gone": gone,
        "delete a built-in role": {"AccessDenied"},
    }


async def test_it_manages_locations_groups_and_nodes(tell: Tell) -> None:
    await tell("sign-in")
    steps = await tell("places")
    assert seen(steps, "create location") == {"name": "GoLocation", "has_version": True}
    assert seen(steps, "list locations") == {"names": ["GoLocation"]}
    assert seen(steps, "get group") == {"names": ["go-group@GoLocation ownedBy=caph"]}
    assert seen(steps, "list no groups") == {"names": []}
    node = {"fqdn": "host-1.example.test", "port": 45000, "auth_port": 45001, "location": "GoLocation"}
    assert seen(steps, "get node") == node
    gone = {"NotFound", "GRPCNotFound"}
    assert refusals(steps) == {
        "get a location that is not there": gone,
        "get group that is gone": gone,
        "delete a location in use": {"InconsistentState"},
        "delete location that is gone": gone,
    }


async def test_it_reads_version_health_and_deployment(tell: Tell) -> None:
    await tell("sign-in")
    steps = await tell("admin")
    assert refusals(steps) == {}
    assert seen(steps, "agent info") == {"has_name": True, "has_id": True}
    assert seen(steps, "deployment id")["id"]


async def test_it_has_certificates_signed_and_renewed_by_request(tell: Tell) -> None:
    await tell("sign-in")
    steps = await tell("signing")
    signed = {"name": "admin", "type": "Client", "has_version": True, "content": True, "dated": True}
    for name in ("identity certificate", "identity certificate renewed", "sign", "renew", "sign the same key again"):
        assert seen(steps, name) == signed
    assert seen(steps, "get named certificate")["name"] == "go-named"
    assert seen(steps, "precheck certificate") == {"answer": True}
    assert refusals(steps) == {
        "sign a CA": {"NotSupported"},
        "get named certificate that is gone": {"NotFound", "GRPCNotFound"},
        "a service that is not there": set(),  # above all not NotFound: a deletion would take that for done
    }


async def test_a_due_certificate_is_renewed_when_asked(site: Site, tell: Tell) -> None:
    """`auth.RenewCertificates` on a file of 70 days ago that mocdeck wrote; the renewed file serves both libraries."""
    site.put_certificate_of(DUE)
    steps = await tell("renewal")
    assert refusals(steps) == {}
    before, after = seen(steps, "before"), seen(steps, "renew")
    assert after["serial"] != before["serial"]
    assert before["seconds"] == after["seconds"] == NINETY_DAYS
    assert seen(steps, "authorizer") == after  # the next authorizer finds nothing due
    assert f"{read_access_file(site.access_file).serial:x}" == after["serial"]
    assert_rewritten_by_the_library(site.access_file)


async def test_a_due_certificate_is_renewed_by_making_an_authorizer(site: Site, tell: Tell) -> None:
    """What CAPH does in every reconcile."""
    site.put_certificate_of(DUE)
    before = read_access_file(site.access_file)
    steps = await tell("admin")
    assert refusals(steps) == {}
    after = read_access_file(site.access_file)
    assert seen(steps, "authorizer")["serial"] == f"{after.serial:x}" != f"{before.serial:x}"
    assert_rewritten_by_the_library(site.access_file)


async def test_a_due_certificate_is_renewed_by_the_librarys_own_goroutine(site: Site, tell: Tell) -> None:
    site.put_certificate_of(DUE)
    steps = await tell("routine")
    assert refusals(steps) == {}
    assert seen(steps, "the goroutine renews")["serial"] != seen(steps, "put the due certificate back")["serial"]


async def test_a_past_certificate_sends_it_back_to_its_token(site: Site, tell: Tell) -> None:
    site.put_certificate_of(PAST)
    steps = await tell("expiry")
    assert refusals(steps) == {
        "authorizer": {"Expired"},  # the library's own verdict, and CAPH's cue to sign in again
        "call all the same": {"GRPCUnavailable"},  # TLS ends the handshake and gives no reason
    }
    assert seen(steps, "login")["identity"] == "admin"
    assert seen(steps, "call")["version"]


async def test_a_running_process_that_keeps_its_first_token_outlives_a_rotation(tell: Tell) -> None:
    """This release sends the first login's token for the life of the process (moc/protocol.md 1.4, 8.1)."""
    await tell("sign-in")
    steps = await tell("rotation")
    assert seen(steps, "login again with the first token kept")["identity"] == "caph-running"
    assert seen(steps, "login elsewhere with the second token")["identity"] == "caph-running"
    # the first use of the new token ended the old one (ADR 0006)
    assert set(refusals(steps)) == {"login after that with the first token kept"}
    assert "Valid Token Required." in steps["login after that with the first token kept"]["error"]


async def test_refusals_are_told_apart_by_the_librarys_own_questions(tell: Tell) -> None:
    await tell("sign-in")
    steps = await tell("refusals")
    assert refusals(steps) == {
        "login with nonsense for a token": set(),
        "list identities without the right": {"AccessDenied"},
        "create an identity without the right": {"AccessDenied"},
        "call after revocation": {"Revoked"},
        "login after revocation": set(),
    }
    for name in ("login with nonsense for a token", "login after revocation"):
        assert steps[name]["error"].endswith("code = Unauthenticated desc = Valid Token Required.")


def assert_rewritten_by_the_library(path: Path) -> None:
    """A renewal of the library drops the deprecated type (moc/protocol.md 3.5); so the file is its own, not ours."""
    assert json.loads(path.read_text())["ClientCertificateType"] == ""
