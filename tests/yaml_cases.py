"""Cases that are YAML files: every worker loads all of them while it collects the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# The parser of libyaml is ten times as fast as the one in Python, which is there where libyaml is not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_cases(path: Path) -> Any:
    """Load a file of cases."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
