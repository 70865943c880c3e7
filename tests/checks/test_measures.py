"""Targets and actual values compared: which texts are numbers, in which unit, and how they compare."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpixl.checks.measures import Attainment, Measure, compare, read_measure
from kpixl.forms.values import number_text
from tests.strategies import HOSTILE_TEXTS

WORDS = {"≥": ("不少于", "以上", "及以上"), "≤": ("不超过", "以内")}

READ = {
    "≥100.00(人)": ("≥", "100", "人"),
    ">=90%": ("≥", "90", "%"),
    "≤ 6,500.00（元）": ("≤", "6500", "元"),
    "═100%": ("=", "100", "%"),
    "51场": ("", "51", "场"),
    "１００ 人次": ("", "100", "人次"),
    "≥12万人次": ("≥", "120000", "人次"),
    "1.5亿元": ("", "150000000", "元"),
    "不少于48场": ("≥", "48", "场"),
    "90%及以上": ("≥", "90", "%"),
    "3天以内": ("≤", "3", "天"),
    "0.5": ("", "0.5", ""),
    "2026年12月20日前完成": None,
    "12月底": None,
    "合规": None,
    "约100人": None,
    "3至5天": None,
    "51场，听众3000人": None,
    "": None,
    "9" * 400: None,
}


@pytest.mark.parametrize("text", READ)
def test_a_text_is_a_number_with_a_unit_or_none(text: str) -> None:
    read, expected = read_measure(text, WORDS), READ[text]
    assert (read and (read.operator, number_text(read.number), read.unit)) == expected


YES, UNCLEAR = True, None
COMPARED = {
    ("≥48场", "51场"): (YES, "1", "106.25"),
    ("≥48场", "24场"): (False, "0.5", "50"),
    (">48场", "48场"): (False, "1", "100"),
    ("≤6500元", "6110元"): (YES, "1", None),
    ("≤100元", "125元"): (False, "0.8", None),
    ("≤0起", "2起"): (False, "0", None),
    ("=100%", "100%"): (YES, "1", "100"),
    ("=10件", "7件"): (False, "0.7", "70"),
    ("=5件", "7件"): (UNCLEAR, "1", "140"),
    ("=0起", "0"): (YES, "1", None),
    ("5件", "5件"): (YES, "1", "100"),
    ("≥12万人次", "126000人次"): (YES, "1", "105"),
    ("≥90%", "95"): (YES, "1", None),
}
NOT_COMPARED = [("≥48场", "51次"), ("≥95%", "0.97"), ("≥80万页", "78"), ("≥48", "≥50"), ("≥48", "51场"), ("5件", "7件")]


@pytest.mark.parametrize("texts", COMPARED)
def test_numbers_of_one_unit_are_compared(texts: tuple[str, str]) -> None:
    target, actual = (read_measure(text, {}) for text in texts)
    assert target and actual
    found, (reached, share, percent) = compare(target, actual), COMPARED[texts]
    assert found is not None
    assert (found.reached, found.share) == (reached, Decimal(share))
    if percent is not None:
        assert found.percent == Decimal(percent)


@pytest.mark.parametrize("texts", NOT_COMPARED)
def test_what_may_count_something_else_is_not_compared(texts: tuple[str, str]) -> None:
    target, actual = (read_measure(text, {}) for text in texts)
    assert target and actual
    assert compare(target, actual) is None


usual = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
numbers = st.decimals(0, 10**9, places=2)


@given(st.sampled_from(["≥", "≤", "=", ">", "<", ""]), numbers, numbers)
@usual
def test_a_share_is_all_where_the_target_was_reached_and_never_more(
    op: str, planned: Decimal, reached: Decimal
) -> None:
    found: Attainment | None = compare(Measure(op, planned, "人"), Measure("", reached, "人"))
    assert found is None or 0 <= found.share <= 1
    assert found is None or found.reached is not True or found.share == 1


@given(st.one_of(st.text(max_size=80), st.sampled_from(HOSTILE_TEXTS)))
@usual
def test_no_text_brings_it_down(text: str) -> None:
    read = read_measure(text, WORDS)
    assert read is None or compare(read, read) is None or read.number >= 0
