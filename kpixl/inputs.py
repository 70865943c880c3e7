"""Reading what somebody names: files and folders only, and why one cannot be read, in both languages."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from kpixl.problems import failure
from kpixl.texts import Text

# Binary on Windows, where the names of POSIX are missing.
_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_SYSTEM: dict[int, Text] = {
    errno.EACCES: ("没有读取权限", "there is no permission to read it"),
    errno.EPERM: ("没有读取权限", "there is no permission to read it"),
    errno.ENOENT: ("已不存在", "it is no longer there"),
    errno.EISDIR: ("这是文件夹", "it is a folder"),
    errno.EIO: ("磁盘或网络出错", "the disk or the network failed"),
    errno.ELOOP: ("链接首尾相接", "its links run in a circle"),
    errno.ENAMETOOLONG: ("名称过长", "its name is too long"),
    errno.ESTALE: ("网络文件夹已断开", "the network folder is gone"),
}
_KINDS: tuple[tuple[Callable[[int], bool], Text], ...] = (
    (stat.S_ISLNK, ("链接", "a link")),
    (stat.S_ISFIFO, ("管道", "a named pipe")),
    (stat.S_ISSOCK, ("套接字", "a socket")),
    (stat.S_ISCHR, ("设备", "a device")),
    (stat.S_ISBLK, ("设备", "a device")),
)
_SPECIAL: Text = ("特殊文件", "a special file")


def system_reason(error: OSError) -> Text:
    """Return why the system could not read a file."""
    number = error.errno or 0
    return _SYSTEM.get(number, (f"系统无法读取（错误号 {number}）", error.strerror or type(error).__name__))


def special_kind(mode: int) -> Text | None:
    """Return what something is that is neither a file nor a folder, given its mode; None where it is one of these."""
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    return next((kind for matches, kind in _KINDS if matches(mode)), _SPECIAL)


def read_input(path: Path) -> bytes:
    """Read a file that somebody named, or that was found.

    Raises KpixlError `path-missing`, `folder-not-file`, `not-readable`, or `not-a-regular-file`: a pipe or a device may
    have no end, and opening a pipe waits for its other side.
    """
    check_regular(path)
    if path.is_dir():
        raise failure("folder-not-file", path=str(path))
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | _NO_WAITING), "rb") as stream:
            if (kind := special_kind(os.fstat(stream.fileno()).st_mode)) is not None:
                raise failure("not-a-regular-file", path=str(path), kind=kind)
            return stream.read()
    except OSError as error:
        raise failure("not-readable", path.name, reason=system_reason(error)) from error


def check_regular(path: Path) -> None:
    """Raise KpixlError where `path` is neither a file nor a folder, is not there, or cannot be asked about."""
    try:
        kind = special_kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise failure("path-missing", path=str(path)) from error
    except OSError as error:
        raise failure("not-readable", str(path), reason=system_reason(error)) from error
    if kind is not None:
        raise failure("not-a-regular-file", path=str(path), kind=kind)
