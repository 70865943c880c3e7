"""Hold the law of the live status over many states: python tests/laws/run_sheet.py --count 500.

Prints each break with its seed. Exit code 1 where there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.applications import Office
from tests.laws.sheet_law import BATCH, breaks, judged


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    said: Counter[str] = Counter()
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        calculator = Office(Path(folder) / "profile", recalculate=True)
        for start in range(options.first, options.first + options.count, BATCH):
            seeds = range(start, min(start + BATCH, options.first + options.count))
            for seed, found in zip(seeds, judged(seeds, Path(folder) / str(start), calculator), strict=True):
                said[found.said.split(" ")[0]] += 1
                for text in breaks(found):
                    broken += 1
                    print(f"seed {seed}: {text}; typed {found.state.typed}")
        calculator.close()
    print(f"{sum(said.values())} states: {dict(said)}; {broken} breaks")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
