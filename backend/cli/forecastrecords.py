"""Forecasts as plain values, alike in `mocdeck forecast` and in the document of `mocdeck status`."""

from __future__ import annotations

from typing import Any

from backend.core.cliff import Cliff
from backend.core.export import stamp
from backend.core.facts import Overlay
from backend.core.forecast import SiteForecast
from backend.core.safe_off import Reboot, SafeOff
from backend.core.stranding import Stranding
from backend.core.subjects import SiteView


def stranding_record(found: Stranding) -> dict[str, Any]:
    """From when on a client cannot recover by itself."""
    return {
        "outlook": found.outlook.value,
        "cannot_recover_from": stamp(found.from_at) or None,
        "if_silent_from": stamp(found.silent_from_at) or None,
        "certain": found.is_certain,
        "why": found.why,
    }


def safe_off_record(found: SafeOff) -> dict[str, Any]:
    """Until when a cluster, or the fleet, may be off."""
    limiting = found.limiting
    return {
        "verdict": found.verdict.value,
        "safe_off_until": stamp(found.until) or None,
        "limiting": None if limiting is None else limiting.words,
        "limiting_ends_at": None if limiting is None else stamp(limiting.ends_at),
        "otherwise_until": stamp(found.otherwise_until) or None,
        "off_since": stamp(found.off_since) or None,
        "renew_first": found.renew_first,
        "reasons": list(found.reasons),
        "run": list(found.advice),
        "notes": list(found.notes),
    }


def reboot_record(found: Reboot) -> dict[str, Any]:
    """Whether a restart is safe now; `safe` is None while a token that counts was never seen."""
    return {
        "safe": False if not found.is_safe else None if found.unknown else True,
        "reasons": [*found.reasons, *found.unknown],
    }


def cliff_record(found: Cliff) -> dict[str, Any]:
    """From when on new certificates are cut short, and which the CA limits already."""
    return {
        "generation": found.generation,
        "not_after": stamp(found.not_after),
        "longest_leaf_seconds": int(found.longest_leaf.total_seconds()),
        "shortened_from": stamp(found.shortened_from),
        "limited": list(found.limited),
    }


def client_forecasts(site: SiteView) -> dict[str, dict[str, Any]]:
    """What `mocdeck status` adds to each client, by name."""
    return {
        subject.name: {
            "renew_until": stamp(subject.facts.renew_until) or None,
            "missed_slot": Overlay.MISSED_SLOT in subject.found.overlays,
            "stranding": stranding_record(subject.stranding),
        }
        for subject in site.subjects
    }


def cluster_forecasts(found: SiteForecast) -> dict[str, dict[str, Any]]:
    """What `mocdeck status` adds to each cluster, by name."""
    return {
        cluster.name: {"safe_off": safe_off_record(cluster.safe_off), "reboot": reboot_record(cluster.reboot)}
        for cluster in found.clusters
    }


def site_record(found: SiteForecast) -> dict[str, Any]:
    """What `mocdeck status` says of the fleet as one."""
    return {
        "safe_off": safe_off_record(found.fleet),
        "reboot": reboot_record(found.fleet_reboot),
        "ca": None if found.cliff is None else cliff_record(found.cliff),
    }
