"""What came by mail: one file in several mails is one return, and how deliveries are kept as data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kpixl.collection.one_file import FileResult
from kpixl.files import natural_key
from kpixl.problems import Location, Problem
from kpixl.readers import Delivery


def one_return(results: Sequence[FileResult]) -> list[FileResult]:
    """Let files that are equal to the byte count once where a mail brought one: the one that was received first.

    Files that only lie twice in a folder are left alone: nothing is known of when they came.
    """
    equal: dict[str, list[FileResult]] = defaultdict(list)
    for result in results:
        if result.forms:
            equal[result.sha256].append(result)
    first = {digest: min(group, key=_order) for digest, group in equal.items() if any(r.delivery for r in group)}
    return [_counted(result, first.get(result.sha256, result)) for result in results]


def _order(result: FileResult) -> tuple[bool, datetime, object]:
    """Order files by when they were received; those that no mail brought come last."""
    received = result.delivery.received if result.delivery is not None else None
    return received is None, received or datetime.min, natural_key(result.file)


def _counted(result: FileResult, first: FileResult) -> FileResult:
    if result is first or not result.forms:
        return result
    return replace(result, forms=(), problems=(Problem("mail-same", Location(result.file), {"other": first.file}),))


def delivery_data(delivery: Delivery | None) -> dict[str, Any]:
    """Turn a delivery into an entry of JSON data; none where no mail brought the file."""
    if delivery is None:
        return {}
    received = None if delivery.received is None else delivery.received.isoformat()
    return {"mail": {"received": received, "sender": delivery.sender, "address": delivery.address}}


def read_delivery(data: Mapping[str, Any]) -> Delivery | None:
    """Read a delivery from an entry of JSON data. Raises KeyError, TypeError or ValueError where it is none."""
    mail = data.get("mail")
    if mail is None:
        return None
    received = None if mail["received"] is None else datetime.fromisoformat(mail["received"])
    return Delivery(received, str(mail["sender"]), str(mail["address"]))
