"""Which form a project list is for, where several are installed and nobody has said so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from kpixl.collection.project_list import find_listings
from kpixl.collection.roster import open_list
from kpixl.forms.definition import Form
from kpixl.forms.load import among
from kpixl.portfolio import canonical
from kpixl.problems import failure
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.texts import Text

WHY: Text = ("，而清单“{file}”的表头同样适合几种", ", and the headings of {file} fit several equally well")


def form_of_list(forms: Collection[Form], source: Path, out: Path | None, limits: Limits = DEFAULT_LIMITS) -> Form:
    """Return the form of the roster that is already there, else the one that knows most headings of the list.

    Raises KpixlError `form-to-choose` where several know equally many.
    """
    if out is not None and out.is_file():
        return canonical.load(out, among(forms))[0]
    if len(forms) == 1:
        return next(iter(forms))
    grids = open_list(source, limits).grids
    scores: dict[str, tuple[bool, int]] = {}
    for form in forms:
        found = find_listings(form, grids, source.name)
        scores[form.id] = (not found.refused, max((len(one.keys) for one in found.listings), default=0))
    best = [form for form in forms if scores[form.id] == max(scores.values())]
    if len(best) != 1:
        known = ", ".join(form.id for form in best or forms)
        raise failure("form-to-choose", why=tuple(text.format(file=source.name) for text in WHY), known=known)
    return best[0]
