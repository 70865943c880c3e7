"""Jinja2 of form definitions and their pages, rendered within bounds: no template runs for minutes or fills the memory.

Every step of a template costs some of its budget: a turn of a loop, a call, each character that is made or compared.
So equal templates end equally on every computer; a clock is there for what a step costs more than it should.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import (
    BaseLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateRuntimeError,
    nodes,
    pass_context,
)
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from kpixl.problems import KpixlError, Location, Problem
from kpixl.texts import Text

MAX_SOURCE = 1 << 20  # characters of a template: the largest of ours has 11,000
MAX_RANGE = 10_000  # no form has as many rows or columns
MAX_BITS = 4_096  # of a whole number; beyond, arithmetic and printing become slow
MAX_SECONDS = 60.0  # a clock for what the budget does not see
SMALL = 1_000_000  # the budget of one text or condition: 15,000 turns of a loop, or 62,000 characters
PAGE, PAGE_ITEM = 100_000_000, 1_000_000  # of a page, and for each project or problem on it; ours take a tenth of it
TURN, CALL, LOAD = 64, 64, 64_000  # what a turn of a loop, a call and an included template cost
ITEM = 16  # what each item of a list costs that is looked at
LOOK = 1_000_000  # how much is spent between two looks at the clock: some hundredths of a second
PRINTED = 16  # what each printed character costs, for it is kept until the end

_NUMBERED = {"center", "ljust", "rjust", "zfill", "expandtabs", "indent", "batch", "slice", "wordwrap"}  # by a number
_REFUSED = {"lipsum", "random", "urlize", "pprint"}  # long, different each time, slow, or for programmers
_WIDTH = re.compile(r"%[^a-zA-Z%]*(?:\d{4}|\*)")
_COUNTED, _WEIGHED = "kpixl_counted", "kpixl_weighed"  # filters that are put into the compiled template
_UNKNOWN = re.compile(r"'(.{1,100})' is undefined")
_HERE = Path(__file__).parents[1]


class TooMuchError(TemplateRuntimeError):
    """A template does more than its budget allows."""

    def __init__(self, text: Text) -> None:
        super().__init__(text[1])
        self.text = text


_TOO_MUCH: Text = ("模板的循环或文字过多", "it makes or does too much")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox in which everything costs; `refill` before each use."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: BaseLoader | None = None, *, autoescape: bool = False) -> None:
        super().__init__(
            loader=loader,
            autoescape=autoescape,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            optimized=False,  # or constants would be worked out while compiling
            finalize=_printed,
        )
        self.globals.pop("lipsum")
        self.globals["range"] = _range
        self.filters = {n: self._costly(n, f) for n, f in self.filters.items() if n not in _REFUSED}
        tests: Mapping[str, Any] = self.tests
        self.tests = {name: self._costly(name, test) for name, test in tests.items()}
        self.filters |= {_COUNTED: self._counted, _WEIGHED: self._weighed}
        self.refill(SMALL)

    def refill(self, budget: int) -> None:
        """Start a new use with so much to spend."""
        self.left, self.end = budget, time.monotonic() + MAX_SECONDS
        self.next_look = max(0, budget - LOOK)

    def charge(self, amount: int) -> None:
        """Spend some of the budget. Raises TooMuchError."""
        self.left = left = self.left - amount
        if left < self.next_look:
            self.look()

    def look(self) -> None:
        """Look at the clock, now and then. Raises TooMuchError where time or budget is up."""
        if self.left < 0 or time.monotonic() > self.end:
            raise TooMuchError(_TOO_MUCH)
        self.next_look = max(0, self.left - LOOK)

    def size(self, value: Any) -> int:
        """Measure a value: characters, and items at all depths; no more of them than the budget has left."""
        if isinstance(value, str | bytes):
            return len(value)
        if not isinstance(value, list | tuple | set | frozenset | dict):
            return 1
        total, stack = 1, [iter((value,))]
        while stack:
            for item in stack[-1]:
                if isinstance(item, str | bytes):
                    total += len(item)
                    continue
                total += ITEM
                if (inside := _inside(item)) is not None:
                    stack.append(iter(inside))
                    break
            else:
                stack.pop()
            if total > self.left or time.monotonic() > self.end:
                raise TooMuchError(_TOO_MUCH)
        return total

    # --- where templates do things ------------------------------------------------------------

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something from a template."""
        cost = CALL
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str | bytes | list | tuple | dict):
            cost += self._product(getattr(obj, "__name__", ""), (owner, *args, *kwargs.values()))
        elif isinstance(obj, LoopContext) and args:  # a loop that calls itself
            args = (self._counted(args[0], 0), *args[1:])
        self.charge(cost)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator that can make something huge of something small."""
        if isinstance(left, int) and isinstance(right, int):
            bits = {"*": left.bit_length() + right.bit_length(), "**": left.bit_length() * abs(right)}
            if bits.get(operator, 0) > MAX_BITS:
                raise TooMuchError(("数值过大", "a number becomes too large"))
        elif operator == "*":
            self.charge(sum(len(v) * max(n, 0) for v, n in ((left, right), (right, left)) if _is_repeated(v, n)))
        elif operator == "%" and isinstance(left, str):
            self._check_format(left, (right,))
        elif operator == "+":
            self.charge(sum(len(value) for value in (left, right) if hasattr(value, "__len__")))
        return super().call_binop(context, operator, left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look something up; hashing a tuple of tuples of tuples takes for ever."""
        if isinstance(argument, tuple):
            raise TooMuchError(("不能用列表作为键", "a list cannot be a key"))
        return super().getitem(obj, argument)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Refuse str.format, whose widths nobody bounds."""
        if super().wrap_str_format(value) is not None:
            raise TooMuchError(("不能使用 format()，请用 ~ 和过滤器", "format() is not allowed; use ~ and filters"))
        return None

    def get_template(self, name: str | Template, parent: str | None = None, globals: Any = None) -> Template:
        """Load a template, be it to include it."""
        self.charge(LOAD)
        return super().get_template(name, parent, globals)

    def compile(self, source: Any, *args: Any, **kwargs: Any) -> Any:
        """Compile a template. Raises TooMuchError for one that is too long."""
        if isinstance(source, str) and len(source) > MAX_SOURCE:
            raise TooMuchError((f"模板超过 {MAX_SOURCE:,} 个字符", f"it is longer than {MAX_SOURCE:,} characters"))
        return super().compile(source, *args, **kwargs)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Costs().visit(source), *args, **kwargs)

    def _counted(self, items: Iterable[Any], text: int) -> Iterator[Any]:
        """Charge every turn of a loop that prints `text` characters of its own."""
        cost = TURN + PRINTED * text
        for item in items:
            self.left = left = self.left - cost
            if left < self.next_look:
                self.look()
            yield item

    def _weighed(self, value: Any) -> Any:
        self.charge(self.size(value))
        return value

    def _costly(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def apply(*args: Any, **kwargs: Any) -> Any:
            values = (*args, *kwargs.values())
            if name == "format":
                self._check_format(values[0], values[1:])
            self.charge(self._product(name, values))
            return function(*args, **kwargs)

        return apply

    def _product(self, name: str, values: Iterable[Any]) -> int:
        """Multiply the sizes of values: what comes of them, and how long it takes, is no more than that."""
        product = 1
        for number, value in enumerate(values):
            if number and name in _NUMBERED and isinstance(value, int):
                product *= 1 + abs(value)
            elif not isinstance(value, Undefined):
                product *= self.size(value) + bool(isinstance(value, str))
        return product

    def _check_format(self, text: Any, values: Any) -> None:
        """Refuse widths of four digits and more, and those that are given as values."""
        if _WIDTH.search(str(text)):
            raise TooMuchError(("格式中的宽度过大", "a width in a format is too large"))
        self.charge(self.size(str(text)) + self.size(values))


class _Costs(NodeTransformer):
    """Puts what charges into a parsed template, where Jinja2 has no hook: loops, joined texts, comparisons, keys."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        text = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _COUNTED, nodes.Const(text, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [_filtered(each, _WEIGHED) for each in node.nodes]
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _filtered(node.expr, _WEIGHED)
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, _WEIGHED)
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:
        self.generic_visit(node)
        node.key = _filtered(node.key, _WEIGHED)
        return node


