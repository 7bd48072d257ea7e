"""The shopper's wallet: it holds play money and pays, honestly or not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from urllib.parse import parse_qsl, unquote

from sandbox.block import COINBASE_MATURITY
from sandbox.chain import Chain, Refused
from sandbox.keys import Key, WrongAddress, hash_of
from sandbox.ledger import Coin, Entry
from sandbox.tx import Input, Output, Transaction, p2pkh_script, parse

SATOSHIS_PER_BSV = 100_000_000
AMOUNT = re.compile(r"\d{1,8}(\.\d{1,8})?")
FEE_BYTES_PER_SATOSHI = 20
INPUT_SIZE, OUTPUT_SIZE, FRAME_SIZE = 148, 34, 10


class CannotPay(ValueError):
    """The wallet cannot do what it was asked; the message says why."""


class How(StrEnum):
    FULL = "full"
    SHORT = "short"
    OVER = "over"
    TWICE = "twice"
    DOUBLE_SPEND = "double_spend"


@dataclass(frozen=True, slots=True)
class Invoice:
    """Where to pay and how much, as a URI or a person said it."""

    address: str
    satoshis: int | None
    label: str = ""


def satoshis_of(text: str) -> int:
    """An amount of BSV as people write it, in satoshis."""
    if not AMOUNT.fullmatch(text):
        raise CannotPay(f"{text!r} is not an amount of BSV, such as 0.01234567")
    return int(Decimal(text) * SATOSHIS_PER_BSV)


def in_bsv(satoshis: int) -> str:
    return f"{Decimal(satoshis) / SATOSHIS_PER_BSV:.8f}"


def read_invoice(text: str) -> Invoice:
    """What a bitcoin: URI, or an address alone, asks for."""
    scheme, colon, rest = text.strip().partition(":")
    if colon and scheme.lower() != "bitcoin":
        raise CannotPay("the URI does not begin with bitcoin:")
    address, _, query = (rest if colon else scheme).partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True))
    try:
        hash_of(unquote(address))
    except WrongAddress as error:
        raise CannotPay(str(error)) from error
    amount = satoshis_of(values["amount"]) if "amount" in values else None
    return Invoice(unquote(address), amount, values.get("label", ""))


def amounts(how: How, due: int | None, own: int | None) -> list[int]:
    """What to pay in each transaction: an own amount goes before what is asked for."""
    if own is not None and due is not None:
        shares = [own]
    elif (base := due if own is None else own) is None:
        raise CannotPay("an amount is needed: the URI names none")
    else:
        shares = [{How.SHORT: base // 2, How.OVER: base + max(base // 10, 1)}.get(how, base)]
    if shares[0] < 1:
        raise CannotPay("at least one satoshi has to be paid")
    return shares * 2 if how == How.TWICE else shares


class Wallet:
    def __init__(self, chain: Chain, key: Key) -> None:
        self.chain = chain
        self.key = key
        self.address = key.address
        self._script = p2pkh_script(key.public_key_hash)

    @property
    def coins(self) -> list[Coin]:
        tip = self.chain.tip.height
        return self.chain.ledger.spendable(self.address, tip=tip, maturity=COINBASE_MATURITY)

    @property
    def balance(self) -> int:
        return sum(coin.output.satoshis for coin in self.coins)

    def pay(
        self,
        invoice: Invoice,
        how: How = How.FULL,
        *,
        own_satoshis: int | None = None,
        seconds: float = 10.0,
        lag: float = 0.0,
    ) -> list[str]:
        """Pay an invoice; the ids of the transactions, a double spend's second one last."""
        script = p2pkh_script(hash_of(invoice.address))
        with self.chain.ledger.transaction():
            paid = [
                self._send(script, satoshis, lag)
                for satoshis in amounts(how, invoice.satoshis, own_satoshis)
            ]
            if how == How.DOUBLE_SPEND:
                rival = self._take_back(paid[0])
                self.chain.replace_later(paid[0].txid, rival.to_bytes(), seconds=seconds)
                paid.append(rival)
        return [transaction.txid for transaction in paid]

    def take_back(self, txid: str) -> str:
        """Double spend an unconfirmed payment of this wallet at once; the new transaction's id."""
        entry = self.chain.ledger.entry(txid)
        if entry is None or entry.gone or entry.block_hash or not self._is_ours(entry):
            raise CannotPay("only an unconfirmed payment from this wallet can be taken back")
        rival = self._take_back(parse(entry.raw))
        try:
            return self.chain.replace(rival.to_bytes())
        except Refused as refusal:
            raise CannotPay(f"the network refused it: {refusal}") from refusal

    def reorganise(self, depth: int, *, double_spend: bool = False) -> list[str]:
        """Undo blocks; with a double spend, what they held of this wallet's payments comes back."""
        with self.chain.ledger.transaction():
            freed = self.chain.reorganise(depth)
            if double_spend:
                entries = [self.chain.ledger.entry(txid) for txid in freed]
                for entry in entries:
                    if entry and self._is_ours(entry) and self._still_waits(entry.txid):
                        self.take_back(entry.txid)
        return freed

    def _still_waits(self, txid: str) -> bool:
        # Taking back a parent takes its children with it.
        entry = self.chain.ledger.entry(txid)
        return entry is not None and not entry.gone

    def _is_ours(self, entry: Entry) -> bool:
        coins = [self.chain.ledger.coin(i.txid, i.vout) for i in parse(entry.raw).inputs]
        return all(coin is not None and coin.output.script == self._script for coin in coins)

    def _send(self, script: bytes, satoshis: int, lag: float) -> Transaction:
        coins = self._choose(satoshis)
        change = sum(c.output.satoshis for c in coins) - satoshis - _fee(len(coins), 2)
        outputs = [Output(satoshis, script)]
        if change > 0:
            outputs.append(Output(change, self._script))
        transaction = self._signed(coins, outputs)
        try:
            self.chain.accept(transaction.to_bytes(), lag=lag)
        except Refused as refusal:
            raise CannotPay(f"the network refused it: {refusal}") from refusal
        return transaction

    def _choose(self, satoshis: int) -> list[Coin]:
        chosen: list[Coin] = []
        for coin in self.coins:
            chosen.append(coin)
            if sum(c.output.satoshis for c in chosen) >= satoshis + _fee(len(chosen), 2):
                return chosen
        raise CannotPay(f"the wallet holds only {in_bsv(self.balance)} BSV: mine some blocks")

    def _take_back(self, victim: Transaction) -> Transaction:
        coins = [self.chain.ledger.coin(entry.txid, entry.vout) for entry in victim.inputs]
        found = [coin for coin in coins if coin is not None]
        total = sum(coin.output.satoshis for coin in found)
        return self._signed(found, [Output(total - 2 * _fee(len(found), 2), self._script)])

    def _signed(self, coins: Sequence[Coin], outputs: list[Output]) -> Transaction:
        inputs = tuple(Input(coin.txid, coin.vout) for coin in coins)
        return self.key.sign(Transaction(inputs, tuple(outputs)), [c.output for c in coins])


def _fee(inputs: int, outputs: int) -> int:
    size = inputs * INPUT_SIZE + outputs * OUTPUT_SIZE + FRAME_SIZE
    return size // FEE_BYTES_PER_SATOSHI + 1
