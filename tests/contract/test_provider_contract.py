"""What the store relies on in every provider, the fake of the tests included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

import pytest

from app import clock
from app.money import Currency, usd
from app.payments.base import (
    AcceptsProof,
    Approximates,
    InvalidProof,
    OpenPayment,
    PaymentProvider,
    ProviderUnavailable,
    RateUnavailable,
    Stage,
    UnknownProof,
)
from tests.fakes.desk import Desk, aged, stages, total_of
from tests.fakes.explorer import FakeExplorer
from tests.fakes.provider import FakeProvider
from tests.fakes.rails import with_address, with_xpub
from tests.fakes.transactions import build


class World(Protocol):
    """How a test moves money for one kind of provider."""

    provider: PaymentProvider

    def pay(self, payment: OpenPayment, satoshis: int, *, listed: bool = True) -> str: ...
    def settle(self, txid: str) -> None: ...
    def lose(self, txid: str) -> None: ...
    def trouble(self, *, on: bool) -> None: ...
    def no_rate(self) -> None: ...


class ChainWorld:
    def __init__(self, provider: PaymentProvider, explorer: FakeExplorer) -> None:
        self.provider = provider
        self._explorer = explorer

    def pay(self, payment: OpenPayment, satoshis: int, *, listed: bool = True) -> str:
        raw = build([(satoshis, bytes.fromhex(payment.details["script"]))])
        return self._explorer.send(raw, indexed=listed)

    def settle(self, txid: str) -> None:
        self._explorer.mine(txid, depth=6)

    def lose(self, txid: str) -> None:
        self._explorer.forget(txid)

    def trouble(self, *, on: bool) -> None:
        self._explorer.misbehave("500" if on else None)

    def no_rate(self) -> None:
        self._explorer.prices.clear()


class FakeWorld:
    def __init__(self) -> None:
        self.provider: PaymentProvider = FakeProvider()
        self._fake = self.provider
        self._references: dict[str, str] = {}

    def pay(self, payment: OpenPayment, satoshis: int, *, listed: bool = True) -> str:
        assert isinstance(self._fake, FakeProvider)
        reference = self._fake.receive(payment.reference, satoshis, Stage.SEEN, listed=listed)
        return reference.partition(":")[0]

    def settle(self, txid: str) -> None:
        assert isinstance(self._fake, FakeProvider)
        self._fake.change(f"{txid}:0", Stage.SETTLED, confirmations=6)

    def lose(self, txid: str) -> None:
        assert isinstance(self._fake, FakeProvider)
        self._fake.change(f"{txid}:0", Stage.GONE)

    def trouble(self, *, on: bool) -> None:
        assert isinstance(self._fake, FakeProvider)
        self._fake.unavailable = on

    def no_rate(self) -> None:
        assert isinstance(self._fake, FakeProvider)
        self._fake.rate = None


@pytest.fixture(params=["xpub", "address", "fake"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    explorer = FakeExplorer()
    with explorer.answering():
        provider = with_xpub() if request.param == "xpub" else with_address()
        yield ChainWorld(provider, explorer)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world.provider)


def test_a_quote_covers_the_total_and_says_how_it_came_about(world: World) -> None:
    now = clock.now()
    quote = world.provider.quote(usd(1900), now=now)
    assert quote.total == usd(1900)
    assert quote.due.minor > 0
    assert quote.quoted_at == now
    assert quote.holds_for.total_seconds() > 0
    assert quote.rate is not None
    assert quote.rate_at is not None
    assert quote.sources
    if quote.due.currency is Currency.BSV:
        assert quote.due.major * quote.rate >= Decimal(19)
        assert (quote.due.minor - 1) * quote.rate < Decimal(19) * 10**8


def test_without_a_rate_there_is_no_quote_and_no_approximation(world: World) -> None:
    world.no_rate()
    with pytest.raises(RateUnavailable):
        world.provider.quote(usd(1900), now=clock.now())
    assert isinstance(world.provider, Approximates)
    assert world.provider.approximate(usd(1900)) is None


def test_an_approximation_is_near_the_quote(world: World) -> None:
    quote = world.provider.quote(usd(1900), now=clock.now())
    assert isinstance(world.provider, Approximates)
    about = world.provider.approximate(usd(1900))
    assert about is not None
    assert abs(about.amount.minor - quote.due.minor) <= quote.due.minor // 100


def test_opening_again_with_the_same_key_opens_the_same(world: World, desk: Desk) -> None:
    intent = desk.intent(usd(1900))
    assert world.provider.open(intent) == world.provider.open(intent)


def test_two_payments_of_the_same_total_do_not_share_a_reference(desk: Desk) -> None:
    one, other = desk.open(), desk.open()
    assert one.reference != other.reference
    assert (one.details, one.due) != (other.details, other.due)


def test_details_are_text(desk: Desk) -> None:
    details = desk.open().details
    assert all(isinstance(key, str) and isinstance(text, str) for key, text in details.items())


def test_looking_at_nothing_shows_nothing(world: World) -> None:
    assert list(world.provider.check([])) == []


def test_a_payment_nobody_paid_has_no_credits(world: World, desk: Desk) -> None:
    payment, before = desk.open(), clock.now()
    (seen,) = world.provider.check([payment])
    assert seen.payment_id == payment.id
    assert list(seen.credits) == []
    assert seen.complete
    assert before <= seen.checked_at <= clock.now()


def test_money_that_arrives_is_seen_whole(world: World, desk: Desk) -> None:
    payment = desk.open()
    txid = world.pay(payment, payment.due.minor)
    (seen,) = world.provider.check([payment])
    (credit,) = seen.credits
    assert credit.amount == payment.due
    assert credit.reference == f"{txid}:0"
    assert credit.stage is Stage.SEEN
    assert all(isinstance(text, str) for text in credit.evidence.values())


def test_looking_again_shows_the_same_credit(world: World, desk: Desk) -> None:
    payment = desk.open()
    world.pay(payment, payment.due.minor)
    once = desk.look(payment)
    again = desk.look(once)
    assert [credit.reference for credit in again.credits] == [
        credit.reference for credit in once.credits
    ]


def test_money_settles(world: World, desk: Desk) -> None:
    payment = desk.open()
    txid = world.pay(payment, payment.due.minor)
    payment = desk.look(payment)
    world.settle(txid)
    assert stages(desk.look(payment)) == [Stage.SETTLED]


def test_money_that_is_no_longer_true_is_named_gone(world: World, desk: Desk) -> None:
    payment = desk.open()
    txid = world.pay(payment, payment.due.minor)
    payment = desk.look(payment)
    world.lose(txid)
    assert stages(desk.look(payment)) == [Stage.GONE]


def test_money_for_one_payment_is_not_another_ones(world: World, desk: Desk) -> None:
    mine, other = desk.open(), desk.open()
    world.pay(mine, mine.due.minor)
    seen = {one.payment_id: one for one in world.provider.check([mine, other])}
    assert len(seen[mine.id].credits) == 1
    assert list(seen[other.id].credits) == []


def test_trouble_is_no_answer_and_later_the_money_counts(world: World, desk: Desk) -> None:
    payment = desk.open()
    txid = world.pay(payment, payment.due.minor)
    world.trouble(on=True)
    with pytest.raises(ProviderUnavailable):
        list(world.provider.check([payment]))
    assert isinstance(world.provider, AcceptsProof)
    with pytest.raises(ProviderUnavailable):
        world.provider.submit(payment, txid)
    world.trouble(on=False)
    world.settle(txid)
    assert stages(desk.look(payment)) == [Stage.SETTLED]


def test_a_posted_proof_shows_money_that_is_not_listed_yet(world: World, desk: Desk) -> None:
    payment = desk.open()
    txid = world.pay(payment, payment.due.minor, listed=False)
    assert list(desk.look(payment).credits) == []
    assert isinstance(world.provider, AcceptsProof)
    seen = world.provider.submit(payment, f"  {txid.upper()}\n")
    assert not seen.complete
    assert list(seen.explained) == [txid]
    assert total_of(desk.post(payment, txid).credits) == payment.due.minor


def test_a_proof_kept_for_later_is_looked_at_and_explained(world: World, desk: Desk) -> None:
    payment = desk.open()
    txid = world.pay(payment, payment.due.minor, listed=False)
    payment = desk.look(replace(payment, proofs=(txid,)))
    assert total_of(payment.credits) == payment.due.minor
    assert list(payment.proofs) == []


def test_a_proof_nobody_heard_of_is_unknown(world: World, desk: Desk) -> None:
    payment = desk.open()
    with pytest.raises(UnknownProof):
        desk.post(payment, "ab" * 32)
    assert list(desk.look(replace(payment, proofs=("ab" * 32,))).proofs) == ["ab" * 32]


def test_a_proof_of_another_payment_is_refused(world: World, desk: Desk) -> None:
    mine, other = desk.open(), desk.open()
    txid = world.pay(other, other.due.minor)
    with pytest.raises(InvalidProof):
        desk.post(mine, txid)


@pytest.mark.parametrize("proof", ["", "abc", "z" * 64, "ab" * 31, "ab" * 33, "../../" + "a" * 58])
def test_a_proof_that_cannot_be_one_is_refused(world: World, desk: Desk, proof: str) -> None:
    payment = desk.open()
    assert isinstance(world.provider, AcceptsProof)
    with pytest.raises(InvalidProof):
        world.provider.submit(payment, proof)
    with pytest.raises(InvalidProof):
        world.provider.normalise_proof(proof)


def test_what_was_seen_a_while_ago_is_still_the_same_money(world: World, desk: Desk) -> None:
    payment = desk.open()
    world.pay(payment, payment.due.minor)
    payment = desk.look(aged(desk.look(payment)))
    assert total_of(payment.credits) == payment.due.minor
