import pytest

from sandbox.tx import parse
from sandbox.wallet import CannotPay, How, amounts, read_invoice, satoshis_of

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def uri(merchant):
    return f"bitcoin:{merchant.address}?sv&amount=0.00002001&label=Order%20S-1"


def received(chain, merchant):
    coins = chain.ledger.coins(merchant.address, seen_before=chain.clock(), lag=0)
    return [coin.output.satoshis for coin in coins]


def test_a_uri_says_where_how_much_and_what_for(merchant, uri):
    invoice = read_invoice(uri)
    assert (invoice.address, invoice.satoshis, invoice.label) == (
        merchant.address,
        2001,
        "Order S-1",
    )
    assert read_invoice(f" {merchant.address} ").satoshis is None


@pytest.mark.parametrize("text", ["1e-3", "-1", "0.123456789", "NaN", "", "1,5", " 1"])
def test_only_plain_amounts_are_understood(text):
    with pytest.raises(CannotPay):
        satoshis_of(text)


@pytest.mark.parametrize(
    "text",
    ["", "bitcoin:", "litecoin:abc", "bitcoin:1BFaJwJz5KPYGe28afDkGswbuKK6uK8hzQ?amount=1"],
)
def test_what_is_no_address_of_this_network_is_not_paid(text):
    with pytest.raises(CannotPay):
        read_invoice(text)


@pytest.mark.parametrize(
    ("how", "due", "own", "paid"),
    [
        (How.FULL, 2001, None, [2001]),
        (How.FULL, None, 500, [500]),
        (How.SHORT, 2001, None, [1000]),
        (How.SHORT, 2001, 1999, [1999]),
        (How.OVER, 2001, None, [2201]),
        (How.OVER, 2001, 2002, [2002]),
        (How.TWICE, 2001, None, [2001, 2001]),
        (How.DOUBLE_SPEND, 2001, None, [2001]),
    ],
)
def test_how_much_is_paid(how, due, own, paid):
    assert amounts(how, due, own) == paid


@pytest.mark.parametrize(("due", "own"), [(None, None), (0, None), (5, 0)])
def test_nothing_is_not_paid(due, own):
    with pytest.raises(CannotPay):
        amounts(How.FULL, due, own)


@pytest.mark.parametrize(
    ("how", "paid"),
    [("full", [2001]), ("short", [1000]), ("over", [2201]), ("twice", [2001, 2001])],
)
def test_a_form_pays_in_each_way(act, chain, merchant, uri, how, paid):
    answer = act("/wallet/pay", uri=uri, how=how)
    assert received(chain, merchant) == paid
    assert [entry.txid for entry in chain.ledger.mempool()] == answer.json["txids"]
    for txid in answer.json["txids"]:
        transaction = parse(chain.ledger.entry(txid).raw)
        assert (transaction.version, transaction.lock_time) == (1, 0)


def test_an_own_amount_is_paid_instead(act, chain, merchant, uri):
    act("/wallet/pay", uri=uri, how="full", amount="0.00000007")
    act("/wallet/pay", uri=merchant.address, how="full", amount="0.00000009")
    assert received(chain, merchant) == [7, 9]


def test_a_double_spend_is_seen_first_and_replaced_later(
    act, explorer, clock, chain, merchant, uri
):
    first, second = act("/wallet/pay", uri=uri, how="double_spend", seconds=10).json["txids"]
    assert explorer(f"/tx/hash/{first}").status_code == 200
    assert explorer(f"/tx/hash/{second}").status_code == 404
    clock.pass_by(10)
    assert explorer(f"/tx/hash/{first}").status_code == 404
    assert explorer(f"/tx/hash/{second}").status_code == 200
    assert received(chain, merchant) == []


def test_miners_prefer_the_second_of_a_double_spend(act, explorer, uri):
    first, second = act("/wallet/pay", uri=uri, how="double_spend", seconds=600).json["txids"]
    act("/chain/mine")
    statuses = explorer("/txs/status", {"txids": [first, second]}).json
    assert statuses[0] == {"txid": first, "error": "unknown"}
    assert statuses[1]["confirmations"] == 1


