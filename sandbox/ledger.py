"""What the chain remembers, in one SQLite file: blocks, transactions, outputs, their spenders."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from sandbox.block import Header
from sandbox.keys import address_of
from sandbox.tx import Output, Transaction, p2pkh_hash

SCHEMA = """
CREATE TABLE IF NOT EXISTS blocks (
    hash TEXT PRIMARY KEY, height INTEGER NOT NULL, header BLOB NOT NULL, size INTEGER NOT NULL,
    transaction_count INTEGER NOT NULL, active INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX IF NOT EXISTS one_block_per_height ON blocks (height) WHERE active;
CREATE TABLE IF NOT EXISTS transactions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, txid TEXT NOT NULL UNIQUE, raw BLOB NOT NULL,
    seen_at REAL NOT NULL, lag REAL NOT NULL DEFAULT 0, coinbase INTEGER NOT NULL,
    block_hash TEXT REFERENCES blocks, position INTEGER, gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS transactions_of_block ON transactions (block_hash, position);
CREATE TABLE IF NOT EXISTS outputs (
    txid TEXT NOT NULL, vout INTEGER NOT NULL, satoshis INTEGER NOT NULL, script BLOB NOT NULL,
    address TEXT, spent_by TEXT, spent_vin INTEGER, PRIMARY KEY (txid, vout)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outputs_of_address ON outputs (address, spent_by);
CREATE INDEX IF NOT EXISTS outputs_by_spender ON outputs (spent_by);
CREATE TABLE IF NOT EXISTS replacements (
    victim TEXT PRIMARY KEY, raw BLOB NOT NULL, due_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Block:
    hash: str
    height: int
    header: Header
    size: int
    transaction_count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction and where it stands: in the pool, in a block, or gone."""

    txid: str
    raw: bytes
    seen_at: float
    coinbase: bool
    gone: bool
    height: int | None
    block_hash: str | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Coin:
    """An output, and the transaction that spent it if one did."""

    txid: str
    vout: int
    output: Output
    spent_by: str | None
    spent_vin: int | None
    height: int | None
    coinbase: bool


_ENTRY = """
SELECT t.txid, t.raw, t.seen_at, t.coinbase, t.gone, b.height, t.block_hash, t.position
FROM transactions t LEFT JOIN blocks b ON b.hash = t.block_hash
"""
_COIN = """
SELECT o.txid, o.vout, o.satoshis, o.script, o.spent_by, o.spent_vin, b.height, t.coinbase
FROM outputs o JOIN transactions t ON t.txid = o.txid LEFT JOIN blocks b ON b.hash = t.block_hash
"""
_BLOCK = "SELECT hash, height, header, size, transaction_count FROM blocks WHERE active"


def _block(row: tuple[str, int, bytes, int, int]) -> Block:
    return Block(row[0], row[1], Header.parse(row[2]), row[3], row[4])


def _entry(row: tuple[str, bytes, float, int, int, int | None, str | None, int | None]) -> Entry:
    txid, raw, seen_at, coinbase, gone, height, block_hash, position = row
    return Entry(txid, raw, seen_at, bool(coinbase), bool(gone), height, block_hash, position)


def _coin(
    row: tuple[str, int, int, bytes, str | None, int | None, int | None, int],
) -> Coin:
    txid, vout, satoshis, script, spent_by, spent_vin, height, coinbase = row
    output = Output(satoshis, script)
    return Coin(txid, vout, output, spent_by, spent_vin, height, bool(coinbase))


class Ledger:
    """One connection behind one lock: a laptop's worth of traffic needs no more."""

    def __init__(self, path: Path) -> None:
        self.lock = RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside is kept, or none of it; nobody else looks meanwhile."""
        with self.lock:
            point = f"level_{self._depth}"
            self._db.execute(f"SAVEPOINT {point}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._db.execute(f"ROLLBACK TO {point}")
                raise
            finally:
                self._db.execute(f"RELEASE {point}")
                self._depth -= 1

    # Blocks

    def add_block(self, block: Block, txids: list[str]) -> None:
        self._db.execute(
            "INSERT INTO blocks (hash, height, header, size, transaction_count) VALUES (?,?,?,?,?)",
            (block.hash, block.height, block.header.to_bytes(), block.size, len(txids)),
        )
        self._db.executemany(
            "UPDATE transactions SET block_hash = ?, position = ? WHERE txid = ?",
            [(block.hash, position, txid) for position, txid in enumerate(txids)],
        )

    def orphan(self, block_hash: str) -> list[Entry]:
        """Take a block out of the chain; its transactions are unconfirmed again."""
        entries = [self._one_entry(txid) for txid in self.txids_of(block_hash)]
        self._db.execute("UPDATE blocks SET active = 0 WHERE hash = ?", (block_hash,))
        self._db.execute(
            "UPDATE transactions SET block_hash = NULL, position = NULL WHERE block_hash = ?",
            (block_hash,),
        )
        return entries

    def tip(self) -> Block | None:
        with self.lock:
            row = self._db.execute(_BLOCK + " ORDER BY height DESC LIMIT 1").fetchone()
        return _block(row) if row else None

    def block(self, key: str | int) -> Block | None:
        """The block of this hash or height in the present chain."""
        column = "height" if isinstance(key, int) else "hash"
        with self.lock:
            row = self._db.execute(f"{_BLOCK} AND {column} = ?", (key,)).fetchone()
        return _block(row) if row else None

    def latest_blocks(self, count: int) -> list[Block]:
        with self.lock:
            rows = self._db.execute(_BLOCK + " ORDER BY height DESC LIMIT ?", (count,)).fetchall()
        return [_block(row) for row in rows]

    def median_time(self, height: int) -> int:
        """The median time of the eleven blocks that end at this height."""
        query = _BLOCK + " AND height BETWEEN ? AND ?"
        with self.lock:
            rows = self._db.execute(query, (height - 10, height)).fetchall()
        times = sorted(_block(row).header.time for row in rows)
        return times[len(times) // 2]

    def txids_of(self, block_hash: str) -> list[str]:
        query = "SELECT txid FROM transactions WHERE block_hash = ? ORDER BY position"
        with self.lock:
            return [row[0] for row in self._db.execute(query, (block_hash,))]

    # Transactions

    def add(self, transaction: Transaction, *, seen_at: float, lag: float = 0.0) -> None:
        txid = transaction.txid
        self._db.execute("DELETE FROM transactions WHERE txid = ? AND gone", (txid,))
        self._db.execute(
            "INSERT INTO transactions (txid, raw, seen_at, lag, coinbase) VALUES (?,?,?,?,?)",
            (txid, transaction.to_bytes(), seen_at, lag, transaction.is_coinbase),
        )
        self._db.executemany(
            "UPDATE outputs SET spent_by = ?, spent_vin = ? WHERE txid = ? AND vout = ?",
            [(txid, vin, entry.txid, entry.vout) for vin, entry in enumerate(transaction.inputs)],
        )
        self._db.executemany(
            "INSERT INTO outputs (txid, vout, satoshis, script, address) VALUES (?,?,?,?,?)",
            [
                (txid, vout, output.satoshis, output.script, _address(output))
                for vout, output in enumerate(transaction.outputs)
            ],
        )

    def remove(self, txid: str) -> None:
        """Forget an unconfirmed transaction and all that was built on it."""
        query = "SELECT DISTINCT spent_by FROM outputs WHERE txid = ? AND spent_by IS NOT NULL"
        for (child,) in self._db.execute(query, (txid,)).fetchall():
            self.remove(child)
        self._db.execute("UPDATE transactions SET gone = 1 WHERE txid = ?", (txid,))
        self._db.execute("DELETE FROM outputs WHERE txid = ?", (txid,))
        self._db.execute(
            "UPDATE outputs SET spent_by = NULL, spent_vin = NULL WHERE spent_by = ?", (txid,)
        )
        self._db.execute("DELETE FROM replacements WHERE victim = ?", (txid,))

    def entry(self, txid: str) -> Entry | None:
        """The transaction, also when it is gone."""
        with self.lock:
            row = self._db.execute(_ENTRY + " WHERE t.txid = ?", (txid,)).fetchone()
        return _entry(row) if row else None

    def _one_entry(self, txid: str) -> Entry:
        return _entry(self._db.execute(_ENTRY + " WHERE t.txid = ?", (txid,)).fetchone())

    def mempool(self) -> list[Entry]:
        """Unconfirmed transactions, parents before children."""
        query = _ENTRY + " WHERE t.block_hash IS NULL AND NOT t.gone ORDER BY t.sequence"
        with self.lock:
            return [_entry(row) for row in self._db.execute(query)]

    def latest_transactions(self, count: int) -> list[Entry]:
        query = _ENTRY + " WHERE NOT t.coinbase ORDER BY t.sequence DESC LIMIT ?"
        with self.lock:
            return [_entry(row) for row in self._db.execute(query, (count,))]

    # Outputs

    def coin(self, txid: str, vout: int) -> Coin | None:
        with self.lock:
            row = self._db.execute(
                _COIN + " WHERE o.txid = ? AND o.vout = ?", (txid, vout)
            ).fetchone()
        return _coin(row) if row else None

    def coins(self, address: str, *, seen_before: float, lag: float) -> list[Coin]:
        """The outputs an address has and that no block has spent yet."""
        query = """
            WHERE o.address = ? AND t.seen_at + max(t.lag, ?) <= ?
            AND NOT EXISTS (
                SELECT 1 FROM transactions s WHERE s.txid = o.spent_by AND s.block_hash IS NOT NULL
            )
            ORDER BY t.sequence, o.vout
        """
        with self.lock:
            rows = self._db.execute(_COIN + query, (address, lag, seen_before)).fetchall()
        return [_coin(row) for row in rows]

    def spendable(self, address: str, *, tip: int, maturity: int) -> list[Coin]:
        """Unspent, mature outputs, confirmed and large ones first; none of a doomed transaction."""
        query = """
            WHERE o.address = ? AND o.spent_by IS NULL
            AND (NOT t.coinbase OR (b.height IS NOT NULL AND ? - b.height + 1 >= ?))
            AND o.txid NOT IN (SELECT victim FROM replacements)
            ORDER BY b.height IS NULL, o.satoshis DESC
        """
        with self.lock:
            rows = self._db.execute(_COIN + query, (address, tip, maturity)).fetchall()
        return [_coin(row) for row in rows]

    def history(self, address: str, *, seen_before: float, lag: float) -> list[Entry]:
        """Every transaction that pays or spends from an address, oldest first."""
        query = """
            WHERE t.txid IN (
                SELECT txid FROM outputs WHERE address = :address
                UNION SELECT spent_by FROM outputs WHERE address = :address AND spent_by IS NOT NULL
            ) AND t.seen_at + max(t.lag, :lag) <= :now ORDER BY t.sequence
        """
        values = {"address": address, "lag": lag, "now": seen_before}
        with self.lock:
            return [_entry(row) for row in self._db.execute(_ENTRY + query, values)]

    # Plans and settings

    def plan_replacement(self, victim: str, raw: bytes, due_at: float) -> None:
        with self.lock:
            self._db.execute(
                "INSERT OR REPLACE INTO replacements (victim, raw, due_at) VALUES (?,?,?)",
                (victim, raw, due_at),
            )

    def due_replacements(self, now: float) -> list[tuple[str, bytes]]:
        query = "SELECT victim, raw FROM replacements WHERE due_at <= ? ORDER BY due_at"
        with self.lock:
            return self._db.execute(query, (now,)).fetchall()

    def drop_replacement(self, victim: str) -> None:
        with self.lock:
            self._db.execute("DELETE FROM replacements WHERE victim = ?", (victim,))

    def setting(self, name: str, default: float) -> float:
        query = "SELECT value FROM settings WHERE name = ?"
        with self.lock:
            row = self._db.execute(query, (name,)).fetchone()
        return float(row[0]) if row else default

    def set(self, name: str, value: float) -> None:
        with self.lock:
            self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def _address(output: Output) -> str | None:
    public_key_hash = p2pkh_hash(output.script)
    return address_of(public_key_hash) if public_key_hash else None
