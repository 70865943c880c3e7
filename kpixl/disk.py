"""The one door to disk: every output of every command is written here (design section 9).

Outputs of one command are committed together, folder by folder: under a lock, each is written beside its target under
a temporary name, the list of them is recorded in the folder's manifest, and only then are they renamed. A run that is
killed in between is finished, or undone, by the next that writes into the folder. The manifest also holds the digest
of every file as it was written, so that a file which somebody has edited is never replaced without a copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from kpixl.interrupts import uninterrupted
from kpixl.locks import LOCK, locked, write_reason
from kpixl.problems import KpixlError, Location, Problem, failure
from kpixl.texts import Text, say
from kpixl.well_formed import fault

OLD: Text = ("旧", "old")  # in the name of a copy
MANIFEST, RUN_LOCK = ".kpixl-outputs.json", ".kpixl-run.lock"
OWN_FILES = frozenset({MANIFEST, LOCK, RUN_LOCK})  # nothing of a user's is in them
MANIFEST_FORMAT = 1
MAX_MANIFEST = 16 << 20  # bytes; beyond, it is no manifest of ours
TEMPORARY, TEMPORARY_END = ".kpixl-", ".tmp"
_READ_ONLY: Text = ("文件是只读的", "the file is read-only")
_LINKED: Text = ("文件还有别的名称（硬链接）", "the file has another name (a hard link)")
RUN_PATIENCE = 600.0  # seconds to wait for a whole run; the system releases the lock of one that died


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write.

    `kind`: what makes it (`roster`, `portfolio`, `page` ...); a file of another kind is not replaced without a copy.
    `keep`: keep a copy of the file that is there, whatever the manifest holds. `judged`: the caller has looked at the
    file that is there and has kept what is worth keeping; where it wants a copy all the same, `copy` is its name.
    `known`: digests by which earlier versions of kpixl know the file as their own.
    """

    path: Path
    content: bytes
    kind: str
    keep: bool = False
    judged: bool = False
    copy: Path | None = None
    known: frozenset[str] = frozenset()


class Written(NamedTuple):
    """A file that was written, or was already as it should be."""

    path: Path
    changed: bool


def commit(outputs: Sequence[Output], *, lang: str, today: date) -> tuple[list[Written], list[Problem]]:
    """Write outputs that belong together; one that cannot be written is a problem and does not hinder the others.

    A file that is not ours, or that somebody has edited, is copied first (`copy-kept`).
    """
    written: list[Written] = []
    problems: list[Problem] = []
    folders: dict[Path, list[Output]] = {}
    for output in outputs:
        try:
            target = _target(output.path)
        except KpixlError as error:
            problems += error.problems
            continue
        folders.setdefault(target.parent, []).append(replace(output, path=target))
    for folder, members in folders.items():
        try:
            with locked(folder), uninterrupted():
                done, more = _commit_folder(folder, members, lang, today)
        except KpixlError as error:
            done, more = [], list(error.problems)
        written += done
        problems += more
    return written, problems


def write_atomic(path: Path, content: bytes) -> bool:
    """Write `content` to `path` whole or not at all; leave an equal file untouched. Returns whether it was written.

    Raises KpixlError `folder-missing`, `not-a-file-name` or `not-writable`.
    """
    check_target(path)
    try:
        if path.exists() and path.stat().st_size == len(content) and path.read_bytes() == content:
            return False
        with uninterrupted():
            _rename(_stage(path, content), path)
    except OSError as error:
        raise failure("not-writable", path=str(path), reason=write_reason(error)) from error
    return True


def check_target(path: Path, ending: str = "") -> None:
    """Raise the KpixlError that writing to `path` would end in, before the work is done.

    `ending`: what the name must end with, or the program that opens the file would not know it.
    """
    if ending and path.suffix.lower() != ending and not path.is_dir():
        raise failure("wrong-ending", path=str(path), ending=ending)
    if not path.parent.is_dir():
        raise failure("folder-missing", path=str(path.parent))
    if path.is_dir():
        raise failure("not-a-file-name", path=str(path), ending=ending or ".yaml")
    _target(path)


