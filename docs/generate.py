"""Rewrite the parts of the documentation that are made from the program.

    python docs/generate.py            # rewrite what is stale
    python docs/generate.py --check    # only say what is stale; exit 1 if anything is

docs/problems.md is made from kpixl.problems.catalogue, docs/recognition.md from tests/cases/kinds and labels,
docs/cli.md from the help of every command,
docs/seeded-errors.md from tests/cases/seeded.yaml. In the README files each
block after `<!-- run -->` is run: its lines that begin with `$ ` are executed in a fresh folder that holds a copy of
examples/, and their real output replaces the rest of the block. Blocks of one file run one after another in one folder.
docs/round.md is run likewise; there `<!-- play first_wave -->` lets that happen of tests/round_story.py.
The figures of docs/code.md are measured anew, but not checked: each commit changes some.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
READMES = {"README.md": "en", "README.zh-CN.md": "zh"}
RUN = re.compile(r"(?<=<!-- run -->\n)```console\n(.*?)```|<!-- play (\w+) -->", re.DOTALL)
DAY = "2026-11-25"  # stands for today in what is printed
NOTE = "<!-- Made by docs/generate.py: do not edit. -->\n"


def problems() -> str:
    """Write the table of problem codes."""
    from kpixl.checks.registry import ENTRIES

    words = {"error": ("错误", "error"), "warning": ("警告", "warning"), "info": ("提示", "note")}
    out = [
        NOTE,
        "# Problem codes · 问题代码\n",
        "Every problem that kpixl reports has a code, a severity, a place, a message (what was found) and a hint (what",
        "to do). Words in braces are filled in. An error in what was read makes the exit code 1, a warning only with",
        "`--strict`; an error that stops the run (a missing path, a wrong roster, an output that cannot be written)",
        "makes it 3.\n",
        "每个问题都有代码、级别、位置、说明和处理办法；大括号里的内容运行时填入。读取内容有错误时退出码为 1，",
        "有警告时仅在加 `--strict` 后为 1；无法继续（路径不存在、项目名册有误、输出无法写入等）时为 3。\n",
    ]
    for severity, (zh, en) in words.items():
        out.append(f"## {en} · {zh}\n")
        for code, entry in sorted(ENTRIES.items()):
            if entry.severity == severity:
                out.append(f"### `{code}`\n")
                out.append(f"- {_inline(entry.en)} {_inline(entry.en_hint)}".rstrip())
                out.append(f"- {_inline(entry.zh)}{_inline(entry.zh_hint)}\n")
    return "\n".join(out).rstrip() + "\n"


def _inline(template: str) -> str:
    return re.sub(r"\{(\w+)\}", r"`{\1}`", template)


def command_line() -> str:
    """Write the help of every command, in both languages."""
    from kpixl.cli.main import cli

    out = [NOTE, "# The command line · 命令行\n", "What `--help` says, in both languages.\n"]
    for name in _names(cli):
        out.append(f"## {f'kpixl {name}'.strip()}\n")
        out += [f"```text\n{_help(name, lang)}```\n" for lang in ("en", "zh")]
    return "\n".join([*out, *_limits()]).rstrip() + "\n"


def _names(group: Any, above: str = "") -> Iterator[str]:
    """Yield the name of a group of commands, of its commands, and of theirs."""
    yield above
    for name, command in getattr(group, "commands", {}).items():
        yield from _names(command, f"{above} {name}".strip())


def _limits() -> list[str]:
    """List what `--limit` changes."""
    from kpixl.readers.limits import default_setting, label, names

    head = ["## `--limit`\n", "| default · 默认 | bounds | 限制 |", "|---|---|---|"]
    texts = ((default_setting(name), label(name)) for name in names().values())
    return [*head, *(f"| `{spelled}` | {en} | {zh} |" for spelled, (zh, en) in texts)]


def _help(name: str, lang: str) -> str:
    from kpixl.cli.main import run

    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        run([*name.split(), "--lang", lang, "--help"])
    return stream.getvalue()


def readme(name: str, lang: str) -> str:
    """Run the commands of a page and put their output into it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copytree(ROOT / "examples", folder / "examples")

        def done(block: re.Match[str]) -> str:
            if block[2] is None:
                return f"```console\n{_run(block[1], folder, lang)}```"
            from tests.round_story import Story

            getattr(Story(folder / "2026"), block[2])()
            return block[0]

        return RUN.sub(done, text)


