"""A client that knows only the published protocol lives a whole life against the agent."""

from __future__ import annotations

import base64

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from google.protobuf import any_pb2
from google.rpc import status_pb2
from moc_client import IDENTITY, MocClient

from backend.wire.moc import certificate_pb2, common_pb2, group_pb2, health_pb2, identity_pb2, location_pb2, version_pb2

from google.protobuf.empty_pb2 import Empty  # isort: skip


def moc_error(failure: grpc.aio.AioRpcError) -> common_pb2.Error:
    """6.3: the first moc.Error of the standard grpc-status-details-bin trailer."""
    trailer = dict(failure.trailing_metadata() or ())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(trailer)
    packed: any_pb2.Any = status.details[0]
    assert packed.type_url == "type.googleapis.com/moc.Error"
    error = common_pb2.Error()
    assert packed.Unpack(error)
    return error


async def admin_of(agent) -> MocClient:  # type: ignore[no-untyped-def]
    at = agent.listening
    client = MocClient.from_login_yaml(agent.admin_login, host=at.host, port=at.port, auth_port=at.auth_port)
    await client.login()
    return client


async def create(admin: MocClient, name: str, **fields: object) -> MocClient:
    entry = identity_pb2.Identity(name=name, clientType=common_pb2.CONTROLPLANE, **fields)  # type: ignore[arg-type]
    request = identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST)
    answer = await admin.invoke("Invoke", request, identity_pb2.IdentityResponse)
    made = answer.Identitys[0]
    assert made.token
    assert made.status.version.number
    return MocClient(admin.host, admin.port, admin.auth_port, name, made.token, admin.roots)


