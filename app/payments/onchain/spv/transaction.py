"""A transaction, read strictly from its bytes.

Whatever two programs could read in two ways is refused: lengths written longer than needed,
bytes left over, amounts beyond all the coins there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

MAX_SATOSHIS = 21 * 10**14
MAX_BYTES = 1024 * 1024  # of a raw transaction; Bitcoin SV itself has no small limit
SHORTEST = 65  # 64 bytes could be an inner node of a Merkle tree in disguise
FINAL_SEQUENCE = 0xFFFFFFFF
LOCK_TIME_IS_A_DATE = 500_000_000  # from here on a lock time counts seconds, below it blocks
NO_OUTPUT = ("00" * 32, 0xFFFFFFFF)


class MalformedTransaction(ValueError):
    """Not the bytes of one transaction."""


@dataclass(frozen=True, slots=True)
class Input:
    txid: str
    vout: int
    sequence: int

    @property
    def outpoint(self) -> tuple[str, int]:
        """The output that is spent here."""
        return (self.txid, self.vout)


@dataclass(frozen=True, slots=True)
class Output:
    satoshis: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    txid: str
    version: int
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    lock_time: int
    size: int

    @property
    def is_coinbase(self) -> bool:
        """Whether it makes new coins rather than spending some."""
        return self.inputs[0].outpoint == NO_OUTPUT

    @property
    def is_final(self) -> bool:
        """Whether no lock time stands in its way, whatever the height and the hour."""
        return self.lock_time == 0 or all(one.sequence == FINAL_SEQUENCE for one in self.inputs)

    def is_final_at(self, height: int | None, time: int) -> bool:
        """Whether the next block after `height` may hold it; `time` is in seconds since 1970."""
        if self.is_final:
            return True
        if self.lock_time >= LOCK_TIME_IS_A_DATE:
            return self.lock_time < time
        return height is not None and self.lock_time <= height


def txid_of(raw: bytes) -> str:
    """The transaction id of these bytes, as it is written: sha256 twice, reversed."""
    return sha256(sha256(raw).digest()).digest()[::-1].hex()


def parse(raw: bytes) -> Transaction:
    """The transaction these bytes are; MalformedTransaction if they are anything else."""
    if not SHORTEST <= len(raw) <= MAX_BYTES:
        raise MalformedTransaction(f"{len(raw)} bytes long")
    reader = _Reader(raw)
    version = reader.integer(4)
    inputs = tuple(reader.read_input() for _ in range(reader.count(at_least=41)))
    outputs = tuple(reader.read_output() for _ in range(reader.count(at_least=9)))
    lock_time = reader.integer(4)
    reader.end()
    _check_inputs(inputs)
    if sum(output.satoshis for output in outputs) > MAX_SATOSHIS:
        raise MalformedTransaction("more coins than there are")
    return Transaction(txid_of(raw), version, inputs, outputs, lock_time, len(raw))


def _check_inputs(inputs: tuple[Input, ...]) -> None:
    outpoints = {one.outpoint for one in inputs}
    if len(outpoints) != len(inputs):
        raise MalformedTransaction("the same output spent twice")
    if NO_OUTPUT in outpoints and len(inputs) != 1:
        raise MalformedTransaction("a coinbase input among others")


class _Reader:
    """Takes fields off the front, never past the end."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, length: int) -> bytes:
        if length > len(self._raw) - self._at:
            raise MalformedTransaction("cut off")
        self._at += length
        return self._raw[self._at - length : self._at]

    def integer(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def varint(self) -> int:
        first = self.integer(1)
        if first < 0xFD:
            return first
        length = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
        value = self.integer(length)
        if value < {2: 0xFD, 4: 0x1_0000, 8: 0x1_0000_0000}[length]:
            raise MalformedTransaction("a length written longer than needed")
        return value

    def count(self, *, at_least: int) -> int:
        """How many follow; refused at once when the bytes cannot hold that many."""
        count = self.varint()
        if count == 0:
            raise MalformedTransaction("no inputs or no outputs")
        if count * at_least > len(self._raw) - self._at:
            raise MalformedTransaction("cut off")
        return count

    def read_input(self) -> Input:
        txid = self.take(32)[::-1].hex()
        vout = self.integer(4)
        self.take(self.varint())
        return Input(txid, vout, self.integer(4))

    def read_output(self) -> Output:
        satoshis = self.integer(8)
        if satoshis > MAX_SATOSHIS:
            raise MalformedTransaction("more coins than there are")
        return Output(satoshis, self.take(self.varint()))

    def end(self) -> None:
        if self._at != len(self._raw):
            raise MalformedTransaction("bytes left over")
