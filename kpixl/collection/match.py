"""Submissions -> ids of projects: by the sheet id, else by the form's key fields (name and unit), never by a guess."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from kpixl.collection.versions import Returned
from kpixl.forms.definition import Form, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold, text_of
from kpixl.keys import Key
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.sheet_id import LOWER
from kpixl.problems import Problem

NEAR = 60  # per cent alike: from there on a name is worth suggesting; no name is ever matched by it

Identity = tuple[str, ...]  # what people tell projects apart by, folded
Ids = list[str | None]


class Names:
    """Gives every returned form the id of its project; used once, `problems` holds what it noticed."""

    def __init__(self, form: Form, roster: Portfolio | None) -> None:
        self.form, self.roster = form, roster
        self.problems: list[Problem] = []
        self.known: dict[Identity, str] = {}
        self.names: dict[str, str] = {}
        self.keys: dict[str, Identity] = {}
        for project in roster.projects if roster else ():
            key = self.keys[project.id] = self._key(project.values)
            self.known.setdefault(key, project.id)
            self.names[project.id] = text_of(sheet_ids.name_of(form, project))
        self.expected = {project_id: sheet_ids.digest(name) for project_id, name in self.names.items()}
        self.digests = {name: project_id for project_id, name in self.expected.items()}
        self.taken: set[str] = set(self.names)
        self.width = 2

    def _key(self, values: Mapping[str, Value]) -> Identity:
        """Fold the values by which people tell projects apart."""
        return tuple(FIELD_TYPES[self.form.fields[key].type].compared(values[key]) for key in self.form.key_fields)

    def _name(self, item: Returned) -> Value:
        return item.form.values[self.form.key_fields[0]]

    def assign(self, returned: Sequence[Returned], foreign: Sequence[bool]) -> list[str]:
        """Return an id for each form, by sheet id, else by name, else a new one.

        `foreign`: whether the sheet id is one of another portfolio, whose numbers count for nothing here.
        """
        ids: Ids = [None if other else self._marked(item) for item, other in zip(returned, foreign, strict=True)]
        self._copies(returned, ids)
        collided = self._collisions(returned, ids)
        self._renamed(returned, ids)
        self.taken |= {i for i in ids if i is not None}
        for item, project_id in zip(returned, ids, strict=True):
            if project_id is not None and self.roster is None:
                self.known.setdefault(self._key(item.form.values), project_id)
        new = sum(i is None for i in ids)
        self.width = max(2, len(str(len(self.taken) + new)))
        return [
            self._named(item, collided.get(number, ""), foreign=foreign[number])
            if ids[number] is None
            else str(ids[number])
            for number, item in enumerate(returned)
        ]

    # --- by sheet id --------------------------------------------------------------------------

    def _marked(self, item: Returned) -> str | None:
        sheet_id = item.form.sheet_id
        if sheet_id is None or (self.roster is not None and sheet_id.project not in self.names):
            return None
        return sheet_id.project

    def _copies(self, returned: Sequence[Returned], ids: Ids) -> None:
        """Where sheets of different names have one sheet id, only the one it was written for keeps it."""
        for numbers in _groups(ids):
            true = [n for n in numbers if self._is_original(returned[n])] if len(numbers) > 1 else []
            for n in numbers:
                if true and n not in true and self._name(returned[n]) is not None:
                    ids[n] = None

    def _collisions(self, returned: Sequence[Returned], ids: Ids) -> dict[int, str]:
        """Take the number from projects that share it with another of a different name, both as they were sent out.

        So two portfolios of one organisation, or of none, collide. The project of the roster keeps the number, else
        the one of most sheets. Returns for each that lost it the name of the one that has it.
        """
        collided: dict[int, str] = {}
        for numbers in _groups(ids):
            if (len(numbers) == 1 and self.roster is None) or self._is_plain(returned, numbers, str(ids[numbers[0]])):
                continue
            original = [n for n in numbers if self._is_original(returned[n])]
            sent = Counter(_sent_name(returned[n]) for n in original)
            keeper = self._keeper(str(ids[numbers[0]]), sent)
            kept = next((self._name(returned[n]) for n in original if _sent_name(returned[n]) == keeper), None)
            others = [n for n in original if _sent_name(returned[n]) != keeper]
            for n in [n for n in others if keeper in sent or self._is_another(returned[n])]:
                collided[n] = text_of(kept) or self.names[str(ids[n])]
                ids[n] = None
        return collided

    def _is_plain(self, returned: Sequence[Returned], numbers: Sequence[int], project_id: str) -> bool:
        """Return whether a number was given to one name only, which is how it should be."""
        names = {_sent_name(returned[n]) for n in numbers}
        return len(names) == 1 and (self.roster is None or names == {self.expected[project_id]})

    def _keeper(self, project_id: str, sent: Mapping[str, int]) -> str:
        """Return the digest of the name that a number belongs to."""
        if self.roster is not None:
            return self.expected[project_id]
        return max(sent, key=lambda name: (sent[name], name), default="")

    def _is_another(self, item: Returned) -> bool:
        """Return whether a form, unlike the roster by name, is of another unit too: not renamed there only."""
        assert item.form.sheet_id is not None
        own, key = self.keys.get(item.form.sheet_id.project, ()), self._key(item.form.values)
        return bool(key[0]) and sheet_ids.digest(self._name(item)) not in self.digests and key[1:] != own[1:]

    def _renamed(self, returned: Sequence[Returned], ids: Ids) -> None:
        """Where the name is not the sheet id's, the form was pasted over another project's sheet, or renamed."""
        sent = {
            sheet_id.name: sheet_id.project
            for item, i in zip(returned, ids, strict=True)
            if i is not None and (sheet_id := item.form.sheet_id) is not None and sheet_id.name
        }
        names = self.digests if self.roster is not None else sent
        expected = {project_id: name for name, project_id in names.items()}
        for number, item in enumerate(returned):
            own, name = ids[number], self._name(item)
            found = sheet_ids.digest(name)
            if own is None or not found or item.form.sheet_id is None or found == expected.get(own, found):
                continue
            if found == item.form.sheet_id.name and self.roster is None:
                continue  # two projects of one name
            details: dict[str, object] = {"id": own, "name": text_of(name)}
            other = names.get(found)
            place = item.at(Key(self.form.key_fields[0]))
            if other is None:
                self.problems.append(Problem("name-changed", place, details, project=own))
            else:
                ids[number] = other
                details = {**details, "other": other}
                self.problems.append(Problem("sheet-id-other-project", place, details, project=other))

    def _is_original(self, item: Returned) -> bool:
        """Return whether a form has the name that its sheet id was written for."""
        return _sent_name(item) == sheet_ids.digest(self._name(item))

    # --- by name -----------------------------------------------------------------------------

    def _named(self, item: Returned, collided: str, *, foreign: bool) -> str:
        """Find a project by its key fields, or make a new id. `collided`: who has the number of its sheet id."""
        key = self._key(item.form.values)
        known = self.known.get(key) if key[0] else None
        project_id = known or self._of_lower_level(item) or self._new_id()
        if key[0]:
            self.known.setdefault(key, project_id)
        sheet_id, name, place = item.form.sheet_id, text_of(self._name(item)), item.at(Key(self.form.key_fields[0]))
        details: dict[str, object] = {"id": project_id, "name": name}
        code, where = "", place
        if collided and sheet_id is not None:
            code, details = "sheet-id-collision", {**details, "number": sheet_id.project, "other": collided}
        elif foreign:
            pass  # sheet-id-portfolio and sheet-id-year name the project
        elif known is not None:
            code, where = "matched-by-name" if self.roster is not None or sheet_id is None else "", item.place
        elif self.roster is not None:
            code, details = "not-in-roster", {**details, "suggestion": self._suggestion(name)}
        elif sheet_id is not None:
            code, details = "sheet-id-copied", {"id": sheet_id.project, "name": name, "new": project_id}
        if code:
            self.problems.append(Problem(code, where, details, project=project_id))
        return project_id

    def _of_lower_level(self, item: Returned) -> str:
        """Return the id that a project of a lower level was given, where it is free; "" of any other."""
        sheet_id = item.form.sheet_id
        if sheet_id is None or sheet_id.portfolio != LOWER or sheet_id.project in self.taken:
            return ""
        self.taken.add(sheet_id.project)
        return sheet_id.project

    def _suggestion(self, name: str) -> tuple[str, str]:
        from rapidfuzz import fuzz, process  # loaded only where something is not in the roster

        near = process.extractOne(name, self.names, scorer=fuzz.ratio, processor=fold, score_cutoff=NEAR)
        if near is None:
            return ("", "")
        nearest, _, project_id = near
        return (f"最接近的是 {project_id}“{nearest}”。", f"The nearest is {project_id} {nearest}.")

    def _new_id(self) -> str:
        highest = max((int(i) for i in self.taken if i.isascii() and i.isdecimal() and len(i) < 9), default=0)
        project_id = f"{highest + 1:0{self.width}}"
        self.taken.add(project_id)
        return project_id


def _groups(ids: Ids) -> list[list[int]]:
    """Group the places of equal ids, those without one left out."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, project_id in enumerate(ids):
        if project_id is not None:
            groups[project_id].append(number)
    return list(groups.values())


def _sent_name(item: Returned) -> str:
    """Return the digest of the name that the sheet id of a form was written for."""
    assert item.form.sheet_id is not None
    return item.form.sheet_id.name
