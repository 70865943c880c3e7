"""How the sheets of the summary look: colors, the names of cell styles, the footer."""

from __future__ import annotations

from kpixl.texts import Text

TINT_HEADER, TINT_TOTAL, TINT_SUBTOTAL, TINT_DOUBT = "#DDE6F0", "#DDE6F0", "#F2F5F9", "#FFE699"
TINT_OPEN = "#F8D7D3"  # of what must still be settled: errors, contradicting returns
BORDER, LINK = "#8C8C8C", "#1F4E9E"
FOOTER: Text = ("&C第 &P 页，共 &N 页", "&CPage &P of &N")

STYLES = {  # the names under which Excel lists what cells look like
    "title": "kpixl 标题", "note": "kpixl 说明", "header": "kpixl 表头", "text": "kpixl 文字", "number": "kpixl 数值",
    "link": "kpixl 链接", "doubt": "kpixl 存疑", "open": "kpixl 待处理", "subtotal": "kpixl 小计",
    "total": "kpixl 合计", "figure": "kpixl 指标卡",
}  # fmt: skip
