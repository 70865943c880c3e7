"""How much is read, at most. Every bound in one place, with its reason; `--limit NAME=VALUE` raises any of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from kpixl.texts import Text, say

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def _bound(default: Any, zh: str, en: str) -> Any:
    return field(default=default, metadata={"text": (zh, en)})


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read. A filled workbook of 50 projects has 0.3 MiB and 15,000 cells."""

    file_bytes: int = _bound(64 * MIB, "文件大小（字节）", "the size of a file in bytes")
    """A file on disk, and each file of an archive: workbooks this large hold pictures, not more projects."""
    sheet_cells: int = _bound(7_500_000, "工作表的使用范围（单元格）", "the used range of a sheet in cells")
    """What calamine makes room for. A form has 300; one with a stray character in Excel's last row has 7.34 million,
    which take 0.4 GiB from a .xlsx, 0.7 from a .xls, 1.0 from a .ods with text in each. In .xls and .ods all sheets
    count together, because calamine reads all of them at once."""
    table_cells: int = _bound(2_000_000, "文本和文档中表格的单元格数", "the cells of tables in text and documents")
    """Cells of a text, a page, a document or an XML spreadsheet, which are made one by one: these take some 4 s and
    0.4 GiB. 6,000 forms have as many; spans fill all that they claim."""
    unpacked_bytes: int = _bound(512 * MIB, "解压后的大小（字节）", "the unpacked size in bytes")
    """What a .xlsx, .docx or .zip unpacks to. A million formatted empty rows are 335 MiB of XML, read in 10 s."""
    text_bytes: int = _bound(256 * MIB, "文字总量（字节）", "the volume of text in bytes")
    """All text of a workbook: one long shared string, in many cells, is copied for each of them."""
    merges: int = _bound(500_000, "工作表的合并单元格数", "the number of merged ranges of a sheet")
    """A form has 40: these are the forms of 12,000 projects, looked at in 15 s on a busy machine. Of all sheets."""
    members: int = _bound(20_000, "内含的文件数", "the number of files inside")
    """Parts of a package, or files of an archive: a sheet has about five, and few offices have 4,000 sheets."""
    nesting: int = _bound(4, "压缩包和邮件的嵌套层数", "the number of archives and mails within each other")
    """Archives and mails within each other: staff zip folders that hold what a unit had zipped, and send on mails."""
    pages: int = _bound(500, "PDF 的页数", "the number of pages of a PDF")
    """Pages of a PDF: each takes 0.02 s, a form one or two of them."""
    page_objects: int = _bound(
        200_000, "PDF 一页的字符、线条或表格方格数", "the characters, lines or squares between lines on a page of a PDF"
    )
    """Characters and graphics of one page of a PDF, made one by one, and the squares that its ruled lines make: so many
    take some 5 s. A form has 2,000, a page of a newspaper 20,000."""
    page_seconds: float = _bound(8.0, "读取一页的时间（秒）", "the time in seconds for a page of a PDF")
    """Time for one page of a PDF, looked at between calls of its library; within one, `seconds` holds."""
    columns: int = _bound(256, "文本的列数", "the number of columns of text")
    """Columns of text: what is beyond stays together in the last one, to be reported."""
    seconds: float = _bound(120.0, "读取一个文件的时间（秒）", "the time in seconds for a file")
    """Time for one file: the process that reads it is ended, and only this file is lost. Broken and hostile files end
    within 10 s (tests/fuzz); this is for honest ones: the forms of 12,000 projects take 15 s, on an old computer
    several times as long."""
    memory_bytes: int = _bound(3 * GIB, "读取一个文件占用的内存（字节）", "the memory in bytes for a file")
    """Memory that reading may take on top of what the process has; beyond, it is ended as well. Not on Windows. What
    the fuzzing harness makes stays below 1 GiB; a sheet near sheet_cells may not."""


