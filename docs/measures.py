"""Measure the code as the table of docs/code.md has it: python docs/measures.py [FOLDER] prints the figures of a tree.

Lines of a module are those of its file, blank ones too. A function counts from `def` to its last line, nested ones by
themselves. Comments are counted per 100 lines that are neither blank, comment nor docstring. An import cycle is a set
of modules that need each other to be imported; imports inside functions and for type checking alone do not count.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "kpixl"


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a tree."""

    modules: int
    module_median: int
    module_max: int
    functions: int
    function_p90: int
    function_max: int
    cycles: int
    comments: float  # for 100 lines of code
    test_ratio: float  # test lines for each line of code
    repeated_names: tuple[str, ...]  # of classes


def measure(root: Path) -> Measures:
    """Measure the package and the tests under `root`."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((root / PACKAGE).rglob("*.py"))}
    # A package's own __init__ of a docstring is no module to read.
    lines = [len(text.splitlines()) for path, text in sources.items() if path.name != "__init__.py" or "def " in text]
    tests = [path for path in (root / "tests").rglob("*.py") if "node_modules" not in path.parts]
    tested = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in tests)
    whole = sum(len(text.splitlines()) for text in sources.values())
    trees = {path: ast.parse(text) for path, text in sources.items()}
    code = sum(_code_lines(text, trees[path]) for path, text in sources.items())
    lengths = sorted(length for tree in trees.values() for length in _functions(tree))
    names = Counter(name for tree in trees.values() for name in _classes(tree))
    return Measures(
        modules=len(lines),
        module_median=round(statistics.median(lines)),
        module_max=max(lines),
        functions=len(lengths),
        function_p90=lengths[len(lengths) * 9 // 10],
        function_max=lengths[-1],
        cycles=len(import_cycles(root)),
        comments=round(100 * sum(_comments(text) for text in sources.values()) / code, 1),
        test_ratio=round(tested / whole, 2),
        repeated_names=tuple(sorted(name for name, count in names.items() if count > 1)),
    )


def _functions(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _classes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def _comments(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def _code_lines(text: str, tree: ast.AST) -> int:
    lines = [line.strip() for line in text.splitlines()]
    described = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            docstring = node.body[0]
            described += (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return sum(bool(line) and not line.startswith("#") for line in lines) - described


# --- cycles --------------------------------------------------------------------------------------


def import_cycles(root: Path) -> list[list[str]]:
    """Return the sets of modules that need each other to be imported."""
    modules = {_name(root, path): path for path in sorted((root / PACKAGE).rglob("*.py"))}
    edges = {name: [*_imported(name, path, modules)] for name, path in modules.items()}
    reach = {name: _reachable(name, edges) for name in modules}
    cycles = {frozenset(other for other in reach[name] if name in reach[other]) for name in modules}
    return sorted(sorted(cycle) for cycle in cycles if cycle)


def _name(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """List the modules that importing one imports, as its own statements name them."""
    for node in _at_import(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            # `from package import module` needs the module; `from module import name` the module before it.
            wanted = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules else base for alias in node.names]
        yield from (one for one in wanted if one in modules and one != name)


def _at_import(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pass
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _at_import(node)


def _reachable(start: str, edges: Mapping[str, list[str]]) -> set[str]:
    """Return what is reached from a module over one import or more; itself only over a cycle."""
    found: set[str] = set()
    todo = [*edges[start]]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += edges[name]
    return found


if __name__ == "__main__":
    print(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]))
