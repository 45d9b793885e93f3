"""`cat-engine replay`: decide an exported sitting again and compare, with nothing but two files."""

from pathlib import Path

import msgspec

from cat_engine.core.test_package import decode_file
from cat_engine.integrity.exports import SittingFile, decode_sitting
from cat_engine.integrity.replay import replay_sitting


def replay_files(package_path: Path, sitting_paths: list[Path]) -> int:
    """Print one line per sitting; 0: all identical, 1: one is not, 2: a file cannot be read."""
    try:
        package_file = decode_file(package_path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        _say(f"{package_path}: cannot be read: {error}")
        return 2
    worst = 0
    for path in sitting_paths:
        try:
            sitting: SittingFile = decode_sitting(path.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            _say(f"{path}: cannot be read: {error}")
            worst = 2
            continue
        finding = replay_sitting(package_file, sitting)
        if finding is None:
            _say(f"{path}: identical, {len(sitting.entries)} entries, chain {sitting.chain[-1][:16]}")
        else:
            _say(f"{path}: DIFFERS at {finding}")
            worst = max(worst, 1)
    return worst


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command speaks on standard output