def test_later_payments_do_not_stand_on_a_doomed_one(act, chain, wallet, clock, uri):
    doomed = act("/wallet/pay", uri=uri, how="double_spend", seconds=10).json["txids"][0]
    honest = [act("/wallet/pay", uri=uri, how="full").json["txids"][0] for _ in range(15)]
    clock.pass_by(10)
    chain.tick()
    assert chain.ledger.entry(doomed).gone
    assert not any(chain.ledger.entry(txid).gone for txid in honest)


def test_an_unconfirmed_payment_can_be_taken_back_a_confirmed_one_cannot(act, chain, merchant, uri):
    [txid] = act("/wallet/pay", uri=uri).json["txids"]
    [rival] = act("/wallet/take-back", txid=txid).json["txids"]
    assert received(chain, merchant) == []
    act("/chain/mine")
    assert act("/wallet/take-back", txid=rival).status_code == 409
    assert act("/wallet/take-back", txid="xyz").status_code == 409


def test_more_than_the_wallet_holds_is_refused_with_a_reason(act, merchant):
    answer = act("/wallet/pay", uri=merchant.address, amount="1000000")
    assert answer.status_code == 422
    assert "holds only" in answer.json["error"]


def test_a_large_payment_uses_several_coins(act, chain, merchant):
    [txid] = act("/wallet/pay", uri=merchant.address, amount="120").json["txids"]
    assert len(parse(chain.ledger.entry(txid).raw).inputs) == 3


def test_the_index_lags_for_one_payment_only(act, explorer, clock, merchant, uri):
    def listed():
        [history] = explorer("/addresses/history/all", {"addresses": [merchant.address]}).json
        return [row["tx_hash"] for row in history["unconfirmed"]["result"] or []]

    [late] = act("/wallet/pay", uri=uri, lag=60).json["txids"]
    [prompt] = act("/wallet/pay", uri=uri).json["txids"]
    assert listed() == [prompt]
    assert explorer(f"/tx/hash/{late}").status_code == 200
    clock.pass_by(60)
    assert listed() == [late, prompt]


def test_a_person_is_led_to_a_result_and_back_to_the_store(client, chain, uri):
    form = {"uri": uri, "how": "full", "return": "http://127.0.0.1:5000/orders/S-1"}
    answer = client.post("/wallet/pay", data=form, headers=HTML, follow_redirects=True)
    [redirect] = answer.history
    assert redirect.status_code == 303
    assert chain.ledger.mempool()[0].txid in answer.text
    assert 'href="http://127.0.0.1:5000/orders/S-1"' in answer.text


@pytest.mark.parametrize("url", ["https://example.org/", "javascript:alert(1)", "//example.org"])
def test_only_this_machine_is_linked_back_to(client, uri, url):
    for path in ("/wallet/paid", "/wallet"):
        answer = client.get(path, query_string={"return": url})
        assert answer.status_code == 200
        assert url not in answer.text


def test_a_payment_link_is_filled_in_and_kept_when_refused(client, uri):
    assert uri.replace("&", "&amp;") in client.get("/wallet", query_string={"uri": uri}).text
    answer = client.post("/wallet/pay", data={"uri": uri, "how": "nonsense"}, headers=HTML)
    assert answer.status_code == 422
    assert uri.replace("&", "&amp;") in answer.text
    assert "not a way to pay" in answer.text


def test_mining_reorganising_and_pausing_are_forms(act, chain, uri):
    assert act("/chain/mine", blocks=3).json["height"] == 113
    [txid] = act("/wallet/pay", uri=uri).json["txids"]
    act("/chain/mine")
    assert act("/chain/reorganise", depth=1).json == {"txids": [txid], "height": 115}
    act("/chain/mine")
    act("/chain/reorganise", depth=1, double_spend=1)
    assert chain.ledger.entry(txid).gone
    act("/chain/auto", on=1, seconds=7)
    assert chain.auto_seconds == 7
    act("/chain/auto", on=0)
    assert chain.auto_seconds == 0


@pytest.mark.parametrize(
    ("path", "field"), [("/chain/mine", "blocks"), ("/chain/reorganise", "depth")]
)
@pytest.mark.parametrize("value", ["0", "-1", "201", "many", "1.5", "²"])
def test_only_sensible_numbers_move_the_chain(act, chain, path, field, value):
    assert act(path, **{field: value}).status_code == 400
    assert chain.tip.height == 110
