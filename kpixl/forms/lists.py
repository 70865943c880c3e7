"""Read the lists of a form definition: the values that a field may have, by themselves or as levels of a tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpixl.forms.definition import Choices
from kpixl.forms.node import Node, check_name, invalid

_ITEM = (str, int, float)  # what an item of a list or tree may be in YAML: 2026 is a number there

# How deep -> the item above -> its items; the roots are below "".
Levels = dict[int, dict[str, tuple[str, ...]]]


def read_trees(data: Mapping[str, Any]) -> dict[str, Levels]:
    """Unfold each tree into levels: depth -> parent item -> items; the roots are the children of ""."""
    unfolded: dict[str, Levels] = {}
    for name, tree in data.items():
        unfolded[name] = {}
        _unfold("", tree, 0, unfolded[name], name)
    return unfolded


def _unfold(parent: str, node: Any, depth: int, levels: Levels, name: str) -> None:
    if not isinstance(node, dict | list | tuple) or not all(isinstance(item, _ITEM) for item in node):
        raise invalid(f"trees.{name}", f"{parent or name} must have a list or mapping of texts below it")
    levels.setdefault(depth, {})[parent] = tuple(map(str, node))
    if isinstance(node, dict):
        for item, below in node.items():
            _unfold(str(item), below or (), depth + 1, levels, name)


def read_choices(data: Mapping[str, Any], trees: Mapping[str, Levels]) -> dict[str, Choices]:
    """Read the lists of values, those that are levels of a tree among them."""
    return {name: _list(name, data, trees) for name in data}


def _list(name: str, data: Mapping[str, Any], trees: Mapping[str, Levels]) -> Choices:
    check_name(name, f"choices.{name}")
    node = Node(data[name], f"choices.{name}")
    parent, tree = node.take("parent", str, None), node.take("tree", str, None)
    is_open, qualitative = node.take("open", bool, True), node.take("qualitative", str, None)
    children: Mapping[str, tuple[str, ...]] = {}
    if tree is None:
        items = _items(node)
    elif tree not in trees:
        raise invalid(f"choices.{name}.tree", f"no tree {tree}")
    else:
        level = trees[tree].get(_depth(name, parent, data), {})
        children = level if parent is not None else {}
        items = {item: () for below in level.values() for item in below}
    node.finish()
    clean = {str(item): tuple(map(str, synonyms or ())) for item, synonyms in items.items()}
    return Choices(name, clean, is_open, parent, children, qualitative)


def _depth(name: str, parent: str | None, data: Mapping[str, Any]) -> int:
    """Return how many lists are above one. A list above itself is refused, as nobody would get to its items."""
    above: list[str] = []
    while parent is not None:
        if parent not in data:
            raise invalid(f"choices.{name}.parent", f"no list {parent}")
        if parent == name or parent in above:
            raise invalid(f"choices.{name}.parent", f"{parent} is above itself")
        above.append(parent)
        parent = data[parent].get("parent") if isinstance(data[parent], dict) else None
    return len(above)


def _items(node: Node) -> dict[str, Any]:
    """Read the items of a list, with their synonyms or without."""
    if isinstance(node.rest.get("items"), list):
        return dict.fromkeys(map(str, node.sequence("items", _ITEM)), ())
    if "items" not in node.rest:
        raise invalid(node.path, "needs `items` or `tree`")
    return node.mapping("items", (list, type(None)))
