"""docs/recognition.md: what the cases of kinds, labels and targets give, as tables. Made by docs/generate.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kpixl.recognise.kinds import kind_called
from tests.recognise.test_kinds import TITLE_ALONE, TITLES, confusion, installed
from tests.recognise.test_labels import CASES, RIGHT, WRONG, outcome

INTRODUCTION = """\
# How well forms and labels are recognised

Sheets of several kinds ([tests/cases/kinds](../tests/cases/kinds)) and spellings of labels, one at a time on a
filled form ([tests/cases/labels](../tests/cases/labels/variants.yaml)), read with the definition `shanghai-target`.
The layouts are those of published forms, the contents made up. `tests/recognise/test_kinds.py` and
`tests/recognise/test_labels.py` hold them.

How a sheet is recognised: what is laid out as it was sent out is known by its cells. Any other sheet is cut at its
titles, and each section told by its title and by labels that a form of ours has not
(`templates/shared/kinds.yaml`). A section of another kind is reported (`sheet-other-kind`) and never read. Of
several definitions that may read a section, the one whose labels it has most of, and that leaves the fewest labels
over, reads it. A label that is nearly one of the form (numbers and brackets left out, words added, left out or
exchanged) is taken where it is unique and in its place among the others, always with a note (`label-near`); where
several cells may be meant, all are named (`label-unclear`). `kpixl forms explain FILE` shows it all for one file.
"""


def page() -> str:
    """Write the page."""
    return "\n".join([INTRODUCTION, *_kinds(), "", *_titles(), "", *_installed(), "", *_labels()]) + "\n"


def _kinds() -> Iterator[str]:
    found = confusion()
    told = Counter((kind, read_as) for kind, _, read_as in found)
    columns = list(dict.fromkeys([kind for kind, _, _ in found] + [read_as for _, _, read_as in found]))
    yield f"## Kinds: {len(found)} sheets of {len({kind for kind, _, _ in found})} kinds\n"
    yield "Down: what a sheet is. Across: what it was told as.\n"
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for kind in dict.fromkeys(kind for kind, _, _ in found):
        counts = (str(told[kind, column] or "") for column in columns)
        yield f"| {kind} {kind_called(kind).name[0]} | {' | '.join(counts)} |"
    wrong = sum(count for (kind, read_as), count in told.items() if kind != read_as)
    yield f"\nTold as another kind: {wrong}."


def _titles() -> Iterator[str]:
    yield "## Sheets whose title is missing or misleading\n"
    yield "The same sheets with something else in the place of their own title, but those that only their title tells"
    yield f"from a target form ({len(TITLE_ALONE)}). Unknown: reported as no form, nothing is read.\n"
    yield "| in the place of the title | sheets | their kind | unknown | another kind | read as a target form |"
    yield "|---|---:|---:|---:|---:|---:|"
    for title in TITLES:
        found = confusion(title)
        others = [(kind, read_as) for kind, _, read_as in found if read_as not in (kind, "unknown")]
        right, unknown = (sum(read_as == what(kind) for kind, _, read_as in found) for what in (str, _unknown))
        targets = sum(read_as == "target" for _, read_as in others)
        yield f"| {title} | {len(found)} | {right} | {unknown} | {len(others)} | {targets} |"


def _installed() -> Iterator[str]:
    yield "## With every definition that comes with kpixl\n"
    yield "The same sheets with their own titles. A form of their kind reads them, or they are told as their kind;"
    yield "unknown: of the kind of a form, but with too few of its labels, so that nothing is read.\n"
    yield "| | read by | told as its kind | unknown |"
    yield "|---|---|---:|---:|"
    found = installed()
    for kind in dict.fromkeys(kind for kind, _, _ in found):
        counts = Counter(by for own, _, by in found if own == kind)
        forms = ", ".join(f"{by}: {count}" for by, count in counts.items() if by not in (kind, "unknown"))
        yield f"| {kind} | {forms} | {counts[kind] or ''} | {counts['unknown'] or ''} |"


def _unknown(_: str) -> str:
    return "unknown"


def _labels() -> Iterator[str]:
    read = {(cell, text): outcome(cell, text) for cell, text in (*RIGHT, *WRONG)}
    right = Counter(read[case] for case in RIGHT)
    wrong = Counter(read[case] for case in WRONG)
    yield f"## Labels: {len(RIGHT)} spellings, and {len(WRONG)} texts that are no spelling\n"
    yield "| | of the form or a synonym | near, with a note | named error | silently wrong |"
    yield "|---|---:|---:|---:|---:|"
    for name, counts in ((f"{len(RIGHT)} spellings", right), (f"{len(WRONG)} other texts", wrong)):
        yield f"| {name} | {' | '.join(str(counts[how]) for how in ('exact', 'near', 'error', 'wrong'))} |"
    yield "\nRead nearly (≈) or as they are (=):\n"
    yield "| cell | spellings |"
    yield "|---|---|"
    signs = {"exact": "=", "near": "≈"}
    for cell, texts in CASES["right"].items():
        shown = " · ".join(
            f"{signs.get(read[cell, text], read[cell, text])} {' '.join(text.split())}" for text in texts
        )
        yield f"| {cell} | {shown.replace('*', chr(92) + '*')} |"
