"""Lists and trees of a proposal: from validations, boxes to tick, and the levels that a form prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kpixl.learn.guess import Guess
from kpixl.learn.proposal import Proposal, ProposedList
from kpixl.learn.tables import SeenTable, seen
from kpixl.learn.words import column_meaning, data

MAX_LEVELS = 2  # columns in front that may be levels, counted from 0; what follows is what they classify


def add_list(proposal: Proposal, name: str, items: Sequence[str], *, closed: bool) -> str:
    """Add a list unless there is one of the same items; return its name."""
    wanted = tuple(items)
    for known in proposal.lists.values():
        if known.items == wanted and known.closed == closed and not known.tree:
            return known.name
    name = _free(proposal, name)
    proposal.lists[name] = ProposedList(name, closed, wanted)
    return name


def _free(proposal: Proposal, name: str) -> str:
    base, number = name.replace(".", "_"), 2
    name = base
    while name in proposal.lists:
        name, number = f"{base}_{number}", number + 1
    return name


def operator_list(proposal: Proposal, guess: Guess | None = None) -> str:
    """Add the list of operators: that of the form, or the usual one."""
    usual: Mapping[str, list[str]] = data()["operators"]
    qualitative = data()["qualitative"]
    items = guess.items if guess is not None and guess.items else tuple(usual)
    name = "operator"
    if name not in proposal.lists:
        spelled = {item: tuple(usual.get(item, ())) for item in items}
        named = qualitative if qualitative in spelled else ""
        proposal.lists[name] = ProposedList(name, True, spelled, qualitative=named)
    return name


def unit_list(proposal: Proposal, guess: Guess | None = None) -> str:
    """Add the list of units: that of the form, or the usual one."""
    items = guess.items if guess is not None and guess.items else tuple(data()["units"])
    if "unit" not in proposal.lists:
        proposal.lists["unit"] = ProposedList("unit", False, tuple(items))
    return "unit"


# --- lists that depend on one another -----------------------------------------------------------


def add_tree(proposal: Proposal, table: SeenTable, name: str, guesses: Sequence[Guess]) -> dict[int, str]:
    """Add the lists of columns whose items depend on the column before; return the list of each column."""
    chain = _chain(table, guesses)
    if not chain:
        return {}
    tree = _by_rules(chain, guesses) if guesses[chain[-1]].rule else _printed(table, chain)
    if not tree:
        return {}
    proposal.trees[name] = tree
    names: dict[int, str] = {}
    for depth, number in enumerate(chain, 1):
        guess = guesses[number]
        listed = _free(proposal, f"level{depth}")
        proposal.lists[listed] = ProposedList(listed, guess.closed, tree=name, parent=names.get(number - 1, ""))
        names[number] = listed
    return names


def _chain(table: SeenTable, guesses: Sequence[Guess]) -> list[int]:
    """Return the columns beside one another, each of which depends on the one before."""
    chain: list[int] = []
    for number, guess in enumerate(guesses):
        rule = guess.rule
        if rule is not None and rule.children and number and rule.parent == table.headings[number - 1].col:
            chain = chain or [number - 1]
            chain.append(number)
    return chain or printed_levels(table)[:2]


def _by_rules(chain: Sequence[int], guesses: Sequence[Guess]) -> dict[str, dict[str, tuple[str, ...]]]:
    def below(item: str, depth: int) -> dict[str, tuple[str, ...]] | tuple[str, ...]:
        rule = guesses[chain[depth]].rule
        children = rule.children.get(item, ()) if rule is not None else ()
        if depth == len(chain) - 1:
            return children
        found = {child: below(child, depth + 1) for child in children}
        return {child: items if isinstance(items, tuple) else tuple(items) for child, items in found.items()}

    tree: dict[str, dict[str, tuple[str, ...]]] = {}
    for item in guesses[chain[0]].items:
        found = below(item, 1)
        tree[item] = found if isinstance(found, dict) else dict.fromkeys(found, ())
    return tree


def printed_levels(table: SeenTable) -> list[int]:
    """Return the first columns beside one another in which a table prints the same few texts, as those of levels."""
    chain: list[int] = []
    for number in range(len(table.headings)):
        cells = table.column(number)
        texts = [seen(box) for box in cells if seen(box)]
        meaning = column_meaning(table.headings[number].text)
        named = meaning is not None and meaning.fill
        if not texts or not (named or any(box.rows > 1 for box in cells)) or number > MAX_LEVELS:
            break
        chain.append(number)
    return chain


def _printed(table: SeenTable, chain: Sequence[int]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Build a tree of what the first columns of a table print."""
    tree: dict[str, dict[str, tuple[str, ...]]] = {}
    above = ""
    for row in table.body:
        above = seen(row[chain[0]]) or above
        if not above:
            continue
        items = tree.setdefault(above, {})
        if len(chain) > 1 and (text := seen(row[chain[1]])):
            items.setdefault(text, ())
    return tree
