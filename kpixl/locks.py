"""A lock file of a folder: of several runs that write into it, one at a time; and why a file cannot be written."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kpixl.interrupts import uninterrupted
from kpixl.problems import failure
from kpixl.texts import Text

LOCK = ".kpixl.lock"
PATIENCE = 60.0  # seconds to wait for another run that writes into the same folder
PAUSE = 0.05  # seconds between two tries to get the lock


@contextmanager
def locked(folder: Path, name: str = LOCK, patience: float | None = None) -> Iterator[None]:
    """Hold a lock of a folder; the system releases it when the process dies. Raises KpixlError `folder-busy`.

    `patience`: seconds to wait for it, by default PATIENCE.
    """
    path, deadline = folder / name, time.monotonic() + (PATIENCE if patience is None else patience)
    handle = None
    try:
        while handle is None:
            with uninterrupted():  # or a lock that was just got would stay
                handle = _try_lock(folder, path)
            if handle is None:
                if time.monotonic() > deadline:
                    raise failure("folder-busy", path=str(folder))
                time.sleep(PAUSE)
        yield
    finally:
        if handle is not None:
            with suppress(OSError):  # Windows keeps a file that is open
                path.unlink()
            os.close(handle)


def _try_lock(folder: Path, path: Path) -> int | None:
    """Return the open lock file, None while another process holds the lock."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise failure("not-writable", path=str(folder), reason=write_reason(error)) from error
    if _take(handle) and _is_same(handle, path):
        return handle
    os.close(handle)
    return None


def _take(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return _take_on_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks, such as some network drives: write without one
        return True
    return True


def _take_on_windows(handle: int) -> bool:
    import importlib

    msvcrt: Any = importlib.import_module("msvcrt")
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _is_same(handle: int, path: Path) -> bool:
    """Return whether the locked file is still the one of that name: its last holder removes it."""
    try:
        there = path.stat()
    except OSError:
        return False
    held = os.fstat(handle)
    return (held.st_ino, held.st_dev) == (there.st_ino, there.st_dev)


# --- why a file cannot be written -------------------------------------------------------------

_REASONS: Mapping[int, Text] = {
    errno.EACCES: ("没有写入权限，或正被别的程序使用", "there is no permission, or another program uses it"),
    errno.EPERM: ("没有写入权限", "there is no permission to write it"),
    errno.EROFS: ("磁盘是只读的", "the disk is read-only"),
    errno.ENOSPC: ("磁盘已满", "the disk is full"),
    errno.EDQUOT: ("磁盘配额已用完", "the disk quota is used up"),
    errno.ENAMETOOLONG: ("名称过长", "its name is too long"),
    errno.ELOOP: ("链接首尾相接", "its links run in a circle"),
}


def write_reason(error: OSError) -> Text:
    """Return why the system could not write a file."""
    number = error.errno or 0
    return _REASONS.get(number, (f"系统无法写入（错误号 {number}）", error.strerror or type(error).__name__))
