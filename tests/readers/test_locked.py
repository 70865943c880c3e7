"""Files with a password: said so, whatever their size; those that Excel opens without asking are read."""

from __future__ import annotations

import hashlib
import io
import struct
import sys
from pathlib import Path

import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.collection.one_file import content_of
from kpixl.forms.definition import Form
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import Limits, locked, read_grids
from tests.packages import large_compound, number, old_stream, record, small_compound, workbook
from tests.readers.test_containers import ONE

msoffcrypto = pytest.importorskip("msoffcrypto")
PLAIN = 0x809, 0x2F  # records that are not encrypted


def rc4(key: bytes, data: bytes) -> bytes:
    state, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 0xFF
        state[i], state[j] = state[j], state[i]
    i = j = 0
    for byte in data:
        i = (i + 1) & 0xFF
        j = (j + state[i]) & 0xFF
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 0xFF])
    return bytes(out)


def encrypted(password: str, *sheets: bytes) -> bytes:
    """Encrypt a workbook stream as Excel 97 does ([MS-XLS] 2.2.10, [MS-OFFCRYPTO] 2.3.6)."""
    salt, verifier = bytes(range(16)), bytes(range(16, 32))
    short = hashlib.md5(password.encode("utf-16-le"), usedforsecurity=False).digest()[:5]
    base = hashlib.md5((short + salt) * 16, usedforsecurity=False).digest()[:5]

    def key(block: int) -> bytes:
        return hashlib.md5(base + struct.pack("<I", block), usedforsecurity=False).digest()

    proof = rc4(key(0), verifier + hashlib.md5(verifier, usedforsecurity=False).digest())
    stream = bytearray(old_stream(*sheets, head=record(0x2F, struct.pack("<3H", 1, 1, 1) + salt + proof)))
    pad = bytes(stream) + bytes(-len(stream) % 1024)
    coded = b"".join(rc4(key(at // 1024), pad[at : at + 1024]) for at in range(0, len(pad), 1024))
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<2H", stream, at)
        first = at + 4 + (4 if kind == 0x85 else 0)  # the place of a sheet is not encrypted
        if kind not in PLAIN:
            stream[first : at + 4 + length] = coded[first : at + 4 + length]
        at += 4 + length
    return bytes(stream)


def encrypted_package(content: bytes, password: str) -> bytes:
    out = io.BytesIO()
    msoffcrypto.OfficeFile(io.BytesIO(content)).encrypt(password, out)
    return out.getvalue()


@pytest.mark.parametrize("build", [small_compound, large_compound])
def test_a_password_is_called_one_whatever_the_size_of_the_file(build: object) -> None:
    assert callable(build)
    content = build("Workbook", encrypted("secret", number(0, 0)))
    (only,) = read_grids(content, "x.xls").problems
    assert (only.code, "密码" in only.message()) == ("password", True)


@pytest.mark.parametrize("build", [small_compound, large_compound])
def test_an_old_workbook_under_the_built_in_password_is_read(build: object) -> None:
    assert callable(build)
    count = 9 if build is small_compound else 300  # both kinds of streams, each filled to its end
    cells = b"".join(number(row, 0, row) for row in range(count))
    content = build("Workbook", encrypted(locked.BUILT_IN, cells, number(2, 1, 8)))
    reading = read_grids(content, "x.xls")
    assert reading.problems == ()
    assert [(grid.name, grid.rows) for grid in reading.grids] == [("S1", [[n] for n in range(count)]), ("S2", [[8]])]
    assert reading.sha256 == hashlib.sha256(content).hexdigest()


def test_a_workbook_under_the_built_in_password_gives_its_projects(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    path = tmp_path / "x.xlsx"
    path.write_bytes(encrypted_package(example_template.read_bytes(), locked.BUILT_IN))
    result = consolidate([path], [form], workers=0)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert content_of(result.files[0]) == path.read_bytes()


def test_another_password_is_called_one() -> None:
    (only,) = read_grids(encrypted_package(workbook([ONE]), "secret"), "x.xlsx").problems
    assert only.code == "password"


def test_without_the_library_the_file_has_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msoffcrypto", None)
    (only,) = read_grids(encrypted_package(workbook([ONE]), locked.BUILT_IN), "x.xlsx").problems
    assert only.code == "password"
    assert "另存" in only.hint()


def test_hashing_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encrypted_package(workbook([ONE]), locked.BUILT_IN)
    assert content.count(b'spinCount="100000"') == 1
    monkeypatch.setattr(locked, "_MAX_SPINS", 99_999)
    assert locked.unlocked(content) is None


@pytest.mark.parametrize("cut", [600, 1_500, 3_000, 5_000])
def test_a_damaged_file_under_a_password_is_no_crash(cut: int) -> None:
    content = encrypted_package(workbook([ONE]), locked.BUILT_IN)
    broken = content[:cut] + bytes(len(content) - cut)
    reading = read_grids(broken, "x.xlsx")
    assert not reading.grids
    assert [problem.code for problem in reading.problems] in (["password"], ["not-a-workbook"])


def test_what_is_decrypted_is_bounded_as_anything_else() -> None:
    texts = [hashlib.sha256(bytes([n])).hexdigest() for n in range(200)]
    content = encrypted_package(workbook([ONE], texts), locked.BUILT_IN)
    assert read_grids(content, "x.xlsx").problems == ()
    (only,) = read_grids(content, "x.xlsx", Limits(unpacked_bytes=10_000)).problems
    assert only.code == "bound-exceeded"
