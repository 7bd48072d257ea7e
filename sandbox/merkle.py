"""Merkle trees over transaction ids, and the branches that prove one of them."""

from collections.abc import Sequence

from sandbox.tx import display_hash, sha256d

DUPLICATE = "*"  # in a TSC proof: the sibling is the node itself


def _levels(txids: Sequence[str]) -> list[list[bytes]]:
    level = [bytes.fromhex(txid)[::-1] for txid in txids]
    levels = [level]
    while len(level) > 1:
        padded = level + level[-1:] if len(level) % 2 else level
        level = [sha256d(padded[i] + padded[i + 1]) for i in range(0, len(padded), 2)]
        levels.append(level)
    return levels


def merkle_root(txids: Sequence[str]) -> str:
    return display_hash(_levels(txids)[-1][0])


def merkle_branch(txids: Sequence[str], index: int) -> list[str]:
    """The nodes of a TSC proof for the transaction at this place in the block."""
    nodes = []
    for level in _levels(txids)[:-1]:
        sibling = index ^ 1
        nodes.append(display_hash(level[sibling]) if sibling < len(level) else DUPLICATE)
        index //= 2
    return nodes


def root_of_branch(txid: str, index: int, nodes: Sequence[str]) -> str:
    """The Merkle root that a TSC proof leads to."""
    node = bytes.fromhex(txid)[::-1]
    for text in nodes:
        sibling = node if text == DUPLICATE else bytes.fromhex(text)[::-1]
        node = sha256d(sibling + node if index % 2 else node + sibling)
        index //= 2
    return display_hash(node)
