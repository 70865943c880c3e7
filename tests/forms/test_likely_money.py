"""What a person is asked to type in place of a text that is no amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpixl.forms.definition import MoneyUnit
from kpixl.forms.likely_money import likely_amount, means_nothing
from kpixl.forms.money import UNITS
from kpixl.forms.types import FIELD_TYPES

YUAN, WAN = UNITS["元"], UNITS["万元"]
MONEY = FIELD_TYPES["money"]

MEANT = {
    "60w": "600000", "约60万": "600000", "60万左右": "600000", "共 60 万元": "600000", "600000.": "600000",
    "600000元（含税）": "600000", "六十万": "600000", "人民币陆拾万元整": "600000", "十五万": "150000",
    "一亿二千万元": "120000000", "一千零五": "1005", "三亿": "300000000",
}  # fmt: skip
NOT_KNOWN = ("60-70万", "3个月", "60万元/年", "待定", "见附件1", "30%", "2026年60万", "二〇二六", "百万元", "600'000")


@pytest.mark.parametrize("text", MEANT)
def test_the_amount_that_is_meant_is_proposed_and_never_read(text: str) -> None:
    meant = Decimal(MEANT[text])
    assert likely_amount(text, YUAN) == meant
    if any(word in text for word in "万亿w元"):
        assert likely_amount(text, WAN) == meant / 10_000
    assert MONEY.read(text).value == text
    assert f"填 {MEANT[text]}" in MONEY.expected_instead(text)[0]


@pytest.mark.parametrize("text", NOT_KNOWN)
def test_nothing_is_proposed_where_no_single_amount_is_meant(text: str) -> None:
    assert likely_amount(text, YUAN) is None and not means_nothing(text)
    assert MONEY.expected_instead(text) == MONEY.expected()


@pytest.mark.parametrize("text", ["无", " / ", "——", "N/A", "不涉及", "暂无"])
def test_a_word_for_nothing_is_answered_with_zero(text: str) -> None:
    assert MONEY.read(text).value == text
    assert MONEY.expected_instead(text, WAN) == (
        "以万元为单位的数字，没有这笔钱就填 0",
        "a number in 万元, 0 if there is no such money",
    )


@given(st.text(max_size=40))
def test_whatever_was_typed_has_an_answer(text: str) -> None:
    assert all(MONEY.expected_instead(text, WAN))


@given(st.integers(min_value=10, max_value=10**12), st.sampled_from([YUAN, WAN]))
def test_what_is_proposed_is_read_as_the_amount_that_was_meant(number: int, unit: MoneyUnit) -> None:
    amount = likely_amount(f"约{number}元", unit)
    assert amount is not None and amount * 10**unit.power == number
