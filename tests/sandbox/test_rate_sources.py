from datetime import datetime
from decimal import Decimal
from statistics import median

import pytest

# Where each source keeps its price, and its stamp in seconds where it has one.
PRICE = {
    "whatsonchain": lambda body: body["rate"],
    "coingecko": lambda body: body["bitcoin-cash-sv"]["usd"],
    "coinpaprika": lambda body: body["quotes"]["USD"]["price"],
    "gate": lambda body: body[0]["last"],
    "bitget": lambda body: body["data"][0]["lastPr"],
    "mexc": lambda body: body["price"],
    "htx": lambda body: body["tick"]["data"][0]["price"],
}
STAMP = {
    "whatsonchain": lambda body: body["time"],
    "coingecko": lambda body: body["bitcoin-cash-sv"]["last_updated_at"],
    "coinpaprika": lambda body: datetime.fromisoformat(body["last_updated"]).timestamp(),
    "bitget": lambda body: body["requestTime"] / 1000,
    "htx": lambda body: body["tick"]["data"][0]["ts"] / 1000,
}


@pytest.fixture
def body(client):
    return lambda source: client.get(f"/rates/{source}").json


def price(source, body):
    return Decimal(str(PRICE[source](body(source))))


def test_all_sources_agree_within_a_hundredth(body):
    prices = {source: price(source, body) for source in PRICE}
    middle = median(prices.values())
    assert 24 < middle < 26
    assert all(abs(found - middle) < middle / 100 for found in prices.values())
    assert len(set(prices.values())) == len(prices)


def test_prices_drift_slowly(body, clock):
    before = price("gate", body)
    clock.pass_by(600)
    after = price("gate", body)
    assert 0 < abs(after - before) < before / 100


@pytest.mark.parametrize("source", STAMP)
def test_a_stamp_is_the_time_or_an_hour_before_it(body, act, clock, source):
    assert STAMP[source](body(source)) == clock.now
    act("/faults", name=f"rate_{source}", value="stale")
    assert STAMP[source](body(source)) == clock.now - 3600


@pytest.mark.parametrize("source", PRICE)
def test_each_source_may_fail_alone(body, act, client, source):
    honest = price(source, body)
    act("/faults", name=f"rate_{source}", value="zero")
    assert price(source, body) == 0
    act("/faults", name=f"rate_{source}", value="outlier")
    assert price(source, body) > honest * Decimal("1.3")
    act("/faults", name=f"rate_{source}", value="down")
    assert client.get(f"/rates/{source}").status_code == 503
    others = [other for other in PRICE if other != source]
    assert all(price(other, body) > 24 for other in others)


def test_the_explorer_tells_the_rate_in_its_own_words(explorer, samples, client):
    ours = explorer("/exchangerate").json
    assert ours.keys() == samples["GET /exchangerate"]["json"].keys()
    assert ours == client.get("/rates/whatsonchain").json


def test_a_source_answers_under_its_real_path_too(client):
    known = client.get("/rates/coingecko/api/v3/simple/price?ids=bitcoin-cash-sv&vs_currencies=usd")
    assert known.json == client.get("/rates/coingecko").json
    assert client.get("/rates/nobody").status_code == 404
