"""The submissions of one project -> its values, what contradicts, and what became of every submission."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kpixl.a1 import ValuePlace
from kpixl.collection.lineage import Evidence, Lineage, superseded
from kpixl.collection.versions import Received, Returned, Source, Version
from kpixl.forms.definition import Form
from kpixl.keys import Key
from kpixl.portfolio.merge_model import Address, Candidate, Choice, Conflict, MergeOutcome, Overruled, Parts, Variant
from kpixl.portfolio.model import Project
from kpixl.portfolio.three_way import blank, changes, columns_of, merge_versions
from kpixl.portfolio.wording import label_of, shown
from kpixl.problems import Location, Problem, Severity
from kpixl.texts import Text

_BROKEN = ("cell-error", "formula-uncached")  # cells that read blank and are not
_WHY: Mapping[Evidence, Text] = {
    Evidence.DECIDED: ("单位已决定", "decided by the office"),
    Evidence.ANNOTATED: ("由本份的批注副本改成", "made from the annotated copy of this one"),
    Evidence.COLLECTED: ("已汇入该汇总数据", "already collected in that portfolio"),
    Evidence.SAVED_LATER: ("同一人后来保存", "saved later by the same person"),
}


class Place(NamedTuple):
    """Where a candidate was typed: the cell, and when and by whom the file was saved, as far as that is known."""

    location: Location
    date: str
    editor: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One of the values of a contradiction, with every place where it was typed."""

    value: Parts
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A value that submissions contradict each other in and nobody has decided. `sent`: what it was when sent out;
    `kept`: what the result has. `decided`: what was decided before a submission had something else.
    """

    project: str
    name: str
    address: Address
    label: str
    sent: Parts
    kept: Parts
    offers: tuple[Offer, ...]
    decided: Parts | None = None

    @property
    def id(self) -> str:
        """Return a short name that does not change from run to run: project, and a digest of the address."""
        address = "\n".join((self.address.key, self.address.row, self.address.column))
        return f"{self.project}-{hashlib.sha256(address.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


@dataclass(frozen=True, slots=True)
class Superseded:
    """A value that somebody typed and that is not in the result. `by`: the file that has another, "" for a decision."""

    project: str
    address: Address
    value: Parts
    location: Location
    by: str


@dataclass(frozen=True, slots=True)
class Met:
    """What a decision met: what it replaced, None where there is nothing of the kind; what was sent, what was typed.

    `address`: what it is about, a row named by its path.
    """

    address: Address
    replaced: Parts | None
    sent: Parts
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """A project of the portfolio, and all that is to be reported of it.

    `met`, `fresh`: what the decisions of earlier runs and of this one came to, in their order. `undecided`: keys of
    values that are in conflict, and where the first candidate was typed. `unread`: keys of values that could not be
    read, each with the key by which the problem of its file knows it.
    """

    project: Project
    source: Source
    versions: tuple[Version, ...]
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[OpenConflict, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    met: tuple[Met, ...] = ()
    fresh: tuple[Met, ...] = ()
    undecided: Mapping[Key, Location] = field(default_factory=dict)
    unread: Mapping[Key, Key] = field(default_factory=dict)


class ChosenValues(NamedTuple):
    """What a person chose in a project: in earlier runs, and in this one."""

    earlier: Sequence[Choice] = ()
    fresh: Sequence[Choice] = ()


NO_CHOICES = ChosenValues()


def settle(
    form: Form, group: Sequence[Received], sent: Project | None, links: Lineage, choices: ChosenValues = NO_CHOICES
) -> Settled:
    """Settle a project. `sent`: as it was sent out, None where that is not known; `links`: what supersedes what."""
    if len(group) == 1 and not any(choices):
        item = group[0].item
        unread = {key: key for key in item.unread}
        return Settled(group[0].project, _source(item), (Version(item.file, item.form.sheet, True),), unread=unread)
    return _Settling(form, group, sent or _as_sent(group)).settle(links, choices)


def _as_sent(group: Sequence[Received]) -> Project | None:
    """Return the project as it was sent out where submissions came back unchanged, and all of those are alike."""
    unchanged = [received.project for received in group if received.is_as_sent()]
    return unchanged[0] if unchanged and all(project == unchanged[0] for project in unchanged) else None


def _source(item: Returned) -> Source:
    return Source(item.file, item.sha256, item.form.sheet, item.cells, delivery=item.delivery, below=item.below)


@dataclass(slots=True)
class _Settling:
    """The submissions of one project on the way; used once."""

    form: Form
    group: Sequence[Received]
    sent: Project | None
    problems: list[Problem] = field(default_factory=list)
    lost: list[Superseded] = field(default_factory=list)

    def settle(self, links: Lineage, choices: ChosenValues) -> Settled:
        """Leave out what does not count, merge the rest by value, and report both."""
        old = superseded(self.group, links)
        ranks = [(c.foreign, n in old, c.is_unfilled(self.form, self.sent)) for n, c in enumerate(self.group)]
        counting = [n for n, rank in enumerate(ranks) if rank == min(ranks)]
        distinct = self._most_first([n for n in counting if not self._has_twin(n, counting)])
        outcome = merge_versions(self.form, self.sent, [self._variant(n) for n in distinct], *choices)
        giving = _giving(outcome, distinct)
        main = giving[0]
        for n in range(len(self.group)):
            if n not in giving:
                self._left_out(n, main, old.get(n), counting, distinct)
        conflicts = tuple(self._conflict(c, distinct) for c in outcome.conflicts)
        undecided: dict[Key, Location] = {}
        for conflict in conflicts:
            undecided |= (places := dict(self._undecided(outcome, conflict)))
            self.problems.append(conflict_problem(conflict, tuple(places)))
        if len(giving) > 1:
            self._merged(outcome, giving, distinct)
        self._decided_away(outcome, distinct)
        versions = [self._version(n, main, n in old) for n in range(len(self.group))]
        ordered = [versions[main], *(v for n, v in enumerate(versions) if n != main)]
        source = self._sources(outcome, giving, distinct)
        return Settled(
            outcome.project,
            source,
            tuple(ordered),
            tuple(self.problems),
            conflicts,
            tuple(self.lost),
            tuple(self._met(o, distinct) for o in outcome.overruled),
            tuple(self._met(o, distinct) for o in outcome.fresh),
            undecided,
            self._unread(outcome, main, distinct),
        )

    def _version(self, number: int, main: int, is_old: bool) -> Version:
        received = self.group[number]
        place, project = received.item.place, received.project
        unfilled = project == self.sent or received.is_unfilled(self.form, self.sent)
        twin = self._has_twin(number, range(len(self.group)))
        return Version(received.item.file, place.sheet, project == self.group[main].project, is_old, unfilled, twin)

    def _most_first(self, numbers: Sequence[int]) -> list[int]:
        """Put the submission in front in which most was filled in."""
        sent = self.sent or blank(self.form, self.group[0].project.id)
        filled = {n: sum(1 for _ in changes(self.form, sent, self.group[n].project)) for n in numbers}
        return sorted(numbers, key=lambda n: (-filled[n], n))

    def _undecided(self, outcome: MergeOutcome, conflict: OpenConflict) -> Iterator[tuple[Key, Location]]:
        key, row, column = conflict.address.key, conflict.address.row, conflict.address.column
        place = conflict.offers[0].places[0].location
        if key in self.form.fields:
            yield Key(key), place
        elif column and row in outcome.rows[key]:
            number = outcome.rows[key].index(row)
            for part in columns_of(self.form.tables[key])[column]:
                yield Key(key, number, part), place

    def _unread(self, outcome: MergeOutcome, main: int, distinct: Sequence[int]) -> dict[Key, Key]:
        """Map values that could not be read in the file that gave them; what no file gave is read in the main one."""
        unread = {number: self.group[number].item.unread for number in distinct}
        given = {key: (distinct[side], own) for key, (side, own) in outcome.givers.items()}
        found = {key: own for key, (number, own) in given.items() if own in unread[number]}
        return found | {key: key for key in unread[main] if key not in given}

    def _has_twin(self, number: int, counting: Sequence[int]) -> bool:
        """Return whether an earlier submission has the same values."""
        return any(n < number and self.group[n].project == self.group[number].project for n in counting)

    def _variant(self, number: int) -> Variant:
        received = self.group[number]
        unread = set(received.item.form.missing)
        for key, table in self.form.tables.items():
            if all((key, heading) in unread for heading in (*table.columns, *table.targets)):
                unread.add((key, ""))
        broken = {key for p in received.item.form.problems if p.code in _BROKEN for key in p.keys}
        unread |= {("", key) for key in self.form.fields if Key(key) in broken}
        return Variant(received.project, frozenset(unread))

    # --- what was left out -------------------------------------------------------------------

    def _left_out(
        self,
        number: int,
        main: int,
        newer: tuple[int, Evidence] | None,
        counting: Sequence[int],
        distinct: Sequence[int],
    ) -> None:
        """Report a submission that gives the result nothing, and list what in it is lost."""
        received = self.group[number]
        twin = next((n for n in range(len(self.group)) if n in distinct and n != number
                     and self.group[n].project == received.project), None)  # fmt: skip
        used = self.group[main if twin is None else twin]
        if newer is not None and twin is None:
            used = self.group[newer[0]]
        details: dict[str, object] = {"id": received.project.id, "used": str(used.item.place)}
        if twin is not None:
            self._report("returned-twice", number, {**details, "other": details["used"]})
        elif received.project == self.sent or received.is_unfilled(self.form, self.sent):
            self._report("returned-unfilled", number, details)
        elif number in counting:
            self._report("returned-contained", number, details)
        else:
            place, differences = self._differences(received, used)
            details |= {"differences": differences}
            if newer is None:
                self._report("returned-differently", number, details, place)
            else:
                level = Severity.WARNING if newer[1] is Evidence.SAVED_LATER else None
                self._report("returned-superseded", number, {**details, "why": _WHY[newer[1]]}, place, level)

    def _report(
        self,
        code: str,
        number: int,
        details: Mapping[str, object],
        place: Location | None = None,
        level: Severity | None = None,
    ) -> None:
        received = self.group[number]
        problem = Problem(code, place or received.item.place, details, level, received.project.id)
        self.problems.append(problem)

    def _differences(self, received: Received, used: Received) -> tuple[Location, Text]:
        """Describe in which values a submission differs from the one that counts; each is superseded by it."""
        texts, first = [], None
        for choice, other, key in changes(self.form, used.project, received.project):
            location = received.item.at(key)
            if first is None and location.cell:
                first = location
            self.lost.append(Superseded(received.project.id, choice.address, choice.value, location, used.item.file))
            mine, theirs = shown(choice.value)[0], shown(other)[0]
            texts.append(f"{label_of(self.form, choice.address)} {location.address or ''} “{mine}” ≠ “{theirs}”")
        return first or received.item.place, _uncut("；".join(texts))

    # --- what was merged ---------------------------------------------------------------------

    def _merged(self, outcome: MergeOutcome, giving: Sequence[int], distinct: Sequence[int]) -> None:
        """Report of a project that several files gave something to which of them gave what."""
        edits = [set(outcome.edits[distinct.index(number)].items()) for number in giving]
        common = {conflict.address for conflict in outcome.conflicts}
        common |= {address for address, _ in set.intersection(*edits)}
        texts = []
        for number in giving:
            own = [address for address in outcome.edits[distinct.index(number)] if address not in common]
            labels = dict.fromkeys(label_of(self.form, Address(address.key, address.row)) for address in own)
            if labels:
                texts.append(f"{self.group[number].item.place}：{'、'.join(labels)}")
        if len(texts) < 2:
            return
        # Without the project as it was sent out nobody knows which of two rows is the newer spelling of the other.
        level = Severity.WARNING if self.sent is None else None
        details = {"id": outcome.project.id, "parts": _uncut("；".join(texts))}
        self._report("returned-merged", giving[0], details, level=level)

    def _conflict(self, conflict: Conflict, distinct: Sequence[int]) -> OpenConflict:
        label = label_of(self.form, conflict.address)
        offers = self._offers(conflict.candidates, label, distinct)
        project = self.group[distinct[0]].project
        name = shown((project.values[self.form.key_fields[0]],))[0]
        return OpenConflict(project.id, name, conflict.address, label, conflict.sent, conflict.kept, offers)

    def _offers(self, candidates: Iterable[Candidate], label: str, distinct: Sequence[int]) -> tuple[Offer, ...]:
        def place(side: int, key: Key | None) -> Place:
            item = self.group[distinct[side]].item
            return Place(replace(item.at(key), field=label), item.date, item.properties.editor)

        return tuple(Offer(c.value, tuple(place(*p) for p in c.places)) for c in candidates)

    def _met(self, overruled: Overruled, distinct: Sequence[int]) -> Met:
        offers = self._offers(overruled.candidates, label_of(self.form, overruled.choice.address), distinct)
        return Met(overruled.choice.address, overruled.replaced, overruled.sent, offers)

    def _decided_away(self, outcome: MergeOutcome, distinct: Sequence[int]) -> None:
        """List the values that were typed and that a decision replaced."""
        for met in (*outcome.overruled, *outcome.fresh):
            for candidate in met.candidates:
                if candidate.value != met.choice.value:
                    self._lose(met.choice.address, candidate, distinct)
            for address, candidate in met.lost:
                self._lose(address, candidate, distinct)

    def _lose(self, address: Address, candidate: Candidate, distinct: Sequence[int]) -> None:
        for side, key in candidate.places:
            received = self.group[distinct[side]]
            self.lost.append(Superseded(received.project.id, address, candidate.value, received.item.at(key), ""))

    def _sources(self, outcome: MergeOutcome, giving: Sequence[int], distinct: Sequence[int]) -> Source:
        """Name the file that gave most, with the others behind it, and the cell of each value."""
        cells: dict[int, dict[Key, ValuePlace]] = {}
        for key, (side, cell_key) in outcome.givers.items():
            number = distinct[side]
            if (cell := self.group[number].item.cell(cell_key)) is not None:
                cells.setdefault(number, {})[key] = cell
        items = {n: self.group[n].item for n in dict.fromkeys((*giving, *cells))}
        parts = [replace(_source(item), cells=cells.get(n, {})) for n, item in items.items()]
        return replace(parts[0], others=tuple(part for part in parts[1:] if part.cells))


def _giving(outcome: MergeOutcome, distinct: Sequence[int]) -> list[int]:
    """List the submissions that changed something that none before them did."""
    known: set[tuple[Address, Parts]] = set()
    giving: list[int] = []
    for side, number in enumerate(distinct):
        edits = set(outcome.edits[side].items())
        if not giving or edits - known:
            giving.append(number)
        known |= edits
    return giving


def conflict_problem(conflict: OpenConflict, keys: tuple[Key, ...] = ()) -> Problem:
    """Report a contradiction, with every candidate in full. `keys`: of the values that it leaves undecided."""

    def told(lang: int) -> Iterator[str]:
        for offer in conflict.offers:
            places = "、".join(_place_text(place) for place in offer.places)
            yield f"“{shown(offer.value)[lang]}”（{places}）" if lang == 0 else f'"{shown(offer.value)[1]}" ({places})'

    details: dict[str, object] = {
        "id": conflict.project,
        "label": conflict.label,
        "kept": shown(conflict.kept),
        "candidates": ("、".join(told(0)), ", ".join(told(1))),
    }
    place = conflict.offers[0].places[0].location
    return Problem("conflict", place, details, project=conflict.project, keys=keys)


def _uncut(text: str) -> Text:
    """Return a text for both languages; unlike a single one, a pair is shown in full."""
    return text, text


def _place_text(place: Place) -> str:
    where = replace(place.location, field=None)
    return " ".join(part for part in (str(where), place.date, place.editor) if part)


def all_conflicts(settled: Iterable[Settled]) -> tuple[OpenConflict, ...]:
    """Collect the contradictions of all projects."""
    return tuple(conflict for one in settled for conflict in one.conflicts)