async def test_a_client_signs_in_with_a_bare_token_and_gets_base64_of_pem(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    kms = await create(admin, "kms-1")
    await kms.login()
    names = kms.leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert names[0].value == "kms-1"
    assert kms.leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value == x509.ExtendedKeyUsage(
        [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    )


async def test_it_renews_twice_and_keeps_its_lifetime_its_first_certificate_and_the_count(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    csi = await create(admin, "csi-1")
    await csi.login()
    first = csi.leaf
    for count in (1, 2):
        before = csi.leaf
        await csi.renew()
        assert csi.leaf.serial_number != before.serial_number
        lifetime = csi.leaf.not_valid_after_utc - csi.leaf.not_valid_before_utc
        assert lifetime == first.not_valid_after_utc - first.not_valid_before_utc
        extensions = {e.oid.dotted_string: e.value for e in csi.leaf.extensions}
        assert extensions["1.3.6.1.4.1.311.104.1.2"].value == first.public_bytes(  # type: ignore[attr-defined]
            __import__("cryptography.hazmat.primitives.serialization", fromlist=["Encoding"]).Encoding.DER
        )
        assert extensions["1.3.6.1.4.1.311.104.1.3"].value == bytes([2, 1, count])  # type: ignore[attr-defined]
    request = identity_pb2.IdentityRequest(Identitys=[identity_pb2.Identity(name="csi-1")])
    answer = await csi.invoke("Invoke", request, identity_pb2.IdentityResponse)  # unset operation: GET, of itself
    assert answer.Identitys[0].name == "csi-1"


async def test_a_rotated_token_is_new_and_the_old_one_ends_with_its_first_use(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    caph = await create(admin, "caph-1")
    got = await admin.invoke(
        "Invoke",
        identity_pb2.IdentityRequest(Identitys=[identity_pb2.Identity(name="caph-1")], OperationType=common_pb2.GET),
        identity_pb2.IdentityResponse,
    )
    rotated = await admin.invoke(
        "Operate",
        identity_pb2.IdentityOperationRequest(Identities=got.Identitys, OperationType=common_pb2.Identity_Rotate),
        identity_pb2.IdentityResponse,
    )
    old, new = caph.token, rotated.Identitys[0].token
    assert new
    assert new != old
    await caph.login()  # inside the overlap the first token of a running process still works
    caph.token = new
    await caph.login()
    caph.token = old
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await caph.login()
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.details() == "Valid Token Required."
    assert moc_error(refused.value).Code == 33


async def test_a_revoked_client_is_refused_on_its_open_connection_and_still_listed(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    node = await create(admin, "node-1")
    await node.login()
    channel = node.data_channel()
    ask = version_pb2.VersionRequest()
    path = "/moc.common.admin.VersionAgent/"
    assert (await node.invoke("Get", ask, version_pb2.VersionResponse, channel, path)).version
    entry = identity_pb2.Identity(name="node-1")
    await admin.invoke(
        "Operate",
        identity_pb2.IdentityOperationRequest(Identities=[entry], OperationType=common_pb2.Identity_Revoke),
        identity_pb2.IdentityResponse,
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await node.invoke("Get", ask, version_pb2.VersionResponse, channel, path)
    assert refused.value.code() is grpc.StatusCode.UNKNOWN
    assert moc_error(refused.value).Code == 30
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await node.login()
    assert refused.value.details() == "Valid Token Required."
    got = await admin.invoke("Invoke", identity_pb2.IdentityRequest(Identitys=[entry]), identity_pb2.IdentityResponse)
    assert got.Identitys[0].revoked
    await node.close()


async def test_what_a_client_may_not_do_is_denied_with_moc_code_40(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    csi = await create(admin, "csi-2")
    await csi.login()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await csi.invoke("Invoke", identity_pb2.IdentityRequest(), identity_pb2.IdentityResponse)
    assert refused.value.code() is grpc.StatusCode.UNKNOWN
    error = moc_error(refused.value)
    assert error.Code == 40
    assert "expired" not in error.Message.lower()  # the word would make Go clients log in again (6.4)


async def test_a_missing_identity_is_grpc_not_found_and_a_service_that_is_not_there_unimplemented(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.invoke(
            "Invoke",
            identity_pb2.IdentityRequest(Identitys=[identity_pb2.Identity(name="nobody")]),
            identity_pb2.IdentityResponse,
        )
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert moc_error(refused.value).Code == 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.invoke("Invoke", Empty(), Empty, path="/moc.cloudagent.security.KeyVaultAgent/")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_data_port_is_closed_to_whoever_has_no_certificate(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    credentials = grpc.ssl_channel_credentials(admin.roots)
    async with grpc.aio.secure_channel(f"{admin.host}:{admin.port}", credentials) as channel:
        call = channel.unary_unary(
            IDENTITY + "Invoke",
            request_serializer=identity_pb2.IdentityRequest.SerializeToString,
            response_deserializer=identity_pb2.IdentityResponse.FromString,
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(identity_pb2.IdentityRequest(), timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_plain_renewal_needs_the_identitys_own_connection(agent) -> None:  # type: ignore[no-untyped-def]
    """5.2: the SDK's RenewCertificate sends a CSR without the renew extension."""
    admin = await admin_of(agent)
    kva = await create(admin, "kva-1")
    await kva.login()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    order = certificate_pb2.CertificateSigningRequest(
        name="kva-1", csr=kva.csr(key), oldCertificate=base64.b64encode(kva.chain).decode()
    )
    request = identity_pb2.IdentityCertificateRequest(
        IdentityName="kva-1", OperationType=common_pb2.IdentityCertificate_Renew, CSR=[order]
    )
    answer = await kva.invoke("OperateCertificates", request, identity_pb2.IdentityCertificateResponse)
    assert x509.load_pem_x509_certificate(answer.Certificates[0].certificate.encode())
    with pytest.raises(grpc.aio.AioRpcError):
        await admin.invoke("OperateCertificates", request, identity_pb2.IdentityCertificateResponse)


async def test_locations_and_groups_carry_a_version_and_refuse_a_stale_one(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    path = "/moc.cloudagent.location.LocationAgent/"
    post = location_pb2.LocationRequest(
        Locations=[location_pb2.Location(name="MocLocation")], OperationType=common_pb2.POST
    )
    made = await admin.invoke("Invoke", post, location_pb2.LocationResponse, path=path)
    version = made.Locations[0].status.version.number
    assert version.isdigit()
    listed = await admin.invoke("Invoke", location_pb2.LocationRequest(), location_pb2.LocationResponse, path=path)
    assert [one.name for one in listed.Locations] == ["MocLocation"]
    group = group_pb2.Group(name="g", locationName="MocLocation")
    groups = "/moc.cloudagent.group.GroupAgent/"
    first = await admin.invoke(
        "Invoke",
        group_pb2.GroupRequest(Groups=[group], OperationType=common_pb2.POST),
        group_pb2.GroupResponse,
        path=groups,
    )
    stale = first.Groups[0]
    again = group_pb2.GroupRequest(Groups=[stale], OperationType=common_pb2.POST)
    await admin.invoke("Invoke", again, group_pb2.GroupResponse, path=groups)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await admin.invoke("Invoke", again, group_pb2.GroupResponse, path=groups)
    assert moc_error(refused.value).Code == 14


async def test_health_and_agent_info_answer_an_owner(agent) -> None:  # type: ignore[no-untyped-def]
    admin = await admin_of(agent)
    path = "/moc.common.admin.HealthAgent/"
    health = await admin.invoke("CheckHealth", health_pb2.HealthRequest(), health_pb2.HealthResponse, path=path)
    assert health.State == common_pb2.OK
    info = await admin.invoke("GetAgentInfo", Empty(), health_pb2.AgentInfoResponse, path=path)
    assert info.deploymentId
