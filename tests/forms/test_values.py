"""Each field type reads what people type: one table per type, (typed, value, whether the person is told)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from kpixl.forms.definition import Choices, Target, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import (
    Raw,
    fits_float,
    fold,
    number_text,
    read_target,
    target_text,
    tidy_target,
    to_yaml,
    total,
)
from tests.strategies import form_of

FORM = form_of("shanghai-target")
OPERATORS, UNITS = FORM.choices["operator"], FORM.choices["unit"]
LISTS: dict[str, Choices | None] = {
    "choice": FORM.choices["nature"], "operator": OPERATORS, "unit": UNITS,
}  # fmt: skip
D = Decimal

CASES: dict[str, list[tuple[Raw, Value, bool]]] = {
    "text": [
        ("", None, False), (None, None, False), ("  ", None, False), ("\u3000\u00a0\n", None, False),
        (" as typed ", " as typed ", False), ("=1+1", "=1+1", False), (12.0, "12", False), (0.1, "0.1", False),
        (True, "TRUE", False), (False, "FALSE", False), (date(2026, 1, 2), "2026-01-02", False),
        (datetime(2026, 1, 2), "2026-01-02", False), (datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00", False),
        (time(3, 4), "03:04:00", False), (timedelta(hours=30), "30:00:00", False), (1e21, "1" + "0" * 21, False),
    ],
    "choice": [
        ("一次性项目", "一次性项目", False), ("一次性 项目", "一次性项目", True),
        ("一次性\n项目：", "一次性项目", True),
        ("别的", "别的", False), ("", None, False), (5, "5", False),
    ],
    "operator": [
        ("≥", "≥", False), (">=", "≥", True), ("＞＝", "≥", True), ("≧", "≥", True), ("不少于", "≥", True),
        ("不超过", "≤", True),
        ("＝", "=", True), ("等于", "=", True), ("＜", "<", True), ("定性", "定性", False), ("文字描述", "定性", True),
        ("约", "约", False), (" ", None, False),
    ],
    "unit": [
        ("%", "%", False), ("％", "%", True), ("人 次", "人次", True), ("百分比", "百分比", False),
        ("元／人天", "元/人天", True),
        ("", None, False),
    ],
    "date": [
        ("2026-01-31", date(2026, 1, 31), False), (date(2026, 1, 31), date(2026, 1, 31), False),
        (datetime(2026, 1, 31), date(2026, 1, 31), False), (datetime(2026, 1, 31, 12), date(2026, 1, 31), True),
        ("2026/1/31", date(2026, 1, 31), True), ("2026.1.31", date(2026, 1, 31), True),
        ("2026年1月31日", date(2026, 1, 31), True), ("２０２６年１月３１日", date(2026, 1, 31), True),
        ("2026 年 1 月 31 日", date(2026, 1, 31), True), ("20260131", date(2026, 1, 31), True),
        ("2026-1-31", date(2026, 1, 31), True), ("2026-01-31 00:00:00", date(2026, 1, 31), True),
        (46053.0, date(2026, 1, 31), True), (46053, date(2026, 1, 31), True),
        ("2026-1", "2026-1", False), ("2026年", "2026年", False), ("2026-02-30", "2026-02-30", False),
        ("年底", "年底", False),
        (2026.0, "2026", False), (True, "TRUE", False), ("", None, False),
    ],
    "money": [
        (600000.0, D(600000), False), (0.1, D("0.1"), False), (-5, D(-5), False), (-0.0, D(0), False),
        ("600000", D(600000), False), ("2,000.00", D(2000), False), ("2,00", "2,00", False),
        ("-1,234.5", D("-1234.5"), False),
        ("60万", D(600000), True), ("60 万元", D(600000), True), ("2000万", D(20000000), True),
        ("1.5亿", D(150000000), True),
        ("1405.06万元", D("14050600"), True), ("６０００００", D(600000), True), ("￥600,000.00", D(600000), True),
        ("¥ 5", D(5), True), ("600000元", D(600000), True), ("600000元整", D(600000), True),
        ("人民币600000元", D(600000), True),
        ("(1,234.00)", D(-1234), True), ("（500）", D(-500), True), ("(500", "(500", False), (" 5 ", D(5), True),
        ("约60万", "约60万", False), ("60万左右", "60万左右", False), ("5+5", "5+5", False), ("6-8万", "6-8万", False),
        (True, "TRUE", False), ("9" * 24, D("9" * 24), False), ("9" * 25, "9" * 25, False),
        ("-" + "9" * 24, "-" + "9" * 24, False),
        (1e300, "1e+300", False), ("9" * 22 + "万", "9" * 22 + "万", False), (float("nan"), "nan", False),
        ("", None, False),
    ],
    "quantity": [
        (100.0, D(100), False), ("100", D(100), False), ("0.95", D("0.95"), False), ("-3", D(-3), False),
        ("0", D(0), False),
        ("1,000", D(1000), True), (" 85 ", D(85), True), ("８５", D(85), True), ("007", "007", False),
        ("01", "01", False),
        ("6-8", "6-8", False), ("合规", "合规", False), ("=100%", "=100%", False), ("", None, False),
        (True, "TRUE", False),
        (1.2345678901234567e-20, "1.2345678901234567e-20", False),
    ],
    "tick": [
        ("是", "是", False), ("√", "是", True), ("☑", "是", True), (True, "是", True), ("□", "否", True),
        (" 否", "否", True), (False, "否", True), ("也许", "也许", False), ("", None, False), ("✔", "是", True),
        ("x", "x", False),
    ],
    "percent": [
        ("95%", D(95), False), ("95", D(95), False), (95.0, D(95), False), (0.95, D("0.95"), False),
        ("95％", D(95), True), (" 95 % ", D(95), True), ("９５％", D(95), True), ("1,000%", D(1000), True),
        ("百分之95", D(95), True), ("86.18%", D("86.18"), False), ("-3%", D(-3), False),
        ("百分之九十", "百分之九十", False),
        ("≥95%", "≥95%", False), ("95%左右", "95%左右", False), ("007%", "007%", False), ("10²%", "10²%", False),
        (True, "TRUE", False), ("9" * 25, "9" * 25, False), ("", None, False),
    ],
    "period": [
        ("1年", "1年", False), ("2024年-2026年", "2024年-2026年", False), ("2024-2026", "2024-2026", False),
        ("2026年1月—2026年12月", "2026年1月—2026年12月", False), ("三年", "三年", False), ("6个月", "6个月", False),
        ("2026", "2026", False), (2026.0, "2026", False), ("长期", "长期", False), (" 1 年", " 1 年", False),
        ("2026.1.1至2026.12.31", "2026.1.1至2026.12.31", False),
        ("3年（2024年-2026年）", "3年（2024年-2026年）", False),
        ("自2024年起到2026年止", "自2024年起到2026年止", False), ("一个周期", "一个周期", False), ("", None, False),
    ],
    "code-and-name": [
        ("[105]某部", "[105]某部", False), ("［105］某部", "[105]某部", True), ("105 某部", "[105]某部", True),
        ("105-某部", "[105]某部", True), ("某部（105）", "[105]某部", True),
        ("【105】 某部（本级）", "[105]某部（本级）", True),
        ("某部", "某部", False), ("105", "105", False), (105.0, "105", False), ("2026世博局", "2026世博局", False),
        ("[105]--[106]某部", "[105][106]某部", True), ("某部（本级）", "某部（本级）", False), ("", None, False),
    ],
    "displayed": [
        ("100.00", "100.00", False), (" ≥95% ", " ≥95% ", False), (100.0, "100", False), ("", None, False),
    ],
}  # fmt: skip


def test_every_type_has_cases() -> None:
    assert set(CASES) == set(FIELD_TYPES)


@pytest.mark.parametrize(
    ("kind", "raw", "value", "noted"),
    [pytest.param(kind, *case, id=f"{kind}-{case[0]!a:.40}") for kind, cases in CASES.items() for case in cases],
)
def test_reading(kind: str, raw: Raw, value: Value, noted: bool) -> None:
    read = FIELD_TYPES[kind].read(raw, LISTS.get(kind))
    assert (read.value, read.noted) == (value, noted)
    assert type(read.value) is type(value)


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_what_was_read_reads_as_itself(kind: str) -> None:
    for raw, value, _ in CASES[kind]:
        again = FIELD_TYPES[kind].read(to_yaml(value), LISTS.get(kind))
        assert (again.value, again.noted) == (value, False), raw


# (typed in one cell, operator, value, unit, told); None: it is text
TARGETS: list[tuple[str, tuple[str | None, Decimal, str | None, bool] | None]] = [
    ("≥100.00(人)", ("≥", D(100), "人", False)),
    ("=100.00(%)", ("=", D(100), "%", False)),
    ("≥10000.00(人次)", ("≥", D(10000), "人次", False)),
    (">=90%", ("≥", D(90), "%", True)),
    ("≥ 90", ("≥", D(90), None, True)),
    ("≥90", ("≥", D(90), None, False)),
    ("90%以上", ("≥", D(90), "%", True)),
    ("90%及以上", ("≥", D(90), "%", True)),
    ("5次以内", ("≤", D(5), "次", True)),
    ("不少于100人", ("≥", D(100), "人", True)),
    ("不超过５起", ("≤", D(5), "起", True)),
    ("大于 3 个", (">", D(3), "个", True)),
    ("100", (None, D(100), None, False)),
    ("985米", (None, D(985), "米", True)),
    ("≥100（人）", ("≥", D(100), "人", True)),
    ("≥1,000.5(元)", ("≥", D("1000.5"), "元", False)),
    ("≥100(百分比)", ("≥", D(100), "百分比", False)),
    ("≥100百分比", ("≥", D(100), "百分比", True)),
    ("192只", (None, D(192), "只", True)),
    ("12月", None),
    ("6-8篇", None),
    ("6~8", None),
    ("合规", None),
    ("2026年12月31日前完成", None),
    ("2026-12-31", None),
    ("相比上一年有提升", None),
    ("≥", None),
    ("007", None),
    ("定性", None),
    ("100人左右", None),
    ("≥≥90", None),
]


@pytest.mark.parametrize(("text", "expected"), TARGETS, ids=[text for text, _ in TARGETS])
def test_targets(text: str, expected: tuple[str | None, Decimal, str | None, bool] | None) -> None:
    read = read_target(text, OPERATORS, UNITS)
    assert (None if read is None else tuple(read)) == expected


def row(operator: str | None, value: Value, unit: str | None) -> dict[str, Value]:
    return {"operator": operator, "value": value, "unit": unit}


TARGET: Target = FORM.tables["indicators"].targets["target"]


@pytest.mark.parametrize(
    ("typed", "tidied"),
    [
        (row(None, "≥90%", None), row("≥", D(90), "%")),
        (row("≥", "90%", "%"), row("≥", D(90), "%")),
        (row("≥", "90%", None), row("≥", D(90), "%")),
        (row("≤", "≥90%", None), None),  # two operators that differ: kept as typed
        (row("≥", "90%", "人"), None),
        (row("定性", "90%以上", None), None),
        (row(None, "合规", None), None),
        (row(None, D(90), None), None),
    ],
)
def test_a_target_typed_whole_is_split_only_where_nothing_contradicts(
    typed: dict[str, Value], tidied: dict[str, Value] | None
) -> None:
    found = dict(typed)
    assert tidy_target(found, TARGET, OPERATORS, UNITS) is (tidied is not None)
    assert found == (tidied or typed)


@pytest.mark.parametrize(
    ("parts", "printed"),
    [
        (row("≥", D(100), "人"), "≥100.00(人)"),
        (row("=", D("99.5"), "%"), "=99.50(%)"),
        (row(None, D("0.123"), None), "0.123"),
        (row("定性", "合规", None), "合规"),
        (row(None, None, None), ""),
        (row("≥", None, "人"), "≥(人)"),
    ],
)
def test_printing_a_target(parts: dict[str, Value], printed: str) -> None:
    assert target_text(parts, TARGET) == printed


@pytest.mark.parametrize(
    ("texts", "folded"),
    [
        (
            [
                "项目名称",
                "项 目 名 称",
                "项目\n名称",
                "项目名称：",
                "项目名称:",
                "\u00a0项目\u3000名称",
                "\ufeff项目\u200b名称",
            ],
            "项目名称",
        ),
        (["项目资金（元）", "项目资金 (元)", "项目资金\t(元) :"], "项目资金(元)"),
        (["ＡＢＣ", "abc", "A B C"], "abc"),
    ],
)
def test_labels_that_fold_alike(texts: list[str], folded: str) -> None:
    assert {fold(text) for text in texts} == {folded}


def test_numbers_as_text_and_in_yaml() -> None:
    assert [number_text(D(n)) for n in ("600000", "0.50", "1E+3", "-0", "-0.10")] == [
        "600000",
        "0.5",
        "1000",
        "0",
        "-0.1",
    ]
    assert [fits_float(D(n)) for n in ("999999999999999", "9999999999999999", "0.1", "1e300")] == [
        True,
        False,
        True,
        False,
    ]
    assert to_yaml(D("600000.00")) == 600000
    assert to_yaml(D("0.5")) == 0.5
    assert to_yaml(D("12345678901234567.89")) == "12345678901234567.89"
    assert to_yaml(D("1e18")) == "1" + "0" * 18  # more than a 64-bit integer surely holds


def test_totals() -> None:
    assert total([None, "约", None]) is None
    assert total([D("0.1"), D("0.2"), "约"]) == D("0.3")
    assert total([D("9" * 24), D(1)]) is None  # longer than any number that can be read back


def test_text_that_is_no_value_of_its_type_is_unread() -> None:
    unread = {kind: [v for _, v, _ in cases if FIELD_TYPES[kind].is_unread(v)] for kind, cases in CASES.items()}
    assert unread["tick"] == ["也许", "x"]
    assert unread["period"] == ["自2024年起到2026年止", "一个周期"]
    assert unread["percent"] == [v for _, v, _ in CASES["percent"] if isinstance(v, str)]
    assert unread["date"] == [v for _, v, _ in CASES["date"] if isinstance(v, str)]
    assert unread["money"] == [v for _, v, _ in CASES["money"] if isinstance(v, str)]
    assert [kind for kind, values in unread.items() if values] == ["date", "money", "tick", "percent", "period"]


def test_a_department_is_known_by_its_code_or_its_name() -> None:
    kind = FIELD_TYPES["code-and-name"]
    for other in ("某部", "105", "[105]某 部", "[105]某部"):
        assert kind.includes("[105]某部", other)
    assert not kind.includes("某部", "[105]某部")  # a code that somebody adds is kept
    assert not any(kind.includes("[105]某部", other) for other in ("[106]某部", "[105]某局", None))
    assert {kind.compared(text) for text in ("[105]某部", "某部", "某 部（105）")} == {"某部"}
