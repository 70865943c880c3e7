"""The door to disk: copies, sets, locks, links, and what is left when a run is killed."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import kpixl
from kpixl.disk import MANIFEST, Output, Written, commit, unfinished, write_atomic
from kpixl.locks import LOCK
from kpixl.problems import Problem

TODAY = date(2026, 11, 25)
DISK = Path(kpixl.__file__).parent / "disk.py"


def write(*outputs: Output) -> tuple[list[Written], list[str]]:
    written, problems = commit(outputs, lang="en", today=TODAY)
    return written, [problem.code for problem in problems]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {MANIFEST}


def test_what_kpixl_wrote_is_replaced_and_an_equal_file_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    assert write(Output(out, b"1", "page")) == ([Written(out, True)], [])
    before = out.stat().st_mtime_ns
    assert write(Output(out, b"1", "page")) == ([Written(out, False)], [])
    assert out.stat().st_mtime_ns == before
    assert write(Output(out, b"2", "page")) == ([Written(out, True)], [])
    assert names(tmp_path) == {"a.txt"}


@pytest.mark.parametrize("step", ["foreign", "edited", "other kind", "asked for"])
def test_what_somebody_may_miss_is_copied_first(tmp_path: Path, step: str) -> None:
    out = tmp_path / "a.txt"
    if step != "foreign":
        write(Output(out, b"old", "roster" if step == "other kind" else "page"))
    if step in ("foreign", "edited"):
        out.write_bytes(b"typed")
    old = out.read_bytes()
    written, codes = write(Output(out, b"new", "page", keep=step == "asked for"))
    assert (written, codes) == ([Written(out, True)], ["copy-kept"])
    assert (tmp_path / "a.old-20261125.txt").read_bytes() == old
    assert out.read_bytes() == b"new"


def test_a_copy_that_cannot_be_made_keeps_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a.txt"
    out.write_bytes(b"typed")
    monkeypatch.setattr("kpixl.disk.write_atomic", _full)
    for output in (Output(out, b"new", "page"), Output(out, b"new", "page", judged=True, copy=tmp_path / "b.txt")):
        assert write(output) == ([], ["not-writable"])
    assert out.read_bytes() == b"typed" and names(tmp_path) == {"a.txt"}


def _full(_path: Path, _content: bytes) -> bool:
    raise OSError(28, "No space left on device")


def test_one_that_cannot_be_written_does_not_hinder_the_others(tmp_path: Path) -> None:
    first, last = tmp_path / "a.txt", tmp_path / "c.txt"
    (tmp_path / "b.txt").mkdir()
    written, codes = write(
        Output(first, b"1", "x"),
        Output(tmp_path / "b.txt", b"2", "x"),
        Output(tmp_path / "no" / "d.txt", b"3", "x"),
        Output(last, b"4", "x"),
    )
    assert [item.path for item in written] == [first, last]
    assert codes == ["not-writable", "not-writable"]
    assert (first.read_bytes(), last.read_bytes()) == (b"1", b"4")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.yaml", b"a: [1"), ("a.json", b"{"), ("a.xlsx", b"PK\3\4 no package"), ("a.yaml", b"\xff")],
)
def test_what_is_broken_never_replaces_a_good_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(b"good")
    assert write(Output(tmp_path / name, content, "x")) == ([], ["output-broken"])
    assert names(tmp_path) == {name} and (tmp_path / name).read_bytes() == b"good"


@pytest.mark.parametrize("tail", [b"", b"after: 1\n", b"  text: |\n    a\n\n    - b\n"])
def test_a_long_list_is_looked_at_in_pieces_whatever_follows_it(tmp_path: Path, tail: bytes) -> None:
    content = b"head: 1\nitems:\n" + b"- id: 1\n  name: a\n" * 30_000 + tail
    assert write(Output(tmp_path / "a.yaml", content, "list"))[1] == []
    broken = content.replace(b"- id: 1\n  name: a\n- id", b"- id: 1\n   name: a\n- id", 1)
    assert write(Output(tmp_path / "b.yaml", broken, "list"))[1] == ["output-broken"]


def test_a_link_is_written_through_and_a_second_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.txt", tmp_path / "a.txt"
    target.write_bytes(b"typed")
    link.symlink_to(target)
    assert write(Output(link, b"new", "x"))[1] == ["copy-kept"]
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert (tmp_path / "real" / "a.old-20261125.txt").read_bytes() == b"typed"
    os.link(target, tmp_path / "twin.txt")
    assert write(Output(target, b"newer", "x")) == ([], ["not-writable"])
    assert (tmp_path / "twin.txt").read_bytes() == target.read_bytes() == b"new"


def test_a_read_only_file_is_refused_whoever_runs(tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    out.write_bytes(b"kept")
    out.chmod(0o444)
    assert write(Output(out, b"new", "x")) == ([], ["not-writable"])
    assert out.read_bytes() == b"kept"


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    write(Output(out, b"1", "x"))
    out.chmod(0o640)
    write(Output(out, b"2", "x"))
    assert out.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("damage", ["not json", "[]", '{"kpixl-outputs": 1, "files": 3}', '{"kpixl-outputs": 2}', "\0"])
def test_a_damaged_manifest_counts_as_none(tmp_path: Path, damage: str) -> None:
    out = tmp_path / "a.txt"
    write(Output(out, b"1", "x"))
    (tmp_path / MANIFEST).write_text(damage, encoding="utf-8")
    assert write(Output(out, b"2", "x")) == ([Written(out, True)], ["copy-kept"])
    assert json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))["files"].keys() == {"a.txt"}


def test_a_manifest_leads_nowhere_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "victim.txt").write_bytes(b"victim")
    (folder / "evil").write_bytes(b"evil")
    digest = hashlib.sha256(b"evil").hexdigest()
    pending = {"evil": ["../made.txt", ""], "../victim.txt": ["evil", ""]}
    data = {"kpixl-outputs": 1, "files": {"../made.txt": [digest, "x"], "evil": [digest, "x"]}, "pending": pending}
    (folder / MANIFEST).write_text(json.dumps(data), encoding="utf-8")
    write(Output(folder / "a.txt", b"1", "x"))
    assert not (tmp_path / "made.txt").exists()
    assert (tmp_path / "victim.txt").read_bytes() == b"victim" and (folder / "evil").read_bytes() == b"evil"


class Killed(BaseException):
    """Stands for SIGKILL: nothing of kpixl's catches it."""


