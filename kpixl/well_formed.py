"""What was made is looked at before it replaces anything: packages, JSON and YAML must parse."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from xml.parsers import expat

from kpixl.problems import KpixlError
from kpixl.yaml_text import parse

_PIECE = 1 << 18  # characters of YAML, 200 projects


def fault(content: bytes, ending: str) -> str:
    """Return why a program could not open what was made; "" where it can. A fault of ours never costs a good file."""
    try:
        if content[:2] == b"PK":
            _parse_package(content)
        elif ending in (".json", ".sarif"):
            json.loads(content, object_pairs_hook=lambda _: None)  # nothing is kept of it
        elif ending in (".yaml", ".yml"):
            _parse_yaml(content)
    except (expat.ExpatError, zipfile.BadZipFile, ValueError, NotImplementedError, KpixlError) as error:
        return str(error)
    return ""


@lru_cache(maxsize=1)
def _parse_yaml(content: bytes) -> None:
    # A portfolio is written twice, for people and to know it again: parsing takes longer than making it.
    text = content.decode()
    try:
        for piece in _pieces(text):
            parse(piece)
    except (ValueError, KpixlError):
        parse(text)


def _pieces(text: str) -> Iterator[str]:
    """Cut YAML where an item of a list begins that is in nothing else: parsed, a portfolio takes forty times its size.

    What ends such a list leaves a piece that is no YAML.
    """
    start = 0
    while len(text) - start > _PIECE and (end := text.find("\n- ", start + _PIECE)) >= 0:
        yield text[start : end + 1]
        start = end + 1
    yield text[start:]


def _parse_package(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            if name.endswith((".xml", ".rels")):  # not .vml: what Excel writes into it need not be well-formed
                try:
                    expat.ParserCreate().Parse(package.read(name), True)
                except expat.ExpatError as error:
                    raise ValueError(f"{name}: {error}") from error
