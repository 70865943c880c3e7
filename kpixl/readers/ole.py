"""Old Office files (OLE compound files): what is at the root of one, without reading the rest."""

from __future__ import annotations

import struct

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY = 128  # bytes of a directory entry
_NONE = 0xFFFFFFFA  # and above: end of chain, free, no entry
_MAX_ENTRIES = 20_000
_HEADER = 512  # bytes
_FILE_PASS = 0x2F  # record of a workbook stream: what follows is encrypted
_END = 0x0A  # record after which the sheets follow
_WORKBOOKS = ("workbook", "book")


def root_names(content: bytes) -> dict[str, int]:
    """Map the names at the root, in lower case, to their first sectors; empty where the file is damaged.

    Only the root shows what a file is: a letter may hold a workbook, and a workbook a letter.
    """
    try:
        directory = _directory(content)
        names: dict[str, int] = {}
        waiting = [_entry(directory, 0)[4]]
        seen: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number >= _NONE or number in seen or len(seen) > _MAX_ENTRIES:
                continue
            seen.add(number)
            name, start, left, right, _ = _entry(directory, number)
            names[name.lower()] = start
            waiting += [left, right]
    except (struct.error, IndexError, ValueError):
        return {}
    return names


def _sector(content: bytes, number: int) -> bytes:
    size = 1 << _shift(content)
    return content[(number + 1) * size : (number + 2) * size]


def _shift(content: bytes) -> int:
    (shift,) = struct.unpack_from("<H", content, 30)
    if shift not in (9, 12):
        raise ValueError(shift)
    return int(shift)


def _directory(content: bytes) -> bytes:
    """Join the sectors of the directory, following the file's table of sectors."""
    tables = struct.unpack_from("<109I", content, 76)
    per_table = (1 << _shift(content)) // 4
    (number,) = struct.unpack_from("<I", content, 48)
    parts: list[bytes] = []
    while number < _NONE and len(parts) * per_table < _MAX_ENTRIES:
        parts.append(_sector(content, number))
        table, place = divmod(number, per_table)
        if table >= len(tables) or tables[table] >= _NONE:
            break  # a directory beyond 7 MB of file: its first part has the root
        (number,) = struct.unpack_from("<I", _sector(content, tables[table]), place * 4)
    return b"".join(parts)


def _entry(directory: bytes, number: int) -> tuple[str, int, int, int, int]:
    """Read an entry: name, first sector, left and right neighbour, first child."""
    at = number * _ENTRY
    (length,) = struct.unpack_from("<H", directory, at + 64)
    name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
    left, right, child = struct.unpack_from("<3I", directory, at + 68)
    (start,) = struct.unpack_from("<I", directory, at + 116)
    return name, start, left, right, child


def is_locked_workbook(content: bytes) -> bool:
    """Return whether a .xls is encrypted, in whichever of its three ways."""
    return any(find_record(stream, _FILE_PASS) is not None for stream in workbook_streams(content))


def find_record(stream: bytes, wanted: int) -> bytes | None:
    """Return what the first record of a kind holds, of those before the first sheet; None where there is none."""
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<2H", stream, at)
        if kind == wanted:
            return stream[at + 4 : at + 4 + length]
        if kind == _END:
            break
        at += 4 + length
    return None


def stream(content: bytes, wanted: str) -> bytes | None:
    """Return a stream by its name in lower case; None where there is none, or the file is damaged."""
    try:
        chains = _Chains(content)
        return next((chains.stream(entry) for entry in chains.entries if _name(entry).lower() == wanted), None)
    except (struct.error, IndexError, ValueError, EndlessError):
        return None


class Stream:
    """A stream that a reader may take for the workbook: its bytes, and where each of them is in the file."""

    def __init__(self, data: bytes, places: list[int], size: int) -> None:
        self.data, self._places, self._size = data, places, size

    def place(self, at: int) -> int:
        """Return where in the file a byte of the stream is."""
        number, rest = divmod(at, self._size)
        return self._places[number] + rest


def streams(content: bytes) -> list[Stream]:
    """Return every stream that a reader may take for the workbook; none where the file is damaged."""
    try:
        chains = _Chains(content)
        return [chains.placed(entry) for entry in chains.entries if _name(entry).lower() in _WORKBOOKS]
    except (struct.error, IndexError, ValueError, EndlessError):
        return []


def workbook_streams(content: bytes) -> list[bytes]:
    """Return every stream that a reader may take for the workbook; none where the file is damaged."""
    try:
        chains = _Chains(content)
        return [chains.stream(entry) for entry in chains.entries if _name(entry).lower() in _WORKBOOKS]
    except (struct.error, IndexError, ValueError, EndlessError):
        return []


def with_true_header(content: bytes) -> bytes:
    """Return a file whose header counts what it holds: .NET's ExcelLibrary writes another version and other counts.

    calamine takes memory for what the header counts, and xlrd refuses a file whose counts are wrong.
    """
    try:
        chains = _Chains(content)
    except (struct.error, IndexError, ValueError, EndlessError):
        return content
    head = bytearray(content[:_HEADER])
    small = chains.size == 1 << 9
    struct.pack_into("<H", head, 26, 3 if small else 4)
    if small:
        struct.pack_into("<I", head, 40, 0)
    struct.pack_into("<I", head, 44, len(chains.tables))
    struct.pack_into("<I", head, 64, len(chains.mini_tables))
    return content if head == content[:_HEADER] else bytes(head) + content[_HEADER:]


