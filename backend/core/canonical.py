"""One form for a document that is hashed: the same facts always give the same bytes."""

from __future__ import annotations

import json
from hashlib import sha256


def canonical_hash(document: object) -> str:
    """Return the hex SHA-256 of a JSON document with sorted keys, no white space and ASCII only."""
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()
