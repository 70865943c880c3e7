"""What a form is: its fields, tables, choices and layout. Frozen data; nothing here computes or reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

# A value that could not be read as its type stays the text that was typed.
Value = str | Decimal | date | None
Row = Mapping[str, Value]


# --- the form ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """A unit of money: its name, and the power of ten by which it exceeds the yuan (万元: 4)."""

    name: str
    power: int


YUAN = MoneyUnit("元", 0)


@dataclass(frozen=True, slots=True)
class Choices:
    """A list to choose from. `items` maps each item to its synonyms; `children` is given where the list
    depends on another column: parent item -> items."""

    name: str
    items: Mapping[str, tuple[str, ...]]
    open: bool
    parent: str | None = None
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    qualitative: str | None = None


@dataclass(frozen=True, slots=True)
class Computation:
    """How a value follows from others. `operation`: a key of forms.compute.OPERATIONS.

    `operands`: keys of fields, `table.column` for every row of a column, or numbers. `decimals`: to which the result is
    rounded, half up. `bands`: text -> the least value that earns it, from the highest down. `power`: of ten, by which
    the result is multiplied, as of the operands and the result some count hundredths.
    """

    operation: str
    operands: tuple[str | Decimal, ...]
    decimals: int | None = None
    bands: Mapping[str, Decimal] = field(default_factory=dict)
    power: int = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the operands that are values of the form."""
        return tuple(operand for operand in self.operands if isinstance(operand, str))


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a project, or one column of a table. `type` is a key of forms.types.FIELD_TYPES.

    `dated`: the label with its place for the year; "" where it has none, and `label` is all that is printed.
    `compute`: how the value follows from others; a `sum` of amounts is one as well. `follows`: the field whose label
    stands for this one too; this value is to the right of that one's. `printed`: False for a computed value that stands
    nowhere on the form. `given`: a value that the template is made with cannot be typed over.
    """

    key: str
    label: str
    type: str
    synonyms: tuple[str, ...] = ()
    heading: str = ""
    choices: str | None = None
    required: bool = False
    sum: tuple[str, ...] = ()
    fill: bool = False
    lines: int = 1
    width: float = 14
    help: str = ""
    compute: Computation | None = None
    follows: str | None = None
    printed: bool = True
    given: bool = False
    dated: str = ""

    @property
    def on_form(self) -> str:
        """Return the label as it is printed, with a place for the year where it has one."""
        return self.dated or self.label

    @property
    def computation(self) -> Computation | None:
        """Return how the value follows from others, None where it is typed."""
        return self.compute or (Computation("sum", self.sum) if self.sum else None)


@dataclass(frozen=True, slots=True)
class GridLine:
    """A row or a column of a grid of fields. `dated`: as of a Field."""

    key: str
    label: str
    synonyms: tuple[str, ...]
    dated: str = ""

    @property
    def on_form(self) -> str:
        """Return the label as it is printed, with a place for the year where it has one."""
        return self.dated or self.label


@dataclass(frozen=True, slots=True)
class FieldGrid:
    """Fields in rows and columns: a value is the field `<grid>.<row>.<column>`, where there is one.

    `empty`: what is printed where a row has no value in a column.
    """

    key: str
    label: str
    rows: Mapping[str, GridLine]
    columns: Mapping[str, GridLine]
    empty: str


@dataclass(frozen=True, slots=True)
class Target:
    """Three columns that are printed as one cell: operator, value and unit.

    `plain`: printed as people write it, ≥95%, instead of ≥95.00(%). `dated`: as of a Field.
    """

    key: str
    label: str
    synonyms: tuple[str, ...]
    operator: str
    value: str
    unit: str
    plain: bool = False
    dated: str = ""

    @property
    def on_form(self) -> str:
        """Return the label as it is printed, with a place for the year where it has one."""
        return self.dated or self.label

    @property
    def parts(self) -> tuple[str, str, str]:
        """Return the three columns in the order in which they are typed."""
        return (self.operator, self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Table:
    """A repeating part of the form. `required`: it must have a row. `one_of`: columns of which each row fills one."""

    key: str
    label: str
    columns: Mapping[str, Field]
    targets: Mapping[str, Target]
    rows: int
    presets: tuple[Row, ...]
    required: bool = True
    one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A placed cell of the layout.

    `kind`: title, subtitle, label, value, caption, blank; of a grid: row (its label), column (its heading), empty.
    `key`: a field, or `<grid>.<row>` and `<grid>.<column>`.
    """

    kind: str
    text: str
    key: str
    row: int
    col: int
    rows: int = 1
    columns: int = 1
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class HeadingGroup:
    """A heading over several headings of a table, in the row above them."""

    label: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A printed heading of a table: a column or a target, its first physical column and its width in columns.

    `group`: the heading over it; one without takes all rows of headings. `repeated`: equal levels are not merged.
    """

    key: str
    label: str
    col: int
    columns: int
    group: HeadingGroup | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """Where a table stands: the last row of its headings, the headings when typed into and when printed.

    `depth`: how many rows the headings take: 2 where some have groups over them.
    `beside`: the tables in the same row, itself among them, from left to right; () where it is alone. `shared`: the
    columns that these are printed with only once, left of all of them.
    """

    table: str
    row: int
    caption: str
    entry: tuple[TableColumn, ...]
    print: tuple[TableColumn, ...]
    beside: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    depth: int = 1

    @property
    def top(self) -> int:
        """Return the first row of the headings."""
        return self.row - self.depth + 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The grid of one form. Rows are numbered as if each table had no rows; cells of `foot` come after the tables."""

    widths: tuple[float, ...]
    heights: Mapping[int, float]
    rows: int
    head: tuple[Cell, ...]
    tables: tuple[PlacedTable, ...]
    foot: tuple[Cell, ...]

    @property
    def table_rows(self) -> tuple[tuple[PlacedTable, ...], ...]:
        """Group the tables by the row of their headings: those side by side share it."""
        rows: dict[int, list[PlacedTable]] = {}
        for placed in self.tables:
            rows.setdefault(placed.row, []).append(placed)
        return tuple(map(tuple, rows.values()))


