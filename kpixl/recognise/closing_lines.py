"""The lines that people write below a table: who filled it in, who checked it, remarks."""

from __future__ import annotations

import re
import unicodedata

from kpixl.forms.values import Raw
from kpixl.recognise.labels import MAX_LABEL

_ROLE = r"(?:(?:填[报表]|制表|审核|复核|经办|负责|联系)人|联系电话|填[报表](?:日期|时间|单位))"
# 填报人：张三, 注：一式三份. A role alone, without a name, is such a line as well.
_LINE = re.compile(rf"{_ROLE}|.{{0,4}}{_ROLE}(?:\(.{{1,6}}\))?:.*|(?:填表|附)?(?:备?注|说明)\d?:.*", re.DOTALL)


def is_closing_line(raw: Raw) -> bool:
    """Return whether a cell below a table is no content of it."""
    if not isinstance(raw, str) or len(raw) > MAX_LABEL:
        return False
    return _LINE.fullmatch("".join(unicodedata.normalize("NFKC", raw).split())) is not None
