import json

import pytest

from sandbox.keys import new_key
from sandbox.telling import script_hash
from sandbox.tx import COINBASE_TXID, p2pkh_script, parse
from sandbox.wallet import Invoice

UNKNOWN = "ab" * 32


def shape(value):
    """The form of a JSON value: its keys and the kinds of its leaves (null fits anything)."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
    )


def sample(samples, beginning, ending=""):
    [name] = [n for n in samples if n.startswith(beginning) and n.endswith(ending)]
    return samples[name]


@pytest.fixture
def paid(wallet, merchant):
    [txid] = wallet.pay(Invoice(merchant.address, 12_345))
    return txid


def fits(ours, theirs):
    """Has the keys of the real body with their kinds; what the sample leaves null may be any."""
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if value is not None:
            assert shape(ours[key]) == shape(value), key


def test_an_unconfirmed_transaction_has_the_real_body_without_block_keys(explorer, samples, paid):
    theirs = sample(samples, "GET /tx/hash/04eb", "blockheight keys)")["json"]
    ours = explorer(f"/tx/hash/{paid}").json
    assert not ours.keys() & {"blockhash", "confirmations", "blocktime", "blockheight"}
    assert shape(ours) == shape(theirs)
    assert ours["txid"] == ours["hash"] == paid


def test_a_mined_transaction_has_the_real_body(explorer, samples, chain, paid, merchant):
    chain.mine(3)
    theirs = sample(samples, "GET /tx/hash/04eb", "mined")["json"]
    ours = explorer(f"/tx/hash/{paid}").json
    assert shape(ours) == shape(theirs)
    assert ours["confirmations"] == 3
    assert ours["blockheight"] == 111
    assert ours["vout"][0]["value"] == 0.00012345
    assert ours["vout"][0]["scriptPubKey"]["addresses"] == [merchant.address]


def test_a_coinbase_has_the_real_body(explorer, samples, chain):
    theirs = sample(samples, "GET /tx/hash/{A}")["json"]
    ours = explorer(f"/tx/hash/{chain.ledger.txids_of(chain.tip.hash)[0]}").json
    assert shape(ours) == shape(theirs)


def test_raw_transactions_hash_to_their_ids(explorer, paid):
    answer = explorer(f"/tx/{paid}/hex")
    assert answer.mimetype == "text/plain"
    assert parse(bytes.fromhex(answer.text)).txid == paid
    known, unknown = explorer("/txs/hex", {"txids": [paid, UNKNOWN]}).json
    assert known == {"txid": paid, "hex": answer.text}
    assert unknown == {"txid": UNKNOWN, "error": "unknown"}


def test_status_tells_mined_from_waiting_from_unknown(
    explorer, samples, chain, wallet, merchant, paid
):
    chain.mine()
    [waiting] = wallet.pay(Invoice(merchant.address, 1))
    theirs = sample(samples, "POST /txs/status")["json"]
    ours = explorer("/txs/status", {"txids": [paid, waiting, UNKNOWN]}).json
    assert [shape(body) for body in ours] == [shape(body) for body in theirs]
    assert ours[0]["confirmations"] == 1


def test_a_proof_has_the_real_body_once_mined_and_is_null_before(explorer, samples, chain, paid):
    theirs = sample(samples, "GET /tx/04eb", "proof/tsc mined")["json"]
    assert explorer(f"/tx/{paid}/proof/tsc").json is None
    chain.mine()
    answer = explorer(f"/tx/{paid}/proof/tsc")
    assert shape(answer.json) == shape(theirs)
    assert answer.json[0]["target"] == chain.tip.hash
    assert answer.json[0]["index"] == 1


def test_a_header_has_the_real_body_by_hash_and_by_height(explorer, samples, chain):
    theirs = sample(samples, "GET /block/905506/header")["json"]
    by_height = explorer("/block/50/header").json
    fits(by_height, theirs)
    assert by_height["bits"] == "207fffff"
    assert by_height["nextblockhash"] == chain.ledger.block(51).hash
    assert explorer(f"/block/{by_height['hash']}/header").json == by_height


def test_the_tip_has_the_real_body(explorer, samples, chain):
    ours = explorer("/chain/info").json
    fits(ours, sample(samples, "GET /chain/info")["json"])
    assert (ours["chain"], ours["blocks"], ours["bestblockhash"]) == ("test", 110, chain.tip.hash)


def test_histories_have_the_real_body(explorer, samples, chain, wallet, merchant, paid):
    theirs = sample(samples, "POST /addresses/history/all")["json"]
    chain.mine()
    unused = new_key().address
    ours = explorer("/addresses/history/all", {"addresses": [merchant.address, unused]}).json
    assert [shape(body) for body in ours] == [shape(body) for body in theirs]
    assert ours[0]["confirmed"]["result"] == [{"tx_hash": paid, "height": 111}]
    [waiting] = wallet.pay(Invoice(merchant.address, 1))
    [again] = explorer("/addresses/history/all", {"addresses": [merchant.address]}).json
    assert again["unconfirmed"]["result"] == [{"tx_hash": waiting}]


def test_one_bad_address_does_not_spoil_the_others(explorer, merchant, paid):
    addresses = ["1BFaJwJz5KPYGe28afDkGswbuKK6uK8hzQ", "nonsense", merchant.address]
    other_network, nonsense, good = explorer(
        "/addresses/history/all", {"addresses": addresses}
    ).json
    for bad in (other_network, nonsense):
        assert bad["confirmed"] == {"result": None, "error": "invalid address"}
    assert good["unconfirmed"]["result"] == [{"tx_hash": paid}]


def test_script_hashes_are_the_real_ones(samples):
    known = sample(samples, "GET /address/", "Q/confirmed/unspent")["json"]
    script = p2pkh_script(bytes.fromhex("7072e2ef390050bc43726d487c117f96da9c534b"))
    assert script_hash(script) == known["script"]


@pytest.mark.parametrize("standing", ["confirmed", "unconfirmed"])
def test_unspent_outputs_have_the_real_body(explorer, samples, chain, merchant, paid, standing):
    theirs = sample(samples, "GET /address/", f"Q/{standing}/unspent")["json"]
    if standing == "confirmed":
        chain.mine()
    ours = explorer(f"/address/{merchant.address}/{standing}/unspent").json
    assert shape(ours) == shape(theirs)
    assert ours["result"][0]["value"] == 12_345


def test_no_unspent_output_is_a_404(explorer, merchant):
    assert explorer(f"/address/{merchant.address}/unconfirmed/unspent").status_code == 404
    assert explorer("/address/nonsense/unconfirmed/unspent").status_code == 400


def test_an_output_is_spent_by_somebody_or_nobody_or_is_none(explorer, chain, paid):
    [entry] = parse(chain.ledger.entry(paid).raw).inputs
    spent = explorer(f"/tx/{entry.txid}/{entry.vout}/spent")
    assert spent.json == {"txid": paid, "vin": 0, "status": "unconfirmed"}
    chain.mine()
    again = explorer(f"/tx/{entry.txid}/{entry.vout}/spent")
    assert again.json["status"] == "confirmed"
    assert explorer(f"/tx/{paid}/0/spent").status_code == 404
    assert explorer(f"/tx/{paid}/9/spent").status_code == 400
    assert explorer(f"/tx/{UNKNOWN}/0/spent").status_code == 400


def test_transactions_are_taken_and_refused_in_a_nodes_words(
    explorer, samples, chain, wallet, paid
):
    raw = chain.ledger.entry(paid).raw
    known = sample(samples, "POST /tx/raw known")
    answer = explorer("/tx/raw", {"txhex": raw.hex()})
    assert (answer.status_code, answer.text) == (known["status"], known["text"])
    rival = wallet._take_back(parse(raw)).to_bytes()
    conflict = sample(samples, "POST /tx/raw conflict")
    answer = explorer("/tx/raw", {"txhex": rival.hex()})
    assert (answer.status_code, answer.text) == (conflict["status"], conflict["text"])
    wallet.take_back(paid)
    assert explorer(f"/tx/hash/{paid}").status_code == 404
    assert explorer("/tx/raw", {"txhex": "zz"}).status_code == 400
    assert explorer("/tx/raw", {}).status_code == 400


def test_a_transaction_sent_in_is_known_at_once(explorer, samples, wallet, merchant, chain):
    [txid] = wallet.pay(Invoice(merchant.address, 1000))
    raw = chain.ledger.entry(txid).raw
    chain.ledger.remove(txid)
    answer = explorer("/tx/raw", {"txhex": raw.hex()})
    assert shape(answer.json) == shape(sample(samples, "POST /tx/raw ok")["json"])
    assert answer.json == txid
    assert explorer(f"/tx/hash/{txid}").status_code == 200


@pytest.mark.parametrize("path", ["/tx/hash/{}", "/tx/{}/hex"])
def test_unknown_is_404_and_nonsense_400(explorer, samples, path):
    assert explorer(path.format(UNKNOWN)).status_code == 404
    assert explorer(path.format(COINBASE_TXID)).status_code == 404
    answer = explorer(path.format("xyz"))
    assert (answer.status_code, answer.text) == (400, samples["GET /tx/hash/xyz"]["text"])


def test_unknown_blocks_are_404_and_nonsense_400(explorer):
    assert explorer("/block/111/header").status_code == 404
    assert explorer(f"/block/{UNKNOWN}/header").status_code == 404
    assert explorer("/block/xyz/header").status_code == 400


@pytest.mark.parametrize(
    ("path", "field"),
    [("/txs/hex", "txids"), ("/txs/status", "txids"), ("/addresses/history/all", "addresses")],
)
def test_bulk_questions_are_short_lists_of_text(explorer, path, field):
    assert explorer(path, {field: [UNKNOWN] * 20}).status_code == 200
    for body in ({field: [UNKNOWN] * 21}, {field: []}, {field: [7]}, {field: "x"}, {}, [UNKNOWN]):
        assert explorer(path, body).status_code == 400, json.dumps(body)
