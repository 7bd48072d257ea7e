import json
import time

import pytest

from sandbox.merkle import root_of_branch
from sandbox.tx import parse
from sandbox.wallet import Invoice


@pytest.fixture
def fault(act):
    def choose(name, value):
        assert act("/faults", name=name, value=value).status_code == 200

    return choose


@pytest.fixture
def paid(wallet, merchant):
    [txid] = wallet.pay(Invoice(merchant.address, 12_345))
    return txid


def test_an_explorer_may_be_down_and_come_back(explorer, act, fault):
    fault("explorer", "down")
    assert explorer("/chain/info").status_code == 503
    act("/faults/reset")
    assert explorer("/chain/info").status_code == 200


def test_an_explorer_may_ask_for_patience_with_or_without_saying_how_long(explorer, fault):
    fault("explorer", "limited")
    answer = explorer("/chain/info")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    fault("explorer", "limited_bare")
    answer = explorer("/chain/info")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


def test_an_explorer_may_talk_nonsense(explorer, fault, paid):
    whole = explorer(f"/tx/hash/{paid}")
    fault("explorer", "garbage")
    garbage = explorer(f"/tx/hash/{paid}")
    assert (garbage.status_code, garbage.mimetype) == (200, "text/html")
    fault("explorer", "null")
    nothing = explorer(f"/tx/hash/{paid}")
    assert (nothing.status_code, nothing.json) == (200, None)
    fault("explorer", "half")
    half = explorer(f"/tx/hash/{paid}")
    assert whole.data.startswith(half.data)
    assert int(half.headers["Content-Length"]) == len(whole.data) > len(half.data)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half.data)


def test_an_explorer_may_be_slow(explorer, fault):
    fault("explorer_delay", "1")
    began = time.perf_counter()
    explorer("/chain/info")
    assert time.perf_counter() - began >= 1


def test_an_explorer_may_count_requests(explorer, fault, clock):
    fault("rate_limit", "3")
    assert [explorer("/chain/info").status_code for _ in range(4)] == [200, 200, 200, 429]
    clock.pass_by(1)
    assert explorer("/chain/info").status_code == 200


def test_a_liar_gives_the_bytes_of_another_transaction(explorer, fault, paid):
    fault("explorer_lie", "wrong_raw")
    assert parse(bytes.fromhex(explorer(f"/tx/{paid}/hex").text)).txid != paid
    [body] = explorer("/txs/hex", {"txids": [paid]}).json
    assert body["txid"] == paid
    assert parse(bytes.fromhex(body["hex"])).txid != paid


def test_a_liar_describes_another_transaction(explorer, fault, paid):
    fault("explorer_lie", "other_tx")
    assert explorer(f"/tx/hash/{paid}").json["txid"] != paid
    [body] = explorer("/txs/status", {"txids": [paid]}).json
    assert body["txid"] != paid


def test_a_liar_confirms_what_nobody_mined(explorer, fault, paid):
    fault("explorer_lie", "confirmations")
    assert explorer(f"/tx/hash/{paid}").json["confirmations"] == 144
    [body] = explorer("/txs/status", {"txids": [paid]}).json
    assert body["confirmations"] == 144
    assert explorer(f"/tx/{paid}/proof/tsc").json is None


def test_a_liar_says_that_an_address_was_paid(explorer, fault, merchant):
    fault("explorer_lie", "phantom")
    [history] = explorer("/addresses/history/all", {"addresses": [merchant.address]}).json
    [row] = history["confirmed"]["result"]
    raw = bytes.fromhex(explorer(f"/tx/{row['tx_hash']}/hex").text)
    scripts = [output.script for output in parse(raw).outputs]
    assert all(merchant.public_key_hash not in script for script in scripts)


def test_a_liar_gives_a_proof_that_leads_nowhere(explorer, fault, chain, paid):
    chain.mine()
    fault("explorer_lie", "bad_proof")
    [proof] = explorer(f"/tx/{paid}/proof/tsc").json
    root = root_of_branch(paid, proof["index"], proof["nodes"])
    assert root != explorer(f"/block/{proof['target']}/header").json["merkleroot"]


def test_the_address_index_may_lag_behind_the_pool(explorer, fault, clock, merchant, paid):
    def listed():
        [history] = explorer("/addresses/history/all", {"addresses": [merchant.address]}).json
        return bool(history["unconfirmed"]["result"])

    assert listed()
    fault("index_lag", "60")
    assert not listed()
    assert explorer(f"/address/{merchant.address}/unconfirmed/unspent").status_code == 404
    assert explorer(f"/tx/hash/{paid}").status_code == 200
    clock.pass_by(60)
    assert listed()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonsense", "ok"),
        ("explorer", "nonsense"),
        ("explorer_delay", "31"),
        ("explorer_delay", "-1"),
        ("index_lag", "soon"),
        ("rate_gate", "stale"),
    ],
)
def test_a_fault_that_is_not_on_the_page_is_refused(act, name, value):
    before = act("/faults/reset").json
    assert act("/faults", name=name, value=value).status_code == 400
    assert act("/faults/reset").json == before


def test_the_page_of_faults_shows_what_is_in_force(client, fault):
    assert "All is well" in client.get("/faults").text
    fault("explorer", "down")
    page = client.get("/faults").text
    assert '<option value="down" selected>' in page
    facts = client.get("/faults", headers={"Accept": "application/json"}).json
    assert facts["explorer"] == "down"
    assert facts["mail"] == "ok"
