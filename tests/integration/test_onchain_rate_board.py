"""The rate as the store remembers it: several sources, one memory, nothing taken on trust."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import requests

from app import clock
from app.money import bsv, usd
from app.payments.base import Approximates, NeedsUpkeep, RateUnavailable
from app.payments.onchain.rateboard import RateBoard, source
from tests.fakes.explorer import RATES, FakeExplorer
from tests.fakes.memory import FakeMemory
from tests.fakes.rails import Settings, account, rail, with_xpub


@pytest.fixture
def explorer() -> Iterator[FakeExplorer]:
    explorer = FakeExplorer()
    with explorer.answering():
        yield explorer


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture
def board(explorer: FakeExplorer, memory: FakeMemory) -> RateBoard:
    return another_board(memory)


@pytest.fixture
def now() -> datetime:
    return clock.now()


def another_board(memory: FakeMemory) -> RateBoard:
    names = ("whatsonchain", "coingecko", "gate")
    return RateBoard([source(name, f"{RATES}/{name}") for name in names], memory)


def test_the_sources_are_asked_once_a_minute_by_the_whole_store(
    explorer: FakeExplorer, memory: FakeMemory, now: datetime
) -> None:
    for board in (another_board(memory), another_board(memory)):
        assert board.current(now).value == Decimal("25.0")
    assert len(explorer.asked) == 3
    board.current(now + timedelta(seconds=61))
    assert len(explorer.asked) == 6


def test_peeking_asks_nobody(explorer: FakeExplorer, board: RateBoard, now: datetime) -> None:
    assert board.peek(now) is None
    board.current(now)
    explorer.asked.clear()
    assert board.peek(now + timedelta(minutes=10)) is not None
    assert board.peek(now + timedelta(minutes=16)) is None
    assert explorer.asked == []


@pytest.mark.parametrize("bad", [0, -1, float("nan"), True, "25", None, requests.ReadTimeout()])
def test_one_bad_source_is_left_out(
    explorer: FakeExplorer, board: RateBoard, now: datetime, bad: object
) -> None:
    explorer.prices["coingecko"] = bad
    assert set(board.current(now).sources) == {"whatsonchain", "gate"}


@pytest.mark.parametrize("bad", [0, -1, float("nan"), None])
def test_without_sources_the_rail_closes_and_opens_again(
    explorer: FakeExplorer, board: RateBoard, now: datetime, bad: object
) -> None:
    well, explorer.prices = explorer.prices, dict.fromkeys(explorer.prices, bad)
    with pytest.raises(RateUnavailable):
        board.current(now)
    explorer.prices = well
    assert board.current(now + timedelta(seconds=11)).value == Decimal("25.0")


def test_the_last_good_rate_bridges_a_quarter_of_an_hour(
    explorer: FakeExplorer, board: RateBoard, now: datetime
) -> None:
    board.current(now)
    explorer.prices.clear()
    assert board.current(now + timedelta(minutes=14)).value == Decimal("25.0")
    with pytest.raises(RateUnavailable):
        board.current(now + timedelta(minutes=16))


def test_a_jump_is_held_until_a_person_accepts_it(
    explorer: FakeExplorer, board: RateBoard, now: datetime
) -> None:
    board.current(now)
    explorer.prices = dict.fromkeys(explorer.prices, 50.0)
    assert board.held() is None
    soon = now + timedelta(seconds=61)
    assert board.current(soon).value == Decimal("25.0")
    held = board.held()
    assert held is not None
    assert held.value == 50
    assert board.accept_held() == held
    assert board.current(soon).value == 50
    assert board.held() is None


def test_slow_sources_do_not_hold_a_buyer_up(
    board: RateBoard, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.payments.onchain.rateboard.ALL_WITHIN", 0.2)
    monkeypatch.setattr(FakeExplorer, "_rate", lambda *_: time.sleep(0.6))
    began = time.monotonic()
    slow = FakeExplorer()
    with slow.answering(), pytest.raises(RateUnavailable):
        board.current(now)
    assert time.monotonic() - began < 0.5
    time.sleep(0.6)  # the stragglers end within this test


def test_a_source_nobody_can_read_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="RATE_SOURCES: nowhere"):
        source("nowhere", "http://rates.test/nowhere")


def test_one_configured_source_is_enough(explorer: FakeExplorer) -> None:
    provider = rail(
        Settings(bsv_xpub=account()[0], rate_sources={"whatsonchain": f"{RATES}/whatsonchain"})
    )
    assert provider.quote(usd(2500), now=clock.now()).due == bsv(100_000_000)


def test_upkeep_keeps_pages_supplied(explorer: FakeExplorer) -> None:
    provider = with_xpub()
    assert isinstance(provider, Approximates)
    assert isinstance(provider, NeedsUpkeep)
    assert provider.approximate(usd(1900)) is None
    provider.upkeep()
    provider.upkeep()
    assert sorted(explorer.asked) == [
        "/chain/info",
        "rate:coingecko",
        "rate:gate",
        "rate:whatsonchain",
    ]
    about = provider.approximate(usd(1900))
    assert about is not None
    assert (about.amount, about.rate) == (bsv(76_000_000), Decimal("25.0"))


def test_upkeep_survives_every_trouble(explorer: FakeExplorer) -> None:
    explorer.prices.clear()
    explorer.misbehave("html")
    provider = with_xpub()
    assert isinstance(provider, NeedsUpkeep)
    provider.upkeep()
