"""The on-chain rail against an explorer with memory: what counts, and what never does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app import clock
from app.money import Money, bsv, usd
from app.payments.base import (
    AcceptsProof,
    DestinationTaken,
    InvalidProof,
    NeedsUpkeep,
    Observation,
    OpenPayment,
    ProviderUnavailable,
    Stage,
    UnknownProof,
)
from app.payments.registry import build as build_rails
from tests.fakes.desk import Desk, aged, stages, total_of
from tests.fakes.explorer import FAULTS, FakeExplorer
from tests.fakes.memory import FakeMemory
from tests.fakes.rails import ADDRESS, Settings, account, rail, with_address, with_xpub
from tests.fakes.transactions import a_coin, build, coinbase, p2pkh


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr("app.http.random.uniform", lambda least, most: 0.0)


@pytest.fixture
def explorer() -> Iterator[FakeExplorer]:
    explorer = FakeExplorer()
    with explorer.answering():
        yield explorer


@pytest.fixture
def desk(explorer: FakeExplorer) -> Desk:
    return Desk(with_xpub())


@pytest.fixture
def shared(explorer: FakeExplorer) -> Desk:
    return Desk(with_address())


def script(payment: OpenPayment) -> bytes:
    return bytes.fromhex(payment.details["script"])


def paying(payment: OpenPayment, satoshis: int | None = None) -> bytes:
    return build([(satoshis or payment.due.minor, script(payment))])


# Opening


def test_each_payment_has_a_fresh_address_in_its_uri(desk: Desk) -> None:
    one, other = desk.open(), desk.open()
    assert one.details["address"] != other.details["address"]
    assert one.details["uri"] == (
        f"bitcoin:{one.details['address']}?sv&amount=0.76000000&label=Order%20S-1001"
    )
    assert (one.reference, one.details["index"]) == (one.details["address"], "0")
    assert one.due == bsv(76_000_000)


def test_an_amount_in_a_uri_has_no_exponent(explorer: FakeExplorer) -> None:
    explorer.prices = dict.fromkeys(explorer.prices, 9_000_000.0)
    payment = Desk(with_xpub()).open(usd(1))
    assert "amount=0.00000001&" in payment.details["uri"]
    assert payment.due == bsv(1)


def test_a_margin_is_added_to_the_quote(explorer: FakeExplorer) -> None:
    rails = rail(Settings(bsv_xpub=account()[0], quote_margin_percent=Decimal(2)))
    assert rails.quote(usd(1900), now=clock.now()).due == bsv(77_520_000)


def test_an_address_with_a_past_is_passed_over(explorer: FakeExplorer, desk: Desk) -> None:
    first = desk.open()
    explorer.send(paying(first))
    again = Desk(with_xpub())
    with pytest.raises(DestinationTaken):
        again.provider.open(again.intent(usd(1900), sequence=0))
    assert Desk(with_xpub()).open().details["index"] == "1"


@pytest.mark.parametrize("fault", FAULTS)
def test_an_explorer_in_trouble_does_not_stop_the_sale(
    explorer: FakeExplorer, desk: Desk, fault: str
) -> None:
    intent = desk.intent(usd(1900))
    explorer.misbehave(fault)
    assert desk.provider.open(intent).reference


def test_one_address_gives_every_payment_an_amount_of_its_own(shared: Desk) -> None:
    payments = [shared.open() for _ in range(5)]
    assert [payment.due.minor - 76_000_000 for payment in payments] == [0, 1, 2, 3, 4]
    assert {payment.details["address"] for payment in payments} == {ADDRESS}
    assert payments[2].reference == f"{ADDRESS}:76000002"
    assert "amount=0.76000002&" in payments[2].details["uri"]


def test_a_store_without_keys_offers_no_coins() -> None:
    assert build_rails(Settings(), FakeMemory()) == []


# B1 to B4: whose money it is


def test_a_posted_id_in_any_spelling_is_the_same_id(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment), indexed=False)
    for spelling in (txid, txid.upper(), f" {txid}\n", f"0x{txid}", f"{txid[:32]} {txid[32:]}"):
        assert [one.reference for one in desk.post(payment, spelling).credits] == [f"{txid}:0"]


def test_a_transaction_older_than_the_order_is_refused(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment))
    explorer.mine(txid, block_time=int((clock.now() - timedelta(hours=3)).timestamp()))
    with pytest.raises(InvalidProof, match="older than this order"):
        desk.post(payment, txid)
    assert list(desk.look(payment).credits) == []


def test_the_time_of_a_block_is_asked_for_when_the_bulk_answer_lacks_it(
    explorer: FakeExplorer, desk: Desk
) -> None:
    explorer.tells_block_time = False
    payment = desk.open()
    txid = explorer.send(paying(payment))
    explorer.mine(txid, block_time=int((clock.now() - timedelta(hours=3)).timestamp()))
    assert list(desk.look(payment).credits) == []
    assert f"/tx/hash/{txid}" in explorer.asked


def test_an_amount_to_a_shared_address_from_before_the_order_is_not_counted(
    explorer: FakeExplorer, shared: Desk
) -> None:
    payment = shared.open()
    txid = explorer.send(paying(payment))
    explorer.mine(txid, depth=6, block_time=int((clock.now() - timedelta(days=1)).timestamp()))
    assert list(shared.look(payment).credits) == []


@pytest.mark.parametrize(
    "alter",
    [
        lambda good: good[:-1],
        lambda good: good + b"\x00",
        lambda good: good[:3] + b"\x22" * 20 + good[23:],
        lambda good: b"\xa9\x14" + good[3:23] + b"\x87",
        lambda good: b"\x6a" + good,
        lambda good: b"\x00\x75" + good,
    ],
)
def test_only_the_exact_script_is_ours(
    explorer: FakeExplorer, desk: Desk, alter: Callable[[bytes], bytes]
) -> None:
    payment = desk.open()
    txid = explorer.send(build([(payment.due.minor, alter(script(payment)))]))
    with pytest.raises(InvalidProof, match="another address"):
        desk.post(payment, txid)
    assert list(desk.look(replace(payment, proofs=(txid,))).credits) == []


def test_money_comes_short_in_parts_and_over(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    explorer.send(paying(payment, payment.due.minor - 1))
    payment = desk.look(payment)
    assert total_of(payment.credits) == payment.due.minor - 1
    explorer.send(paying(payment, 1))
    explorer.send(paying(payment, 5))
    payment = desk.look(payment)
    assert total_of(payment.credits) == payment.due.minor + 5


def test_every_output_to_us_counts_once(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(
        build([(10, script(payment)), (99, p2pkh()), (20, script(payment)), (0, script(payment))])
    )
    payment = desk.look(desk.look(payment))
    assert [(one.reference, one.amount.minor) for one in payment.credits] == [
        (f"{txid}:0", 10),
        (f"{txid}:2", 20),
    ]


def test_one_transaction_may_pay_two_payments_each_its_own_output(
    explorer: FakeExplorer, desk: Desk
) -> None:
    one, other = desk.open(), desk.open()
    explorer.send(build([(one.due.minor, script(one)), (other.due.minor, script(other))]))
    seen = {look.payment_id: look.credits for look in desk.provider.check([one, other])}
    references = [seen[one.id][0].reference, seen[other.id][0].reference]
    assert len(set(references)) == 2


@pytest.mark.parametrize("off", [-1, 1])
def test_at_a_shared_address_only_the_exact_amount_counts(
    explorer: FakeExplorer, shared: Desk, off: int
) -> None:
    payment = shared.open()
    txid = explorer.send(paying(payment, payment.due.minor + off))
    assert list(shared.look(payment).credits) == []
    with pytest.raises(InvalidProof, match=r"exactly 0\.76000000 BSV"):
        shared.post(payment, txid)


def test_a_thief_who_posts_anothers_transaction_gets_nothing(
    explorer: FakeExplorer, shared: Desk
) -> None:
    victim, thief = shared.open(), shared.open()
    txid = explorer.send(paying(victim))
    with pytest.raises(InvalidProof):
        shared.post(thief, txid)
    assert total_of(shared.post(victim, txid).credits) == victim.due.minor


# B6 to B8: depth, double spends, reorganisations


def test_an_unconfirmed_payment_settles_after_ten_quiet_seconds(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment = desk.open()
    explorer.send(paying(payment))
    payment = desk.look(payment)
    assert stages(payment) == [Stage.SEEN]
    assert stages(desk.look(aged(payment))) == [Stage.SETTLED]


@pytest.mark.parametrize(("total", "deep"), [(usd(2001), 1), (usd(20001), 6)])
def test_a_dearer_order_waits_for_confirmations(
    explorer: FakeExplorer, desk: Desk, total: Money, deep: int
) -> None:
    payment = desk.open(total)
    txid = explorer.send(paying(payment))
    assert stages(desk.look(aged(desk.look(payment)))) == [Stage.SEEN]
    if deep > 1:
        explorer.mine(txid, depth=deep - 1)
        assert stages(desk.look(payment)) == [Stage.SEEN]
    explorer.mine(txid, depth=deep)
    (seen,) = desk.provider.check([payment])
    assert (seen.credits[0].stage, seen.credits[0].confirmations) == (Stage.SETTLED, deep)
    assert seen.credits[0].evidence["block_height"] == str(explorer.height - deep + 1)
    assert seen.credits[0].evidence["raw"]


def test_a_coinbase_waits_for_a_hundred(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(coinbase([(payment.due.minor, script(payment))]))
    explorer.mine(txid, depth=99)
    assert stages(desk.look(payment)) == [Stage.SEEN]
    explorer.mine(txid, depth=100)
    assert stages(desk.look(payment)) == [Stage.SETTLED]


def test_a_double_spent_payment_is_gone_and_does_not_come_back_by_itself(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment, coin = desk.open(), a_coin()
    raw = build([(payment.due.minor, script(payment))], coins=[coin])
    txid = explorer.send(raw)
    payment = aged(desk.look(payment))
    explorer.forget(txid)
    explorer.send(build([(payment.due.minor, p2pkh())], coins=[coin]))
    payment = desk.look(payment)
    assert stages(payment) == [Stage.GONE]
    explorer.send(raw)
    assert stages(desk.look(aged(payment))) == [Stage.SEEN]
    explorer.mine(txid)
    assert stages(desk.look(payment)) == [Stage.SETTLED]


def test_the_same_coins_under_a_new_id_replace_a_credit(explorer: FakeExplorer, desk: Desk) -> None:
    payment, coin = desk.open(), a_coin()
    outputs = [(payment.due.minor, script(payment))]
    first = explorer.send(build(outputs, coins=[coin]))
    payment = desk.look(payment)
    explorer.forget(first)
    explorer.send(build(outputs, coins=[coin], unlocking=b"\x52" * 40))
    payment = desk.look(payment)
    assert sorted(stages(payment)) == [Stage.GONE, Stage.SEEN]
    assert total_of(payment.credits) == payment.due.minor


def test_of_two_that_spend_the_same_coins_one_counts_and_waits(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment, coin = desk.open(), a_coin()
    outputs = [(payment.due.minor, script(payment))]
    first = explorer.send(build(outputs, coins=[coin]))
    payment = aged(desk.look(payment))
    second = explorer.send(build(outputs, coins=[coin], unlocking=b"\x52" * 40))
    for payment_now in (desk.look(payment), desk.post(payment, second)):
        assert total_of(payment_now.credits) == payment.due.minor
        assert stages(payment_now) == [Stage.SEEN]
    explorer.mine(second)
    payment = desk.look(payment)
    assert {one.reference: one.stage for one in payment.credits} == {
        f"{first}:0": Stage.GONE,
        f"{second}:0": Stage.SETTLED,
    }


def test_a_reorganised_payment_is_gone_once_and_settles_again(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment = desk.open(usd(5000))
    raw = paying(payment)
    txid = explorer.send(raw)
    explorer.mine(txid)
    payment = desk.look(payment)
    assert stages(payment) == [Stage.SETTLED]
    explorer.unmine(txid)
    assert stages(desk.look(payment)) == [Stage.SEEN]
    explorer.forget(txid)
    payment = desk.look(payment)
    assert stages(payment) == [Stage.GONE]
    (again,) = desk.provider.check([payment])
    assert list(again.credits) == []
    explorer.send(raw)
    explorer.mine(txid, depth=2)
    assert stages(desk.look(payment)) == [Stage.SETTLED]


def test_unknown_needs_both_the_status_and_the_bytes(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment))
    payment = aged(desk.look(payment))
    explorer.forget(txid)
    explorer.misbehave("500", "/txs/hex")
    (seen,) = desk.provider.check([payment])
    assert (list(seen.credits), seen.complete) == ([], False)


# B9, B10: an explorer in trouble, or lying


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_means_wait_and_a_good_answer_pays_afterwards(
    explorer: FakeExplorer, desk: Desk, fault: str
) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment))
    explorer.mine(txid, depth=6)
    explorer.misbehave(fault)
    began = time.monotonic()
    assert Stage.SETTLED not in stages(_looked(desk, payment))
    assert Stage.SETTLED not in stages(_posted(desk, payment, txid))
    assert time.monotonic() - began < 10
    explorer.misbehave(None)
    if fault == "429":
        time.sleep(1.1)  # what Retry-After asked for
    assert stages(desk.look(payment)) == [Stage.SETTLED]
    assert stages(desk.post(payment, txid)) == [Stage.SETTLED]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_never_takes_a_credit_away(explorer: FakeExplorer, desk: Desk, fault: str) -> None:
    payment = desk.open()
    explorer.mine(explorer.send(paying(payment)), depth=6)
    payment = desk.look(payment)
    explorer.misbehave(fault)
    assert stages(_looked(desk, payment)) == [Stage.SETTLED]
    assert stages(_posted(desk, payment, payment.credits[0].reference[:64])) == [Stage.SETTLED]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["/addresses/history", "/txs/hex", "/txs/status"])
def test_a_fault_at_one_path_never_ends_a_payment(
    explorer: FakeExplorer, desk: Desk, fault: str, path: str
) -> None:
    payment = desk.open()
    explorer.mine(explorer.send(paying(payment)), depth=6)
    explorer.misbehave(fault, path)
    for seen in _observations(desk, payment):
        assert seen.credits or not seen.complete
        assert all(credit.stage is not Stage.GONE for credit in seen.credits)


def test_bytes_that_do_not_hash_to_the_id_are_nobodys_money(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment, 1))
    explorer.lie(txid, paying(payment))
    explorer.mine(txid, depth=6)
    (seen,) = desk.provider.check([payment])
    assert (list(seen.credits), seen.complete) == ([], False)
    with pytest.raises(ProviderUnavailable):
        desk.post(payment, txid)


def test_bytes_that_hash_but_are_no_transaction_are_explained_away(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment) + b"\x00", indexed=False)
    payment = replace(payment, proofs=(txid,))
    with pytest.raises(InvalidProof, match="not well formed"):
        desk.post(payment, txid)
    assert list(desk.look(payment).proofs) == []


def test_one_bad_element_counts_for_itself_alone(explorer: FakeExplorer, desk: Desk) -> None:
    good, bad = desk.open(), desk.open()
    explorer.send(paying(good))
    spoiled = explorer.send(paying(bad))
    explorer.lie(spoiled, paying(bad))
    seen = {look.payment_id: look for look in desk.provider.check([good, bad])}
    assert len(seen[good.id].credits) == 1
    assert not seen[bad.id].complete


def test_one_batch_in_trouble_leaves_the_others_alone(
    explorer: FakeExplorer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = [desk.open() for _ in range(41)]
    calls = iter(range(100))
    answer = explorer._body

    def second_history_fails(path: str, asked: dict[str, list[str]]) -> tuple[int, Any]:
        return (400, "no") if next(calls) == 1 else answer(path, asked)

    monkeypatch.setattr(explorer, "_body", second_history_fails)
    seen = [look.payment_id for look in desk.provider.check(payments)]
    assert seen == [payment.id for payment in [*payments[:20], *payments[40:]]]


def test_a_huge_transaction_does_not_hide_the_others(explorer: FakeExplorer, desk: Desk) -> None:
    small, huge = desk.open(), desk.open()
    explorer.send(paying(small))
    explorer.send(build([(huge.due.minor, script(huge)), (0, b"\x6a" * 1_200_000)]))
    seen = {look.payment_id: look for look in desk.provider.check([small, huge])}
    assert len(seen[small.id].credits) == 1
    assert (list(seen[huge.id].credits), seen[huge.id].complete) == ([], False)


# B16 to B18: floods and odd ids


def test_an_unknown_id_is_asked_about_once_in_fifteen_seconds(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment = desk.open()
    explorer.asked.clear()
    for _ in range(200):
        with pytest.raises(UnknownProof):
            desk.post(payment, "ab" * 32)
    assert len(explorer.asked) == 1


def test_a_transaction_of_somebody_else_is_fetched_once(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(build([(5, p2pkh())]))
    explorer.asked.clear()
    for _ in range(50):
        with pytest.raises(InvalidProof):
            desk.post(payment, txid)
    assert len(explorer.asked) == 1


ODD = [
    "../" * 21 + "a",
    "%2e" * 21 + "a",
    *("a" * 63 + letter for letter in "/?#&\x00"),
    *(letter * 64 for letter in "а𝟎１"),  # look like digits, and are not
    "http://127.0.0.1/" + "a" * 47,
    "a" * 6400,
]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_id_never_reaches_the_explorer(explorer: FakeExplorer, desk: Desk, odd: str) -> None:
    payment = desk.open()
    explorer.asked.clear()
    with pytest.raises(InvalidProof):
        desk.post(payment, odd)
    assert explorer.asked == []


def test_dust_by_the_thousand_is_not_read(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    outputs = [(1, script(payment))] * 10_000 + [(payment.due.minor, script(payment))]
    explorer.send(build(outputs))
    began = time.monotonic()
    payment = desk.look(payment)
    assert time.monotonic() - began < 1
    assert len(payment.credits) == 20
    assert total_of(payment.credits) == payment.due.minor + 19


def test_many_small_payments_do_not_hide_the_real_one(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    for _ in range(150):
        explorer.send(paying(payment, 1))
    explorer.send(paying(payment))
    looks = 0
    while total_of(payment.credits) < payment.due.minor:
        payment, looks = desk.look(payment), looks + 1
    assert looks == 3


def test_a_shared_address_with_a_long_past_still_finds_its_money(
    explorer: FakeExplorer, shared: Desk
) -> None:
    payment = shared.open()
    for satoshis in range(200):
        explorer.send(build([(satoshis + 1, script(payment))]))
    explorer.send(paying(payment))
    looks = 0
    while not payment.credits:
        payment, looks = shared.look(payment), looks + 1
        assert looks < 6


def test_what_was_settled_long_before_is_not_fetched(explorer: FakeExplorer, shared: Desk) -> None:
    assert isinstance(shared.provider, NeedsUpkeep)
    shared.provider.upkeep()
    payment = shared.open()
    explorer.mine(explorer.send(build([(5, script(payment))])), depth=500)
    explorer.asked.clear()
    shared.look(payment)
    assert explorer.asked == ["/addresses/history/all"]


# What it costs


def test_twenty_payments_cost_three_requests(explorer: FakeExplorer, desk: Desk) -> None:
    payments = [desk.open() for _ in range(20)]
    for payment in payments:
        explorer.send(paying(payment))
    explorer.asked.clear()
    assert len(list(desk.provider.check(payments))) == 20
    assert explorer.asked == ["/addresses/history/all", "/txs/hex", "/txs/status"]


def test_bytes_kept_as_evidence_are_not_fetched_again(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    explorer.send(paying(payment))
    payment = desk.look(payment)
    explorer.asked.clear()
    Desk(with_xpub()).look(payment)
    assert "/txs/hex" not in explorer.asked


def test_evidence_that_does_not_hash_to_its_id_is_fetched_afresh(
    explorer: FakeExplorer, desk: Desk
) -> None:
    payment = desk.open()
    explorer.send(paying(payment, 5))
    (credit,) = desk.look(payment).credits
    forged = replace(credit, evidence={"raw": paying(payment).hex()})
    assert total_of(Desk(with_xpub()).look(replace(payment, credits=(forged,))).credits) == 5


def test_after_a_slow_answer_nobody_waits_for_a_second(
    explorer: FakeExplorer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.payments.onchain.lookout.STILL_TIME", 0.0)
    payment = desk.open()
    txid = explorer.send(paying(payment), indexed=False)
    explorer.asked.clear()
    assert stages(desk.post(payment, txid)) == [Stage.SEEN]
    assert explorer.asked == [f"/tx/{txid}/hex"]


def test_a_posted_id_costs_two_requests(explorer: FakeExplorer, desk: Desk) -> None:
    payment = desk.open()
    txid = explorer.send(paying(payment), indexed=False)
    explorer.asked.clear()
    assert isinstance(desk.provider, AcceptsProof)
    desk.provider.submit(payment, txid)
    assert explorer.asked == [f"/tx/{txid}/hex", "/txs/status"]


def _looked(desk: Desk, payment: OpenPayment) -> OpenPayment:
    try:
        return desk.look(payment)
    except ProviderUnavailable:
        return payment


def _posted(desk: Desk, payment: OpenPayment, txid: str) -> OpenPayment:
    try:
        return desk.post(payment, txid)
    except (ProviderUnavailable, UnknownProof):
        return payment


def _observations(desk: Desk, payment: OpenPayment) -> list[Observation]:
    try:
        return list(desk.provider.check([payment]))
    except ProviderUnavailable:
        return []