DEFAULT_LIMITS = Limits()
MAX_SETTING = 1 << 40
MAX_SECONDS = 86_400
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB}
_NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)([KMG]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_NO_NAME: Text = ("没有名为 {name} 的上限；可用的有：{known}", "there is no limit {name}; there are {known}")
_NEAR: Text = ("没有名为 {name} 的上限，是否指 {near}？可用的有：{known}",
               "there is no limit {name}; did you mean {near}? There are {known}")  # fmt: skip
_NO_PAIR: Text = ("“{typed}”应写成 名称=数值，如 {example}", '"{typed}" should be NAME=VALUE, such as {example}')
_NO_VALUE: Text = ("“{value}”不能作为 {name} 的值，应为大于 0 的{kind}，如 {example}",
                   '"{value}" cannot be the value of {name}, which is {kind} above 0, such as {example}')  # fmt: skip
_BYTES: Text = ("字节数（可加 K、M、G）", "a number of bytes (with K, M or G if you like)")
_SECONDS: Text = ("秒数", "a number of seconds")
_COUNT: Text = ("整数", "a whole number")


class LimitError(ValueError):
    """A setting that cannot be."""

    def __init__(self, text: Text, /, **details: str | Text) -> None:
        super().__init__(text, details)
        self.text, self.details = text, details

    def message(self, lang: str) -> str:
        """Return why it cannot be."""
        details = {key: value if isinstance(value, str) else say(value, lang) for key, value in self.details.items()}
        return say(self.text, lang, **details)


def names() -> dict[str, str]:
    """Map the names of the bounds, as they are typed, to those of Limits."""
    return {each.name.replace("_", "-"): each.name for each in fields(Limits)}


def label(name: str) -> Text:
    """Return what a bound of Limits bounds, in words."""
    text: Text = next(each.metadata["text"] for each in fields(Limits) if each.name == name)
    return text


def with_settings(settings: Iterable[str], limits: Limits = DEFAULT_LIMITS) -> Limits:
    """Change limits by settings as they are typed: "file-bytes=200M", "seconds=300". Raises LimitError."""
    return replace(limits, **dict(map(_setting, settings)))


def _setting(text: str) -> tuple[str, Any]:
    typed, equals, value = text.partition("=")
    if not equals:
        raise LimitError(_NO_PAIR, typed=text, example=setting("file_bytes", 200 * MIB))
    known = names()
    name = known.get(typed.strip().casefold().replace("_", "-"))
    if name is None:
        near = difflib.get_close_matches(typed.strip().casefold().replace("_", "-"), known, 1)
        raise LimitError(_NEAR if near else _NO_NAME, name=typed, near="".join(near), known=", ".join(known))
    return name, _value(name, value.strip())


def _value(name: str, value: str) -> float:
    in_bytes, in_seconds = name.endswith("_bytes"), name.endswith("seconds")
    match = _NUMBER.fullmatch(value)
    whole = match is not None and (in_seconds or in_bytes or "." not in value) and (in_bytes or not match[2])
    number = float(match[1]) * _UNITS[match[2].upper()] if match and whole else 0
    if not 0 < number <= (MAX_SECONDS if in_seconds else MAX_SETTING):
        kind = _BYTES if in_bytes else _SECONDS if in_seconds else _COUNT
        typed = name.replace("_", "-")
        raise LimitError(_NO_VALUE, name=typed, value=value, kind=kind, example=default_setting(name))
    return number if in_seconds else max(1, int(number))


def setting(name: str, value: float) -> str:
    """Spell a bound as it is typed, bytes rounded up to whole units: "file-bytes=200M"."""
    spelled = f"{value:g}" if name.endswith("seconds") else str(int(value))
    if name.endswith("_bytes"):
        unit = next(u for u in ("G", "M", "K", "") if value >= 8 * _UNITS[u] or value % _UNITS[u] == 0 or not u)
        spelled = f"{-(-int(value) // _UNITS[unit])}{unit}"
    return f"{name.replace('_', '-')}={spelled}"


def default_setting(name: str) -> str:
    """Spell the default of a bound as it is typed."""
    return setting(name, getattr(DEFAULT_LIMITS, name))


def raising(name: str, limits: Limits, needed: float = 0) -> str:
    """Spell the option that raises a bound: to what is needed where that is known, else to twice of what it is."""
    most = MAX_SECONDS if name.endswith("seconds") else MAX_SETTING
    return f"--limit {setting(name, min(most, needed or 2 * getattr(limits, name)))}"
