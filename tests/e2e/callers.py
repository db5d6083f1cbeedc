"""Programs that call the agent all the time with the credential at hand, and count every call that fails.

One reads the access file that our client program keeps; one is a client written from moc/protocol.md alone, which
renews in its own time, keeps the roots of its login file for ever and signs in again only after "expired" (8.1, 10).
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
from moc_client import MocClient

from backend.client.access_file import AccessFile, read_access_file
from backend.wire.methods import get_method
from backend.wire.moc import version_pb2

VERSION = get_method("VersionAgent", "Get").path


@dataclass
class Tally:
    """What became of one client's calls."""

    name: str
    made: int = 0
    failed: list[str] = field(default_factory=list)
    is_forgiven: bool = False  # while the agent is down nobody can call it


async def ask(channel: grpc.aio.Channel) -> None:
    call = channel.unary_unary(
        VERSION,
        request_serializer=version_pb2.VersionRequest.SerializeToString,
        response_deserializer=version_pb2.VersionResponse.FromString,
    )
    await call(version_pb2.VersionRequest(), timeout=20)


async def counted(tally: Tally, channel: grpc.aio.Channel) -> None:
    tally.made += 1
    try:
        await ask(channel)
    except grpc.aio.AioRpcError as error:
        if not tally.is_forgiven:
            tally.failed.append(f"{error.code().name}: {error.details()}")


def open_channel(access: AccessFile, address: str) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(
        access.trust_pem.encode(), access.key_pem.reveal().encode(), access.certificate_pem.encode()
    )
    return grpc.aio.secure_channel(address, credentials, options=(("grpc.use_local_subchannel_pool", 1),))


async def call_by_file(path: Path, address: str, tally: Tally, *, every: float) -> None:
    """Call with what the access file holds; connect anew when it holds something else. Ends when cancelled."""
    held: AccessFile | None = None
    channel: grpc.aio.Channel | None = None
    try:
        while True:
            access = read_access_file(path)
            if held is None or (access.serial, access.trust_pem) != (held.serial, held.trust_pem):
                if channel is not None:
                    await channel.close()
                held, channel = access, open_channel(access, address)
            assert channel is not None
            await counted(tally, channel)
            await asyncio.sleep(every)
    finally:
        if channel is not None:
            await channel.close()


async def live_as_moc(client: MocClient, tally: Tally, *, every: float, renews: float, rng: random.Random) -> None:
    """Sign in, call, and renew after about `renews` seconds each time; connect anew only then. Ends when cancelled."""
    await client.login()
    channel = client.data_channel()
    clock = asyncio.get_running_loop()
    due = clock.time() + renews * rng.uniform(0.5, 1.5)
    try:
        while True:
            await counted(tally, channel)
            if clock.time() >= due:
                await client.renew()
                await channel.close()
                channel = client.data_channel()
                due = clock.time() + renews * rng.uniform(0.5, 1.5)
            await asyncio.sleep(every)
    finally:
        await channel.close()
