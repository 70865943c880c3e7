"""What the office decided up to a run: decisions.yaml, the sheet 待决定 of the summary, and edits in the YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kpixl.collection.decisions import (
    BY_SHEET,
    Decision,
    Decisions,
    Pick,
    decisions_path,
    known_address,
    load_decisions,
)
from kpixl.collection.hand_edits import hand_edits
from kpixl.forms.definition import Form
from kpixl.portfolio.merge_model import Choice
from kpixl.portfolio.wording import label_of, read_shown, value_of
from kpixl.problems import Location, Problem

Place = tuple[str, str, str]  # project, field and row, as in decisions.yaml


@dataclass(slots=True)
class Office:
    """Reads the decisions about the portfolio at `out`; called with its form when that is known.

    `picks`: what is chosen in the summary; `conflicts`: those of the last run, as in its sources file; `edited`: the
    text at `out` is not what the last run wrote. `problems`, and the picks that are no decision yet, are there after
    the call.
    """

    out: Path
    today: str
    picks: Sequence[Pick] = ()
    conflicts: Sequence[Mapping[str, Any]] = ()
    edited: bool = False
    problems: list[Problem] = field(default_factory=list)
    drafts: dict[Place, tuple[str, str]] = field(default_factory=dict)

    def __call__(self, form: Form) -> tuple[Decisions, Sequence[Decision]]:
        """Return the decisions of earlier runs and the new ones. Raises KpixlError where a file cannot be read."""
        decisions = load_decisions(decisions_path(self.out), form)
        edits, problems = hand_edits(form, self.out, self.today, self.edited)
        self.problems += problems
        last = {(d.project, d.choice.address): d for d in decisions.values}
        new = [*edits, *self._picked(form)]
        # Where only the summary could not be written, its choices are there once more.
        return decisions, [d for d in new if not _is_same(d, last.get((d.project, d.choice.address)))]

    def _picked(self, form: Form) -> Iterator[Decision]:
        known = {(str(c["project"]), str(c["field"]), str(c["row"] or "")): c for c in self.conflicts}
        for pick in self.picks:
            place = (pick.project, pick.field, pick.row)
            address = known_address(form, pick.field, pick.row or None)
            if not pick.choice or address is None:
                self.drafts[place] = (pick.choice, pick.reason)
                continue
            conflict = known.get(place, {})
            data = [*(each["value"] for each in conflict.get("candidates", ())), conflict.get("sent")]
            candidates = [value for each in data if (value := value_of(form, address, each)) is not None]
            chosen = read_shown(form, address, pick.value, candidates)
            if chosen is None:
                self.drafts[place] = (pick.choice, pick.reason)
                details = {"text": pick.choice, "label": label_of(form, address)}
                self.problems.append(Problem("decision-unclear", Location(), details, project=pick.project))
                continue
            yield Decision(pick.project, Choice(address, chosen), pick.reason, BY_SHEET, self.today)


def _is_same(decision: Decision, last: Decision | None) -> bool:
    return last is not None and (decision.choice, decision.reason, decision.by, decision.date) == (
        last.choice,
        last.reason,
        last.by,
        last.date,
    )
