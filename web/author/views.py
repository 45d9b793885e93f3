"""What the pages of the item bank show."""

import msgspec
from markupsafe import Markup

from web.candidate.views import ItemView
from web.plots import LinePlot


class BankLine(msgspec.Struct, frozen=True, kw_only=True):
    """One item in the list: no words of it and no key."""

    url: str
    code: str
    indicator: str
    competency: str
    family: str
    level: int
    status: str
    provenance: str
    languages: tuple[str, ...]
    difficulty: float | None


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """A heading that sorts."""

    url: str
    direction: str  # "", ascending or descending


class BankFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is narrowed to; "" everywhere is the whole bank."""

    words: str = ""
    competency: str = ""
    family: str = ""
    level: str = ""
    status: str = ""
    provenance: str = ""
    language: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything is narrowed."""
        return any(getattr(self, name) for name in self.__struct_fields__)


Choices = tuple[tuple[str, str], ...]


class BankView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the bank."""

    items: tuple[BankLine, ...]
    filters: BankFilters
    filter_url: str
    competencies: Choices
    families: Choices
    statuses: Choices
    provenances: Choices
    languages: Choices
    levels: Choices
    sorts: dict[str, Sort]
    sort: str
    total: int
    first: int
    last: int
    pages: tuple[tuple[str, str, bool], ...]


class OptionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One option with what it earns and why."""

    letter: str
    text: Markup
    points: int
    is_best: bool
    note: str


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of the response model."""

    name: str
    symbol: str
    value: float


class EnemyLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item that may not meet this one in a sitting."""

    url: str
    code: str
    indicator: str


class PreviewLink(msgspec.Struct, frozen=True, kw_only=True):
    """Another width or language of the preview."""

    key: str
    url: str
    current: bool


class CalibrationLine(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters in force."""

    model: str
    provenance: str
    metric_d: str
    made_at_ms: int
    parameters: tuple[Parameter, ...]


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of an item: words, key, and how it behaves."""

    number: int
    interaction: str
    content_hash: str
    created_at_ms: int
    citation: str
    expected_time_s: int
    preview: ItemView
    options: tuple[OptionLine, ...]
    calibration: CalibrationLine | None
    plots: tuple[LinePlot, ...]


class BankItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One item with its key; each time this is shown it is written down."""

    code: str
    indicator: str
    competency: str
    family: str
    level: int
    status: str
    back_url: str
    version: VersionLine | None
    width: str
    widths: tuple[PreviewLink, ...]
    language: str
    languages: tuple[PreviewLink, ...]
    enemies: tuple[EnemyLine, ...]
