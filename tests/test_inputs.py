"""What is found in returned folders, and what is named on the command line: files are read, the rest is named."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpixl.files import find_files
from kpixl.inputs import read_input
from kpixl.problems import KpixlError, Problem

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "sast-2026"
POSIX = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and sockets in folders are POSIX")


def named(problems: list[Problem]) -> dict[str, tuple[str, str]]:
    return {str(p.location.file): (p.code, str((p.details.get("kind") or p.details["reason"])[1])) for p in problems}  # type: ignore[index]


@POSIX
def test_what_is_no_file_in_a_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "returned"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.xlsx").write_bytes(b"x")
    os.mkfifo(folder / "inner" / "pipe.xlsx")
    (folder / "link.xlsx").symlink_to(folder / "a.xlsx")
    (folder / "away").symlink_to(tmp_path)
    (folder / "nowhere.xlsx").symlink_to(tmp_path / "none.xlsx")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "s.xlsx"))
        files, problems = find_files([folder])
    assert [shown for _, shown in files] == ["a.xlsx"]
    assert named(problems) == {
        "away": ("entry-skipped", "a link"),
        "inner/pipe.xlsx": ("entry-skipped", "a named pipe"),
        "link.xlsx": ("entry-skipped", "a link"),
        "nowhere.xlsx": ("entry-skipped", "a link"),
        "s.xlsx": ("entry-skipped", "a socket"),
    }
    assert {str(p.severity) for p in problems} == {"warning"}


@POSIX
def test_a_device_in_a_folder_is_named(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "zero.xlsx", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices are made by root only")
    (tmp_path / "a.xlsx").write_bytes(b"x")
    assert named(find_files([tmp_path])[1]) == {"zero.xlsx": ("entry-skipped", "a device")}


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"x")
    (tmp_path / "locked").mkdir()
    scan = os.scandir

    def refusing(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    files, (problem,) = find_files([tmp_path])
    assert [shown for _, shown in files] == ["a.xlsx"]
    assert (problem.code, problem.location.file, str(problem.severity)) == ("folder-unreadable", "locked", "error")
    assert problem.message() == "无法打开文件夹：没有读取权限；其中的文件没有读取。"


@pytest.mark.skipif(sys.platform != "linux", reason="setpriv is there on Linux")
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="becomes an unprivileged user, which root may")
def test_an_unprivileged_user_is_told_what_was_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "returned"
    (folder / "locked").mkdir(parents=True)
    (folder / "listed").mkdir()
    for path in (folder / "locked" / "b.xlsx", folder / "listed" / "c.xlsx", folder / "secret.xlsx"):
        path.write_bytes(b"x")
    (folder / "a.txt").write_text("甲\t乙\n", encoding="utf-8")
    (folder / "locked").chmod(0)
    (folder / "listed").chmod(0o644)
    (folder / "secret.xlsx").chmod(0)
    code = (
        "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from pathlib import Path; from kpixl.files import find_files; from kpixl.inputs import read_input\n"
        "files, problems = find_files([Path('.')])\n"
        "print(*sorted(shown for _, shown in files)); print(*sorted(f'{p.location.file}={p.code}' for p in problems))\n"
        "try: read_input(Path('secret.xlsx'))\n"
        "except Exception as error: print(error.problems[0].message())\n"
    )
    # Everything is imported before privileges are dropped, and the folder is entered first.
    before = f"import os; os.chdir({str(folder)!r}); import kpixl.files, kpixl.inputs\n"
    run = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, timeout=60, check=True)
    found, problems, message = run.stdout.splitlines()
    assert found == "a.txt secret.xlsx"
    assert problems == "listed/c.xlsx=not-readable locked=folder-unreadable"
    assert message == "无法读取文件：没有读取权限。"


@POSIX
@pytest.mark.parametrize("target", ["pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["consolidate", "{}", "-o", "o.yaml"],
        ["consolidate", "{example}/returned", "--roster", "{}", "-o", "o.yaml"],
        ["check", "{}"],
        ["check", "{example}/returned", "--roster", "{}"],
        ["check", "{example}/returned", "--config", "{}"],
        ["status", "{}", "--roster", "{example}/roster.yaml"],
        ["status", "{example}/returned", "--roster", "{}"],
        ["roster", "{}", "-o", "r.yaml"],
        ["template", "{}", "-o", "t.xlsx"],
        ["summary", "{}", "-o", "s.xlsx"],
        ["publish", "{}", "-o", "p.html"],
    ],
    ids=lambda arguments: " ".join(arguments) if isinstance(arguments, list) else str(arguments),
)
def test_a_pipe_or_device_is_refused_at_once(
    arguments: list[str],
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from kpixl.cli.main import run

    monkeypatch.chdir(tmp_path)
    if target == "pipe":
        os.mkfifo(tmp_path / "pipe.yaml")
        target = "pipe.yaml"
    code = run([argument.format(target, example=EXAMPLE) for argument in arguments])
    out, err = capsys.readouterr()
    assert code == 3
    # The name alone tells `kpixl status` that a .yaml is no folder of returned files.
    assert "not-a-regular-file" in out + err or "not-submissions" in out + err
    assert [path.name for path in tmp_path.iterdir()] == (["pipe.yaml"] if target == "pipe.yaml" else [])


@POSIX
def test_a_pipe_called_kpixl_yaml_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from kpixl.cli.main import run

    (tmp_path / "a.txt").write_text("甲\t乙\n", encoding="utf-8")
    os.mkfifo(tmp_path / "kpixl.yaml")
    assert run(["check", str(tmp_path)]) == 3
    assert "not-a-regular-file" in "".join(capsys.readouterr())


@POSIX
def test_a_pipe_that_took_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xlsx")
    with pytest.raises(KpixlError) as caught:
        read_input(tmp_path / "a.xlsx")
    assert caught.value.problems[0].code == "not-a-regular-file"
