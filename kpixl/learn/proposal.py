"""A proposed definition as data: what each part is, the cell it came from, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kpixl.learn.guess import Guess
from kpixl.texts import Text

Tree = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know of a part of the proposal. `unsure`: a person must look at it."""

    text: Text
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class ProposedField:
    """A proposed field, or a column of a table. `cell`: its label; `value_cell`: where its value is typed."""

    key: str
    label: str
    cell: str
    value_cell: str
    guess: Guess
    type: str
    choices: str = ""
    heading: str = ""
    required: bool = False
    fill: bool = False
    lines: int = 1
    width: float = 14
    help: str = ""
    sum: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedTable:
    """A proposed table. `target`: the label of a target, if its value is to be parted."""

    key: str
    label: str
    cell: str
    rows: int
    columns: tuple[ProposedField, ...]
    target: str = ""
    presets: tuple[Mapping[str, str], ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedList:
    """A list to choose from: its items, or the level of a tree."""

    name: str
    closed: bool
    items: tuple[str, ...] | Mapping[str, tuple[str, ...]] = ()
    tree: str = ""
    parent: str = ""
    qualitative: str = ""


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell of the layout: its kind, the key or text, and its spans."""

    kind: str
    content: str
    rows: int = 1
    columns: int = 1
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class BesideTable:
    """The table right of another: how it is typed into and printed. `shared`: columns printed once for both."""

    table: str
    entry: tuple[tuple[str, str], ...]
    shared: tuple[str, ...]
    print: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row of the layout: cells, or a table with its columns when printed."""

    height: float | None
    cells: tuple[PlacedCell, ...] = ()
    table: str = ""
    caption: str = ""
    entry: tuple[tuple[str, str], ...] = ()
    print: tuple[tuple[str, str, int], ...] = ()
    beside: BesideTable | None = None


@dataclass
class Proposal:
    """A whole definition, as far as it is known.

    `flat`: where projects are the rows of one table, its columns: field or column, key, width; `unit_line` is above it.
    """

    form_id: str
    file: str
    sheet: str
    title: str = ""
    subtitle: str = ""
    money: str = ""
    id_label: str = ""
    id_synonyms: tuple[str, ...] = ()
    fields: list[ProposedField] = field(default_factory=list)
    tables: list[ProposedTable] = field(default_factory=list)
    lists: dict[str, ProposedList] = field(default_factory=dict)
    trees: dict[str, Tree | Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    widths: tuple[float, ...] = ()
    entry_widths: tuple[tuple[float, ...], ...] = ()
    rows: list[PlacedRow] = field(default_factory=list)
    flat: tuple[tuple[str, str, float], ...] = ()
    unit_line: str = ""
    key_fields: tuple[str, ...] = ()
    organization: str = ""
    paper: str = ""
    margins: Mapping[str, float] = field(default_factory=dict)
    fonts: Mapping[str, str | float] = field(default_factory=dict)
    instructions: tuple[str, ...] = ()
    remarks: list[Remark] = field(default_factory=list)

    @property
    def unsure(self) -> list[tuple[str, Text]]:
        """List what a person must look at: the part and why."""
        columns = [(table.key, column) for table in self.tables for column in table.columns]
        found = [("form.yaml", remark) for remark in self.remarks]
        found += [(one.key, remark) for one in self.fields for remark in one.remarks]
        found += [(table.key, remark) for table in self.tables for remark in table.remarks]
        found += [(f"{table}.{one.key}", remark) for table, one in columns for remark in one.remarks]
        return [(key, remark.text) for key, remark in found if remark.unsure]
