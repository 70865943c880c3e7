"""Hide from every Python process what Windows lacks: PYTHONPATH=tests/windows, see `make portability`.

Python imports a module of this name when it starts, also in worker processes and in commands that tests run.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import sys
import types

multiprocessing.get_all_start_methods = lambda: ["spawn"]
multiprocessing.set_start_method("spawn", force=True)
for _module, _names in {os: ("fork", "forkpty"), signal: ("setitimer", "getitimer", "SIGALRM", "alarm")}.items():
    for _name in _names:
        if hasattr(_module, _name):
            delattr(_module, _name)


def _locking(handle: int, mode: int, _bytes: int) -> None:
    """Lock or unlock as msvcrt does: a lock that another process holds raises OSError."""
    fcntl.flock(handle, fcntl.LOCK_UN if mode == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB)


_msvcrt = types.ModuleType("msvcrt")
_msvcrt.__dict__.update(LK_UNLCK=0, LK_NBLCK=2, locking=_locking)
# None makes an import fail. subprocess and multiprocessing have decided which system this is before anybody asks again.
import subprocess  # noqa: E402, F401 - it would take msvcrt for the sign of Windows

sys.modules["msvcrt"] = _msvcrt
for _hidden in ("resource", "fcntl"):
    sys.modules[_hidden] = None  # type: ignore[assignment]
