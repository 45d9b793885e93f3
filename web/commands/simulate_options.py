"""What `cat-engine simulate` understands; apart from the command, so that options import no engine."""

import argparse
from pathlib import Path
from typing import Final

CANDIDATES: Final = 1000
LANGUAGES: Final = ("id", "en")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What the command understands."""
    command.add_argument("package", type=Path, help="the test package file")
    command.add_argument(
        "--design",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a JSON file with other rules to compare the package with; may be given several times",
    )
    command.add_argument("--candidates", type=_count, help=f"how many (default: {CANDIDATES})")
    command.add_argument(
        "--theta",
        type=_numbers,
        metavar="T,T,...",
        help="so many candidates at each of these abilities, instead of drawing them; or FROM:TO:STEP",
    )
    command.add_argument(
        "--normal", type=_pair, metavar="MEAN,DEVIATION", help="draw abilities from a normal distribution"
    )
    command.add_argument(
        "--uniform", type=_pair, metavar="LOWER,UPPER", help="draw abilities evenly from an interval"
    )
    command.add_argument(
        "--thetas-from", type=Path, metavar="FILE", help="a file of abilities, one in each line"
    )
    command.add_argument("--speed", type=_pair, metavar="DEVIATION,CORRELATION", help="how speeds differ")
    command.add_argument(
        "--calibration-error", type=_pair, metavar="LOG_SLOPE,DIFFICULTY", help="make the truth differ"
    )
    command.add_argument("--seed", default="1", help="the same seed gives the same report (default: 1)")
    command.add_argument("--processes", type=_count, default=1, help="how many to use (default: 1)")
    command.add_argument("--one-by-one", action="store_true", help="never simulate in batches")
    command.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    command.add_argument("--language", choices=LANGUAGES, default="id", help="of the page (default: id)")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _pair(text: str) -> tuple[float, float]:
    numbers = tuple(float(part) for part in text.split(","))
    if len(numbers) != 2:
        raise argparse.ArgumentTypeError("two numbers with a comma between them")
    return numbers[0], numbers[1]


def _numbers(text: str) -> tuple[float, ...]:
    if ":" not in text:
        return tuple(float(part) for part in text.split(","))
    first, last, step = (float(part) for part in text.split(":"))
    if step <= 0 or last < first:
        raise argparse.ArgumentTypeError("FROM:TO:STEP, rising")
    return tuple(round(first + place * step, 9) for place in range(int((last - first) / step + 1e-9) + 1))
