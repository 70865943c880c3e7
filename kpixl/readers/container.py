"""What holds files: archives and mails. No name in one is ever used as a path."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import NamedTuple

from kpixl.problems import Problem
from kpixl.readers.grid import UnreadableError, exceeded
from kpixl.readers.limits import Limits

BETWEEN = " › "  # archive › file
MAX_NAME, MAX_FOLDERS = 200, 16  # a name in an archive can have 65,535 characters, and as many folders


class Delivery(NamedTuple):
    """How a file came by mail: when the mail was received, in local time, and from whom.

    `sender` is a name with the address, `address` that alone; "" where the mail has none.
    """

    received: datetime | None = None
    sender: str = ""
    address: str = ""

    def within(self, outer: Delivery | None) -> Delivery:
        """Return how a file came in a mail that was sent on in another: received as that was, from its first sender."""
        if outer is None:
            return self
        received = outer.received or self.received
        return self._replace(received=received) if self.sender else outer._replace(received=received)


class Member(NamedTuple):
    """A file of an archive or mail: how it is shown, its content or what kept it from being read, and its time.

    A member that is shown as its container carries a problem of the container itself.
    """

    shown: str
    content: bytes
    problem: Problem | None = None
    modified: datetime | None = None
    delivery: Delivery | None = None


class Labels:
    """Names the files of one container, each differently."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}  # the last that a name was given: 20,000 files may have the same one

    def of(self, name: str) -> str:
        """Return how the next file of this name is shown."""
        label = name
        while label in self._taken:
            self._numbers[name] = self._numbers.get(name, 1) + 1
            path = PurePosixPath(name)
            label = path.with_name(f"{path.stem} ({self._numbers[name]}){path.suffix}").as_posix()
        self._taken.add(label)
        return f"{self._shown}{BETWEEN}{label}"


def clean_name(name: str) -> str:
    """Leave out of a name what a path could abuse; "_" where nothing is left."""
    printable = "".join(c if c.isprintable() else "_" for c in name.replace("\\", "/"))
    parts = [piece for piece in printable.split("/") if piece not in ("", ".", "..")]
    return "/".join(map(_short, parts[-MAX_FOLDERS:])) or "_"


def _short(name: str) -> str:
    """Bound a name as file systems do; keep its end, which shows its kind."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 20]}…{name[-19:]}"


def too_deep(limits: Limits) -> UnreadableError:
    """Make the error for a container within containers beyond the limit."""
    return exceeded("nesting", limits.nesting + 1, limits)
