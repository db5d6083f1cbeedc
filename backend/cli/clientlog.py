"""The log of `mocdeck client run`: the agent's line formats, filled from the client library's records."""

from __future__ import annotations

import logging
from typing import Final, Literal

from backend.server.logs import configure

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "fields"}


class GatherFields(logging.Filter):
    """Collects what a record was given as `extra` under `fields`, where the formats look for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        if not hasattr(record, "fields"):
            record.fields = {key: value for key, value in vars(record).items() if key not in _OWN}
        return True


def configure_client_log(log_format: Literal["json", "text"]) -> None:
    """Send the log to standard error, one event a line."""
    configure(log_format)
    for handler in logging.getLogger().handlers:
        handler.addFilter(GatherFields())
