"""Why a file cannot be read, in both languages: what libraries raise, as sentences that help who has to fix it."""

from __future__ import annotations

import re

Pair = tuple[str, str]  # the same in Chinese and English

_CUT = ("内容不完整，可能没有保存完或没有传完", "it ends too early, as if it was not saved or sent whole")
_PACKED = ("压缩数据已损坏", "its packed data is damaged")
_MISSING = ("文件中缺少一部分内容", "a part of it is missing")
_NUMBER = ("有单元格的数值写法有误", "a cell holds a number that is not spelled as one")
_XML = ("内部的 XML 有语法错误", "its XML has a syntax error")
_INDEX = ("文件内部的索引已损坏", "its internal index is damaged")
_GENERAL = ("内容已损坏，或不是由规范的软件保存的", "it is damaged, or was saved in an unusual way")

# What a message of a library holds, in lower case; the first that is found counts.
_TABLE: tuple[tuple[str, Pair], ...] = (
    (r"cannot detect file format", _GENERAL),
    (r"unsupported cell error", ("有单元格是无法识别的错误值", "a cell shows an error that is not known")),
    (r"cell 't' attribute", ("有单元格的类型无法识别", "a cell is of a type that is not known")),
    (r"string index", ("有单元格引用了不存在的文字", "a cell refers to a text that the file does not hold")),
    (r"parse (?:float|integer)|invalid (?:float|digit)", _NUMBER),
    (r"unexpected end|fill whole buffer|end of (?:file|stream|central)|\beof\b|truncated|no element found", _CUT),
    (r"no /root|pdf", ("PDF 的结构已损坏", "the structure of the PDF is damaged")),
    (r"crc|deflate|decompress|inflate|corrupt|\bzip\b|compress", _PACKED),
    (r"sector|\bole\b|empty root|cannot find .* stream", _INDEX),
    (r"not found|no item named|no relationship", _MISSING),
    (r"xml|not well-formed|mismatched tag|invalid token|syntax error|unclosed|duplicate attribute|junk after", _XML),
)
_PATTERNS = tuple((re.compile(pattern), pair) for pattern, pair in _TABLE)
_MAX_QUOTED = 120


def reason_of(error: BaseException) -> Pair:
    """Return why a library could not read a file; English quotes what it raised where that is not known."""
    raised = " ".join(str(error).split())
    if type(error).__name__ in ("WorksheetNotFound", "KeyError"):  # their message is a bare name
        return _MISSING
    lowered = raised.casefold()[:1_000]
    found = next((pair for pattern, pair in _PATTERNS if pattern.search(lowered)), None)
    if found is not None:
        return found
    detail = raised[:_MAX_QUOTED] or type(error).__name__
    return _GENERAL[0], f"{_GENERAL[1]} (technical detail: “{detail}”)"
