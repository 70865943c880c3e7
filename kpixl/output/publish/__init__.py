"""A portfolio as what is published: a page, a Word document, a PDF or Markdown, by the ending of the file's name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from kpixl.disk import Output, Written, commit
from kpixl.forms.definition import Form
from kpixl.output.publish.gate import Verdict, examine, refusal
from kpixl.output.publish.html import page_html, render_page
from kpixl.output.publish.model import Publication, publication
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Problem, failure

__all__ = ["ENDINGS", "Published", "check_ending", "publication", "publish", "render", "render_page"]

PAGE_ENDINGS = (".html", ".htm", ".xhtml")
ENDINGS = (*PAGE_ENDINGS, ".docx", ".pdf", ".md")


class Published(NamedTuple):
    """What came of it: the files written (none where the gate refused), and every problem."""

    written: tuple[Written, ...]
    problems: tuple[Problem, ...]


def check_ending(path: Path) -> None:
    """Raise KpixlError `ending-unsupported` where a name ends in what cannot be made, `pdf-extra-missing` likewise."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise failure("ending-unsupported", path=str(path), ending=path.suffix or "?", stem=path.stem)
    if ending == ".pdf":
        from kpixl.output.publish.pdf import check_installed

        check_installed()


def publish(
    path: Path,
    out: Path,
    forms: Sequence[Form],
    *,
    today: date,
    lang: str = "zh",
    roster: Portfolio | None = None,
    config: Path | None = None,
    draft: bool = False,
    font: str | None = None,
    design: Path | None = None,
    extra: Sequence[Path] = (),
    inputs: Sequence[Path] = (),
) -> Published:
    """Publish a portfolio file where it passes the gate; a `draft` is written all the same, marked on every page.

    `font`: in place of the form's own; `design`: a folder of the user's templates; `extra`: folders of definitions;
    `inputs`: what else was read, not to be overwritten. Raises KpixlError where it cannot be made at all.
    """
    if design is not None and not design.is_dir():
        raise failure("path-missing", path=str(design))
    if path.is_dir():  # returned files are consolidated first: what is published is what the office has seen
        raise failure("folder-not-file", path=str(path))
    verdict = examine(path, forms, roster=roster, config=config, inputs=inputs, outputs=[out])
    check_ending(out)
    return publish_verdict(verdict, out, today=today, lang=lang, draft=draft, font=font, design=design, extra=extra)


def publish_verdict(
    verdict: Verdict,
    out: Path,
    *,
    today: date,
    lang: str = "zh",
    draft: bool = False,
    font: str | None = None,
    design: Path | None = None,
    extra: Sequence[Path] = (),
) -> Published:
    """Write what the gate has let through, or add to its problems that nothing was written."""
    if not verdict.portfolio.projects or not (verdict.open or draft):
        return Published((), (*verdict.problems, refusal(verdict.problems)))
    item = publication(verdict.form, verdict.portfolio, lang=lang, draft=draft, font=font)
    content = render(item, out, extra=extra, design=design)
    written, refused = commit([Output(out, content, "page")], lang=lang, today=today)
    return Published(tuple(written), (*verdict.problems, *refused))


def render(item: Publication, out: Path, *, extra: Sequence[Path] = (), design: Path | None = None) -> bytes:
    """Make the bytes of a publication in the format that `out` ends in; equal publications give equal bytes."""
    ending = out.suffix.lower()
    if ending == ".docx":
        from kpixl.output.publish.docx import docx_bytes

        return docx_bytes(item, design=design)
    if ending == ".pdf":
        from kpixl.output.publish.pdf import pdf_bytes

        return pdf_bytes(item, extra=extra, design=design)
    if ending == ".md":
        from kpixl.output.publish.markdown import markdown_text

        return markdown_text(item).encode()
    return page_html(item, extra=extra, design=design).encode()
