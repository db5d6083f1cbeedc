"""What crosses the seam to the core carries tokens, so it shows nothing of itself."""

from __future__ import annotations

from backend.server.calls import Call, Peer, Reply


def test_neither_a_call_nor_a_reply_shows_the_token_in_it() -> None:
    call = Call("/x/Login", b"secret-body", Peer(None, "192.0.2.7"), {"authorization": "secret-token"})
    reply = Reply((b"secret-token",))
    assert "secret" not in repr(call) + repr(reply)
    assert "/x/Login" in repr(call)
