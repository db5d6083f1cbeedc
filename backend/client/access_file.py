"""MOC's cloudconfig ("wssdconfig", "access file"): one identity's key, certificate and roots (moc/protocol.md 3.5).

Key and certificate lie in one JSON file, so one rename swaps the pair: a kill at any moment leaves the old or the new
one. A file that cannot be read is set aside under another name, never deleted, and counts as missing. Beside it,
`<name>.previous` keeps the pair before the present one until the present one has been used (pki.md 5.8).
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from backend.client.errors import FileInvalid
from backend.client.login_file import decode_bundle
from backend.client.private import read_own_file
from backend.core.errors import AgentError
from backend.core.lifecycle import Validity
from backend.core.limits import MESSAGE_BYTES
from backend.core.model import Secret
from backend.pki import files, keys

log = logging.getLogger(__name__)

CA_SIGNED: Final = "CA-Signed"
_EXPECTED_PAIR: Final = "a private key that belongs to the first certificate of ClientCertificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFile:
    """What a cloudconfig holds, parsed and checked: the key belongs to the certificate."""

    trust_pem: str
    certificate_pem: str
    key_pem: Secret = field(compare=False)  # the certificate says which
    identity_name: str
    certificate_type: str = CA_SIGNED
    serial: int = field(compare=False)
    validity: Validity = field(compare=False)

    @property
    def serial_hex(self) -> str:
        """The certificate's serial in lower-case hex."""
        return f"{self.serial:x}"


def make_access_file(*, trust_pem: str, certificate_pem: str, key_pem: Secret, identity_name: str) -> AccessFile:
    """Build the value from its parts and check that they belong together.

    Raises:
        FileInvalid: a part cannot be parsed, or key and certificate are not a pair.
    """
    return _checked(trust_pem, certificate_pem, key_pem, identity_name, CA_SIGNED, Path("(new cloudconfig)"))


def read_access_file(path: Path) -> AccessFile:
    """Read and check a cloudconfig.

    Raises:
        FileInvalid: it is not one, or its parts do not belong together.
        FileNotFoundError, UnsafeFile: it is missing, not ours or no regular file.
    """
    return parse_access_file(read_own_file(path, MESSAGE_BYTES), path)


def parse_access_file(data: bytes, path: Path) -> AccessFile:
    """Parse a cloudconfig's bytes; `path` is for messages, which never show a value.

    Raises:
        FileInvalid: names the key and what was expected.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise FileInvalid(path, "", "a cloudconfig in JSON, but the file is empty")
    try:
        values = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise FileInvalid(path, "", "a cloudconfig in JSON") from None
    if not isinstance(values, dict):
        raise FileInvalid(path, "", "a JSON object with the keys CloudCertificate, ClientCertificate, ClientKey ...")
    texts = {}
    for key in ("CloudCertificate", "ClientCertificate", "ClientKey", "IdentityName", "ClientCertificateType"):
        value = values.get(key, "")
        if not isinstance(value, str):
            raise FileInvalid(path, key, "text")
        texts[key] = value
    if not texts["IdentityName"]:
        raise FileInvalid(path, "IdentityName", "the identity's name, not empty")
    trust_pem = decode_bundle(texts["CloudCertificate"], path, "CloudCertificate")
    certificate_pem = decode_bundle(texts["ClientCertificate"], path, "ClientCertificate")
    key_pem = _decode_key(texts["ClientKey"], path)
    return _checked(trust_pem, certificate_pem, key_pem, texts["IdentityName"], texts["ClientCertificateType"], path)


def render_access_file(access: AccessFile) -> bytes:
    """Return the compact JSON that MOC's clients write. It holds the key: for a 0600 file only."""
    values = {
        "CloudCertificate": base64.b64encode(access.trust_pem.encode()).decode(),
        "ClientCertificate": base64.b64encode(access.certificate_pem.encode()).decode(),
        "ClientKey": base64.b64encode(access.key_pem.reveal().encode()).decode(),
        "IdentityName": access.identity_name,
        "ClientCertificateType": access.certificate_type,
    }
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def write_access_file(path: Path, access: AccessFile) -> None:
    """Replace the cloudconfig whole, mode 0600 from the first byte; missing directories are made 0700.

    Raises:
        OSError, UnsafeFile: it could not be written; the old file stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomic(path, render_access_file(access))


def swap_access_file(path: Path, old: AccessFile | None, new: AccessFile) -> None:
    """Write `new`, keeping `old` beside it until `new` has been used.

    The order is the promise: first the old pair is safe under its second name, then one rename puts the new pair in
    its place. A kill in between leaves the old pair under both names, which the next start recognises and clears.

    Raises:
        OSError, UnsafeFile: nothing was swapped; the present file stays.
    """
    if old is not None:
        write_access_file(previous_path(path), old)
    write_access_file(path, new)


def previous_path(path: Path) -> Path:
    """Where the pair before the present one waits: `<name>.previous`."""
    return path.with_name(f"{path.name}.previous")


def find_access_file(path: Path, now: datetime) -> AccessFile | None:
    """Return the cloudconfig, or None when there is none; what cannot be parsed is set aside and counts as none.

    Raises:
        OSError, UnsafeFile: the file is there and may not be read.
    """
    try:
        return read_access_file(path)
    except FileNotFoundError:
        return None
    except FileInvalid as error:
        aside = quarantine(path, now)
        log.warning("cloudconfig set aside", extra={"path": str(path), "aside": str(aside), "why": error.expected})
        return None


def quarantine(path: Path, now: datetime) -> Path:
    """Rename an unreadable file to `<name>.broken-<time>` in the same directory and return that path.

    Raises:
        OSError: it could not be renamed.
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    aside = path.with_name(f"{path.name}.broken-{stamp}")
    count = 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}.broken-{stamp}-{count}")
    path.replace(aside)
    aside.chmod(0o600)
    return aside


def _decode_key(text: str, path: Path) -> Secret:
    try:
        return Secret(base64.b64decode("".join(text.split()), validate=True).decode("ascii"))
    except (binascii.Error, UnicodeDecodeError):
        raise FileInvalid(path, "ClientKey", "the base64 text of a PEM private key") from None


def _checked(
    trust_pem: str, certificate_pem: str, key_pem: Secret, name: str, certificate_type: str, path: Path
) -> AccessFile:
    try:
        leaf = x509.load_pem_x509_certificate(certificate_pem.encode())
        validity = Validity(not_before=leaf.not_valid_before_utc, not_after=leaf.not_valid_after_utc)
        serial = leaf.serial_number
        leaf_key = keys.key_sha256(keys.check_allowed(leaf.public_key()))
    except (ValueError, TypeError, AgentError):
        raise FileInvalid(path, "ClientCertificate", "the base64 text of a PEM certificate") from None
    try:
        own_key = keys.key_sha256(keys.load_private_key(key_pem.reveal().encode()).public_key())
    except (ValueError, TypeError, AgentError):
        raise FileInvalid(path, "ClientKey", "the base64 text of a PEM private key") from None
    if own_key != leaf_key:
        raise FileInvalid(path, "ClientKey", _EXPECTED_PAIR)
    return AccessFile(
        trust_pem=trust_pem,
        certificate_pem=certificate_pem,
        key_pem=key_pem,
        identity_name=name,
        certificate_type=certificate_type,
        serial=serial,
        validity=validity,
    )