def _filtered(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(
        node,
        name,
        list(args),
        [],
        None,
        None,
        lineno=node.lineno,
    )


@pass_context
def _printed(context: Context, value: Any) -> Any:
    environment: Any = context.environment
    # As `charge` does, without two more calls: a page of 1,000 projects prints 200,000 values.
    text = len(value) if isinstance(value, str) else environment.size(value)
    environment.left = left = environment.left - CALL - PRINTED * text
    if left < environment.next_look:
        environment.look()
    return value


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > MAX_RANGE:
        raise TooMuchError((f"range 超过 {MAX_RANGE:,} 项", f"range is longer than {MAX_RANGE:,}"))
    return made


# --- rendering, and what to print of what is wrong --------------------------------------------


def rendered(template: Template, values: Mapping[str, object], budget: int) -> str:
    """Render a template. Raises what its code raises; see `faults`."""
    environment = template.environment
    assert isinstance(environment, BoundedEnvironment)
    environment.refill(budget)
    return template.render(values)


class Faults:
    """Turns whatever a template raises into the KpixlError `form-invalid` with file, line and reason.

    `line`: that of the first line of the template in `file`, 0 where that is all of it; `key`: what of the form it is.
    """

    def __init__(self, file: str, key: str = "", line: int = 0) -> None:
        self._file, self._key, self._line = file, key, line

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception) or isinstance(error, KpixlError) or _is_ours(error):
            return
        file, line = _place(error, trace)
        number = self._line + line - 1 if self._line and line else self._line or line
        where = f"{file or self._file}:{number}" if number else file or self._file
        details = {"key": f"{where} {self._key}".strip(), "reason": _reason(error)}
        raise KpixlError(Problem("form-invalid", Location(file or self._file), details)) from error