# --- endless files ------------------------------------------------------------------------------

# Streams that a reader may take for the workbook: those of versions 5 and 8 may both be there; each is read whole.
_MAX_WORKBOOKS = 4
_SMALL, _MINI = 4096, 64  # bytes; a shorter stream lies in the stream of the root, in small sectors of its own


def is_endless(content: bytes) -> bool:
    """Return whether a chain of sectors runs in a circle, or claims more bytes than the file has.

    A reader would never be done, or take memory without end: calamine follows every chain to its end.
    """
    try:
        return _Chains(content).endless()
    except EndlessError:
        return True
    except (struct.error, IndexError, ValueError):
        # Damaged in another way, which ends the reader as well, once it took memory for what the header counts.
        return any(
            count > len(content) for count in struct.unpack("<3I", content[40:48].ljust(8) + content[64:68].ljust(4))
        )


class EndlessError(Exception):
    """A chain runs in a circle, or a table claims more sectors than the file has."""


class _Chains:
    """The chains of sectors of a file: each entry of a table is the number of the sector that follows."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = 1 << _shift(content)
        self.sectors = len(content) // self.size + 1
        (start,) = struct.unpack_from("<I", content, 48)
        (mini_start,) = struct.unpack_from("<I", content, 60)
        self.tables = self._list_of_tables()
        self.table = self._numbers(self.tables)
        if len(self.table) > self.sectors + 2 * self.size:
            raise EndlessError
        directory = b"".join(_sector(content, number) for number in self._chain(start, self.table))
        self.mini_tables = self._chain(mini_start, self.table)
        self.mini_table = self._numbers(self.mini_tables)
        self.entries = [directory[at : at + _ENTRY] for at in range(0, len(directory) - _ENTRY + 1, _ENTRY)]

    def endless(self) -> bool:
        """Follow every chain that a reader may follow."""
        if sum(_name(entry).lower() in _WORKBOOKS for entry in self.entries) > _MAX_WORKBOOKS:
            return True
        for number, entry in enumerate(self.entries):
            (named,) = struct.unpack_from("<H", entry, 64)
            if (named or not number) and (size := self._length(entry)):
                if size > len(self.content) + _SMALL:
                    return True
                self._chain(_start(entry), self.mini_table if size < _SMALL and number else self.table)
        return False

    def stream(self, entry: bytes) -> bytes:
        """Join the sectors of a stream."""
        size = self._length(entry)
        if size >= _SMALL:
            return b"".join(_sector(self.content, number) for number in self._chain(_start(entry), self.table))[:size]
        root = b"".join(_sector(self.content, number) for number in self._chain(_start(self.entries[0]), self.table))
        chain = self._chain(_start(entry), self.mini_table)
        return b"".join(root[number * _MINI : number * _MINI + _MINI] for number in chain)[:size]

    def placed(self, entry: bytes) -> Stream:
        """Return a stream with the places of its sectors."""
        size, data = self._length(entry), self.stream(entry)
        if size >= _SMALL:
            places = [(number + 1) * self.size for number in self._chain(_start(entry), self.table)]
            return Stream(data, places, self.size)
        root = self._chain(_start(self.entries[0]), self.table)
        within = [divmod(number * _MINI, self.size) for number in self._chain(_start(entry), self.mini_table)]
        return Stream(data, [(root[number] + 1) * self.size + rest for number, rest in within], _MINI)

    def _length(self, entry: bytes) -> int:
        (size,) = struct.unpack_from("<Q", entry, 120)
        return int(size) & (0xFFFFFFFF if self.size == 512 else 0xFFFFFFFFFFFFFFFF)

    def _list_of_tables(self) -> list[int]:
        """List the sectors that hold the table; those beyond the first 109 are in a chain of their own."""
        numbers = list(struct.unpack_from("<109I", self.content, 76))
        (more,) = struct.unpack_from("<I", self.content, 68)
        for _ in range(self.sectors):
            if more >= _NONE or not (found := self._numbers([more])):
                return [number for number in numbers if number < _NONE]
            numbers += found
            more = numbers.pop()
        raise EndlessError

    def _numbers(self, sectors: list[int]) -> list[int]:
        """Read sectors as numbers."""
        data = b"".join(_sector(self.content, number) for number in sectors[: self.sectors])
        return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))

    def _chain(self, start: int, table: list[int]) -> list[int]:
        """Follow a chain. Raises EndlessError where it runs in a circle."""
        chain: list[int] = []
        while start < len(table):
            if len(chain) > len(table):
                raise EndlessError
            chain.append(start)
            start = table[start]
        return chain


def _name(entry: bytes) -> str:
    return entry[:64].decode("utf-16-le", "replace").partition("\0")[0]


def _start(entry: bytes) -> int:
    return int.from_bytes(entry[116:120], "little")
