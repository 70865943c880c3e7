"""Contradictions as JSON data, in reports and in the sources file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpixl.a1 import parse_place
from kpixl.collection.settle import Offer, OpenConflict, Place
from kpixl.forms.definition import Form
from kpixl.portfolio.merge_model import Address, Parts
from kpixl.portfolio.wording import address_key, value_data, value_of
from kpixl.problems import Location


def conflict_data(form: Form, conflict: OpenConflict) -> dict[str, Any]:
    """Turn a contradiction into JSON data: what was sent out, and each candidate with its places."""
    address = conflict.address
    offers = [
        {
            "value": value_data(form, address, offer.value),
            "places": [
                {
                    "file": p.location.file,
                    "sheet": p.location.sheet,
                    "cell": p.location.address,
                    "date": p.date,
                    "editor": p.editor,
                }
                for p in offer.places
            ],
        }
        for offer in conflict.offers
    ]
    sent = value_data(form, address, conflict.sent)
    decided = None if conflict.decided is None else value_data(form, address, conflict.decided)
    return {
        "project": conflict.project,
        "name": conflict.name,
        "field": address_key(address),
        "row": address.row or None,
        "label": conflict.label,
        "sent": sent,
        "kept": value_data(form, address, conflict.kept),
        "decided": decided,
        "candidates": offers,
    }


def read_conflict(form: Form, data: Mapping[str, Any], address: Address) -> OpenConflict:
    """Read such data; raises KeyError, TypeError or AttributeError where it is none."""

    def value(raw: Any) -> Parts:
        return value_of(form, address, raw) or ()

    offers = tuple(
        Offer(
            value(each["value"]),
            tuple(Place(_location(place), place["date"], place["editor"]) for place in each["places"]),
        )
        for each in data["candidates"]
    )
    decided = value(data["decided"]) if data.get("decided") is not None else None
    return OpenConflict(
        data["project"],
        data["name"],
        address,
        data["label"],
        value(data["sent"]),
        value(data["kept"]),
        offers,
        decided,
    )


def _location(place: Mapping[str, Any]) -> Location:
    cell = place["cell"]
    return Location(place["file"], place["sheet"], None if cell is None else parse_place(str(cell)))
