"""What decisions came to: which are new, which meet nothing, and which were taken before a file said something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kpixl.collection.decisions import PROJECT, Decision
from kpixl.collection.settle import Met, OpenConflict, Settled, conflict_problem
from kpixl.forms.definition import Form
from kpixl.portfolio.wording import address_key, label_of, shown
from kpixl.problems import Location, Problem
from kpixl.texts import Text

_REMOVED: Text = ("删去整个项目", "the project is left out")


@dataclass(frozen=True, slots=True)
class Judged:
    """Problems, contradictions that are open again, projects left out, and the new decisions, complete."""

    problems: tuple[Problem, ...] = ()
    reopened: tuple[OpenConflict, ...] = ()
    removed: frozenset[str] = frozenset()
    recorded: tuple[Decision, ...] = ()


def judge(
    form: Form,
    earlier: Mapping[str, Sequence[Decision]],
    fresh: Mapping[str, Sequence[Decision]],
    settled: Mapping[str, Settled],
    file: str,
) -> Judged:
    """Compare the decisions that count, by project, with what they met: those of earlier runs, and of this one.

    `file`: where they are kept.
    """
    problems: list[Problem] = []
    reopened: list[OpenConflict] = []
    recorded: list[Decision] = []
    for project_id, decisions in fresh.items():
        for decision, met in _with_met(decisions, settled.get(project_id), fresh=True):
            if met is None:
                problems.append(_problem(form, "decision-unused", decision, file))
                continue
            recorded.append(_complete(decision, met))
            problems.append(_problem(form, "decision-made", recorded[-1], file))
    again = {(decision.project, decision.choice.address) for decision in recorded}
    for project_id, decisions in earlier.items():
        for decision, met in _with_met(decisions, settled.get(project_id), fresh=False):
            if met is None:
                problems.append(_problem(form, "decision-unused", decision, file))
            elif (project_id, met.address) not in again and _says_more(decision, met):
                conflict = _conflict(form, decision, met, settled[project_id])
                reopened.append(conflict)
                problems.append(_outdated(conflict, decision))
    removed = {d.project for found in (earlier, fresh) for each in found.values() for d in each if _is_removal(d)}
    return Judged(tuple(problems), tuple(reopened), frozenset(removed) & settled.keys(), tuple(recorded))


def _with_met(
    decisions: Sequence[Decision], one: Settled | None, *, fresh: bool
) -> Iterator[tuple[Decision, Met | None]]:
    """Yield each decision with what it met; None where there is nothing of the kind."""
    found = iter(() if one is None else one.fresh if fresh else one.met)
    for decision in decisions:
        if one is None:
            yield decision, None
        elif _is_removal(decision):
            yield decision, Met(PROJECT, None, (), ())
        else:
            met = next(found)
            yield decision, met if met.replaced is not None else None


def _is_removal(decision: Decision) -> bool:
    return decision.choice.address == PROJECT


def _complete(decision: Decision, met: Met) -> Decision:
    """Add to a new decision what it replaced, and what there was to choose from; name its row by its path."""
    if _is_removal(decision):
        return decision
    was = decision.was if decision.was is not None else met.replaced
    choice = replace(decision.choice, address=met.address)
    return replace(decision, choice=choice, was=was, candidates=tuple(offer.value for offer in met.offers))


def _says_more(decision: Decision, met: Met) -> bool:
    """Return whether a file has a value that there was not when it was decided; one that agrees with it is none."""
    if decision.candidates is None:
        return False
    known = {*decision.candidates, decision.choice.value}
    return any(offer.value not in known for offer in met.offers)


def _conflict(form: Form, decision: Decision, met: Met, one: Settled) -> OpenConflict:
    project, address = one.project, met.address
    name = shown((project.values[form.key_fields[0]],))[0]
    label = label_of(form, address)
    return OpenConflict(
        project.id, name, address, label, met.sent, decision.choice.value, met.offers, decision.choice.value
    )


def _outdated(conflict: OpenConflict, decision: Decision) -> Problem:
    plain = conflict_problem(conflict)
    details = {
        "id": conflict.project,
        "label": conflict.label,
        "decided": shown(decision.choice.value),
        "candidates": plain.details["candidates"],
    }
    return Problem("decision-outdated", plain.location, details, project=conflict.project)


def _problem(form: Form, code: str, decision: Decision, file: str) -> Problem:
    address = decision.choice.address
    removed = _is_removal(decision)
    details: dict[str, object] = {
        "id": decision.project,
        "label": label_of(form, address),
        "key": address_key(address),
        "old": shown(decision.was) if decision.was is not None else ("-", "-"),
        "new": _REMOVED if removed else shown(decision.choice.value),
        "by": decision.by or file,
        "reason": decision.reason or "-",
    }
    return Problem(code, Location(file), details, project=decision.project)
