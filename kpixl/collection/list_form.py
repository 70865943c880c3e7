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


def form_of_list(forms: Collection[Form], source: Path, out: Path | None, limits: Limits = DEFAULT_LIMITS) -> Form:
    """Return the form of the roster that is already there, else the one that knows most of the list's headings.

    Of several, the one that prints most of them just so, then the default. Raises KpixlError `form-to-choose`.
    """
    if out is not None and out.is_file():
        return canonical.load(out, among(forms))[0]
    if len(forms) == 1:
        return next(iter(forms))
    grids = open_list(source, limits).grids
    scores: dict[str, tuple[bool, int, int]] = {}
    for form in forms:
        found = find_listings(form, grids, source.name)
        fits = [(len(one.keys), sum(h.how == "exact" for h in one.headings)) for one in found.listings]
        scores[form.id] = (not found.refused, *max(fits, default=(0, 0)))
    best = [form for form in forms if scores[form.id] == max(scores.values())]
    best = [form for form in best if form.default] or best
    if len(best) != 1:
        known = ", ".join(form.id for form in best or forms)
        raise failure("form-to-choose", file=source.name, known=known)
    return best[0]
