"""The laws of merging (design section 8), over rounds of two to five people.

A small number of cases is in the suite; `make laws` runs 10,000 of each.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kpixl.a1 import CellRef
from kpixl.collection.decisions import NONE, Decision, read_decisions, with_more
from kpixl.collection.merge import Merged, merge
from kpixl.collection.versions import Returned
from kpixl.forms.definition import Value
from kpixl.keys import Key
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.canonical import dumps
from kpixl.portfolio.merge_model import DELETE, Address, Choice, Variant
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.sheet_id import SheetId
from kpixl.portfolio.three_way import changes, merge_versions
from kpixl.readers.properties import Properties
from kpixl.recognise.submission import Submission
from tests.laws.merging import FIELDS, FORM, Round, all_values, applied, rounds, typed_values

COUNT = int(os.environ.get("KPIXL_LAW_CASES", "60"))  # of each law
law = settings(max_examples=COUNT, deadline=None, database=None)
anything, apart = rounds(disjoint=False), rounds(disjoint=True)


def roster(sent: Project) -> Portfolio:
    return Portfolio(FORM.id, 2026, "某市科协", (sent,))


def returned(project: Project, number: int, sent: Project, properties: Properties | None = None) -> Returned:
    """Make the submission of a person: each value in a cell of its own."""
    cells = {Key(key): CellRef(n, 0) for n, key in enumerate(FORM.fields)}
    for n, row in enumerate(project.tables["indicators"]):
        cells |= {Key("indicators", n, key): CellRef(n + 19, c + 1) for c, key in enumerate(row)}
    mark = SheetId(FORM.id, FORM.version, sheet_ids.portfolio_id(roster(sent)), sent.id, 1, "", 2026, "某市科协")
    form = Submission(
        FORM.id, "表1", False, mark, 2026, "某市科协", project.values, project.tables, cells, (), ()
    )  # fmt: skip
    plain = Returned(f"{number}.xlsx", f"{number:064}", form)
    return replace(plain, properties=properties) if properties else plain


def merged(drawn: Round, *, known: bool = True, order: list[int] | None = None) -> Merged:
    files = [returned(project, n, drawn.sent) for n, project in enumerate(drawn.returned)]
    return merge(FORM, [files[n] for n in order or range(len(files))], roster(drawn.sent) if known else None)


def accounted(result: Merged) -> set[Value]:
    """Return every value that is in the result, in a contradiction, or superseded."""
    values = {value for project in result.portfolio.projects for value in all_values(project)}
    for conflict in result.conflicts:
        values |= {part for offer in conflict.offers for part in offer.value}
    return values | {part for lost in result.superseded for part in lost.value}


@given(apart)
@law
def test_disjoint_edits_are_all_in_the_result_without_a_conflict(drawn: Round) -> None:
    result = merged(drawn)
    assert result.conflicts == ()
    wanted, found = applied(drawn.sent, drawn.people), result.portfolio.projects[0]
    assert found.values == wanted.values
    # Rows that several people added stand in some order; every row is there whole.
    assert sorted(map(str, found.tables["indicators"])) == sorted(map(str, wanted.tables["indicators"]))


@given(anything)
@law
def test_overlapping_edits_are_always_found(drawn: Round) -> None:
    result = merged(drawn)
    found = {conflict.address: conflict for conflict in result.conflicts}
    project = result.portfolio.projects[0]
    for key in FIELDS:
        typed = {typed[key] for p in drawn.people if (typed := p.edits.get(("", key)))}
        assert (len(typed) > 1) == (Address(key) in found)
        if len(typed) > 1:
            assert {offer.value[0] for offer in found[Address(key)].offers} == typed
            assert project.values[key] == drawn.sent.values[key]
    for number in range(len(drawn.sent.tables["indicators"])):
        assert _row_conflicts(drawn, f"s{number}") == _found_in_row(drawn, number, found)


def _row_conflicts(drawn: Round, row: str) -> set[str]:
    """Return the columns of a row that people typed differently, and "" where one deleted what others changed."""
    typed: dict[str, set[str]] = defaultdict(set)
    for person in drawn.people:
        for (there, column), cells in person.edits.items():
            if there == row:
                typed[column].add(str(cells))
    deleted = typed.pop("row", set())
    found = {column for column, values in typed.items() if len(values) > 1}
    return found | ({""} if deleted and typed else set())


def _found_in_row(drawn: Round, number: int, found: Mapping[Address, object]) -> set[str]:
    row = drawn.sent.tables["indicators"][number]
    path = f"{row['level1']}/{row['level2']}/{row['name']}"
    return {address.column for address in found if address.row == path}


@given(anything, st.booleans())
@law
def test_no_typed_value_is_missing(drawn: Round, known: bool) -> None:
    result = merged(drawn, known=known)
    kept = accounted(result)
    for person, project in zip(drawn.people, drawn.returned, strict=True):
        # What somebody typed and then deleted with its row is not in the file.
        assert typed_values(person) & all_values(project) <= kept


@given(anything, st.booleans(), st.integers(0, 1000))
@law
def test_the_order_of_files_does_not_matter(drawn: Round, known: bool, seed: int) -> None:
    order = list(range(len(drawn.people)))
    random.Random(seed).shuffle(order)
    one, other = merged(drawn, known=known), merged(drawn, known=known, order=order)
    assert dumps(FORM, one.portfolio) == dumps(FORM, other.portfolio)
    assert one.conflicts == other.conflicts
    assert one.sources == other.sources
    assert sorted(map(str, one.problems)) == sorted(map(str, other.problems))


@given(anything)
@law
def test_twice_changes_nothing(drawn: Round) -> None:
    variants = [Variant(project) for project in drawn.returned]
    once = merge_versions(FORM, drawn.sent, variants)
    again = merge_versions(FORM, drawn.sent, [*variants, *variants])
    assert again.project == once.project
    assert [(c.address, c.kept) for c in again.conflicts] == [(c.address, c.kept) for c in once.conflicts]
    alone = merge_versions(FORM, drawn.sent, [Variant(once.project)])
    assert alone.project == once.project
    assert alone.conflicts == ()


@given(anything)
@law
def test_choosing_settles_every_conflict_and_the_next_run_says_the_same(drawn: Round) -> None:
    files = [returned(project, n, drawn.sent) for n, project in enumerate(drawn.returned)]
    first = merge(FORM, files, roster(drawn.sent))
    new = [
        Decision(c.project, Choice(c.address, c.offers[-1].value), "理由", "待决定", "2026-11-25")
        for c in first.conflicts
    ]
    second = merge(FORM, files, roster(drawn.sent), NONE, new)
    assert [c.address for c in second.conflicts] == []
    assert {p.code for p in second.problems if p.code.startswith("decision")} <= {"decision-made"}
    decisions = with_more(FORM, NONE, second.decisions)
    third = merge(FORM, files, roster(drawn.sent), read_decisions(decisions.text, FORM) if decisions.text else NONE)
    assert third.portfolio == second.portfolio
    assert third.conflicts == ()
    kept = accounted(third)
    for person, project in zip(drawn.people, drawn.returned, strict=True):
        assert typed_values(person) & all_values(project) <= kept


@given(anything)
@law
def test_edits_by_hand_are_decisions_that_give_the_edited_result(drawn: Round) -> None:
    """The first person is the office, who edits the result of the others as the YAML has it."""
    files = [returned(project, n, drawn.sent) for n, project in enumerate(drawn.returned[1:])]
    before = merge(FORM, files, roster(drawn.sent)).portfolio.projects[0]
    edited = _edited(before, drawn)
    new = [Decision("07", found.choice, was=found.was) for found in changes(FORM, before, edited)]
    after = merge(FORM, files, roster(drawn.sent), NONE, new)
    assert {p.code for p in after.problems if p.code.startswith("decision")} <= {"decision-made"}
    project = after.portfolio.projects[0]
    assert project.values == edited.values
    assert sorted(map(str, project.tables["indicators"])) == sorted(map(str, edited.tables["indicators"]))


def _edited(before: Project, drawn: Round) -> Project:
    """Do to the result what the first person does to its fields, and to its rows by their place."""
    edits = drawn.people[0].edits
    rows: list[dict[str, Value] | None] = [dict(row) for row in before.tables["indicators"]]
    values = {key: None if FORM.fields[key].sum else value for key, value in before.values.items()}
    added = []
    for (row, _), typed in edits.items():
        if not row:
            values |= typed or {}
        elif row.startswith("new"):
            added.append(dict(typed or {}))
        elif (place := int(row[1:])) < len(rows):
            there = rows[place]
            rows[place] = None if typed is None or there is None else {**there, **typed}
    kept = tuple(row for row in [*rows, *added] if row is not None)
    from kpixl.portfolio.canonical import complete

    return complete(FORM, Project("07", values, {"indicators": kept}))


@given(anything, st.integers(1, 4))
@law
def test_a_later_save_of_one_person_supersedes_and_what_it_replaced_is_listed(drawn: Round, step: int) -> None:
    """Each person takes the file of the one before and goes on; all of them are one person."""
    files, people = [], []
    start = datetime(2026, 11, 20, 9, tzinfo=UTC)
    for number, person in enumerate(drawn.people):
        people.append(person)
        project = applied(drawn.sent, people)
        saved = start + timedelta(hours=number * step)
        files.append(returned(project, len(drawn.people) - number, drawn.sent, Properties(saved, "张三")))
    result = merge(FORM, files, roster(drawn.sent))
    last = files[-1].form
    kept = accounted(result)
    for item in files:
        assert all_values(Project("07", item.form.values, item.form.tables)) <= kept | all_values(drawn.sent)
    if not result.conflicts:  # less than half of it was kept: then it is a contradiction
        assert {**result.portfolio.projects[0].values} == {**last.values}


def test_a_deleted_row_can_be_kept_by_a_choice() -> None:
    sent = applied(Project("07", dict.fromkeys(FORM.fields), {"indicators": ()}), [])
    row: dict[str, Value] = {key: f"值{key}" for key in FORM.tables["indicators"].columns}
    full = replace(sent, tables={"indicators": (row,)})
    found = [choice for choice, _, _ in changes(FORM, full, sent)]
    assert found == [Choice(Address("indicators", "值level1/值level2/值name"), DELETE)]
