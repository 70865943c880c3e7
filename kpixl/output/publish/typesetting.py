"""typst: kpixl's own design is set in this process, anybody else's in a worker process with bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from kpixl.forms.load import own_templates
from kpixl.parallel import Bounds, Pool
from kpixl.problems import failure

CREATED = datetime(2026, 1, 1, tzinfo=UTC)  # equal publications give equal bytes
STANDARD: Literal["ua-1"] = "ua-1"  # PDF/UA: tagged for screen readers; typst refuses to make one that is not
# A design is a program, and typst bounds single loops but not loops within loops. Kpixl's own sets 1,000 forms
# within a tenth of this.
BOUNDS = Bounds(seconds=120, memory_bytes=2_000_000_000)


class Mistake(NamedTuple):
    """What typst has against a design: its message, its hints, and the message with the lines that it is about."""

    message: str
    hints: tuple[str, ...]
    diagnostic: str


def typeset(template: Path, data: str) -> bytes | Mistake:
    """Set `data`, a JSON text, by a template. Raises KpixlError `template-invalid` where that exceeds the bounds."""
    if template.is_relative_to(own_templates()):
        return _compiled((template, data))
    with Pool(_ready, BOUNDS, count=1) as pool:
        (outcome,) = pool.run([(template, data)])
    if outcome.death is not None or not outcome.parts:
        limit = f"{BOUNDS.seconds:g}"
        reason = (f"排版超过 {limit} 秒或内存不够", f"setting it takes more than {limit} seconds or too much memory")
        raise failure("template-invalid", path=str(template), line=0, reason=reason)
    return outcome.parts[0]


@lru_cache(maxsize=1)
def fonts() -> Any:
    """Look for the installed fonts, once."""
    import typst

    return typst.Fonts()


def families() -> Sequence[str]:
    """List the families of fonts that are installed."""
    names: list[str] = fonts().families()
    return names


def _ready() -> Callable[[tuple[Path, str]], Iterator[bytes | Mistake]]:
    return lambda task: iter((_compiled(task),))


def _compiled(task: tuple[Path, str]) -> bytes | Mistake:
    import typst

    template, data = task
    try:
        compiler = typst.Compiler(str(template), root=str(template.parent), font_paths=fonts())
        made = compiler.compile(
            format="pdf", sys_inputs={"publication": data}, pdf_standards=STANDARD, timestamp=CREATED
        )
    except typst.TypstError as error:
        return Mistake(error.message, tuple(error.hints), error.diagnostic)
    return made if isinstance(made, bytes) else Mistake("no PDF", (), "")
