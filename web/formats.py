"""Dates, times, numbers and durations as a reader of each language expects them.

Indonesian: `Senin, 14 Agustus 2023`, `13.05 WIB`, `78.314`, `335,5`. English: `14 August 2023`, `13:05 WIB`,
`78,314`, `335.5`. Everything is a pure function of the moment (milliseconds since 1970, UTC) and the zone of
the place where the paper will be read; the server's own zone never enters.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Final

import msgspec
from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from web.language import Language

_LOCALES: Final[dict[Language, Locale]] = {"id": Locale("id"), "en": Locale("en")}
_MINUS: Final = "\N{MINUS SIGN}"


class Zone(Enum):
    """The three official times of Indonesia; none has summer time."""

    WIB = 7
    WITA = 8
    WIT = 9

    @property
    def offset(self) -> timezone:
        """The fixed distance from UTC."""
        return timezone(timedelta(hours=self.value), self.name)


class Formats(msgspec.Struct, frozen=True):
    """The formats of one language at one place; templates get it as `formats`."""

    language: Language = "id"
    zone: Zone = Zone.WIB

    def _local(self, at_ms: int) -> datetime:
        return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)).astimezone(self.zone.offset)

    def _pattern(self, at_ms: int, pattern: str) -> str:
        return format_datetime(self._local(at_ms), pattern, locale=_LOCALES[self.language])

    def date(self, at_ms: int) -> str:
        """`Senin, 14 Agustus 2023` or `14 August 2023`."""
        return self._pattern(at_ms, "EEEE, d MMMM y" if self.language == "id" else "d MMMM y")

    def short_date(self, at_ms: int) -> str:
        """`14 Agu 2023` or `14 Aug 2023`, for tables."""
        return self._pattern(at_ms, "d MMM y")

    def date_range(self, from_ms: int, until_ms: int) -> str:
        """`14 – 18 Agustus 2023`: the parts both ends share are said once."""
        first, last = self._local(from_ms), self._local(until_ms)
        if first.date() == last.date():
            return self._pattern(from_ms, "d MMMM y")
        pattern = "d MMMM y"
        if first.year == last.year:
            pattern = "d" if first.month == last.month else "d MMMM"
        return f"{self._pattern(from_ms, pattern)} – {self._pattern(until_ms, 'd MMMM y')}"

    def time(self, at_ms: int) -> str:
        """`13.05 WIB` or `13:05 WIB`."""
        return f"{self._pattern(at_ms, 'HH.mm' if self.language == 'id' else 'HH:mm')} {self.zone.name}"

    def exact_time(self, at_ms: int) -> str:
        """`10.42.07` or `10:42:07`, for the moment an answer was saved."""
        return self._pattern(at_ms, "HH.mm.ss" if self.language == "id" else "HH:mm:ss")

    def date_time(self, at_ms: int) -> str:
        """`Senin, 14 Agustus 2023, 13.05 WIB`."""
        return f"{self.date(at_ms)}, {self.time(at_ms)}"

    def short_date_time(self, at_ms: int) -> str:
        """`14 Agu 2023, 13.05 WIB`, for tables."""
        return f"{self.short_date(at_ms)}, {self.time(at_ms)}"

    def machine_time(self, at_ms: int) -> str:
        """The same moment for the `datetime` attribute of a time element."""
        return self._local(at_ms).isoformat(timespec="seconds")

    def number(self, value: float, decimals: int = 0) -> str:
        """Grouped digits with a fixed number of decimals, `78.314` or `335,5`."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        text = format_decimal(value, pattern, locale=_LOCALES[self.language])
        return text.replace("-", _MINUS)

    def percent(self, share: float, decimals: int = 0) -> str:
        """A share of one as `85%`."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + "%"
        return format_percent(share, pattern, locale=_LOCALES[self.language]).replace("-", _MINUS)

    def money(self, rupiah: int) -> str:
        """`Rp200.000.000` or `Rp200,000,000`."""
        return f"Rp{self.number(rupiah)}"

    def duration(self, duration_s: int) -> str:
        """`1 jam 5 menit` or `1 hour 5 minutes`; seconds are said only below five minutes."""
        seconds = max(0, duration_s)
        hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
        parts = [(hours, "hour"), (minutes, "minute"), (rest if seconds < 300 else 0, "second")]
        said = [
            format_unit(count, f"duration-{unit}", locale=_LOCALES[self.language])
            for count, unit in parts
            if count
        ]
        return " ".join(said) if said else format_unit(0, "duration-second", locale=_LOCALES[self.language])

    def clock(self, duration_s: int) -> str:
        """A running time, `1.05.09` or `42.07` (English with colons)."""
        seconds = max(0, duration_s)
        separator = "." if self.language == "id" else ":"
        hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
        tail = f"{minutes:02d}{separator}{rest:02d}"
        return f"{hours}{separator}{tail}" if hours else tail

    def file_size(self, size_bytes: int) -> str:
        """`812 B`, `1,4 MB`: decimal units, one decimal from a kilobyte on."""
        size, unit = float(size_bytes), "B"
        for larger in ("kB", "MB", "GB"):
            if size < 1000:
                break
            size, unit = size / 1000, larger
        return f"{self.number(size, 0 if unit == 'B' else 1)} {unit}"
