"""The explorer's client, body by body."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from app.http import TokenBucket, Unavailable
from app.payments.base import AcceptsProof, ProviderUnavailable, Stage
from app.payments.onchain.whatsonchain import Status, WhatsOnChain, base_url
from tests.fakes.desk import Desk, stages
from tests.fakes.explorer import BASE, FakeExplorer
from tests.fakes.rails import Settings, account, rail, with_xpub
from tests.fakes.transactions import build

BODIES = json.loads((Path(__file__).parents[1] / "data" / "woc_bodies.json").read_text())["bodies"]
TXID = "04ebb73043228e07675ffed7e24c3eb77bdc291dd608afc0ab9f065efd5c984d"
HASH = "00000000000000000f319745450f7d4c42ddea4d6a1f46a1208f5be4fc233d27"
USED = "1BFaJwJz5KPYGe28afDkGswbuKK6uK8hzQ"
UNUSED = "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> WhatsOnChain:
    return WhatsOnChain(BASE, network="test", budget=TokenBucket(10_000))


def body(start: str) -> Any:
    return next(body for name, body in BODIES.items() if name.startswith(start))


@pytest.mark.parametrize(
    ("url", "network", "base"),
    [
        (None, "main", "https://api.whatsonchain.com/v1/bsv/main"),
        (None, "test", "https://api.whatsonchain.com/v1/bsv/test"),
        ("http://127.0.0.1:9999", "sandbox", "http://127.0.0.1:9999/v1/bsv/test"),
        ("http://127.0.0.1:9999/", "test", "http://127.0.0.1:9999/v1/bsv/test"),
        ("http://127.0.0.1:9999/v1/bsv/test", "test", "http://127.0.0.1:9999/v1/bsv/test"),
        ("http://127.0.0.1:9999/v1/bsv/test/", "main", "http://127.0.0.1:9999/v1/bsv/test"),
        ("http://stand.in/woc", "main", "http://stand.in/woc/v1/bsv/main"),
    ],
)
def test_the_explorer_may_be_given_as_its_root_or_in_full(
    url: str | None, network: str, base: str
) -> None:
    assert base_url(url, network) == base


def test_the_documented_bodies_are_read(mock: responses.RequestsMock, client: WhatsOnChain) -> None:
    status, history = body("POST /txs/status"), body("POST /addresses/history/all")
    mock.post(f"{BASE}/txs/status", json=status["json"])
    mock.post(f"{BASE}/addresses/history/all", json=history["json"])
    mock.get(f"{BASE}/chain/info", json=body("GET /chain/info")["json"])
    mock.get(f"{BASE}/tx/{TXID}/hex", body=body(f"GET /tx/{TXID}/hex")["text"])
    statuses = client.statuses([TXID, "0f" * 32, "00" * 32])
    mined = statuses[TXID]
    assert mined is not None
    assert (mined.confirmations, mined.block_hash, mined.block_height) == (14, HASH, 905506)
    assert statuses["0f" * 32] == Status("0f" * 32)
    assert statuses["00" * 32] is None
    histories = client.histories([USED, UNUSED])
    assert [seen.txid for seen in histories[USED]] == [TXID]
    assert histories[UNUSED] == []
    assert client.tip().height == 905519
    raw = client.raw_now(TXID)
    assert raw is not None
    assert len(raw) == 373


def test_the_documented_transactions_are_read(
    mock: responses.RequestsMock, client: WhatsOnChain
) -> None:
    mined, waiting = body(f"GET /tx/hash/{TXID} mined"), body(f"GET /tx/hash/{TXID} in mempool")
    mock.get(f"{BASE}/tx/hash/{TXID}", json=mined["json"])
    found = client.transaction(TXID)
    assert found is not None
    assert found.block_time is not None
    assert int(found.block_time.timestamp()) == 1752510518
    mock.replace(responses.GET, f"{BASE}/tx/hash/{TXID}", json=waiting["json"])
    assert client.transaction(TXID) == Status(TXID)
    mock.replace(responses.GET, f"{BASE}/tx/hash/{TXID}", body="Not Found", status=404)
    assert client.transaction(TXID) is None


@pytest.mark.parametrize(
    "element",
    [
        {"confirmations": -1, "blockhash": HASH},
        {"confirmations": True, "blockhash": HASH},
        {"confirmations": "7", "blockhash": HASH},
        {"confirmations": 7.5, "blockhash": HASH},
        {"confirmations": 10**12, "blockhash": HASH},
        {"confirmations": 7},
        {"confirmations": 0, "blockhash": HASH},
        {"confirmations": 7, "blockhash": "zz" * 32},
        {"blockhash": HASH},
        {"confirmations": False},
        {"error": "overloaded"},
    ],
)
def test_a_status_that_makes_no_sense_is_no_status(
    mock: responses.RequestsMock, client: WhatsOnChain, element: dict[str, Any]
) -> None:
    other = {"txid": "0f" * 32}
    mock.post(f"{BASE}/txs/status", json=[{"txid": TXID, **element}, None, 7, other])
    assert client.statuses([TXID, "0f" * 32]) == {"0f" * 32: Status("0f" * 32)}


@pytest.mark.parametrize(
    "halves",
    [
        {},
        {"confirmed": {"result": []}},
        {"confirmed": {"result": []}, "unconfirmed": None},
        {"confirmed": {"result": []}, "unconfirmed": {"result": None, "error": "timeout"}},
        {"confirmed": {"result": {}}, "unconfirmed": {"result": None}},
        {"confirmed": {"result": [{"tx_hash": "../x"}]}, "unconfirmed": {"result": None}},
        {"confirmed": {"result": [None]}, "unconfirmed": {"result": None}},
    ],
)
def test_half_a_history_is_no_history(
    mock: responses.RequestsMock, client: WhatsOnChain, halves: dict[str, Any]
) -> None:
    mock.post(f"{BASE}/addresses/history/all", json=[{"address": USED, **halves}])
    assert client.histories([USED]) == {}


def test_a_missing_bulk_endpoint_is_no_word_about_its_elements(
    mock: responses.RequestsMock, client: WhatsOnChain
) -> None:
    mock.post(f"{BASE}/txs/status", json=[{"txid": TXID, "error": "unknown"}], status=404)
    with pytest.raises(Unavailable):
        client.statuses([TXID])


def test_an_answer_about_another_transaction_is_no_answer(
    mock: responses.RequestsMock, client: WhatsOnChain
) -> None:
    mock.get(f"{BASE}/tx/hash/{'0f' * 32}", json=body(f"GET /tx/hash/{TXID} mined")["json"])
    with pytest.raises(Unavailable):
        client.transaction("0f" * 32)


@pytest.mark.parametrize("odd", ["../../x", TXID.upper(), TXID + "\n", "", TXID[:-1]])
def test_only_ids_ever_reach_a_url(client: WhatsOnChain, odd: str) -> None:
    for ask in (client.raw_now, client.transaction):
        with pytest.raises(ValueError, match="not a transaction id"):
            ask(odd)
    for ask_many in (client.raw, client.statuses):
        with pytest.raises(ValueError, match="not a transaction id"):
            ask_many([TXID, odd])


def test_the_key_goes_raw_into_the_header(mock: responses.RequestsMock) -> None:
    matcher = responses.matchers.header_matcher({"Authorization": "mainnet_abc"})
    mock.get(f"{BASE}/chain/info", json=body("GET /chain/info")["json"], match=[matcher])
    WhatsOnChain(BASE, network="test", api_key="mainnet_abc").tip()


def test_the_key_is_told_to_the_explorer_alone() -> None:
    seen: dict[str, str | None] = {}

    def note(request: Any) -> Any:
        seen[request.url] = request.headers.get("Authorization")
        return (500, {}, "")

    with responses.RequestsMock() as mock:
        urls = {"whatsonchain": f"{BASE}/exchangerate", "gate": "http://gate.test/"}
        for url in urls.values():
            mock.add_callback(responses.GET, url, note)
        provider = rail(
            Settings(bsv_xpub=account()[0], whatsonchain_api_key="secret", rate_sources=urls)
        )
        with pytest.raises(ProviderUnavailable):
            Desk(provider).open()
    assert seen == {f"{BASE}/exchangerate": "secret", "http://gate.test/": None}


class LastCoin:
    """A budget with something left for who waits, and nothing for the worker."""

    def take(self, *, urgent: bool = False, wait: float = 0.0) -> bool:
        assert wait < 1 or not urgent
        return urgent


def test_the_budget_keeps_a_part_for_who_waits(mock: responses.RequestsMock) -> None:
    client = WhatsOnChain(BASE, network="test", budget=LastCoin())
    mock.get(f"{BASE}/tx/{TXID}/hex", body="Not Found", status=404)
    with pytest.raises(Unavailable, match="budget"):
        client.statuses([TXID])
    assert client.raw_now(TXID) is None


def test_after_a_429_nobody_asks_until_the_time_is_up(mock: responses.RequestsMock) -> None:
    moment = [100.0]
    client = WhatsOnChain(
        BASE, network="test", budget=TokenBucket(10_000), monotonic=lambda: moment[0]
    )
    mock.post(f"{BASE}/txs/status", status=429, headers={"Retry-After": "30"})
    for _ in range(5):
        with pytest.raises(Unavailable):
            client.statuses([TXID])
    mock.assert_call_count(f"{BASE}/txs/status", 1)
    moment[0] = 131.0
    with pytest.raises(Unavailable):
        client.statuses([TXID])
    mock.assert_call_count(f"{BASE}/txs/status", 2)


@pytest.mark.parametrize("way", ["silent", "dripping"])
def test_a_posted_id_is_answered_within_ten_seconds_by_the_clock(way: str) -> None:
    explorer = FakeExplorer()
    with explorer.answering():
        desk = Desk(with_xpub())
        payment = desk.open()
    with BadServer(way) as url:
        provider = rail(Settings(bsv_xpub=account()[0], whatsonchain_url=url))
        began = time.monotonic()
        assert isinstance(provider, AcceptsProof)
        with pytest.raises(ProviderUnavailable):
            provider.submit(payment, TXID)
        assert time.monotonic() - began < 7
    with explorer.answering():
        script = bytes.fromhex(payment.details["script"])
        txid = explorer.send(build([(payment.due.minor, script)]))
        assert stages(desk.post(payment, txid)) == [Stage.SEEN]


class BadServer:
    """Takes connections and never answers, or answers a byte at a time."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._server.accept()
                self._open.append(connection)
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()
        except OSError:
            return

    def _answer(self, connection: socket.socket) -> None:
        try:
            connection.recv(4096)
            if self._way == "dripping":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not self._over.wait(0.3):
                if self._way == "dripping":
                    connection.sendall(b"0")
        except OSError:
            return
