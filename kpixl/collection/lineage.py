"""Which submission was made from which: a later version supersedes the one it was made from (design section 8).

Never by the name of a file. Evidence, the strongest first: the office's decision; an annotated copy carries the digest
of the file it was made from, and a portfolio of a lower level those of the files its projects came from; two files that
the same person saved one after the other, of which the later has at least half of what was filled in in the earlier,
all their common projects taken together. Two people who work from one file are no lineage: what they filled in
differently is a conflict.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kpixl.collection.versions import Received, Returned
from kpixl.forms.definition import Form
from kpixl.portfolio.merge_model import Address, Parts
from kpixl.portfolio.model import Project
from kpixl.portfolio.three_way import blank, changes

OWN_NAME = "kpixl"  # the editor of a template that nobody has saved


class Evidence(StrEnum):
    """Why a submission is known to supersede another."""

    DECIDED = "decided"
    ANNOTATED = "annotated"
    COLLECTED = "collected"
    SAVED_LATER = "saved-later"


@dataclass(frozen=True, slots=True)
class Link:
    """A file that supersedes another, by their digests."""

    newer: str
    evidence: Evidence


Lineage = Mapping[str, Sequence[Link]]  # digest of the older file -> what supersedes it


def lineage(
    form: Form,
    groups: Iterable[Sequence[Received]],
    sent: Mapping[str, Project],
    decided: Iterable[tuple[str, str]] = (),
) -> Lineage:
    """Find which files supersede which. `groups`: the submissions of each project that came back more than once;
    `sent`: projects as they were sent out, by id; `decided`: digests (older, newer) that the office has named."""
    links: dict[str, list[Link]] = defaultdict(list)
    for older, newer in decided:
        links[older].append(Link(newer, Evidence.DECIDED))
    shared: dict[tuple[str, str], list[int]] = {}
    seen: set[tuple[str, str]] = set()
    for group in groups:
        files = {received.item.sha256: received for received in group}
        pairs = [(o, digest) for digest, received in files.items() for o in received.item.origins if o in files]
        for older, newer in dict.fromkeys(pairs):
            if older != newer and (older, newer) not in seen:
                seen.add((older, newer))
                evidence = Evidence.ANNOTATED if files[newer].item.below is None else Evidence.COLLECTED
                links[older].append(Link(newer, evidence))
        _count_shared(form, list(files.values()), sent, shared)
    for (older, newer), (kept, all_of_them) in shared.items():
        if kept and 2 * kept >= all_of_them and (newer, older) not in seen:
            links[older].append(Link(newer, Evidence.SAVED_LATER))
    return links


def _count_shared(
    form: Form, group: Sequence[Received], sent: Mapping[str, Project], shared: dict[tuple[str, str], list[int]]
) -> None:
    """Count for each two files of one person how many values of the earlier one are in the later one."""
    by_editor: dict[str, list[Received]] = defaultdict(list)
    for received in group:
        properties = received.item.properties
        if properties.saved is not None and properties.editor not in ("", OWN_NAME):
            by_editor[properties.editor].append(received)
    for files in by_editor.values():
        if len(files) < 2:
            continue
        edits = [(received.item, _edits(form, received.project, sent)) for received in files]
        for (first, mine), (second, theirs) in itertools.permutations(edits, 2):
            if _saved(first) < _saved(second):
                count = shared.setdefault((first.sha256, second.sha256), [0, 0])
                count[0] += sum(theirs.get(address) == value for address, value in mine.items())
                count[1] += len(mine)


def _saved(item: Returned) -> float:
    return item.properties.saved.timestamp() if item.properties.saved is not None else 0


def _edits(form: Form, project: Project, sent: Mapping[str, Project]) -> dict[Address, Parts]:
    base = sent.get(project.id) or blank(form, project.id)
    return {found.choice.address: found.choice.value for found in changes(form, base, project)}


def superseded(group: Sequence[Received], links: Lineage) -> dict[int, tuple[int, Evidence]]:
    """Map the submissions of one project that others supersede, by place in the group, to the newest of those."""
    places = {received.item.sha256: number for number, received in reversed(list(enumerate(group)))}
    found: dict[int, tuple[int, Evidence]] = {}
    for number, received in enumerate(group):
        newest, evidence = _newest(received.item.sha256, links, places)
        if newest is not None and places[newest] != number:
            found[number] = (places[newest], evidence)
    return found


def _newest(digest: str, links: Lineage, places: Mapping[str, int]) -> tuple[str | None, Evidence]:
    """Follow the links to a file that nothing supersedes and that has the project; a circle leads nowhere."""
    seen, current, newest, evidence = {digest}, digest, None, Evidence.DECIDED
    while True:
        step = next((link for link in links.get(current, ()) if link.newer not in seen), None)
        if step is None:
            return newest, evidence
        if step.newer in places:
            newest, evidence = step.newer, evidence if newest else step.evidence
        current = step.newer
        seen.add(current)
