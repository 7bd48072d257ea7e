import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http import Reply, Unavailable
from app.payments.base import RateUnavailable
from app.payments.onchain.rates import (
    PARSERS,
    Rate,
    RateJumped,
    Reading,
    ReadingRefused,
    consensus,
    parse,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())
ISO = "2026-05-01T12:00:00Z"

GOOD = {
    "whatsonchain": f'{{"rate":27.055,"time":{STAMP},"currency":"USD"}}',
    "coingecko": f'{{"bitcoin-cash-sv":{{"usd":27.055,"last_updated_at":{STAMP}}}}}',
    "coinpaprika": f'{{"quotes":{{"USD":{{"price":27.055}}}},"last_updated":"{ISO}"}}',
    "gate": '[{"currency_pair":"BSV_USDT","last":"27.055"}]',
    "bitget": f'{{"code":"00000","data":[{{"lastPr":"27.055","ts":"{STAMP}000"}}]}}',
    "mexc": '{"symbol":"BSVUSDT","price":"27.055"}',
    "htx": f'{{"tick":{{"data":[{{"price":27.055,"ts":{STAMP}000}}]}}}}',
}


def read(source: str, text: str) -> Reading:
    return parse(source, Reply(200, text.encode()).json(), NOW)


@pytest.mark.parametrize("source", PARSERS)
def test_each_source_is_read_in_its_own_words(source: str) -> None:
    assert read(source, GOOD[source]) == Reading(source, Decimal("27.055"), NOW)


WRONG = ["0", "-1", "1e400", "-0.0", "true", "null", "[]", "{}", '"NaN"', '"Infinity"', '"1e3"']
BARE = ["NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("source", PARSERS)
@pytest.mark.parametrize("price", [*WRONG, *BARE, '"-1"', '"0"', '" 1"', '"٢٧"', '"27,055"'])
def test_what_is_no_price_is_refused(source: str, price: str) -> None:
    written = '"27.055"' in GOOD[source]
    text = GOOD[source].replace('"27.055"' if written else "27.055", price)
    with pytest.raises((ReadingRefused, Unavailable)):
        read(source, text)


@pytest.mark.parametrize("source", PARSERS)
def test_a_number_and_its_text_are_not_taken_for_each_other(source: str) -> None:
    old, new = ("27.055", '"27.055"') if '"27.055"' not in GOOD[source] else ('"27.055"', "27.055")
    with pytest.raises(ReadingRefused):
        read(source, GOOD[source].replace(old, new))


@pytest.mark.parametrize("source", PARSERS)
@pytest.mark.parametrize("text", ["null", "[]", "{}", "1", '"x"', "[null]", '{"data":null}'])
def test_another_shape_is_refused(source: str, text: str) -> None:
    with pytest.raises(ReadingRefused):
        read(source, text)


def test_the_old_name_of_the_coin_answers_nothing() -> None:
    with pytest.raises(ReadingRefused):
        read("coingecko", "{}")


@pytest.mark.parametrize("stamp", ["0", "-5", "true", "1e300", '"x"', "99999999999999999999"])
def test_a_stamp_that_is_no_time_is_refused(stamp: str) -> None:
    for source in ("whatsonchain", "coingecko"):
        with pytest.raises(ReadingRefused):
            read(source, GOOD[source].replace(str(STAMP), stamp))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["rate", "time", "data", "tick", "price", "quotes", "USD", "last"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    )
)
def test_no_body_raises_anything_else(body: Any) -> None:
    for source in PARSERS:
        with suppress(ReadingRefused):
            assert parse(source, body, NOW).price > 0


def readings(*prices: str, age: timedelta = timedelta(0)) -> list[Reading]:
    return [
        Reading(f"source{number}", Decimal(price), NOW - age) for number, price in enumerate(prices)
    ]


def good(price: str, minutes: float) -> Rate:
    return Rate(Decimal(price), NOW - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (["25", "25"], "25"),
        (["25", "25.2"], "25.1"),
        (["24.9", "25", "25.1"], "25"),
        (["25", "25.1", "250"], "25.05"),
        (["0.01", "25", "25.1"], "25.05"),
        (["24", "25", "25.1", "26.5"], "25.05"),
        (["25.75", "25", "25"], "25"),
        (["25.76", "25", "25"], "25"),
    ],
)
def test_the_rate_is_the_median_of_those_that_agree(prices: list[str], expected: str) -> None:
    assert consensus(readings(*prices), None, NOW).value == Decimal(expected)


def test_an_outlier_is_not_named_as_a_source() -> None:
    assert set(consensus(readings("25", "25.1", "40"), None, NOW).sources) == {"source0", "source1"}
    assert set(consensus(readings("25.75", "25", "25"), None, NOW).sources) == {
        "source0",
        "source1",
        "source2",
    }


@pytest.mark.parametrize("prices", [[], ["25"], ["25", "30"], ["20", "25", "30"]])
def test_without_two_that_agree_there_is_no_rate(prices: list[str]) -> None:
    with pytest.raises(RateUnavailable):
        consensus(readings(*prices), None, NOW)


def test_a_single_configured_source_is_enough() -> None:
    assert consensus(readings("25"), None, NOW, needed=1).value == 25


@pytest.mark.parametrize(("minutes", "counts"), [(5, True), (5.1, False), (-5.1, False)])
def test_only_fresh_readings_count(minutes: float, counts: bool) -> None:
    stale = readings("25", "25", age=timedelta(minutes=minutes))
    if counts:
        assert consensus(stale, None, NOW).at == NOW - timedelta(minutes=minutes)
    else:
        with pytest.raises(RateUnavailable):
            consensus(stale, None, NOW)


@pytest.mark.parametrize(("minutes", "lives"), [(0, True), (15, True), (15.1, False), (-16, False)])
def test_the_last_good_rate_carries_on_for_a_quarter_of_an_hour(
    minutes: float, lives: bool
) -> None:
    last = good("25", minutes)
    if lives:
        assert consensus(readings("40"), last, NOW) is last
    else:
        with pytest.raises(RateUnavailable):
            consensus([], last, NOW)


@pytest.mark.parametrize(
    ("price", "minutes", "taken"),
    [
        ("30", 60, True),
        ("30.01", 60, False),
        ("19.99", 1, False),
        ("20", 1, True),
        ("60", 61, True),
    ],
)
def test_a_jump_within_the_hour_waits_for_a_person(price: str, minutes: float, taken: bool) -> None:
    seen = readings(price, price)
    if taken:
        assert consensus(seen, good("25", minutes), NOW).value == Decimal(price)
    else:
        with pytest.raises(RateJumped) as jump:
            consensus(seen, good("25", minutes), NOW)
        assert jump.value.rate.value == Decimal(price)


def test_the_bodies_the_explorer_documents_are_read() -> None:
    body = json.loads('{"rate":27.055,"time":1752257180,"currency":"USD"}', parse_float=Decimal)
    assert parse("whatsonchain", body, NOW).at == datetime(2025, 7, 11, 18, 6, 20, tzinfo=UTC)
    with pytest.raises(ReadingRefused):
        parse("whatsonchain", body | {"currency": "EUR"}, NOW)
