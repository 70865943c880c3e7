"""Characters that look like an ideograph of Chinese text -> that ideograph.

A font draws ⽬ (U+2F6C, a radical) and 目 (U+76EE) with one glyph, and the PDF may name either for it. Nobody types
radicals or compatibility ideographs, so where a PDF has one its ideograph was meant.
"""

from __future__ import annotations

import unicodedata

# U+2E81 to U+2EF3 without U+2E9A, which is no character: EquivalentUnifiedIdeograph.txt of the Unicode Character
# Database. The Kangxi radicals (U+2F00 to U+2FD5) have their ideographs as compatibility decompositions.
_SUPPLEMENT = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王"
    "𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長"
    "镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"
)
_IDEOGRAPHS = dict(zip((code for code in range(0x2E81, 0x2EF4) if code != 0x2E9A), _SUPPLEMENT, strict=True))


def ideograph(char: str) -> str:
    """Return the ideograph of a radical or a compatibility ideograph, and any other character as it is."""
    if "\u2e80" <= char <= "\u2eff":
        return _IDEOGRAPHS.get(ord(char), char)
    alike = "\u2f00" <= char <= "\u2fd5" or "\uf900" <= char <= "\ufaff" or "\U0002f800" <= char <= "\U0002fa1f"
    return unicodedata.normalize("NFKC", char) if alike else char
