"""Rule one-of: of some columns a row fills in none, or more than one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.definition import Table
from kpixl.keys import Key
from kpixl.problems.entry import Entry

NONE = ("一栏也没有选", "none of them is filled in")
SEVERAL = ("选了“{chosen}”", "{chosen} are")


def one_of(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find rows that do not fill in exactly one of the columns of which the form asks for one."""
    for key, rows in subject.project.tables.items():
        table = subject.form.tables[key]
        for group in table.one_of:
            for number, row in enumerate(rows):
                chosen = [column for column in group if row[column] is not None]
                if len(chosen) != 1:
                    yield _hit(table, number, group, chosen)


def _hit(table: Table, number: int, group: Sequence[str], chosen: Sequence[str]) -> Hit:
    """Report a row that fills in none of the columns of a group, or several of them."""
    labels = "、".join(table.columns[column].label for column in group)
    named = "、".join(table.columns[column].label for column in chosen)
    found = tuple(text.format(chosen=named) for text in SEVERAL) if chosen else NONE
    place = chosen[1] if chosen else group[0]  # of two, the second one is too many
    return Hit(Key(table.key, number, place), {"labels": labels, "found": found})


RULE = Rule(
    "one-of",
    entry=Entry(
        "warning",
        "“{labels}”中应选一栏，现在{found}。",
        "请在“{labels}”中只选一栏填写，其他各栏留空。",
        "One of {labels} is to be filled in; {found}.",
        "Fill in one of {labels} and leave the others blank.",
        category="completeness",
        title=("几栏中没有只选一栏", "Not exactly one of several columns"),
    ),
    parameters=NoParameters,
    find=one_of,
)
