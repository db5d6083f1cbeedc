"""Silent clients for scale: plain stories by the thousand, a few of them with something to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from backend.core.facts import Severity, State
from backend.core.model import ClientKind
from backend.demo.stories import DAY, Story

_KINDS: Final = (
    ("kms", ClientKind.KMS),
    ("csi", ClientKind.CSI),
    ("certmgr", ClientKind.CERT_MANAGER),
    ("ccm", ClientKind.CLOUD_PROVIDER),
)
_DUE_EVERY: Final = 20
_LATENT_EVERY: Final = 33
_SPREAD: Final = 59 * DAY  # of the ends of those that are fine, from 30 days on
_STEP: Final = timedelta(hours=7, minutes=13)  # no two clients in a row end together


def crowd(count: int) -> Iterator[Story]:
    """Return `count` stories, four clients a cluster, named `w0001-kms` and on."""
    for number in range(count):
        word, kind = _KINDS[number % len(_KINDS)]
        cluster = f"w{number // len(_KINDS) + 1:04d}"
        left = 30 * DAY + number * _STEP % _SPREAD
        story = Story(
            name=f"{cluster}-{word}",
            kind=kind,
            expect=State.OK,
            severity=Severity.OK,
            cluster=cluster,
            auto_renew=False,
            certificate_left=left,
            token_left=left,
        )
        if number % _DUE_EVERY == 0:
            story = replace(story, certificate_left=20 * DAY, expect=State.DUE, severity=Severity.WARNING)
        elif number % _LATENT_EVERY == 0:
            severity = Severity.CRITICAL if kind is ClientKind.KMS else Severity.WARNING
            story = replace(story, token_left=-5 * DAY, expect=State.LATENT, severity=severity)
        yield story
