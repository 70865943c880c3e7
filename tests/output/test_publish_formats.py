"""What is published, in every format: read again it gives the portfolio; programs and validators find nothing wrong."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from pypdfium2 import PdfDocument

from kpixl import yaml_text
from kpixl.checks.engine import check
from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.publish import publication, publish, render, typesetting
from kpixl.output.publish.designs import copy_design
from kpixl.output.publish.html import page_html
from kpixl.output.publish.pdf import SANS, SERIF, choose_font
from kpixl.parallel import Bounds
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Problem
from tests.applications import Office, absent, assert_valid, command, pages_of
from tests.output.test_publish import HOSTILE, SHANGHAI, made_up, shanghai
from tests.pages import assert_fits_a_phone, assert_sound, violations
from tests.readers.test_pdf import print_page

TODAY = date(2026, 11, 25)
FONTS = ["Noto Serif CJK SC", "Noto Sans CJK SC", "WenQuanYi Zen Hei"]
EVERY = [".html", ".docx", ".pdf", ".md"]

Example = tuple[Form, Portfolio]


def installed(font: str) -> str:
    """Return the font, or skip (fail in CI) where it is not installed."""
    families = subprocess.run([command("fc-list"), ":", "family"], capture_output=True, text=True, check=True).stdout
    if font not in families:
        absent(f"the font {font}")
    return font


def write(example: Example, path: Path, *, draft: bool = False, font: str | None = None, lang: str = "zh") -> Path:
    item = publication(*example, draft=draft, font=font, lang=lang)
    path.write_bytes(render(item, path))
    return path


def assert_gives(example: Example, path: Path) -> None:
    """Assert that a published file, read as a submission, gives the portfolio to the byte, and no value of it twice."""
    form, portfolio = example
    result = consolidate([path], [form], workers=0)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert {p.code for p in result.problems} <= {"stray-text", *(p.code for p in check(form, portfolio))}


# --- round trips ------------------------------------------------------------------------------


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("ending", [".html", ".docx", ".pdf"])
def test_what_is_published_gives_the_portfolio(ending: str, draft: bool, example: Example, tmp_path: Path) -> None:
    assert_gives(example, write(example, tmp_path / f"set{ending}", draft=draft))


@pytest.mark.application
@pytest.mark.parametrize("font", FONTS)
def test_the_pdf_gives_the_portfolio_in_every_font(font: str, example: Example, tmp_path: Path) -> None:
    assert_gives(example, write(example, tmp_path / "set.pdf", font=installed(font)))


@pytest.mark.application
@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("font", FONTS)
def test_the_page_as_chromium_prints_it_gives_the_portfolio(
    font: str, draft: bool, example: Example, tmp_path: Path
) -> None:
    page = write(example, tmp_path / "set.html", draft=draft, font=installed(font))
    assert_gives(example, print_page(page, tmp_path / "set.pdf"))


@pytest.mark.parametrize("font", FONTS)
def test_the_document_as_libreoffice_prints_it_gives_the_portfolio(
    font: str, example: Example, office: Office, tmp_path: Path
) -> None:
    document = write(example, tmp_path / "set.docx", font=installed(font))
    assert_gives(example, office.convert(document, tmp_path / "pdf", "pdf"))
    assert_gives(example, office.convert(document, tmp_path / "resaved", "docx"))


@pytest.mark.parametrize("ending", [".html", ".docx", ".pdf"])
def test_texts_of_all_kinds_come_back(ending: str, tmp_path: Path) -> None:
    form, portfolio = shanghai(SHANGHAI[: SHANGHAI.index('- id: "02"')])
    (project,) = portfolio.projects
    values = {
        **project.values,
        "nature": "一次性项目",
        "goal.annual": "一、<b>&amp;</b>\n二、| `x` *y* {{ z }} a\\b “引用” $100 #set",
    }
    odd = replace(portfolio, projects=(replace(project, values=values),))
    assert_gives((form, odd), write((form, odd), tmp_path / f"set{ending}"))


# --- every format -----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", EVERY)
def test_equal_portfolios_give_equal_bytes(ending: str, example: Example) -> None:
    path = Path(f"set{ending}")
    assert render(publication(*example), path) == render(publication(*example), path)


@pytest.mark.parametrize("ending", EVERY)
def test_hostile_text_stays_text(ending: str) -> None:
    hostile = HOSTILE.replace("\u0663", "") if ending == ".pdf" else HOSTILE  # a digit that few fonts have
    text = SHANGHAI.replace("创新服务", yaml_text.quote(hostile)).replace('"01"', yaml_text.quote(hostile))
    content = render(publication(*shanghai(text), draft=True), Path(f"set{ending}"))
    if ending == ".docx":
        shown = "".join(Document(io.BytesIO(content)).element.body.itertext())
        assert shown.count("<script>alert('x')</script>") >= 3
    elif ending == ".pdf":
        document = PdfDocument(content)
        shown = "".join(page.get_textpage().get_text_range() for page in document)
        document.close()
        assert "alert" in shown and "7*7" in "".join(shown.split()) and b"/JavaScript" not in content
    else:
        assert b"<script>alert" not in content


def test_a_design_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loops = "".join(f"for {name} in range(9999) {{ " for name in "abcd")
    (tmp_path / "page.typ").write_text(f"#{{ {loops} }} }} }} }} }}", encoding="utf-8")
    monkeypatch.setattr(typesetting, "BOUNDS", Bounds(seconds=1, memory_bytes=2_000_000_000))
    with pytest.raises(KpixlError) as caught:
        render(publication(*shanghai(SHANGHAI), draft=True), Path("set.pdf"), design=tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == "template-invalid" and "排版超过 1 秒" in problem.message("zh")


def test_a_character_that_no_font_has_is_named_with_its_project() -> None:
    text = SHANGHAI.replace("创新服务", yaml_text.quote("创新\U0010fffd服务"))
    with pytest.raises(KpixlError) as caught:
        render(publication(*shanghai(text), draft=True), Path("set.pdf"))
    (problem,) = caught.value.problems
    message = problem.message("zh")
    assert problem.code == "glyph-missing"
    assert "U+10FFFD" in message and "项目 01" in message


@pytest.mark.parametrize("ending", EVERY)
def test_another_form_is_published_by_its_layout_alone(ending: str) -> None:
    form = made_up()
    text = "kpixl: 1\nform: made-up\nprojects:\n- {id: a, title: T, sum: 5, risks: [{risk: fire}, {risk: flood}]}\n"
    _, portfolio = canonical.loads(text, lambda _: form)
    content = render(publication(form, portfolio), Path(f"set{ending}"))
    assert len(content) > 200


@pytest.mark.parametrize("ending", EVERY)
def test_figures_are_equal_in_every_format(ending: str, example: Example, tmp_path: Path) -> None:
    path = write(example, tmp_path / f"set{ending}")
    if ending == ".docx":
        text = "\n".join(Document(str(path)).element.body.itertext())
    elif ending == ".pdf":
        document = PdfDocument(path)
        text = "".join(page.get_textpage().get_text_range() for page in document)
        document.close()
    else:
        text = path.read_text(encoding="utf-8")
    text = "".join(text.split())
    for figure in (
        "编报绩效目标的项目13个，涉及项目预算资金1405.06万元。",
        "13,871,025.00",
        "179,540.00",
        "14,050,565.00",
    ):
        assert figure in text


# --- Word -------------------------------------------------------------------------------------


@pytest.mark.application
def test_the_validator_finds_nothing_wrong_in_the_document(example: Example, tmp_path: Path) -> None:
    plain = write(example, tmp_path / "set.docx")
    draft = write(example, tmp_path / "draft.docx", draft=True)
    odd = write(shanghai(), tmp_path / "odd.docx", lang="en")
    assert_valid([plain, draft, odd])


def test_the_document_has_the_official_merges_and_named_styles(example: Example, tmp_path: Path) -> None:
    document = Document(str(write(example, tmp_path / "set.docx")))
    forms = [table for table in document.tables if table.cell(0, 0).text == "项目名称"]
    assert len(forms) == 13
    first = forms[0]
    assert first.cell(3, 0).text == "项目资金 (元)" and first.cell(3, 0)._tc is first.cell(6, 0)._tc
    assert first.cell(0, 1)._tc is first.cell(0, 2)._tc
    styles = {p.style.name for p in document.paragraphs if p.style is not None}
    assert {"Title", "Heading 1", "Form Title", "Form Subtitle", "Contents Heading"} <= styles
    assert {cell.paragraphs[0].style.name for cell in first._cells if cell.paragraphs[0].style is not None} == {
        "Form Label", "Form Value", "Form Amount", "Form Text", "Form Heading",
    }  # fmt: skip
    headings = [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert headings[0] == "01 创新服务与发展项目" and len(headings) == 13


def test_the_fonts_of_the_document_are_named_for_chinese(example: Example, tmp_path: Path) -> None:
    with zipfile.ZipFile(write(example, tmp_path / "set.docx")) as package:
        styles = package.read("word/styles.xml").decode()
    defaults = styles[: styles.index("</w:docDefaults>")]
    assert 'w:eastAsia="宋体"' in defaults and 'w:eastAsia="zh-CN"' in defaults
    assert 'w:eastAsia="黑体"' in styles


def test_page_numbers_of_the_contents_are_fields_and_right(example: Example, office: Office, tmp_path: Path) -> None:
    path = write(example, tmp_path / "set.docx", font=installed(FONTS[0]))
    with zipfile.ZipFile(path) as package:
        body = package.read("word/document.xml").decode()
    shown = re.findall(r"PAGEREF project_\d+ \\h </w:instrText>.*?<w:t>(\d+)</w:t>", body)
    document = PdfDocument(office.convert(path, tmp_path / "pdf", "pdf"))
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    assert [
        next(n for n, text in enumerate(pages, 1) if n > 1 and f"{row.id} {row.texts[0]}" in text)
        for row in publication(*example).contents
    ] == [int(number) for number in shown]


# --- PDF --------------------------------------------------------------------------------------


@pytest.mark.application
def test_the_pdf_is_tagged_has_bookmarks_and_embeds_its_fonts(example: Example, tmp_path: Path) -> None:
    path = write(example, tmp_path / "set.pdf")
    facts = poppler("pdfinfo", path)
    assert (
        re.search(r"^Tagged: +yes", facts, re.MULTILINE) and "上海市科学技术协会 2026 年度项目绩效目标汇总表" in facts
    )
    assert "pdfuaid:part" in poppler("pdfinfo", "-meta", path)
    rows = [line.split() for line in poppler("pdffonts", path).splitlines()[2:]]
    assert rows and all(row[-5:-2] == ["yes", "yes", "yes"] for row in rows)  # embedded, a subset, with its characters
    structure = poppler("pdfinfo", "-struct", path)
    assert len(re.findall(r"^ *Table", structure, re.MULTILINE)) >= 2 + 2 * 13 and "TH" in structure
    document = PdfDocument(path)
    outline = [item.get_title() for item in document.get_toc()]
    document.close()
    assert outline[:2] == ["目录", "01 创新服务与发展项目"] and len(outline) == 14
    assert pages_of(path) == 14


def poppler(*arguments: str | Path) -> str:
    program, *others = arguments
    done = subprocess.run([command(str(program)), *others], capture_output=True, timeout=60, check=True)
    return done.stdout.decode("utf-8", "replace")


def test_the_font_is_the_one_wanted_or_the_first_that_is_there() -> None:
    there = ["DejaVu Sans", "Noto Serif CJK SC", "WenQuanYi Zen Hei"]
    assert choose_font("宋体", SERIF, SANS, [*there, "SimSun"]) == "SimSun"
    assert choose_font("宋体", SERIF, SANS, there) == "Noto Serif CJK SC"
    assert choose_font("黑体", SANS, SERIF, there) == "WenQuanYi Zen Hei"
    with pytest.raises(KpixlError) as caught:
        choose_font("宋体", SERIF, SANS, ["DejaVu Sans"])
    assert caught.value.problems[0].code == "pdf-no-font" and "Noto Serif CJK SC" in str(caught.value)
    with pytest.raises(KpixlError) as caught:
        choose_font("Noto Serif CJK", SERIF, SANS, there)
    assert caught.value.problems[0].code == "font-missing"
    assert "Noto Serif CJK SC" in caught.value.problems[0].hint()


def test_without_the_extra_one_sentence_tells_what_to_install(example: Example, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    hidden = "import sys; sys.modules['typst'] = None; from kpixl.cli.main import run; sys.exit(run(sys.argv[1:]))"
    arguments = ["publish", str(tmp_path / "p.yaml"), "-o", str(tmp_path / "x.pdf")]
    done = subprocess.run([sys.executable, "-c", hidden, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and "pip install 'kpixl[pdf]'" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "x.pdf").exists()


# --- the page ---------------------------------------------------------------------------------


@pytest.mark.application
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_against_the_page(lang: str, dark: bool, example: Example, tmp_path: Path) -> None:
    page = page_html(publication(*example, lang=lang, draft=True))
    assert violations(page, tmp_path, dark=dark) == []


@pytest.mark.application
def test_axe_sees_what_is_wrong_also_in_the_dark(tmp_path: Path) -> None:
    style = "<style>@media (prefers-color-scheme: dark) { p { color: #222; background: #111 } }</style>"
    body = "<body><main><h1>x</h1><p>Hardly seen</p></main></body>"
    page = f"<!DOCTYPE html><html lang='en'><title>x</title>{style}{body}</html>"
    assert violations(page, tmp_path) == []
    assert [rule for rule, *_ in violations(page, tmp_path, dark=True)] == ["color-contrast"]


@pytest.mark.application
def test_the_page_is_sound_and_fits_a_phone(example: Example, tmp_path: Path) -> None:
    page = page_html(publication(*example, draft=True))
    assert_sound(page, script=True)
    assert_fits_a_phone(page, tmp_path)


@pytest.mark.application
def test_the_search_shows_the_projects_that_hold_the_words(example: Example, tmp_path: Path) -> None:
    page = page_html(publication(*example))
    typed = """<script>{
      const box = document.getElementById("search");
      box.value = "院士 专家";
      box.dispatchEvent(new Event("input"));
      const rows = [...document.querySelectorAll(".contents tbody tr")].filter(row => !row.hidden);
      const sections = [...document.querySelectorAll("section.form")].filter(section => !section.hidden);
      const got = JSON.stringify([rows.map(row => row.cells[0].textContent), sections.map(section => section.id)]);
      document.body.innerHTML = "<p id=got></p>";
      document.getElementById("got").textContent = got;
    }</script></body>"""
    path = tmp_path / "page.html"
    opened = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    path.write_text(opened.replace("</body>", typed), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={tmp_path / 'browser'}"]
    done = subprocess.run([command("chromium"), *options, path.as_uri()], capture_output=True, timeout=120, check=True)
    assert '<p id="got">[["01"],["p-01"]]</p>' in done.stdout.decode()


@pytest.mark.application
def test_the_search_runs_under_the_policy_of_the_page(example: Example, tmp_path: Path) -> None:
    path = write(example, tmp_path / "page.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={tmp_path / 'browser'}"]
    done = subprocess.run([command("chromium"), *options, path.as_uri()], capture_output=True, timeout=120, check=True)
    # The script takes `hidden` off the search box; where the policy forbade it, the box would stay hidden.
    assert '<form class="search" role="search"><label' in done.stdout.decode()


# --- people's own designs ---------------------------------------------------------------------


def test_a_copied_design_is_used_and_its_mistakes_are_named(example: Example, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    written, problems = copy_design("shanghai-target", folder, today=TODAY)
    assert problems == [] and {str(path.relative_to(folder)) for path, _ in written} == {
        "form.yaml", "page.html.j2", "page.typ", "letter.zh.j2", "letter.en.j2", str(Path("shared", "page.html.j2")),
    }  # fmt: skip
    item = publication(*example)
    assert page_html(item, design=folder) == page_html(item)
    page = folder / "page.html.j2"
    page.write_text(page.read_text(encoding="utf-8") + "{% block front %}<h1>Mine</h1>{% endblock %}", encoding="utf-8")
    assert "<h1>Mine</h1>" in page_html(item, design=folder)
    shared = folder / "shared" / "page.html.j2"
    text = shared.read_text(encoding="utf-8")
    line = text[: text.index("{{ item.anchor }}")].count("\n") + 1
    shared.write_text(text.replace("{{ item.anchor }}", "{{ item.ancor }}", 1), encoding="utf-8")
    problem = refused(example, Path("x.html"), folder)
    assert (problem.details["path"], problem.details["line"]) == (str(shared), line)
    assert "ancor" in problem.message()


@pytest.mark.parametrize("wrong", ["{% if %}", "{{ heading.upper() + 1 }}", "{{ 1 / 0 }}", "{{ widths[99] }}"])
def test_every_kind_of_mistake_in_a_template_has_a_line(wrong: str, example: Example, tmp_path: Path) -> None:
    page = tmp_path / "page.html.j2"
    page.write_text(f"<p>\n\n{wrong}\n", encoding="utf-8")
    problem = refused(example, Path("x.html"), tmp_path)
    assert (problem.details["path"], problem.details["line"]) == (str(page), 3)


def test_a_mistake_in_the_design_of_the_pdf_is_named(example: Example, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    page = tmp_path / "page.typ"
    page.write_text("#let data = json(bytes(sys.inputs.publication))\n\n#no-such-thing\n", encoding="utf-8")
    problem = refused(example, Path("x.pdf"), tmp_path)
    assert (problem.details["path"], problem.details["line"]) == (str(page), 3)
    assert "no-such-thing" in problem.message()


def test_a_document_that_is_none_is_named(example: Example, tmp_path: Path) -> None:
    (tmp_path / "page.docx").write_bytes(b"no document")
    assert refused(example, Path("x.docx"), tmp_path).details["path"] == str(tmp_path / "page.docx")


def test_the_styles_of_ones_own_document_stay(example: Example, tmp_path: Path) -> None:
    own = Document()
    own.styles["Title"].font.name = "FangSong"
    own.sections[0].footer.paragraphs[0].text = "某局办公室"
    own.save(str(tmp_path / "page.docx"))
    document = Document(io.BytesIO(render(publication(*example), Path("x.docx"), design=tmp_path)))
    assert document.styles["Title"].font.name == "FangSong"
    assert document.sections[0].footer.paragraphs[0].text == "某局办公室"
    assert len(document.tables) == 15


def refused(example: Example, out: Path, design: Path) -> Problem:
    with pytest.raises(KpixlError) as caught:
        render(publication(*example), out, design=design)
    (problem,) = caught.value.problems
    assert problem.code == "template-invalid"
    return problem


def test_a_design_is_never_copied_over_anything(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("x", encoding="utf-8")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "note.txt"):
        with pytest.raises(KpixlError) as caught:
            copy_design("shanghai-target", folder, today=TODAY)
        assert caught.value.problems[0].code == "folder-not-empty"
    with pytest.raises(KpixlError):
        copy_design("no-such-form", tmp_path / "new", today=TODAY)


def test_the_folder_of_a_design_must_be_there(example: Example, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    with pytest.raises(KpixlError) as caught:
        publish(
            tmp_path / "p.yaml",
            tmp_path / "x.html",
            [load_form("shanghai-target")],
            today=TODAY,
            design=tmp_path / "none",
        )
    assert caught.value.problems[0].code == "path-missing"


# --- Markdown ---------------------------------------------------------------------------------


def test_markdown_has_every_value_and_no_markup_of_its_texts() -> None:
    form, portfolio = shanghai()
    (project, *others) = portfolio.projects
    values = {**project.values, "name": "a|b *c* <d> `e`", "goal.annual": "第一行\n第二行"}
    odd = replace(portfolio, projects=(replace(project, values=values), *others))
    text = render(publication(form, odd), Path("x.md")).decode()
    assert r"## 01 a\|b \*c\* \<d\> \`e\`" in text and r"[a\|b \*c\* \<d\> \`e\`](#p-01)" in text
    assert "- 年度总体目标: 第一行<br>第二行" in text and "- 当年财政拨款 (元): 1,234,567.50" in text
    rows = [line for line in text.splitlines() if line.startswith("| 产出指标")]
    assert rows == [
        "| 产出指标 | 数量指标 | 场次 | ≥100.00(场) |",
        "| 产出指标 | 数量指标 | 人次 | ≥5000.00(人次) |",  # a merged cell is repeated
        "| 产出指标 | 质量指标 | 达标率 | =99.50(%) |",
    ]
