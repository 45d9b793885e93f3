"""What the report's page is given: finished words, numbers and charts."""

import msgspec

from web.simulation.charts import Chart


class Fact(msgspec.Struct, frozen=True):
    """A name and what it is; `code` is set in a fixed width."""

    label: str
    text: str
    code: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table: columns (label, kind), rows of cells, the first being the row's heading."""

    caption: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]


class IntervalLine(msgspec.Struct, frozen=True, kw_only=True):
    """A difference with its interval: words, and where it lies in a picture 200 units wide."""

    label: str
    text: str
    interval: str
    low: float
    point: float
    high: float
    certain: bool


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What one measure differs by, design by design; `zero` is where no difference lies."""

    title: str
    zero: float
    lines: tuple[IntervalLine, ...]


class SectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One section: its tables and charts, designs side by side."""

    title: str
    facts: tuple[Fact, ...]
    overview: Table
    rules: Table
    differences: tuple[Differences, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    title: str
    subtitle: str
    facts: tuple[Fact, ...]
    designs: Table
    sections: tuple[SectionView, ...]
    warnings: tuple[str, ...]
    commandline: str
