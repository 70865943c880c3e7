"""What people see of a run over a collection folder: problems, what changed, who has returned what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kpixl.cli import console
from kpixl.cli.help import lang_of
from kpixl.cli.shared import report_written
from kpixl.problems import Problem, Severity
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from kpixl.output.round import Round, WrittenRound

MAX_LINES = 60  # of what changed; kpixl diff has all of them
_STATUS_SHOWS = ("not-returned", "nothing-to-report")  # problems that the table of units shows
# Notes of which file gave what, and which was superseded by which: the same in every run of the round.
_OF_VERSIONS = ("returned-twice", "returned-unfilled", "returned-contained", "returned-merged", "returned-superseded")
_UNLISTED: Text = (
    "另有检查发现的警告 {warning} 条，提示（包括重复提交的合并情况）{info} 条，见 kpixl check 和批注副本。",
    "Besides: warnings of the checks {warning}, notes (also of how several returns were merged) {info}; see kpixl "
    "check and the annotated copies.",
)
_FIRST: Text = ("首次汇总，共 {count} 个项目。", "The first run; projects: {count}.")
_SAME: Text = ("与上次相比没有变化。", "Nothing has changed since the last run.")
_CHANGED: Text = ("与上次相比：", "Since the last run:")
_LETTERS: Text = ("给各单位的信写入 {path}：{count} 封。", "Letters to units are in {path}: {count}.")
_NEW: Text = ("新交回", "new")
_GONE: Text = ("不再有", "gone")
_TOTALS: Text = (
    "有改动 {changed} 个，新交回 {added} 个，不再有 {removed} 个，没有变化 {same} 个。",
    "Changed: {changed}; new: {added}; gone: {removed}; as before: {same}.",
)
_MORE: Text = ("……另有 {count} 行，见 kpixl diff。", "... {count} more lines, see kpixl diff.")


def show_round(ctx: click.Context, found: Round, done: WrittenRound, *, as_json: bool) -> None:
    """Print a run, or write it as JSON on stdout; name what was written."""
    lang = lang_of(ctx)
    if as_json:
        console.print_json(_round_data(found, done, lang))
    else:
        _print_problems(done.problems, lang)
        console.print_files(found.collection, lang)
        console.print_forms([run.collection for run in found.further], lang)
        _print_changes(found, lang)
        console.print_units(found.status, lang)
    if done.copies:
        console.print_marked(found.folder.paths["annotated"], done.copies, lang)
    if done.letters:
        console.say_error(say(_LETTERS, lang, path=found.folder.paths["letters"], count=len(done.letters)))
    report_written(ctx, done.written)


def _print_problems(problems: Sequence[Problem], lang: str) -> None:
    """Print errors, and what is not found by a rule; findings of rules that are no errors are counted."""
    shown = [p for p in problems if not _is_counted(p)]
    console.print_problems([p for p in shown if p.code not in _STATUS_SHOWS], lang)
    rest: list[Severity] = [p.severity for p in problems if _is_counted(p)]
    if rest:
        counts = {str(severity): rest.count(severity) for severity in Severity}
        console.say_error(say(_UNLISTED, lang, **counts))


def _is_counted(problem: Problem) -> bool:
    if problem.severity is Severity.INFO and problem.code in _OF_VERSIONS:
        return True
    return problem.severity is not Severity.ERROR and problem.rule is not None


def _print_changes(found: Round, lang: str) -> None:
    """Print what differs from the portfolio of the last run."""
    from kpixl.output.diff.text import change_lines
    from kpixl.portfolio.diff import ChangeKind

    if not found.before.portfolio.projects:
        console.say_error(say(_FIRST, lang, count=len(found.after.portfolio.projects)))
        return
    if not found.changes.projects:
        console.say_error(say(_SAME, lang))
        return
    words = {ChangeKind.ADDED: _NEW, ChangeKind.REMOVED: _GONE}
    lines = list(change_lines(found.changes, found.before, found.after, lang, words, _TOTALS))
    console.say_error(say(_CHANGED, lang))
    console.print_lines(lines[:MAX_LINES], to_stderr=True)
    if len(lines) > MAX_LINES:
        console.say_error(say(_MORE, lang, count=len(lines) - MAX_LINES))


def _round_data(found: Round, done: WrittenRound, lang: str) -> dict[str, Any]:
    from kpixl.collection.consolidate import report_data
    from kpixl.output.annotate import marked_data
    from kpixl.output.diff.text import diff_data
    from kpixl.output.letters import letters_data
    from kpixl.output.status import status_data

    return {
        **report_data(found.collection, done.problems, done.written, lang),
        "diff": diff_data(found.changes, found.before, found.after),
        "status": status_data(found.status, lang),
        "marked": marked_data(done.copies, lang),
        "letters": letters_data(done.letters, (), lang)["letters"],
        "further": [report_data(run.collection, run.problems, (), lang) for run in found.further],
    }
