"""Tables that leave as files: `;` between cells, UTF-8 with its mark, no cell that a spreadsheet runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from litestar.response import Response

# what makes a spreadsheet read a cell as a formula, directly or after it has trimmed the cell
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def safe_cell(value: object) -> str:
    """The value as text; what would be a formula is quoted with an apostrophe. Plain numbers stay numbers."""
    text = str(value)
    if isinstance(value, int | float):
        return text
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def csv_bytes(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The file."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";")
    writer.writerow([safe_cell(cell) for cell in heading])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def csv_response(file_name: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[bytes]:
    """The file as a download; its name is ours, never somebody's input."""
    return Response(
        csv_bytes(heading, rows),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
