"""What an issue cannot cost less than: reading, checking, building and signing, without a store, a wire or a client."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from backend.clock import SystemClock
from backend.core.model import Authority, AuthorityStatus
from backend.pki import keys, requests, trust
from backend.pki.issue import Issuer, make_root
from backend.pki.profiles import ClientTemplate

GUID = "3b8b2c1e-0000-4000-8000-000000000001"


def rate(work: Callable[[], object], seconds: float = 1.5) -> float:
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        work()
        count += 1
    return count / (time.perf_counter() - began)


class Paper:
    """A CA of its own, for the floors."""

    def __init__(self) -> None:
        now = SystemClock().now()
        key = keys.generate_key(keys.KeyKind.P256)
        root = make_root(1, "floor", key, now, timedelta(days=365))
        self.roots = trust.bundle_pem([root])
        authority = Authority(
            generation=1, subject=trust.common_name_of(root.subject), validity=trust.validity_of(root),
            fingerprint=trust.fingerprint(root), pem=self.roots, key_file="k", status=AuthorityStatus.ISSUING,
            created_at=now,
        )  # fmt: skip
        self.issuer = Issuer(authority, key)
        self.client = keys.generate_key(keys.KeyKind.P256)
        self.csr = requests.make_csr(self.client, "kms-1")
        self.server = keys.generate_key(keys.KeyKind.P256)

    def sign(self) -> Any:
        """What every issue needs of the cryptography library and nothing else of ours: read, check, build, sign."""
        request = requests.read_csr(self.csr)
        template = ClientTemplate(common_name="kms-1", identity_id=GUID, lifetime=timedelta(days=90))
        return self.issuer.issue_client(template, request.public_key, SystemClock().now())

    def echo_order(self) -> dict[str, str]:
        leaf = self.issuer.issue_server(
            ["127.0.0.1"], SystemClock().now(), timedelta(days=60), self.server.public_key()
        )
        return {
            "chain": leaf.pem,
            "key": keys.private_key_pem(self.server).decode(),
            "roots": self.roots,
            "client_chain": self.sign().pem,
            "client_key": keys.private_key_pem(self.client).decode(),
        }
