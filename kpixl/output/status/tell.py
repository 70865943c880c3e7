"""Texts of a status that are the same everywhere: titles, times, remarks."""

from __future__ import annotations

from datetime import datetime

from kpixl.output.status import words
from kpixl.output.status.model import Counts, ProjectStatus, Return, Status, UnitStatus, Unread
from kpixl.output.status.words import State
from kpixl.texts import Text, say


def title_text(status: Status, lang: str) -> str:
    """Return of what this is the status."""
    roster = status.roster
    year = say(words.YEAR, lang, year=roster.year) if roster.year is not None else ""
    return say(words.TITLE, lang, organization=roster.organization or "", year=year, title=status.form.title).strip()


def notes(status: Status, lang: str) -> list[str]:
    """Return when everything was due, and what the times are worth."""
    due = [say(words.DUE, lang, due=due_text(status.due))] if status.due is not None else []
    return [*due, say(words.TIMES, lang)]


def due_text(due: datetime) -> str:
    """Spell the due time; the last second of a day is the day."""
    return due.date().isoformat() if (due.hour, due.minute, due.second) == (23, 59, 59) else moment_text(due)


def moment_text(moment: datetime | None) -> str:
    """Spell a time to the minute; "" where none is known."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def unit_heading(status: Status, lang: str) -> str:
    """Head the column of units with the field they come from."""
    return status.by.heading if status.by is not None else say(words.UNIT, lang)


def unit_name(unit: UnitStatus, lang: str) -> str:
    """Name a unit, also one that has no name."""
    return unit.name or say(words.BLANK, lang)


def count_columns(status: Status) -> list[tuple[str, Text]]:
    """List the columns of numbers: the name of the count, and its heading."""
    columns = [("projects", words.PROJECTS), *((str(state), text) for state, text in words.STATES.items())]
    columns.append(("twice", words.TWICE))
    return [*columns, ("late", words.LATE)] if status.due is not None else columns


def numbers(counts: Counts, status: Status) -> list[int]:
    """Return the counts in the order of `count_columns`."""
    return [getattr(counts, name) for name, _ in count_columns(status)]


def label_numbers(counts: Counts, status: Status, lang: str) -> str:
    """Return the counts in a line; what there is none of is left out."""
    named = zip(count_columns(status), numbers(counts, status), strict=True)
    return " · ".join(f"{say(text, lang)} {number}" for (_, text), number in named if number)


def state_text(project: ProjectStatus, lang: str) -> str:
    """Return what became of a project."""
    return say(words.STATES[project.state], lang)


def label(project: ProjectStatus) -> str:
    """Call a project by id and name."""
    return f"{project.id} {project.name}".strip()


def place(item: Return) -> str:
    """Return where a form is."""
    return f"{item.file} › {item.sheet}" if item.sheet else item.file


def sender_text(item: Return | Unread, lang: str) -> str:
    """Name who sent a file by mail; "" where no mail brought it."""
    sender = item.delivery.sender if item.delivery is not None else ""
    return say(words.SENDER, lang, sender=sender) if sender else ""


def remarks(project: ProjectStatus, lang: str, *, late: bool = True) -> str:
    """Return what is beside the state: declared why, for which time, in several versions, late, sender, not in roster.

    `late`: False where that is shown elsewhere.
    """
    said = []
    if project.state is State.NOTHING:
        said.append(project.reason or "")
    if project.round > 1:
        said.append(round_text(project, lang))
    if project.twice is not None:
        said.append(versions_text(project, lang))
    if late and project.late:
        said.append(say(words.LATE, lang))
    if project.returns and (sender := sender_text(project.returns[0], lang)):
        said.append(sender)
    if not project.listed:
        said.append(say(words.UNLISTED, lang))
    return ("；" if lang == "zh" else "; ").join(said)


def round_text(project: ProjectStatus, lang: str) -> str:
    """Write for which time a project came back."""
    ordinal = {2: "2nd", 3: "3rd"}.get(project.round, f"{project.round}th")
    return say(words.AGAIN, lang, round=project.round, ordinal=ordinal)


def versions_text(project: ProjectStatus, lang: str) -> str:
    """Return in how many versions a project came back, and where those are that differ from the one that was taken."""
    text = words.SAME if project.twice == "same" else words.DIFFERENT
    others = "、".join(place(item) for item in project.counting[1:] if not item.same)
    return say(text, lang, count=len(project.counting), others=others)


def counted(project: ProjectStatus, lang: str) -> str:
    """Return how many errors and warnings a project has."""
    return say(words.COUNTED, lang, errors=project.errors, warnings=project.warnings)


def probably(item: Unread, status: Status, lang: str) -> str:
    """Return whose an unread file probably is, by its name, and who sent it."""
    names = {project.id: label(project) for _, project in status.projects}
    known = [item.unit] if item.unit else []
    known += [names[item.project]] if item.project else []
    told = " › ".join(known) or say(words.OTHERWISE, lang)
    return f"{told}；{sender}" if (sender := sender_text(item, lang)) else told