def _reason(error: Exception) -> Text:
    if isinstance(error, TooMuchError):
        return error.text
    if isinstance(error, TemplateNotFound):
        return f"没有模板 {error}", f"there is no template {error}"
    text = str(error).rstrip(".")
    if (unknown := _UNKNOWN.fullmatch(text)) is not None:
        return f"没有变量 {unknown[1]}", f"there is no variable {unknown[1]}"
    text = text if isinstance(error, TemplateError) and text else f"{type(error).__name__}: {text}"
    return text, text


def _place(error: Exception, trace: TracebackType | None) -> tuple[str, int]:
    """Return file and line of the template that an error is about; "" for a template that is in no file."""
    file, line = "", 0
    if (number := getattr(error, "lineno", None)) is not None and isinstance(error, TemplateError):
        return getattr(error, "filename", None) or "", number
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == "<template>" or name.endswith(".j2"):
            file, line = name if name != "<template>" else "", trace.tb_lineno
        trace = trace.tb_next
    return file, line


def _is_ours(error: Exception) -> bool:
    """Return whether code of ours is at fault that a template only made run."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised = Path(trace.tb_frame.f_code.co_filename) if trace is not None else Path()
    recursed = isinstance(error, RecursionError | MemoryError | TemplateError)
    return not recursed and raised.is_relative_to(_HERE) and raised != Path(__file__) and raised.suffix == ".py"


def _inside(value: Any) -> Iterable[Any] | None:
    """Return what is in a list, set or mapping; None for any other value."""
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list | tuple | set | frozenset) else None


def _is_repeated(value: object, times: object) -> bool:
    return isinstance(times, int) and hasattr(value, "__len__")