def _run(block: str, folder: Path, lang: str) -> str:
    environment = {**os.environ, "KPIXL_LANG": lang, "PYTHONUTF8": "1", "COLUMNS": "80"}
    environment.pop("KPIXL_FORMS", None)
    out = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        out.append(line)
        words = shlex.split(line[2:])
        if words[0] == "kpixl":
            command = [sys.executable, "-m", "kpixl", *words[1:]]
        elif words[0] == "ls":
            command = ["ls", "-1", *words[1:]]
        else:
            raise SystemExit(f"docs/generate.py does not run {words[0]}")
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        today = date.today()
        printed = done.stdout.decode().replace(today.isoformat(), DAY).replace(f"{today:%Y%m%d}", DAY.replace("-", ""))
        output = printed.splitlines()
        if "Traceback (most recent call last):" in output:
            raise SystemExit(f"{line}\n" + "\n".join(output))
        out += [text.rstrip() for text in output]
        if done.returncode:
            out.append(f"(exit code {done.returncode})" if lang == "en" else f"（退出码 {done.returncode}）")
    return "\n".join(out) + "\n"


SEEDED = """\
# Mistakes seeded into a returned file

Each line is a clean returned workbook ([base.yaml](../tests/seeded/base.yaml)) with one mistake put into it, one file
for each, and what `kpixl check` with the roster says: the mistake, once, at its place, and no other error. What else
appears (warnings and notes that the same mistake brings about) stands in the last column. The kinds are data,
[seeded.yaml](../tests/cases/seeded.yaml); `tests/checks/test_seeded.py` makes the files and compares.
`python -m tests.seeded.seed FOLDER` writes them, to open and look. B5 is a cell of the seeded sheet, 02!E11 one of
another, 01! a sheet; "list" is said of the roster, without a file.
"""


def seeded_errors() -> str:
    """Write the table of tests/cases/seeded.yaml."""
    import yaml

    kinds = yaml.safe_load((ROOT / "tests" / "cases" / "seeded.yaml").read_text(encoding="utf-8"))
    out = [
        NOTE + SEEDED,
        "| | mistake | seeded | severity | code | found at | also |",
        "|---:|---|---|---|---|---|---|",
    ]
    for number, kind in enumerate(kinds, 1):
        severity, code, place = kind["found"].split(" ", 2)
        also = ", ".join("`{1}` {2}".format(*line.split(" ", 2)) for line in kind.get("also", ()))
        cells = [str(number), kind["kind"], _done(kind), severity, f"`{code}`", place, also]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def _done(kind: dict[str, Any]) -> str:
    """Say shortly what is done to the file of a kind."""
    done = [
        f"{name}: {_shortly(kind[name])}" for name in ("file", "portfolio", "book", "insert", "delete") if name in kind
    ]
    done += ["without a roster"] if kind.get("roster") is False else []
    done += ["in a second file"] if "second" in kind else []
    cells = kind.get("second", kind).get("cells", {})
    sheet = f"{kind['sheet']}!" if "sheet" in kind else ""
    return ", ".join([*done, *(f"{sheet}{cell} = {_shortly(value)}" for cell, value in cells.items())])


def _shortly(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shortly(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shortly, value))
    text = "blank" if value is None else str(value)
    text = text if len(text) <= 24 else text[:23] + "…"
    return text.replace("<", "&lt;")


EXPORT = """\
# Exported tables · 导出的表

`kpixl export 2026.yaml -o out/ --to csv` writes the portfolio as tables for other programs; `--to sqlite`, and with
`pip install kpixl[parquet]` `--to parquet` and `--to duckdb`, write the same tables. Below is what each column holds,
for the form `{form}`; other forms have the columns of their own fields. The table `columns` of every export lists them.

`kpixl export 2026.yaml -o out/ --to csv` 把汇总数据写成表，供其他程序使用；`--to sqlite`，以及安装 `kpixl[parquet]`
之后的 `--to parquet`、`--to duckdb`，写出同样的表。下面是表式 `{form}` 各列的含义，其他表式的列随其填报项而定；
每次导出的 `columns` 表中也有这些说明。

- **Amounts are exact**, in the unit of the form. In CSV they are digits without separators; in SQLite an integer, a
  float of at most 15 digits, or beyond that the digits as text; in Parquet and DuckDB DECIMAL(38, n) with as many
  decimals as the data needs, at least 2, or text beyond 38 digits. · 金额精确，以表式的单位为准。
- What could not be read as an amount or a date is blank in `projects`, is in `sources` as it was typed, and has a
  problem in `problems`. · 不能读作金额或日期的内容在 `projects` 中为空，原文在 `sources` 中，问题在 `problems` 中。
- **CSV** is UTF-8 with BOM, so that Excel shows Chinese. A text that begins with `=`, `+`, `-` or `@` (also in full
  width), a tab or a carriage return has an apostrophe before it, since Excel would run it as a formula; a text that
  has apostrophes there already gets one more. Take one away to get the text back. Import ids as text: Excel makes 1
  of 01. · CSV 为带 BOM 的 UTF-8；以 `=`、`+`、`-`、`@` 等开头的文字前加一个单引号，以免 Excel 当作公式执行。
  编号请按文本导入。
- Dates are ISO texts in CSV and SQLite. Equal portfolios give equal CSV, SQLite and Parquet files with the same
  versions of SQLite and DuckDB. · 日期在 CSV 和 SQLite 中写作 2026-01-31。
"""


