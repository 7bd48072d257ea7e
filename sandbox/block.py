"""Block headers with real proof of work, at the difficulty of a regression-test chain."""

from dataclasses import dataclass, replace

from sandbox.tx import Input, Output, Transaction, display_hash, p2pkh_script, push, sha256d

BITS = 0x207FFFFF
WORK_PER_BLOCK = 2  # 2^256 / (target + 1), rounded down
DIFFICULTY = 4.6565423739069247e-10
SUBSIDY = 50 * 100_000_000
COINBASE_MATURITY = 100


def target_of(bits: int) -> int:
    return int((bits & 0x007FFFFF) << 8 * ((bits >> 24) - 3))


@dataclass(frozen=True, slots=True)
class Header:
    previous: str
    merkle_root: str
    time: int
    nonce: int = 0
    version: int = 0x20000000
    bits: int = BITS

    def to_bytes(self) -> bytes:
        return b"".join(
            [
                self.version.to_bytes(4, "little"),
                bytes.fromhex(self.previous)[::-1],
                bytes.fromhex(self.merkle_root)[::-1],
                self.time.to_bytes(4, "little"),
                self.bits.to_bytes(4, "little"),
                self.nonce.to_bytes(4, "little"),
            ]
        )

    @classmethod
    def parse(cls, raw: bytes) -> "Header":
        if len(raw) != 80:
            raise ValueError("a header has 80 bytes")
        return cls(
            version=int.from_bytes(raw[:4], "little"),
            previous=display_hash(raw[4:36]),
            merkle_root=display_hash(raw[36:68]),
            time=int.from_bytes(raw[68:72], "little"),
            bits=int.from_bytes(raw[72:76], "little"),
            nonce=int.from_bytes(raw[76:], "little"),
        )

    @property
    def hash(self) -> str:
        return display_hash(sha256d(self.to_bytes()))

    @property
    def has_work(self) -> bool:
        return int(self.hash, 16) <= target_of(self.bits)

    def mined(self) -> "Header":
        """The same header with the first nonce that meets its target."""
        header = self
        while not header.has_work:
            header = replace(header, nonce=header.nonce + 1)
        return header


def coinbase(height: int, salt: bytes, satoshis: int, public_key_hash: bytes) -> Transaction:
    """The transaction that pays the miner; the salt keeps two blocks of one height apart."""
    height_bytes = height.to_bytes(height.bit_length() // 8 + 1, "little")
    script = push(height_bytes) + push(salt) + push(b"/play money/")
    return Transaction(
        inputs=(Input("00" * 32, 0xFFFFFFFF, script),),
        outputs=(Output(satoshis, p2pkh_script(public_key_hash)),),
    )


# The first block of every regression-test chain: who checks headers knows where to begin.
GENESIS = Header(
    version=1,
    previous="00" * 32,
    merkle_root="4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
    time=1296688602,
    nonce=2,
)
GENESIS_COINBASE = Transaction(
    inputs=(
        Input(
            "00" * 32,
            0xFFFFFFFF,
            bytes.fromhex("04ffff001d010445")
            + b"The Times 03/Jan/2009 Chancellor on brink of second bailout for banks",
        ),
    ),
    outputs=(
        Output(
            SUBSIDY,
            bytes.fromhex(
                "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f355"
                "04e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac"
            ),
        ),
    ),
)
