"""Rule expression: conditions that belong to a form, written in its form.yaml as sandboxed Jinja2 expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError, meta, nodes

from kpixl.checks.parameters import FieldKey, invalid
from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.forms.definition import Form
from kpixl.forms.snippets import SMALL, BoundedEnvironment
from kpixl.keys import Key
from kpixl.portfolio.model import Project
from kpixl.problems.entry import Entry

MAX_SOURCE = 1_000
MAX_REPEATS = 10_000
# What an expression raises on values of another kind than it was written for, and what one that is too deep raises.
_OTHER_KIND = (ArithmeticError, TypeError, ValueError, LookupError, AttributeError)
_FAULTS = (TemplateError, *_OTHER_KIND, RecursionError, SyntaxError, MemoryError)
_NAMES = ("values", "rows", "year", "id")


@dataclass(frozen=True, slots=True)
class Expression:
    """`ensure` must be true wherever `when` is; both see `values`, `rows` (of every table), `year` and `id`.

    A blank value is none; text that is no number or date is text, so compare only what is a number (`is number`).
    """

    field: FieldKey
    ensure: str
    message: tuple[str, str]
    hint: tuple[str, str]
    when: str = "true"


def _bounded(operator: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Keep `*` and `**` from making something huge of something small."""

    def apply(left: Any, right: Any) -> Any:
        for value, other in ((left, right), (right, left)):
            size = len(value) if hasattr(value, "__len__") else 0
            if (size and isinstance(other, int) and size * other > MAX_REPEATS) or abs(_number(other)) > 10**24:
                raise OverflowError("too large")
        return operator(left, right)

    return apply


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) else 0


def _compiled(source: str, path: str, form: Form) -> Callable[..., Any]:
    """Compile an expression. Raises KpixlError `form-invalid`."""
    if len(source) > MAX_SOURCE:
        raise invalid(path, f"is longer than {MAX_SOURCE} characters")
    sandbox = BoundedEnvironment()
    sandbox.globals.clear()
    sandbox.binop_table["*"] = _bounded(sandbox.binop_table["*"])
    sandbox.binop_table["**"] = _no_power
    try:
        _known(sandbox.parse(f"{{{{ {source} }}}}"), form, path)
        compiled = sandbox.compile_expression(source, undefined_to_none=False)
    except _FAULTS as error:
        raise invalid(path, f"is no expression: {error}") from error

    def evaluate(**seen: Any) -> Any:
        sandbox.refill(SMALL)
        return compiled(**seen)

    return evaluate


def _known(tree: nodes.Template, form: Form, path: str) -> None:
    """Refuse names and keys that do not exist: `is none` would hold for them without a word."""
    if unknown := meta.find_undeclared_variables(tree) - set(_NAMES):
        raise invalid(path, f"unknown name {', '.join(sorted(unknown))}; known: {', '.join(_NAMES)}")
    keys: dict[str, Mapping[str, object]] = {"values": form.fields, "rows": form.tables}
    for item in tree.find_all(nodes.Getitem):
        known = keys.get(item.node.name) if isinstance(item.node, nodes.Name) else None
        if known is not None and isinstance(item.arg, nodes.Const) and item.arg.value not in known:
            raise invalid(path, f"no {item.arg.value!r}; known: {', '.join(known)}")


def _no_power(_left: Any, _right: Any) -> Any:
    raise ArithmeticError("** is not allowed")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An Expression that is ready to run."""

    spec: Expression
    when: Callable[..., Any]
    ensure: Callable[..., Any]
    path: str


def prepare(spec: Expression, path: str, form: Form) -> Compiled:
    """Compile a check's expressions and try them on an empty project. Raises KpixlError `form-invalid`."""
    made = Compiled(
        spec, _compiled(spec.when, f"{path}.when", form), _compiled(spec.ensure, f"{path}.ensure", form), path
    )
    empty = Subject(form, Project("", dict.fromkeys(form.fields), dict.fromkeys(form.tables, ())))
    try:
        made.when(**_seen(empty))
        with suppress(TypeError):  # it is only asked where `when` holds; a misspelt key is found all the same
            made.ensure(**_seen(empty))
    except _FAULTS as error:
        raise invalid(path, f"cannot be worked out for an empty project: {error}") from error
    return made


def _seen(subject: Subject) -> dict[str, Any]:
    project = subject.project
    return {"values": project.values, "rows": project.tables, "year": subject.year, "id": project.id}


def expression(p: Compiled, subject: Subject) -> Iterator[Hit]:
    """Find projects for which the form's condition does not hold."""
    try:
        holds = not p.when(**_seen(subject)) or p.ensure(**_seen(subject))
    except _OTHER_KIND:
        return  # a value that is not of its type: another rule reports it
    except _FAULTS as error:
        raise invalid(p.path, f"cannot be worked out: {error}") from error
    if not holds:
        yield Hit(Key(p.spec.field), {"message": p.spec.message, "hint": p.spec.hint})


RULE = Rule(
    "expression",
    entry=Entry(
        "warning",
        "{message}",
        "{hint}",
        "{message}",
        "{hint}",
        category="compliance",
        title=("表式自定的条件", "A condition of the form's own"),
    ),
    parameters=Expression,
    find=expression,
)
