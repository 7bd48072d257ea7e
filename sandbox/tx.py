"""Transactions as bytes: parsed strictly, written back, hashed; the message signatures sign."""

from dataclasses import dataclass, replace
from hashlib import sha256

COINBASE_TXID = "00" * 32
SIGHASH_ALL_FORKID = 0x41
MAX_SATOSHIS = 21_000_000 * 100_000_000


class Malformed(ValueError):
    """What was given is no transaction."""


def sha256d(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def display_hash(digest: bytes) -> str:
    """The hash as people write it: reversed, in hex."""
    return digest[::-1].hex()


def p2pkh_script(public_key_hash: bytes) -> bytes:
    return b"\x76\xa9\x14" + public_key_hash + b"\x88\xac"


def p2pkh_hash(script: bytes) -> bytes | None:
    """The key hash a pay-to-public-key-hash script pays, or None for any other script."""
    is_p2pkh = len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac"
    return script[3:23] if is_p2pkh else None


def push(data: bytes) -> bytes:
    if len(data) > 75:
        raise ValueError("only short pushes are needed here")
    return bytes([len(data)]) + data


def varint(number: int) -> bytes:
    for limit, prefix, size in ((0xFD, b"", 1), (1 << 16, b"\xfd", 2), (1 << 32, b"\xfe", 4)):
        if number < limit:
            return prefix + number.to_bytes(size, "little")
    return b"\xff" + number.to_bytes(8, "little")


@dataclass(frozen=True, slots=True)
class Input:
    txid: str
    vout: int
    script: bytes = b""
    sequence: int = 0xFFFFFFFF

    @property
    def outpoint(self) -> bytes:
        return bytes.fromhex(self.txid)[::-1] + self.vout.to_bytes(4, "little")

    def to_bytes(self) -> bytes:
        sequence = self.sequence.to_bytes(4, "little")
        return self.outpoint + varint(len(self.script)) + self.script + sequence


@dataclass(frozen=True, slots=True)
class Output:
    satoshis: int
    script: bytes

    def to_bytes(self) -> bytes:
        return self.satoshis.to_bytes(8, "little") + varint(len(self.script)) + self.script


@dataclass(frozen=True, slots=True)
class Transaction:
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    version: int = 1
    lock_time: int = 0

    def to_bytes(self) -> bytes:
        return b"".join(
            [
                self.version.to_bytes(4, "little"),
                varint(len(self.inputs)),
                *(entry.to_bytes() for entry in self.inputs),
                varint(len(self.outputs)),
                *(entry.to_bytes() for entry in self.outputs),
                self.lock_time.to_bytes(4, "little"),
            ]
        )

    @property
    def txid(self) -> str:
        return display_hash(sha256d(self.to_bytes()))

    @property
    def is_coinbase(self) -> bool:
        return len(self.inputs) == 1 and self.inputs[0].txid == COINBASE_TXID

    def preimage(self, index: int, spent: Output) -> bytes:
        """What the signature of one input signs (all inputs, all outputs, with fork id)."""
        return b"".join(
            [
                self.version.to_bytes(4, "little"),
                sha256d(b"".join(entry.outpoint for entry in self.inputs)),
                sha256d(b"".join(entry.sequence.to_bytes(4, "little") for entry in self.inputs)),
                self.inputs[index].outpoint,
                varint(len(spent.script)) + spent.script,
                spent.satoshis.to_bytes(8, "little"),
                self.inputs[index].sequence.to_bytes(4, "little"),
                sha256d(b"".join(entry.to_bytes() for entry in self.outputs)),
                self.lock_time.to_bytes(4, "little"),
                SIGHASH_ALL_FORKID.to_bytes(4, "little"),
            ]
        )

    def with_scripts(self, scripts: list[bytes]) -> "Transaction":
        pairs = zip(self.inputs, scripts, strict=True)
        return replace(self, inputs=tuple(replace(entry, script=script) for entry, script in pairs))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise Malformed("the bytes end too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def varint(self) -> int:
        first = self.number(1)
        if first < 0xFD:
            return first
        number = self.number(1 << (first - 0xFC))
        if len(varint(number)) != 1 + (1 << (first - 0xFC)):
            raise Malformed("a number is not written in its shortest form")
        return number


def parse(raw: bytes) -> Transaction:
    """The transaction these bytes are, every one of them; otherwise Malformed."""
    reader = _Reader(raw)
    version = reader.number(4)
    inputs = tuple(_input(reader) for _ in range(reader.varint()))
    outputs = tuple(
        Output(reader.number(8), reader.take(reader.varint())) for _ in range(reader.varint())
    )
    lock_time = reader.number(4)
    if reader.at != len(raw):
        raise Malformed("bytes are left over")
    return Transaction(inputs, outputs, version, lock_time)


def _input(reader: _Reader) -> Input:
    txid, vout = display_hash(reader.take(32)), reader.number(4)
    return Input(txid, vout, reader.take(reader.varint()), reader.number(4))
