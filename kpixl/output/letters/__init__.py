"""Letters to the units: what came, what is to be corrected, what is missing; as drafts (.eml) and as text.

`letters_of` makes them of a status and its findings, `write_letters` writes them with their annotated copies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from kpixl.collection.intake import DEFAULT_LIMITS, Limits, Progress
from kpixl.collection.model import Collection
from kpixl.disk import Output, Written, commit, remove_own
from kpixl.files import natural_key, safe_file_names
from kpixl.locks import write_reason
from kpixl.output.annotate import copy_name
from kpixl.output.annotate.copies import Copy, Marking, make_copies
from kpixl.output.annotate.problem_list import grouped
from kpixl.output.letters.draft import Attachment, draft
from kpixl.output.letters.model import Letter, Letters, letters_of
from kpixl.output.letters.text import letter_template, letter_text, own_name
from kpixl.output.status import Status
from kpixl.output.status.words import BLANK
from kpixl.problems import Location, Problem
from kpixl.texts import say

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["Letter", "Letters", "WrittenLetter", "letters_data", "letters_of", "write_letters"]

KIND = "letter"  # how the manifest of the folder calls them
DRAFT, TEXT = ".eml", ".txt"
MAX_STALE = 5  # names shown
TOGETHER = 32  # letters made at a time: their copies are in memory


@dataclass(frozen=True, slots=True)
class WrittenLetter:
    """A letter that was written: its draft, its text, and the copies beside them."""

    letter: Letter
    draft: Path
    text: Path
    copies: tuple[Path, ...]
    changed: bool


def write_letters(
    reviewed: Collection,
    status: Status,
    letters: Sequence[Letter],
    folder: Path,
    *,
    lang: str = "zh",
    today: date,
    extra: Sequence[Path] = (),
    template: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    workers: int | None = None,
    progress: Progress | None = None,
    tidy: bool = False,
) -> tuple[tuple[WrittenLetter, ...], tuple[Problem, ...]]:
    """Write letters into `folder`: UNIT.eml, UNIT.txt, and the annotated copies as UNIT·FILE for other ways than mail.

    The files of one letter are one set. `extra`: folders of definitions given by the user; `template`: a template of
    letters; `tidy`: remove letters of an earlier run that this one does not write, where nobody has edited them.
    Returns what was written and the problems of writing. Raises KpixlError `template-invalid`.
    """
    rendered = letter_template(status, lang, extra, template)
    marking = Marking(lang, str(status.form.fonts["body"]), limits)
    files = _Files(folder, status, lang, rendered)
    if problems := _made(folder):
        return (), (*problems, *_stale(folder, ()))
    written: list[WrittenLetter] = []
    for start in range(0, len(letters), TOGETHER):
        batch = letters[start : start + TOGETHER]
        copies = _copies(reviewed, {file for letter in batch for file in letter.files}, marking, workers)
        for letter in batch:
            outputs = files.outputs(letter, copies)
            done, refused = commit(outputs, lang=lang, today=today)
            problems += refused
            if len(done) == len(outputs):
                written.append(_written(letter, outputs, done))
        if progress is not None:
            progress(start + len(batch), len(letters))
    if tidy and not problems:
        _remove_older(folder, written)
    return tuple(written), (*problems, *_stale(folder, written))


def _written(letter: Letter, outputs: Sequence[Output], done: Sequence[Written]) -> WrittenLetter:
    draft_path, text_path, *beside = (output.path for output in outputs)
    return WrittenLetter(letter, draft_path, text_path, tuple(beside), any(one.changed for one in done))


def _remove_older(folder: Path, written: Sequence[WrittenLetter]) -> None:
    """Remove the files of letters that this run did not write, where nobody has edited them."""
    ours = {path for one in written for path in (one.draft, one.text, *one.copies)}
    old = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "." and path not in ours]
    remove_own(old, KIND)


def _made(folder: Path) -> list[Problem]:
    """Make the folder; return the problem where that cannot be."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        return [Problem("not-writable", Location(folder.name), {"path": str(folder), "reason": write_reason(error)})]
    return []


