"""Learning a form that is not known: a blank or filled workbook -> a proposed form.yaml that explains itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kpixl import yaml_text
from kpixl.disk import Output, Written, commit
from kpixl.forms.load import DEFINITION, parse_form
from kpixl.learn.compose import compose
from kpixl.learn.looks import read_sheets
from kpixl.learn.proposal import Proposal
from kpixl.learn.sheet import Boxes, SeenSheet
from kpixl.learn.tables import find_tables
from kpixl.learn.write import definition_text
from kpixl.problems import KpixlError, Problem, failure
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.texts import Text

__all__ = ["Learned", "Proposal", "learn", "write_learned"]


MAX_SHEETS = 50  # among which the one with the form is looked for; of more, one must be named


@dataclass(frozen=True, slots=True)
class Learned:
    """A proposed definition: as data, as the text of its form.yaml, and the sheets that were left aside."""

    proposal: Proposal
    text: str
    others: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def unsure(self) -> list[tuple[str, Text]]:
        """List what a person must look at."""
        return self.proposal.unsure


def learn(
    content: bytes,
    file: str,
    form_id: str,
    *,
    sheet: str | None = None,
    lang: str = "zh",
    limits: Limits = DEFAULT_LIMITS,
) -> Learned:
    """Propose a definition for the form on a sheet, by default on the one that looks most like a form.

    Raises KpixlError where the file cannot be read, `sheet-unknown`, or `nothing-to-learn` where no label with a value
    and no table was found.
    """
    sheets, problems = read_sheets(content, file, limits)
    if not sheets:
        raise KpixlError(*problems) if problems else failure("nothing-to-learn", file, sheet="")
    chosen = _chosen(sheets, sheet, file)
    proposal = compose(chosen, form_id, file)
    if not proposal.fields:
        raise failure("nothing-to-learn", file, sheet=chosen.name)
    text = definition_text(proposal, lang)
    parse_form(yaml_text.parse(text, DEFINITION))  # what is written can be loaded
    others = tuple(one.name for one in sheets if one is not chosen and not one.hidden)
    return Learned(proposal, text, others, tuple(problems))


def _chosen(sheets: Sequence[SeenSheet], name: str | None, file: str) -> SeenSheet:
    """Choose a sheet by name, else the first of those with most labels, tables counting more."""
    if name is not None:
        found = next((sheet for sheet in sheets if sheet.name == name), None)
        if found is None:
            raise failure("sheet-unknown", file, sheet=name, known=", ".join(sheet.name for sheet in sheets))
        return found
    return max(sheets[:MAX_SHEETS], key=lambda sheet: (not sheet.hidden, _score(sheet)))


def _score(sheet: SeenSheet) -> int:
    boxes = Boxes(sheet)
    texts = sum(1 for box in boxes.all() if box.text and isinstance(box.raw, str))
    return min(texts, 60) + 20 * len(find_tables(boxes))


def write_learned(learned: Learned, folder: Path, *, lang: str, today: date) -> tuple[list[Written], list[Problem]]:
    """Write a proposal as the form.yaml of a new folder. Raises KpixlError `folder-not-empty`."""
    check_new(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return commit([Output(folder / DEFINITION, learned.text.encode(), "definition")], lang=lang, today=today)


def check_new(folder: Path) -> None:
    """Raise KpixlError `folder-not-empty` where a folder, or a file, is there already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise failure("folder-not-empty", path=str(folder))
