"""Files that Excel opens without asking: encrypted under the password that is built into it. Imports msoffcrypto.

Excel encrypts a workbook so when its structure was protected by a password (.xls), and asks nobody for it. The library
is an extra, `kpixl[encrypted]`: without it, such a file has a password like any other.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from xml.parsers.expat import ExpatError

from kpixl.readers import ole

BUILT_IN = "VelvetSweatshop"
_MAX_OLD = 4 << 20  # bytes of a .xls: msoffcrypto goes through it byte by byte, some 2 s for as many
_SPINS = re.compile(rb'spinCount="\+?0*(\d{1,20})')
_MAX_SPINS = 1_000_000  # Excel hashes 100,000 times, in 0.2 s; the file holds the count


def is_locked(content: bytes) -> bool:
    """Return whether an old Office file, or the package that one may hold, is encrypted."""
    return "encryptedpackage" in ole.root_names(content) or ole.is_locked_workbook(content)


def unlocked(content: bytes) -> bytes | None:
    """Decrypt a file under the built-in password; None where it has another, or the library is not there."""
    info = ole.stream(content, "encryptioninfo")
    if ole.is_endless(content) or (info is None and len(content) > _MAX_OLD):
        return None
    if info is not None and any(int(spins) > _MAX_SPINS for spins in _SPINS.findall(info)):
        return None
    try:
        import msoffcrypto
        from msoffcrypto.exceptions import DecryptionError, EncryptionError, FileFormatError, ParseError
    except ImportError:
        return None
    plain = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = msoffcrypto.OfficeFile(io.BytesIO(content))
            # A .xls has its password verified in any case.
            file.load_key(password=BUILT_IN, **({} if info is None else {"verify_password": True}))
            file.decrypt(plain)
    except (
        DecryptionError,
        EncryptionError,
        FileFormatError,
        ParseError,
        ExpatError,
        struct.error,
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ):
        return None
    return plain.getvalue()
