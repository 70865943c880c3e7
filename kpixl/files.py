"""Find input files, name them for people, and make safe file names of texts."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from kpixl.disk import OWN_FILES
from kpixl.inputs import check_regular, special_kind, system_reason
from kpixl.problems import KpixlError, Location, Problem, failure
from kpixl.texts import Text

# Office lock files, and what macOS and Windows leave in folders.
LOCK_PREFIX = "~$"
PORTFOLIO_SUFFIXES = (".yaml", ".yml")
# What kpixl itself writes beside submissions; a file of this kind is read when it is named, not when it is found.
DATA_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".sarif"})
# The head of a report of ours, so that one left among submissions is not read as one.
OWN_REPORT = b'<meta name="generator" content="kpixl report">'
# The first line of a letter of ours, which a unit did not send.
OWN_LETTER = b"X-Kpixl: letter"
# An address of electronic mail, as programs write them; nothing in it can end a header.
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
_WINDOWS_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_WINDOWS_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")
MAX_NAME_BYTES = 120  # leaves room for a folder path within Windows' 260 characters


MACRO_ENDING = ".xlsm"  # of a workbook with macros: Excel opens it only if the content agrees


def workbook_ending(path: PurePath) -> str:
    """Return how the name of a workbook must end that may hold an office's macros."""
    return MACRO_ENDING if path.suffix.lower() == MACRO_ENDING else ".xlsx"


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which "2" comes before "10" and case does not matter."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _parts(text.casefold()))


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"(\d{1,18})", text) if part]


def find_files(paths: Iterable[Path], *, may_be_empty: bool = False) -> tuple[list[tuple[Path, str]], list[Problem]]:
    """List the files under `paths`, folders searched recursively, in an order that the call does not change.

    Returns (path, name to show) pairs and a problem for each lock or hidden file, link, pipe or device passed over,
    and for each folder that cannot be opened. Raises KpixlError `path-missing` for a path that does not exist,
    `not-a-regular-file` for a pipe or device, `nothing-to-read` where nothing is left, unless that `may_be`.
    """
    shown: dict[Path, set[str]] = {}
    passed: dict[Path, set[str]] = {}
    missed: dict[str, Problem] = {}
    paths = list(paths)
    for path in paths:
        check_regular(path)
        if path.is_dir():
            for file, kind in _walk(path, missed):
                if file.name in OWN_FILES:
                    continue
                name = shown_name(file.relative_to(path).as_posix())
                if kind is not None:
                    missed.setdefault(name, Problem("entry-skipped", Location(file=name), {"kind": kind}))
                    continue
                (shown if skip_reason(Path(name)) is None else passed).setdefault(file.resolve(), set()).add(name)
        else:
            shown.setdefault(path.resolve(), set()).add(shown_name(path.name))
    if not shown and not may_be_empty:
        raise KpixlError(*missed.values(), *failure("nothing-to-read", path=", ".join(map(str, paths))).problems)
    files = [(path, _shortest(names)) for path, names in shown.items()]
    skipped = [
        Problem("file-skipped", Location(file=name), {"reason": skip_reason(Path(name))})
        for name in sorted((_shortest(names) for path, names in passed.items() if path not in shown), key=natural_key)
    ]
    skipped += [missed[name] for name in sorted(missed, key=natural_key)]
    return sorted(files, key=lambda item: (natural_key(item[1]), str(item[0]))), skipped


def shown_name(name: str) -> str:
    """Return a file's name as text; bytes that are no UTF-8 (a Chinese archive unpacked on Linux) are read as GBK."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def spelled_out(path: Path) -> str:
    """Return a path as text that no other path has: bytes that are no UTF-8 as hexadecimal numbers."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _shortest(names: Iterable[str]) -> str:
    """Choose how to show a file that was named in several ways, whatever their order."""
    return min(names, key=lambda name: (len(name), name))


def _walk(folder: Path, missed: dict[str, Problem]) -> Iterator[tuple[Path, Text | None]]:
    """Yield what is in a folder and below, with what it is where it is no file; add to `missed` what cannot be opened.

    Links are not followed: a returned archive may contain one that points anywhere.
    """

    def unopened(error: OSError) -> None:
        place = shown_name(Path(error.filename or folder).relative_to(folder).as_posix())
        missed[place] = Problem("folder-unreadable", Location(file=place), {"reason": system_reason(error)})

    for root, folders, names in os.walk(folder, onerror=unopened):
        folders.sort()
        for name in sorted({*names, *(name for name in folders if Path(root, name).is_symlink())}):
            path = Path(root, name)
            try:
                yield path, special_kind(path.lstat().st_mode)
            except OSError as error:  # a folder that may be listed but not entered
                place = shown_name(path.relative_to(folder).as_posix())
                missed[place] = Problem("not-readable", Location(file=place), {"reason": system_reason(error)})


def skip_reason(shown: PurePath) -> tuple[str, str] | None:
    """Return why a file with this name is not read; None where it is."""
    if shown.name.startswith(LOCK_PREFIX):
        return ("Office 打开文件时的锁文件", "lock file of an open document")
    if any(part.startswith(".") for part in shown.parts) or shown.name.lower() in ("thumbs.db", "desktop.ini"):
        return ("隐藏文件", "hidden file")
    if shown.suffix.lower() in DATA_SUFFIXES:
        return ("数据文件，不是填报文件", "a data file, not a submission")
    return None


def safe_file_names(texts: Iterable[str]) -> list[str]:
    """Turn texts into file names (without ending) that Windows takes, each different whatever the case."""
    names: list[str] = []
    taken: set[str] = set()
    for text in texts:
        base = _WINDOWS_FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)).strip(" .") or "_"
        if _WINDOWS_RESERVED.match(base):
            base = "_" + base
        base = _cut(base, MAX_NAME_BYTES)
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{_cut(base, MAX_NAME_BYTES - 8)} ({number})"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cut(text: str, limit: int) -> str:
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore").rstrip(" .")
