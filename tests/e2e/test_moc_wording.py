"""Refusals as a client reads them that knows only the text, as Go clients of the release that CAPH pins do."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.rpc import status_pb2
from moc_client import MocClient

from backend.wire.moc import certificate_pb2, common_pb2, identity_pb2


async def signed_in(agent) -> MocClient:  # type: ignore[no-untyped-def]
    at = agent.listening
    client = MocClient.from_login_yaml(agent.admin_login, host=at.host, port=at.port, auth_port=at.auth_port)
    await client.login()
    return client


def text_in_details(failure: grpc.aio.AioRpcError) -> str:
    """What grpc-go shows: the message in the details wins over grpc-message when both have one code."""
    trailer = dict(failure.trailing_metadata() or ())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(trailer)
    assert status.code == failure.code().value[0]
    return str(status.message)


async def test_a_stale_version_says_old_version(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await signed_in(agent)
    entry = identity_pb2.Identity(name="caph-1", clientType=common_pb2.CONTROLPLANE)
    request = identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST)
    made = (await admin.invoke("Invoke", request, identity_pb2.IdentityResponse)).Identitys[0]
    entry.status.version.number = str(int(made.status.version.number) - 1)
    request = identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.invoke("Invoke", request, identity_pb2.IdentityResponse)
    assert (refused.value.details() or "").endswith(": OldVersion")
    assert text_in_details(refused.value) == refused.value.details()


@pytest.mark.parametrize(
    "path", ["/moc.cloudagent.compute.VirtualMachineAgent/", "/moc.cloudagent.admin.DebugAgent/", "/nothing.of.Ours/"]
)
async def test_a_service_that_is_not_there_does_not_say_not_found(agent, path: str) -> None:  # type: ignore[no-untyped-def]
    admin = await signed_in(agent)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.invoke("Invoke", Empty(), Empty, path=path)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert refused.value.details() == f"this agent does not serve {path}Invoke: Not Implemented"
    assert text_in_details(refused.value) == refused.value.details()


async def test_a_stream_that_is_not_there_says_so_too(agent) -> None:  # type: ignore[no-untyped-def]
    """LogAgent.Get streams its answer (moc/protocol.md 2.2)."""
    admin = await signed_in(agent)
    stream = admin.data_channel().unary_stream("/moc.cloudagent.admin.LogAgent/Get")
    call = stream(b"", timeout=10)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert refused.value.details() == "this agent does not serve /moc.cloudagent.admin.LogAgent/Get: Not Implemented"
    await admin.close()


async def test_a_precheck_that_fails_says_which_kind_of_failure_it_is(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await signed_in(agent)
    request = identity_pb2.IdentityPrecheckRequest(Identities=[identity_pb2.Identity()])
    answer = await admin.invoke("Precheck", request, identity_pb2.IdentityPrecheckResponse)
    assert not answer.Result.value
    assert answer.Error.endswith(": Invalid Input")
    asked = certificate_pb2.CertificatePrecheckRequest(Certificates=[certificate_pb2.Certificate()])
    path = "/moc.cloudagent.security.CertificateAgent/"
    response = await admin.invoke("Precheck", asked, certificate_pb2.CertificatePrecheckResponse, path=path)
    assert response.Error.endswith(": Invalid Input")