def test_a_run_that_is_killed_is_noticed_and_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "a.yaml", tmp_path / "b.txt"
    outputs = [Output(one, b"a: 1\n", "x"), Output(two, b"1", "x")]
    write(*outputs)
    _kill_at_rename(monkeypatch, two)
    with pytest.raises(Killed):
        write(Output(one, b"a: 2\n", "x"), Output(two, b"2", "x"))
    monkeypatch.undo()
    assert (one.read_bytes(), two.read_bytes()) == (b"a: 2\n", b"1")
    assert [p.code for p in unfinished(one)] == [p.code for p in unfinished(two)] == ["set-unfinished"]
    assert write(Output(tmp_path / "c.txt", b"3", "x"))[1] == []
    assert (two.read_bytes(), unfinished(one), names(tmp_path)) == (b"2", [], {"a.yaml", "b.txt", "c.txt"})


def test_what_a_killed_run_would_have_written_over_an_edit_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the kill and the next run somebody worked on the old file."""
    out = tmp_path / "a.txt"
    write(Output(out, b"1", "x"))
    _kill_at_rename(monkeypatch, out)
    with pytest.raises(Killed):
        write(Output(out, b"2", "x"))
    monkeypatch.undo()
    out.write_bytes(b"typed after the kill")
    _, codes = write(Output(out, b"3", "x"))
    assert codes == ["copy-kept"]
    assert (tmp_path / "a.old-20261125.txt").read_bytes() == b"typed after the kill"


def _kill_at_rename(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    from kpixl import disk

    rename: Callable[[Path, Path], None] = disk._rename

    def killed(temporary: Path, target: Path) -> None:
        if target == path:
            raise Killed
        rename(temporary, target)

    monkeypatch.setattr(disk, "_rename", killed)


def test_temporary_files_of_a_dead_run_are_removed_and_those_of_others_kept(tmp_path: Path) -> None:
    (tmp_path / ".kpixl-dead.tmp").write_bytes(b"")
    (tmp_path / "~$a.tmp").write_bytes(b"")
    write(Output(tmp_path / "a.txt", b"1", "x"))
    assert names(tmp_path) == {"a.txt", "~$a.tmp"}


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from kpixl.locks import locked\n"
            "with locked(Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None and holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        second = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pathlib import Path; from kpixl.disk import *\n"
                "from datetime import date\n"
                "commit([Output(Path(sys.argv[1], 'a.txt'), b'1', 'x')], lang='en', today=date.today())",
                str(tmp_path),
            ]
        )
        time.sleep(0.5)
        assert second.poll() is None and not (tmp_path / "a.txt").exists()
    finally:
        holder.kill()  # the system releases the lock
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    assert second.wait(30) == 0
    assert names(tmp_path) == {"a.txt"}


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kpixl.locks.PATIENCE", 0.0)
    monkeypatch.setattr("kpixl.locks._take", lambda _handle: False)
    assert write(Output(tmp_path / "a.txt", b"1", "x")) == ([], ["folder-busy"])
    assert LOCK in names(tmp_path)  # another run holds it


def test_write_atomic_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", _refuse)
    with pytest.raises(kpixl.problems.KpixlError):
        write_atomic(tmp_path / "a.txt", b"1")
    assert write(Output(tmp_path / "a.txt", b"1", "x")) == ([], ["not-writable"])
    assert names(tmp_path) == set()


def _refuse(_self: Path, _target: Path) -> Path:
    raise PermissionError(13, "Permission denied")


WRITERS = {"write_text", "write_bytes", "unlink", "rename", "replace_file", "mkdir", "rmdir", "symlink_to", "touch"}


def test_only_the_door_to_disk_writes() -> None:
    """No other module of the package opens a file for writing, renames or removes one."""
    found = {
        (path.relative_to(DISK.parent).as_posix(), name)
        for path in DISK.parent.rglob("*.py")
        if path != DISK
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and (name := _writes(node))
    }
    assert found == NO_OUTPUTS


NO_OUTPUTS = {
    ("locks.py", "unlink"),  # its own lock file
    ("recognise/inspect_xls.py", "open"),  # what xlrd reports goes to nowhere
    ("cli/help.py", "write_text"),  # onto the help page
    ("output/publish/designs.py", "mkdir"),
    ("output/annotate/__init__.py", "mkdir"),  # a folder, before its files go through the door
    ("output/export/__init__.py", "mkdir"),  # the same
    ("output/letters/__init__.py", "mkdir"),  # the same
    ("output/round.py", "mkdir"),  # the same
    ("output/several.py", "mkdir"),  # the same
    ("collection/new_folder.py", "mkdir"),  # the collection folder, which must not be there
    ("learn/__init__.py", "mkdir"),  # the folder of a definition, which must not be there
    ("output/export/duck.py", "open"),  # in a temporary folder, for DuckDB to read
    ("output/template/__init__.py", "mkdir"),
}


def _writes(call: ast.Call) -> str | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in WRITERS:
        return name
    if name == "open":
        texts = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
        return (
            name
            if any(isinstance(t, str) and set(t) <= set("wxa+bt") and set(t) & set("wxa+") for t in texts)
            else None
        )
    return None


def test_problems_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    _, problems = commit([Output(tmp_path / "a.txt", b"1", "x")], lang="en", today=TODAY)
    assert isinstance(problems[0], Problem) and "a.txt" in problems[0].message("en")
