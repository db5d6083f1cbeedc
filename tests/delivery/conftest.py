"""An API server with a CA of its own, and kubeconfigs for it."""

from __future__ import annotations

import base64
import importlib.util
import shutil
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.clock import ManualClock
from backend.core.drafts import IdentityDraft
from backend.core.model import Secret
from backend.core.plan import ActionKind
from backend.delivery.kubernetes import Cluster
from backend.pki.keys import KeyKind, generate_key
from backend.pki.requests import make_csr
from backend.server.delivering import Deliverer
from backend.service import identities, operations
from backend.service.bootstrap import STORE_FILE, init_agent, open_world
from backend.service.caller import Caller
from backend.service.delivery_file import read_delivery_file
from backend.service.guard import authenticate
from backend.service.planning import PlanView, plan
from backend.service.signin import sign_in
from backend.service.world import World
from backend.store.port import Store
from backend.store.sqlite import open_store

_spec = importlib.util.spec_from_file_location("mocdeck_test_api_server", Path(__file__).with_name("api_server.py"))
assert _spec is not None
assert _spec.loader is not None
api_server: Any = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = api_server
_spec.loader.exec_module(api_server)

PASSPHRASE = Secret("correct horse battery staple")
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
KMS_PLACE = "kube-system/kms-login/cloudlogin.yaml"
BIRTH = datetime(2020, 1, 1, tzinfo=UTC)


def login_text(name: str, token: str = "eyJ.secret.token") -> str:  # noqa: S107 - made up
    return yaml.safe_dump({"name": name, "token": token, "certificate": "cm9vdA==", "type": "CA-Signed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


def pair(
    subject: str,
    issuer: tuple[x509.Certificate, Any] | None = None,
    *,
    host: str = "127.0.0.1",
    ended: bool = False,
) -> tuple[x509.Certificate, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BIRTH)
        .not_valid_after(BIRTH + timedelta(days=2 if ended else 36_500))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is None:
        use = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(use, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    else:
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        builder = builder.add_extension(alternative, critical=False)
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key())
        builder = builder.add_extension(known, critical=False)
    return builder.sign(key if issuer is None else issuer[1], hashes.SHA256()), key


def pem(made: tuple[x509.Certificate, Any]) -> Pair:
    key = made[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate=made[0].public_bytes(serialization.Encoding.PEM), key=key)


@pytest.fixture(scope="session")
def root() -> tuple[x509.Certificate, Any]:
    return pair("cluster-ca")


@pytest.fixture(scope="session")
def stranger() -> tuple[x509.Certificate, Any]:
    return pair("another-ca")


@pytest.fixture
def serve(root: tuple[x509.Certificate, Any], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start an API server; `host` and `ended` are about its certificate."""
    started: list[Any] = []

    def start(*, issuer: Any = None, **wish: Any) -> Any:
        made = pem(pair("kube-apiserver", issuer or root, **wish))
        file = tmp_path / f"server-{len(started)}.pem"
        file.write_bytes(made.certificate + made.key)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(file)
        started.append(api_server.ApiServer(tls))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def api(serve: Callable[..., Any]) -> Any:
    return serve()


@pytest.fixture
def kubeconfig(root: tuple[x509.Certificate, Any], tmp_path: Path) -> Callable[..., Path]:
    """Write a kubeconfig, mode 0600; `cluster` and `user` change its entries."""

    def write(port: int, *, cluster: Any = None, user: Any = None, mode: int = 0o600) -> Path:
        path = tmp_path / "kubeconfig"
        authority = base64.b64encode(pem(root).certificate).decode()
        server = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "one",
            "contexts": [{"name": "one", "context": {"cluster": "wl1", "user": "mocdeck"}}],
            "clusters": [{"name": "wl1", "cluster": {**server, **(cluster or {})}}],
            "users": [{"name": "mocdeck", "user": {"token": api_server.TOKEN} if user is None else user}],
        }
        path.write_text(yaml.safe_dump(document))
        path.chmod(mode)
        return path

    return write


@pytest.fixture
def cluster(api: Any, kubeconfig: Callable[..., Path]) -> Cluster:
    return Cluster(name="wl1", kubeconfig=kubeconfig(api.port))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An agent's world and store under a clock that stands still, and what carries out its deliveries."""

    world: World
    store: Store
    clock: ManualClock
    deliverer: Deliverer
    admin: Caller

    def now(self, work: Callable[[Any], Any]) -> Any:
        with self.store.transaction() as tx:
            return work(tx)

    def client(self, name: str, **fields: Any) -> None:
        draft = IdentityDraft(name=name, **fields)
        self.now(lambda tx: identities.create_or_update(tx, self.world, self.admin, draft))

    async def deliver(self) -> None:
        for lane in self.deliverer.lanes:
            await self.deliverer.deliver(lane)

    async def plan(self, action: ActionKind, *names: str, **wish: Any) -> PlanView:
        await self.deliverer.look(names)
        asked = {"force": True, "reason": "drill", **wish}
        made: PlanView = self.now(lambda tx: plan(tx, self.world, self.admin, action=action, names=names, **asked))
        return made

    def start(self, made: PlanView) -> str:
        def begin(tx: Any) -> str:
            begun = operations.start(tx, self.world, self.admin, plan_id=made.id, hash=made.hash)
            operations.tick(tx, self.world)
            return begun.row.id

        return str(self.now(begin))


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("born") / "agent"
    init_agent(directory, passphrase=PASSPHRASE, fqdns=["127.0.0.1"], clock=ManualClock(START), open_store=open_store)
    return directory


@pytest.fixture
def site(born: Path, api: Any, kubeconfig: Callable[..., Path], tmp_path: Path) -> Iterator[Site]:
    directory = tmp_path / "agent"
    shutil.copytree(born, directory)
    settings = {"clusters": [{"name": "wl1", "kubeconfig": str(kubeconfig(api.port)), "kinds": {"KMS": KMS_PLACE}}]}
    file = directory / "delivery.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(settings))
    clock = ManualClock(START)
    world = open_world(directory, passphrase=PASSPHRASE, clock=clock)
    world = replace(world, delivery=read_delivery_file(directory))
    store = open_store(directory / STORE_FILE)

    async def ask(work: Callable[[Any], Any]) -> Any:
        with store.transaction() as tx:
            return work(tx)

    token = Secret(yaml.safe_load((directory / "admin" / "login.yaml").read_text())["token"])
    csr = make_csr(generate_key(KeyKind.P256), "admin")
    with store.transaction() as tx:
        leaf = sign_in(tx, world, token=token, name="admin", csr_pem=csr, address="192.0.2.7")
        der = x509.load_pem_x509_certificate(leaf.pem.encode()).public_bytes(serialization.Encoding.DER)
        admin = authenticate(tx, world, der, "192.0.2.7")
    yield Site(world=world, store=store, clock=clock, deliverer=Deliverer(world, ask), admin=admin)
    store.close()


@pytest.fixture
def text() -> Secret:
    return Secret(login_text("caph"))


@pytest.fixture
def refused_status() -> Any:
    return api_server.Refused


@pytest.fixture
def make_login() -> Callable[..., str]:
    return login_text
