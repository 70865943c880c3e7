"""Several forms from one set of files: what was read for one is merged for each other, too."""

from __future__ import annotations

from dataclasses import replace

from kpixl.checks.configuration import NO_CONFIG
from kpixl.checks.engine import Checker, check
from kpixl.collection.consolidate import Decided, merged_of, undecided
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.portfolio.model import Portfolio


def further(
    collection: Collection,
    form: Form,
    *,
    roster: Portfolio | None = None,
    checker: Checker = check,
    decided: Decided = undecided,
) -> Collection:
    """Merge the sheets of another form that were read along with `collection`; no file is read again.

    Problems of whole files are among those of `collection`, once.
    """
    own = [
        replace(file, forms=tuple(one for one in file.forms if one.form == form.id), problems=())
        for file in collection.files
        if file.count(form.id)
    ]
    return merged_of(own, (), [form], roster, None, checker, NO_CONFIG, decided)