def export_tables() -> str:
    """Write what the columns of an export hold."""
    from kpixl.forms.load import load_form
    from kpixl.output.export.tables import Exported, export_tables
    from kpixl.portfolio.model import Portfolio

    form = load_form("shanghai-target")
    out = [NOTE + EXPORT.format(form=form.id)]
    for table in export_tables(Exported(form, Portfolio(form.id, None, None, ())), "en"):
        key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
        out += [f"## {table.name}\n", f"{table.text[1][0].upper()}{table.text[1][1:]} · {table.text[0]}.{key}\n"]
        out += ["| column · 列 | kind · 类型 | holds | 含义 |", "|---|---|---|---|"]
        out += [f"| `{c.name}` | {c.kind} | {c.text[1]} | {c.text[0]} |" for c in table.columns]
        out.append("")
    return "\n".join(out).rstrip() + "\n"


# --- the code -------------------------------------------------------------------------------------

# As measured when the redesign was planned, with the same script and others: module, function, cycles, comments, tests.
_BEFORE = ("kpixl at e619173", "162/756", "20/60", "0", "2.9", "0.52", "13")
_PEERS = [
    ("pre-commit", "81/551", "30/249", "0", "7", "1.6", ""),
    ("XlsxWriter", "202/8502", "44/508", "0", "29", "3.0", ""),
    ("pyxform", "132/1497", "41/1205", "0", "6", "2.2", ""),
    ("beancount", "152/1874", "57/263", "0", "16", "1.2", ""),
    ("sqlite-utils", "130/5547", "74/482", "0", "5", "1.5", ""),
    ("jupytext", "184/1396", "55/685", "1", "6", "2.2", ""),
    ("black", "382/2616", "62/249", "0", "14", "2.0", ""),
    ("frictionless", "54/1015", "27/228", "1", "12", "1.0", ""),
]


def code_page() -> str:
    """Return docs/code.md with its figures measured anew and the differences in what is read."""
    from docs.measures import measure
    from kpixl import yaml_text

    found = measure(ROOT)
    now = (
        "**kpixl now**",
        f"{found.module_median}/{found.module_max}",
        f"{found.function_p90}/{found.function_max}",
        str(found.cycles),
        str(found.comments),
        str(found.test_ratio),
        str(len(found.repeated_names)),
    )
    head = ["", "module median/max lines", "function p90/max", "import cycles", "comments per 100 lines",
            "test lines per line of code", "class names used twice"]  # fmt: skip
    rows = [head, ["---", *["---:"] * 6], now, _BEFORE, *_PEERS]
    listed = yaml_text.parse((ROOT / "tests" / "cases" / "byte-equality.yaml").read_text(encoding="utf-8"))
    differing = [["reading case", "why it is read otherwise"], ["---", "---"], *listed.items()]
    text = (DOCS / "code.md").read_text(encoding="utf-8")
    for part, table in (("measures", rows), ("byte-equality", differing)):
        made = "\n".join(f"| {' | '.join(row)} |" for row in table)
        before, opening, rest = text.partition(f"<!-- {part} -->\n")
        assert opening, part
        text = f"{before}{opening}{made}\n{rest[rest.index('<!-- end -->') :]}"
    return text


def main(arguments: list[str]) -> int:
    """Rewrite or check every generated text; return the exit code."""
    os.environ["COLUMNS"] = "80"
    wanted = {DOCS / "problems.md": problems(), DOCS / "cli.md": command_line(), DOCS / "export.md": export_tables()}
    from kpixl.checks.rules_page import rules_markdown
    from kpixl.forms.load import load_forms

    wanted[DOCS / "seeded-errors.md"] = seeded_errors()
    sys.path.insert(0, str(ROOT))  # the cases are read by the tests
    from tests import learning_page, recognition_page

    wanted[DOCS / "recognition.md"] = NOTE + recognition_page.page()
    wanted[DOCS / "learning.md"] = NOTE + learning_page.page()
    forms = list(load_forms().values())
    wanted |= {DOCS / "rules.md": rules_markdown("en", forms), DOCS / "rules.zh-CN.md": rules_markdown("zh", forms)}
    wanted |= {ROOT / name: readme(name, lang) for name, lang in [*READMES.items(), ("docs/round.md", "en")]}
    if "--check" not in arguments:
        wanted[DOCS / "code.md"] = code_page()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{'stale' if '--check' in arguments else 'rewritten'}: {path.relative_to(ROOT)}")
        if "--check" not in arguments:
            path.write_text(wanted[path], encoding="utf-8")
    if "--check" in arguments and stale:
        print("Run python docs/generate.py and look at what changed.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
