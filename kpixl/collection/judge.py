"""What decisions came to: which are new, which meet nothing, and which were taken before a file said something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kpixl.collection.decisions import PROJECT, Decision
from kpixl.collection.settle import Met, OpenConflict, Settled, conflict_problem
from kpixl.model import Form
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
    decided: Mapping[str, Sequence[Decision]],
    settled: Mapping[str, Settled],
    new: Sequence[Decision],
    file: str,
) -> Judged:
    """Compare the decisions that count, by project, with what they met. `new`: of this run; `file`: that of all."""
    problems: list[Problem] = []
    reopened: list[OpenConflict] = []
    recorded: list[Decision] = []
    fresh = set(map(id, new))
    for project_id, decisions in decided.items():
        one = settled.get(project_id)
        for decision in decisions:
            met = one.met.get(decision.choice.address) if one is not None else None
            complete = _complete(decision, met) if id(decision) in fresh else decision
            if one is None or (decision.choice.address != PROJECT and (met is None or met.replaced is None)):
                problems.append(_problem(form, "decision-unused", decision, file))
            elif id(decision) in fresh:
                recorded.append(complete)
                problems.append(_problem(form, "decision-made", complete, file))
            elif met is not None and _says_more(decision, met):
                again = _conflict(form, decision, met, one)
                reopened.append(again)
                problems.append(_outdated(again, decision))
    removed = frozenset(p for p, found in decided.items() if any(d.choice.address == PROJECT for d in found))
    return Judged(tuple(problems), tuple(reopened), removed & settled.keys(), tuple(recorded))


def _complete(decision: Decision, met: Met | None) -> Decision:
    """Add to a new decision what it replaced, and what there was to choose from."""
    if met is None:
        return decision
    was = decision.was if decision.was is not None else met.replaced
    return replace(decision, was=was, candidates=tuple(offer.value for offer in met.offers))


def _says_more(decision: Decision, met: Met) -> bool:
    """Tell whether a file has a value that there was not when it was decided; one that agrees with it is none."""
    if decision.candidates is None:
        return False
    known = {*decision.candidates, decision.choice.value}
    return any(offer.value not in known for offer in met.offers)


def _conflict(form: Form, decision: Decision, met: Met, one: Settled) -> OpenConflict:
    project, address = one.project, decision.choice.address
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
    removed = address == PROJECT
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
