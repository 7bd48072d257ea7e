"""The simulated chain: who may spend what, which transaction was first, what miners made of it."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.block import (
    COINBASE_MATURITY,
    GENESIS,
    GENESIS_COINBASE,
    SUBSIDY,
    Header,
    coinbase,
)
from sandbox.keys import signature_holds
from sandbox.ledger import Block, Coin, Entry, Ledger
from sandbox.merkle import merkle_root
from sandbox.tx import MAX_SATOSHIS, Malformed, Transaction, p2pkh_hash, parse

FIRST_BLOCKS = COINBASE_MATURITY + 10
FINAL_SEQUENCE = 0xFFFFFFFF


class Refused(Exception):
    """The network does not take this transaction; the message is a node's."""


class Chain:
    """Blocks that lead back to the first one, and a pool of transactions that wait for the next."""

    def __init__(
        self, directory: Path, *, miner: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(directory / "chain.sqlite3")
        self.miner = miner
        self.clock = clock
        self._next_block_at = clock() + self.auto_seconds
        if self.ledger.tip() is None:
            self._begin()

    def close(self) -> None:
        self.ledger.close()

    @property
    def tip(self) -> Block:
        tip = self.ledger.tip()
        if tip is None:
            raise RuntimeError("the chain has no first block")
        return tip

    def confirmations(self, entry: Entry) -> int:
        return 0 if entry.height is None else self.tip.height - entry.height + 1

    # Transactions

    def accept(self, raw: bytes, *, lag: float = 0.0) -> str:
        """Take a transaction into the pool if every rule allows it; its id."""
        try:
            transaction = parse(raw)
        except Malformed as error:
            raise Refused("TX decode failed") from error
        with self.ledger.transaction():
            known = self.ledger.entry(transaction.txid)
            if known is not None and not known.gone:
                raise Refused("257: txn-already-known")
            self._check(transaction)
            self.ledger.add(transaction, seen_at=self.clock(), lag=lag)
        return transaction.txid

    def replace(self, raw: bytes) -> str:
        """Take a transaction in place of the unconfirmed ones that spend the same coins."""
        with self.ledger.transaction():
            for entry in parse(raw).inputs:
                coin = self.ledger.coin(entry.txid, entry.vout)
                rival = self.ledger.entry(coin.spent_by) if coin and coin.spent_by else None
                if rival is not None and rival.block_hash is None:
                    self.ledger.remove(rival.txid)
            return self.accept(raw)

    def replace_later(self, victim: str, raw: bytes, *, seconds: float) -> None:
        """Plan a double spend; miners know of it already, so no block will hold the victim."""
        self.ledger.plan_replacement(victim, raw, self.clock() + seconds)

    def _check(self, transaction: Transaction) -> None:
        _check_form(transaction)
        if transaction.lock_time and any(
            entry.sequence != FINAL_SEQUENCE for entry in transaction.inputs
        ):
            raise Refused("64: non-final")
        coins = [self._spendable(entry.txid, entry.vout) for entry in transaction.inputs]
        if sum(coin.output.satoshis for coin in coins) < sum(
            output.satoshis for output in transaction.outputs
        ):
            raise Refused("16: bad-txns-in-belowout")
        for index, coin in enumerate(coins):
            public_key_hash = p2pkh_hash(coin.output.script)
            if public_key_hash is None or not signature_holds(
                transaction.inputs[index].script,
                public_key_hash,
                transaction.preimage(index, coin.output),
            ):
                raise Refused("16: mandatory-script-verify-flag-failed")

    def _spendable(self, txid: str, vout: int) -> Coin:
        coin = self.ledger.coin(txid, vout)
        if coin is None:
            raise Refused("Missing inputs")
        if coin.spent_by is not None:
            spender = self.ledger.entry(coin.spent_by)
            if spender is not None and spender.block_hash is None:
                raise Refused("258: txn-mempool-conflict")
            raise Refused("Missing inputs")
        immature = coin.height is None or self.tip.height - coin.height + 1 < COINBASE_MATURITY
        if coin.coinbase and immature:
            raise Refused("16: bad-txns-premature-spend-of-coinbase")
        return coin

    # Blocks

    def mine(self, blocks: int = 1) -> list[str]:
        """Mine blocks, the first of them with all that waits; their hashes."""
        with self.ledger.transaction():
            self._make_replacements(float("inf"))
            return [self._mine_one(self.ledger.mempool()) for _ in range(blocks)]

    def reorganise(self, depth: int) -> list[str]:
        """Let a longer branch of empty blocks take the place of the last ones; the ids set free."""
        depth = min(depth, self.tip.height)
        with self.ledger.transaction():
            freed = []
            for _ in range(depth):
                freed += self.ledger.orphan(self.tip.hash)
            for entry in freed:
                if entry.coinbase:
                    self.ledger.remove(entry.txid)
            for _ in range(depth + 1):
                self._mine_one([])
        waiting = {entry.txid for entry in self.ledger.mempool()}
        return [entry.txid for entry in freed if entry.txid in waiting]

    def _mine_one(self, entries: list[Entry], at: int | None = None) -> str:
        tip = self.tip
        height = tip.height + 1
        transactions = [parse(entry.raw) for entry in entries]
        fees = sum(self._fee(transaction) for transaction in transactions)
        reward = coinbase(height, secrets.token_bytes(8), SUBSIDY + fees, self.miner)
        txids = [reward.txid, *(entry.txid for entry in entries)]
        header = Header(
            previous=tip.hash,
            merkle_root=merkle_root(txids),
            time=max(at or int(self.clock()), self.ledger.median_time(tip.height) + 1),
        ).mined()
        size = 81 + sum(map(len, [reward.to_bytes(), *(entry.raw for entry in entries)]))
        self.ledger.add(reward, seen_at=float(header.time))
        self.ledger.add_block(Block(header.hash, height, header, size, len(txids)), txids)
        return header.hash

    def _fee(self, transaction: Transaction) -> int:
        coins = [self.ledger.coin(entry.txid, entry.vout) for entry in transaction.inputs]
        paid = sum(coin.output.satoshis for coin in coins if coin)
        return paid - sum(output.satoshis for output in transaction.outputs)

    def _begin(self) -> None:
        """The first block, and enough after it for the miner to have coins that may be spent."""
        with self.ledger.transaction():
            self.ledger.add(GENESIS_COINBASE, seen_at=float(GENESIS.time))
            genesis = Block(GENESIS.hash, 0, GENESIS, 285, 1)
            self.ledger.add_block(genesis, [GENESIS_COINBASE.txid])
            now = int(self.clock())
            for back in range(FIRST_BLOCKS, 0, -1):
                self._mine_one([], at=now - back * 600)

    # The passing of time

    @property
    def auto_seconds(self) -> float:
        """Seconds from one block to the next; nought while mining is paused."""
        return self.ledger.setting("auto_seconds", 0.0)

    def mine_every(self, seconds: float) -> None:
        self.ledger.set("auto_seconds", seconds)
        self._next_block_at = self.clock() + seconds

    def tick(self) -> None:
        """Do what has fallen due: planned double spends, and the next block."""
        with self.ledger.transaction():
            now = self.clock()
            self._make_replacements(now)
            if self.auto_seconds and now >= self._next_block_at:
                self.mine()
                self._next_block_at = now + self.auto_seconds

    def _make_replacements(self, until: float) -> None:
        for victim, raw in self.ledger.due_replacements(until):
            self.ledger.drop_replacement(victim)
            try:
                self.replace(raw)
            except Refused:
                continue  # the victim was mined or replaced by someone else: the plan is void


def _check_form(transaction: Transaction) -> None:
    outpoints = [entry.outpoint for entry in transaction.inputs]
    total = sum(output.satoshis for output in transaction.outputs)
    for broken, reason in (
        (not transaction.inputs, "16: bad-txns-vin-empty"),
        (not transaction.outputs, "16: bad-txns-vout-empty"),
        (total > MAX_SATOSHIS, "16: bad-txns-txouttotal-toolarge"),
        (len(set(outpoints)) != len(outpoints), "16: bad-txns-inputs-duplicate"),
        (transaction.is_coinbase, "16: coinbase"),
    ):
        if broken:
            raise Refused(reason)