@dataclass(frozen=True, slots=True)
class FlatColumn:
    """A column of the flat layout: a field (`table` is ""), or a column of the table; its width in characters."""

    table: str
    key: str
    label: str
    width: float


@dataclass(frozen=True, slots=True)
class Flat:
    """Several projects on one sheet as rows of one table.

    `unit_line`: the text beside the subtitle. `total_name`, `total_amount`: the fields in whose columns the row above
    all projects has the organisation and the sum; None without such a row.
    """

    table: str
    columns: tuple[FlatColumn, ...]
    unit_line: str
    landscape: bool
    total_name: str | None = None
    total_amount: str | None = None

    @property
    def widths(self) -> tuple[float, ...]:
        """Return the widths of all columns."""
        return tuple(column.width for column in self.columns)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that every derived project gets."""

    value: Value


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """Which table of the other form gives the rows of a table; `columns`: own column -> column or target there."""

    table: str
    columns: Mapping[str, str | Constant]


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a project is prefilled from one of another form. `fields`: own field -> field there."""

    fields: Mapping[str, str | Constant]
    tables: Mapping[str, DerivedTable]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the summary workbook groups and draws."""

    subtotals: str | None
    order: tuple[str, ...]
    amount: str | None
    structure: str | None
    disclosure: str


@dataclass(frozen=True, slots=True)
class Form:
    """One form definition, the content of a form.yaml.

    `layout`: as the form is printed. `entry_layout`: as it is typed into; the same unless its columns are divided.
    `key_fields`: what people tell projects apart by; the first is what they call a project.
    `money`: the unit of every amount, printed, typed and stored.
    `derive`: id of another form -> how projects of this one are prefilled from it.
    `default`: commands use it where no form is named.
    `printed_title`: the title with its place for the year. `landscape`: it is published on paper on its side.
    `computed`: the keys of the fields that follow from others, each after those that it follows from.
    `checks`: as written; kpixl.checks reads them when they are needed.
    `file`, `lines`: where the form was read, and the lines of its texts with places to fill in; for messages only.
    """

    id: str
    version: str
    title: str
    title_synonyms: tuple[str, ...]
    subtitle: str
    heading: str
    description: Mapping[str, str]
    id_field: Field
    organization_field: str | None
    key_fields: tuple[str, ...]
    fields: Mapping[str, Field]
    tables: Mapping[str, Table]
    choices: Mapping[str, Choices]
    layout: Layout
    entry_layout: Layout
    paper: str
    margins: Mapping[str, float]
    fonts: Mapping[str, str | float]
    summary: Summary
    instructions: Mapping[str, tuple[str, ...]]
    checks: Mapping[str, object] = field(default_factory=dict)
    money: MoneyUnit = YUAN
    flat: Flat | None = None
    default: bool = False
    derive: Mapping[str, Derivation] = field(default_factory=dict)
    grids: Mapping[str, FieldGrid] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    file: str = "form.yaml"
    lines: Mapping[str, int] = field(default_factory=dict)
    printed_title: str = ""
    landscape: bool = False


# --- the portfolio ----------------------------------------------------------------------------
