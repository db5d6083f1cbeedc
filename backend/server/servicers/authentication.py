"""AuthenticationAgent: the one service of the login port (moc/protocol.md 3.1)."""

from __future__ import annotations

from typing import Final

from backend.core.errors import InvalidInput, TokenRejected
from backend.core.model import Secret
from backend.server.servicer import Context, Served, Table
from backend.service.signin import sign_in
from backend.wire.convert import certificates
from backend.wire.methods import get_method
from backend.wire.moc import authentication_pb2

AUTHORIZATION: Final = "authorization"  # the bare JWT, without "Bearer" (moc/protocol.md 1.3)


def _login(
    context: Context, request: authentication_pb2.AuthenticationRequest
) -> authentication_pb2.AuthenticationResponse:
    with context.world.rates.sign_in(context.call.peer.address, context.world.clock.now()):
        return _signed_in(context, request)


def _signed_in(
    context: Context, request: authentication_pb2.AuthenticationRequest
) -> authentication_pb2.AuthenticationResponse:
    token = context.call.metadata.get(AUTHORIZATION, "")
    if not token:  # before the request is looked at: nobody learns what a right one looks like
        raise TokenRejected
    try:
        wanted = certificates.login_request(request)
    except InvalidInput:
        context.world.tokens.read(Secret(token))  # only whoever holds a token of ours hears what is wrong
        raise
    issued = sign_in(
        context.tx,
        context.world,
        token=Secret(token),
        name=wanted.name,
        csr_pem=wanted.csr_pem,
        address=context.call.peer.address,
    )
    return certificates.login_response(issued.pem)


TABLE: Final[Table] = {get_method("AuthenticationAgent", "Login").path: Served(_login)}
