"""The agent's log: one event a line on standard error, as text or JSON, with control characters made visible.

An event is a lower-case phrase; its facts are fields passed as `extra={"fields": {...}}`. No secret is ever a field.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from backend.core.inert import inert

LogFormat = Literal["json", "text"]
_FIELD_LENGTH = 400


def _stamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _fields(record: logging.LogRecord) -> dict[str, str]:
    fields = getattr(record, "fields", None) or {}
    shown = {str(key): inert(str(value), limit=_FIELD_LENGTH) for key, value in fields.items()}
    if record.exc_info and record.exc_info[0] is not None:
        shown["error"] = record.exc_info[0].__name__
        shown["where"] = _innermost(record)
    return shown


def _innermost(record: logging.LogRecord) -> str:
    """File and line of the innermost frame: enough to find the fault, and no local variable with a secret in it."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


class TextLines(logging.Formatter):
    """`time level event key=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        parts = [_stamp(record), record.levelname.lower(), inert(record.getMessage(), limit=_FIELD_LENGTH)]
        parts += [f"{key}={value!r}" if " " in value else f"{key}={value}" for key, value in _fields(record).items()]
        return " ".join(parts)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        event = inert(record.getMessage(), limit=_FIELD_LENGTH)
        return json.dumps({"at": _stamp(record), "level": record.levelname.lower(), "event": event, **_fields(record)})


def configure(log_format: LogFormat, *, quiet: bool = False) -> None:
    """Send every log line of this process to standard error in that format; `quiet` keeps warnings and worse."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING if quiet else logging.INFO)
    for chatty in ("sqlalchemy", "alembic", "asyncio", "grpc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
