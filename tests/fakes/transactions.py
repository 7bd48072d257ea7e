"""Transactions made by hand, well formed and unsigned: nobody here checks signatures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from app.payments.onchain.spv.transaction import txid_of

_coins = count(1)


def varint(value: int) -> bytes:
    if value < 0xFD:
        return value.to_bytes(1, "little")
    if value < 0x10000:
        return b"\xfd" + value.to_bytes(2, "little")
    return b"\xfe" + value.to_bytes(4, "little")


def p2pkh(key_hash: bytes = b"\x11" * 20) -> bytes:
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def a_coin() -> tuple[str, int]:
    """An output nobody has spent."""
    return (f"{next(_coins):064x}", 0)


def build(
    outputs: Sequence[tuple[int, bytes]],
    *,
    coins: Sequence[tuple[str, int]] | None = None,
    version: int = 1,
    lock_time: int = 0,
    sequence: int = 0xFFFFFFFF,
    unlocking: bytes = b"\x51" * 40,
) -> bytes:
    """The bytes of a transaction that spends `coins` (fresh ones) into `outputs`."""
    spent = [a_coin()] if coins is None else coins
    raw = version.to_bytes(4, "little") + varint(len(spent))
    for txid, vout in spent:
        raw += bytes.fromhex(txid)[::-1] + vout.to_bytes(4, "little")
        raw += varint(len(unlocking)) + unlocking + sequence.to_bytes(4, "little")
    raw += varint(len(outputs))
    for satoshis, script in outputs:
        raw += satoshis.to_bytes(8, "little") + varint(len(script)) + script
    return raw + lock_time.to_bytes(4, "little")


def coinbase(outputs: Sequence[tuple[int, bytes]]) -> bytes:
    """The bytes of a transaction that makes new coins."""
    return build(outputs, coins=[("00" * 32, 0xFFFFFFFF)])


__all__ = ["a_coin", "build", "coinbase", "p2pkh", "txid_of", "varint"]
