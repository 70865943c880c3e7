"""The status as text: a table of numbers by unit, then what is to be chased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kpixl.output.status import words
from kpixl.output.status.model import ProjectStatus, Status
from kpixl.output.status.tell import (
    count_columns,
    counted,
    due_text,
    label,
    numbers,
    place,
    probably,
    remarks,
    round_text,
    sender_text,
    title_text,
    unit_heading,
    unit_name,
    versions_text,
)
from kpixl.output.status.words import State
from kpixl.problems import Severity
from kpixl.texts import Text, say

Line = tuple[int, str]  # indentation, text


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list below the table. `severity`: how much what it lists matters."""

    heading: str
    severity: Severity
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class StatusText:
    """Everything that is printed: title, headings and rows of the table, its totals, the blocks below it."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[str, ...]
    blocks: tuple[StatusList, ...]
    end: tuple[str, ...]


def status_text(status: Status, lang: str) -> StatusText:
    """Put a status into words."""
    headings = (unit_heading(status, lang), *(say(text, lang) for _, text in count_columns(status)))
    rows = tuple((unit_name(unit, lang), *_shown(numbers(unit.counts, status))) for unit in status.units)
    totals = (say(words.TOTAL, lang), *_shown(numbers(status.counts, status)))
    end = [say(words.ALL_IN, lang)] if status.complete else []
    if status.counts.late:
        end.append(say(words.LATE_COUNT, lang, count=status.counts.late))
    if status.due is not None:
        end += [say(words.DUE, lang, due=due_text(status.due)), say(words.TIMES, lang)]
    blocks = tuple(block for block in _blocks(status, lang) if block.lines)
    return StatusText(title_text(status, lang), headings, rows, totals, blocks, tuple(end))


def _shown(counts: list[int]) -> Iterator[str]:
    return (str(number) if number else "-" for number in counts)


def _blocks(status: Status, lang: str) -> Iterator[StatusList]:
    """Make every block, also those with nothing in them."""

    def listed(
        heading: Text, severity: Severity, chosen: Callable[[ProjectStatus], bool], told: Callable[[ProjectStatus], str]
    ) -> StatusList:
        lines: list[Line] = []
        for unit in status.units:
            members = [(1, f"{label(p)}{told(p)}") for p in unit.projects if chosen(p)]
            lines += [(0, unit_name(unit, lang)), *members] if members else []
        return StatusList(say(heading, lang), severity, tuple(lines))

    def with_place(project: ProjectStatus) -> str:
        again = [round_text(project, lang)] if project.round > 1 else []
        parts = (place(project.returns[0]), counted(project, lang), *again)
        return "".join(f"  {part}" for part in parts) + sent_by(project)

    def sent_by(project: ProjectStatus) -> str:
        return f"  {sender}" if (sender := sender_text(project.returns[0], lang)) else ""

    error, warning, info = Severity
    unread = {item.project for item in status.unread}
    perhaps = say(words.MAYBE_SENT, lang)
    yield listed(
        words.MISSING_LIST, error, lambda p: p.state is State.MISSING, lambda p: perhaps if p.id in unread else ""
    )
    yield listed(words.WRONG_LIST, error, lambda p: p.state is State.ERRORS, with_place)
    yield listed(words.BLANK_LIST, error, lambda p: p.state is State.BLANK, lambda p: f"  {place(p.returns[0])}")
    yield _unread(status, lang)
    yield listed(words.TWICE_LIST, warning, lambda p: p.twice is not None, lambda p: f"  {versions_text(p, lang)}")
    yield listed(words.NOTHING_LIST, info, lambda p: p.state is State.NOTHING, lambda p: f"  {remarks(p, lang)}")
    yield StatusList(
        say(words.NOTES_LIST, lang),
        warning,
        tuple((0, f"{p.location} {p.text(lang)}".strip()) for p in status.problems),
    )


def _unread(status: Status, lang: str) -> StatusList:
    lines: list[Line] = []
    for item in status.unread:
        lines.append((0, str(item.problem.location)))
        lines.append((1, item.problem.text(lang)))
        if item.unit or item.project or item.delivery:
            lines.append((1, f"{say(words.PROBABLY, lang)} {probably(item, status, lang)}"))
    return StatusList(say(words.UNREAD_LIST, lang), Severity.ERROR, tuple(lines))