def refuse_overlap(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise KpixlError `output-is-input` where an output is also read, or two outputs are one file."""
    taken = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in taken:
            raise failure("output-is-input", path=str(path))
        taken.add(path.resolve())


def spare_path(path: Path, word: str, today: date) -> Path:
    """Name a copy that does not exist yet: 2026.旧-20261122.xlsx, then -2, -3."""
    stem = f"{path.stem}.{word}-{today:%Y%m%d}"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{path.suffix}" for n in count(1))
    return next(copy for name in names if not (copy := path.with_name(name)).exists())


def keep_copy(path: Path, lang: str, today: date) -> Problem:
    """Copy a file that is about to be replaced and that somebody may have worked on; return the problem to report."""
    copy = spare_path(path, say(OLD, lang), today)
    write_atomic(copy, path.read_bytes())
    return Problem("copy-kept", Location(path.name), {"path": path.name, "copy": copy.name})


def remove_own(paths: Iterable[Path], kind: str) -> list[Path]:
    """Remove files of an earlier run that are still as kpixl wrote them; return those that are left."""
    left: list[Path] = []
    for folder, members in _by_folder(paths).items():
        with locked(folder), uninterrupted():
            known = _load(folder).files
            for path in members:
                try:
                    if path.is_symlink() or known.get(path.name) != (_digest_of(path), kind):
                        left.append(path)
                    else:
                        path.unlink()
                except OSError:  # open in Excel, on Windows
                    left.append(path)
    return left


def _by_folder(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    return folders


# --- one folder -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Manifest:
    """What kpixl has written into a folder: name -> (digest, kind), and renames that are under way."""

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    pending: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # temporary name -> (name, digest of the old file)


def _commit_folder(
    folder: Path, outputs: Sequence[Output], lang: str, today: date
) -> tuple[list[Written], list[Problem]]:
    manifest = _load(folder)
    _heal(folder, manifest)
    written: list[Written] = []
    problems: list[Problem] = []
    staged: list[tuple[Path, Output]] = []
    for output in outputs:
        try:
            copied, notes = _prepare(output, manifest, lang, today)
            written += copied
            problems += notes
            if _is_there(output):
                written.append(Written(output.path, False))
            else:
                staged.append((_stage(output.path, output.content), output))
        except OSError as error:
            problems.append(_unwritable(output.path, error))
        except KpixlError as error:
            problems += error.problems
    done, refused = _replace(folder, staged, manifest, [o for o in outputs if _belongs(o, staged, written)])
    written += done
    problems += refused
    order = {output.path: number for number, output in enumerate(outputs)}
    return sorted(written, key=lambda item: order.get(item.path, -1)), problems


def _replace(
    folder: Path, staged: Sequence[tuple[Path, Output]], manifest: _Manifest, members: Sequence[Output]
) -> tuple[list[Written], list[Problem]]:
    """Record what is about to be there, give the staged files their names, and record that this is done."""
    written: list[Written] = []
    problems: list[Problem] = []
    before = dict(manifest.files)
    manifest.files |= {output.path.name: (_digest(output.content), output.kind) for output in members}
    manifest.pending = {t.name: (output.path.name, _digest_of(output.path)) for t, output in staged}
    if manifest.files == before and not manifest.pending:
        return [], []
    try:
        _save(folder, manifest)
    except OSError as error:  # without a record of it, a set that is killed half-way could not be told from a whole one
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        return [], [_unwritable(output.path, error) for _, output in staged]
    for temporary, output in staged:
        try:
            _rename(temporary, output.path)
            written.append(Written(output.path, True))
        except OSError as error:  # the file is open in Excel, on Windows
            manifest.files.pop(output.path.name, None)
            if output.path.name in before:
                manifest.files[output.path.name] = before[output.path.name]
            problems.append(_unwritable(output.path, error))
    manifest.pending = {}
    with suppress(OSError):  # the next run finds nothing left to rename, and goes on
        _save(folder, manifest)
    return written, problems


def _belongs(output: Output, staged: Sequence[tuple[Path, Output]], written: Sequence[Written]) -> bool:
    return any(output is other for _, other in staged) or any(output.path == item.path for item in written)


def _prepare(output: Output, manifest: _Manifest, lang: str, today: date) -> tuple[list[Written], list[Problem]]:
    """Check what is about to be written, and keep a copy of the file that is there where somebody may miss it.

    Raises KpixlError or OSError; the file that is there is not to be replaced then.
    """
    if reason := fault(output.content, output.path.suffix):
        raise failure("output-broken", path=str(output.path), reason=reason)
    if not output.path.is_file() or _is_there(output):
        return [], []
    old = output.path.read_bytes()
    if output.copy is not None:
        return [Written(output.copy, write_atomic(output.copy, old))], []
    ours = _digest(old) in output.known or manifest.files.get(output.path.name) == (_digest(old), output.kind)
    if output.judged or (ours and not output.keep):
        return [], []
    return [], [keep_copy(output.path, lang, today)]


def _is_there(output: Output) -> bool:
    path = output.path
    return path.is_file() and path.stat().st_size == len(output.content) and path.read_bytes() == output.content


def _heal(folder: Path, manifest: _Manifest) -> None:
    """Finish the renames of a run that was killed, where all of its files are still there whole; remove what is left.

    The lock is held, so that no temporary file in the folder belongs to a run that is alive.
    """
    for temporary, (name, old) in manifest.pending.items():
        # Both names come from a file that anybody may have edited: neither may lead out of the folder.
        if Path(temporary).name != temporary or Path(name).name != name:
            continue
        path, target = folder / temporary, folder / name
        with suppress(OSError):
            # Whoever worked on the old file after the kill keeps it: the coming run makes its copy.
            if _digest_of(path) == manifest.files.get(name, ("-", ""))[0] and _digest_of(target) == old:
                path.replace(target)
    if manifest.pending:
        manifest.pending = {}
        with suppress(OSError):
            _save(folder, manifest)
    for path in folder.glob(f"{TEMPORARY}*{TEMPORARY_END}"):
        with suppress(OSError):
            path.unlink()


def _stage(path: Path, content: bytes) -> Path:
    """Write `content` under a temporary name beside `path`, with the mode that the file has or would get."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, suffix=TEMPORARY_END, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
    except BaseException:  # Ctrl-C too: no temporary file is left behind
        Path(temporary).unlink(missing_ok=True)
        raise
    return Path(temporary)


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _target(path: Path) -> Path:
    """Return the file that a path means, behind links. Raises KpixlError where it must not be replaced."""
    target = path.resolve() if path.is_symlink() else path
    try:
        facts = target.stat()
    except FileNotFoundError:
        return target
    except OSError as error:
        raise failure("not-writable", path=str(path), reason=write_reason(error)) from error
    if stat.S_ISREG(facts.st_mode):
        if not facts.st_mode & stat.S_IWUSR:  # root may write it all the same; whoever set the bit meant it
            raise failure("not-writable", path=str(path), reason=_READ_ONLY)
        if facts.st_nlink > 1:  # the other name would go on with the old content, without a word
            raise failure("not-writable", path=str(path), reason=_LINKED)
    return target


def _unwritable(path: Path, error: OSError) -> Problem:
    return Problem("not-writable", Location(path.name), {"path": str(path), "reason": write_reason(error)})


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    """Return the digest of a file, "" where there is none."""
    return _digest(path.read_bytes()) if path.is_file() else ""


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


# --- the manifest -----------------------------------------------------------------------------


def unfinished(path: Path) -> list[Problem]:
    """Return the problem of a file whose run was killed before all of its outputs were in place, if it was."""
    target = path.resolve() if path.is_symlink() else path
    pending = _load(target.parent).pending
    members = {name for name, _ in pending.values()}
    if target.name not in members or not any((target.parent / Path(name).name).exists() for name in pending):
        return []
    return [Problem("set-unfinished", Location(path.name), {"path": path.name})]


def _load(folder: Path) -> _Manifest:
    """Read the manifest of a folder; one that is damaged counts as none, so that copies are kept."""
    path = folder / MANIFEST
    try:
        if path.is_symlink() or path.stat().st_size > MAX_MANIFEST:
            return _Manifest()
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        if data["kpixl-outputs"] != MANIFEST_FORMAT:
            return _Manifest()
        files = {str(name): (str(digest), str(kind)) for name, (digest, kind) in data["files"].items()}
        pending = {str(name): (str(target), str(old)) for name, (target, old) in data["pending"].items()}
        return _Manifest(files, pending)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _Manifest()


def _save(folder: Path, manifest: _Manifest) -> None:
    # Files that are gone need no entry: the manifest stays as small as the folder.
    coming = {name for name, _ in manifest.pending.values()}
    files = {name: entry for name, entry in manifest.files.items() if name in coming or (folder / name).exists()}
    data: Mapping[str, object] = {"kpixl-outputs": MANIFEST_FORMAT, "files": files, "pending": manifest.pending}
    text = json.dumps(data, indent=1) + "\n"
    _rename(_stage(folder / MANIFEST, text.encode()), folder / MANIFEST)


# --- the lock ---------------------------------------------------------------------------------


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Hold a folder from reading its decisions to writing them, so that of two runs none loses what the other recorded.

    What a killed run left is finished first: a choice may be in a decisions.yaml that waits for its name, and no longer
    in the summary. Raises KpixlError `folder-busy`. Where no lock can be made, writing will fail too, and is reported
    then.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder, RUN_LOCK, RUN_PATIENCE))
            with locked(folder), uninterrupted():
                _heal(folder, _load(folder))
        except KpixlError as error:
            if error.problems[0].code == "folder-busy":
                raise
        yield