def _copies(reviewed: Collection, files: Set[str], marking: Marking, workers: int | None) -> dict[str, Copy]:
    """Make the annotated copies of some files."""
    found: dict[str | None, list[Problem]] = {}
    for problem in reviewed.problems:
        found.setdefault(problem.location.file, []).append(problem)
    wanted = [file for file in reviewed.files if file.file in files]
    groups = [grouped(found.get(file.file, ())) for file in wanted]
    return {wanted[number].file: copy for number, copy in make_copies(wanted, groups, marking, workers)}


def _attachments(letter: Letter, copies: Mapping[str, Copy], lang: str) -> list[Attachment]:
    """Name the copies like the files that the unit sent, each differently."""
    files = [file for file in letter.files if file in copies]
    names = [copy_name(own_name(file), lang, listed=copies[file].reason is not None) for file in files]
    stems = safe_file_names(stem for stem, _ in names)
    endings = [safe_file_names([ending])[0] if ending else "" for _, ending in names]
    return [
        Attachment(f"{stem}.{ending}" if ending else stem, copies[file].content)
        for file, stem, ending in zip(files, stems, endings, strict=True)
    ]


class _Files:
    """Makes the files of letters; the name of a unit's does not depend on which others get one."""

    def __init__(self, folder: Path, status: Status, lang: str, template: Template) -> None:
        self._folder, self._status, self._lang, self._template = folder, status, lang, template
        units = [unit.name for unit in status.units]
        self._stems = dict(zip(units, safe_file_names(unit or say(BLANK, lang) for unit in units), strict=True))
        self._taken: set[str] = set()

    def outputs(self, letter: Letter, copies: Mapping[str, Copy]) -> list[Output]:
        """Return the files of a letter: the draft, the text, the copies."""
        attached = _attachments(letter, copies, self._lang)
        told = letter_text(self._template, letter, self._status, [each.name for each in attached], self._lang)
        stem = self._stems[letter.unit]
        # With a mark, or Notepad of older Windows reads it as GBK; and with its line ends.
        plain = f"{told.subject}\n\n{told.text}".replace("\n", "\r\n").encode("utf-8-sig", "replace")
        content = draft(letter.to, told.subject, told.text, attached)
        return [
            Output(self._folder / f"{stem}{DRAFT}", content, KIND),
            Output(self._folder / f"{stem}{TEXT}", plain, KIND),
            *(Output(self._beside(stem, each.name), each.content, KIND) for each in attached),
        ]

    def _beside(self, stem: str, name: str) -> Path:
        path = PurePath(name)
        names = (f"{stem}·{path.stem}{'' if n == 1 else f' ({n})'}" for n in count(1))
        free = next(n for one in names if (n := safe_file_names([one])[0] + path.suffix).casefold() not in self._taken)
        self._taken.add(free.casefold())
        return self._folder / free


def _stale(folder: Path, written: Sequence[WrittenLetter]) -> list[Problem]:
    """Report drafts in `folder` that this run did not write: to units that have nothing more to do, perhaps."""
    ours = {one.draft.name for one in written}
    others = sorted((path.name for path in folder.glob(f"*{DRAFT}") if path.name not in ours), key=natural_key)
    if not others:
        return []
    shown = "、".join(others[:MAX_STALE]) + ("……" if len(others) > MAX_STALE else "")
    return [Problem("letters-stale", Location(), {"path": str(folder), "count": len(others), "names": shown})]


def letters_data(written: Sequence[WrittenLetter], rest: Sequence[Problem], lang: str) -> dict[str, Any]:
    """Turn what was written, and the problems that are in no letter, into JSON data."""
    return {
        "letters": [
            {
                "unit": one.letter.unit,
                "to": list(one.letter.to),
                "draft": str(one.draft),
                "text": str(one.text),
                "copies": [str(path) for path in one.copies],
                "complete": one.letter.is_complete,
                "errors": len(one.letter.errors),
                "warnings": len(one.letter.warnings),
                "unread": len(one.letter.unread),
                "missing": [project.id for project in one.letter.missing],
            }
            for one in written
        ],
        "problems": [{**problem.data(lang), "project": problem.project} for problem in rest],
    }
