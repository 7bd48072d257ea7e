import time
from dataclasses import replace
from pathlib import Path

import pytest
from bsv.script.type import P2PKH
from bsv.transaction import Transaction as SdkTransaction
from bsv.transaction_preimage import tx_preimage

from sandbox.block import GENESIS, GENESIS_COINBASE, Header
from sandbox.chain import Chain, Refused
from sandbox.keys import Key, new_key
from sandbox.ledger import Coin
from sandbox.merkle import merkle_branch, merkle_root, root_of_branch
from sandbox.tx import Input, Malformed, Output, Transaction, p2pkh_script, parse
from sandbox.wallet import Invoice, Wallet


def spend(wallet: Wallet, coin: Coin, *outputs: Output, key: Key | None = None) -> Transaction:
    transaction = Transaction((Input(coin.txid, coin.vout),), outputs)
    return (key or wallet.key).sign(transaction, [coin.output])


def to(key: Key, satoshis: int) -> Output:
    return Output(satoshis, p2pkh_script(key.public_key_hash))


def refusal(chain: Chain, transaction: Transaction) -> str:
    with pytest.raises(Refused) as refused:
        chain.accept(transaction.to_bytes())
    return str(refused.value)


def test_real_transactions_are_read_and_written_back_byte_for_byte(real_transactions):
    for known in real_transactions:
        transaction = parse(bytes.fromhex(known["raw_hex"]))
        assert transaction.txid == known["txid"]
        assert transaction.to_bytes().hex() == known["raw_hex"]


@pytest.mark.parametrize("spoil", [lambda raw: raw + b"\0", lambda raw: raw[:-1], lambda raw: b""])
def test_bytes_that_are_not_exactly_a_transaction_are_refused(real_transactions, spoil):
    with pytest.raises(Malformed):
        parse(spoil(bytes.fromhex(real_transactions[1]["raw_hex"])))


def test_a_number_written_longer_than_need_be_is_refused(real_transactions):
    raw = bytes.fromhex(real_transactions[1]["raw_hex"])
    assert raw[4] == 2
    with pytest.raises(Malformed):
        parse(raw[:4] + b"\xfd\x02\x00" + raw[5:])


def test_real_proofs_lead_to_their_headers(real_transactions):
    proved = [known for known in real_transactions if known["proof"]["format"] == "TSC"]
    assert proved
    for known in proved:
        header = Header.parse(bytes.fromhex(known["header_hex"]))
        proof = known["proof"]
        assert header.hash == known["block_hash"]
        assert header.to_bytes().hex() == known["header_hex"]
        assert root_of_branch(known["txid"], proof["index"], proof["nodes"]) == header.merkle_root


def test_what_we_sign_is_what_the_sdk_would_sign(chain, wallet, merchant):
    coin = wallet.coins[0]
    ours = spend(wallet, coin, to(merchant, 1000), to(merchant, 2000))
    theirs = SdkTransaction.from_hex(ours.to_bytes())
    theirs.inputs[0].satoshis = coin.output.satoshis
    theirs.inputs[0].locking_script = P2PKH().lock(wallet.address)
    preimage = tx_preimage(0, theirs.inputs, theirs.outputs, theirs.version, theirs.locktime)
    assert preimage == ours.preimage(0, coin.output)
    assert chain.accept(ours.to_bytes()) == theirs.txid()


def test_a_new_chain_begins_where_every_test_chain_begins_with_money_to_spend(chain, wallet):
    first = chain.ledger.block(0)
    assert first.hash == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    assert first.header == GENESIS
    assert GENESIS_COINBASE.txid == GENESIS.merkle_root
    assert chain.tip.height == 110
    assert wallet.balance == 11 * 50 * 100_000_000


def test_every_block_has_work_and_follows_the_one_before(chain):
    chain.mine(3)
    for height in range(1, chain.tip.height + 1):
        block = chain.ledger.block(height)
        assert block.header.has_work
        assert block.header.previous == chain.ledger.block(height - 1).hash
        assert block.header.time > chain.ledger.median_time(height - 1)


@pytest.mark.parametrize("payments", [0, 1, 2, 4, 7])
def test_the_proof_of_every_transaction_leads_to_its_block(chain, wallet, merchant, payments):
    for _ in range(payments):
        wallet.pay(Invoice(merchant.address, 1000))
    block = chain.ledger.block(chain.mine()[0])
    txids = chain.ledger.txids_of(block.hash)
    assert len(txids) == payments + 1
    assert block.header.merkle_root == merkle_root(txids)
    for place, txid in enumerate(txids):
        nodes = merkle_branch(txids, place)
        assert root_of_branch(txid, place, nodes) == block.header.merkle_root


def test_the_same_coin_is_not_spent_twice(chain, wallet, merchant):
    coin = wallet.coins[0]
    chain.accept(spend(wallet, coin, to(merchant, 1000)).to_bytes())
    rival = spend(wallet, coin, to(merchant, 2000))
    assert refusal(chain, rival) == "258: txn-mempool-conflict"
    chain.mine()
    assert refusal(chain, rival) == "Missing inputs"


def test_a_known_transaction_is_not_taken_again(chain, wallet, merchant):
    transaction = spend(wallet, wallet.coins[0], to(merchant, 1000))
    chain.accept(transaction.to_bytes())
    assert refusal(chain, transaction) == "257: txn-already-known"
    chain.mine()
    assert refusal(chain, transaction) == "257: txn-already-known"


def test_a_coin_that_never_was_cannot_be_spent(chain, wallet, merchant):
    coin = replace(wallet.coins[0], vout=7)
    assert refusal(chain, spend(wallet, coin, to(merchant, 1000))) == "Missing inputs"


def test_nobody_spends_with_another_key(chain, wallet, merchant):
    stolen = spend(wallet, wallet.coins[0], to(merchant, 1000), key=merchant)
    assert refusal(chain, stolen) == "16: mandatory-script-verify-flag-failed"


def test_a_signature_holds_only_for_what_was_signed(chain, wallet, merchant):
    signed = spend(wallet, wallet.coins[0], to(merchant, 1000))
    altered = replace(signed, outputs=(to(new_key(), 1000),))
    assert refusal(chain, altered) == "16: mandatory-script-verify-flag-failed"
    unsigned = signed.with_scripts([b""])
    assert refusal(chain, unsigned) == "16: mandatory-script-verify-flag-failed"


def test_no_money_is_made_from_nothing(chain, wallet, merchant):
    coin = wallet.coins[0]
    total = coin.output.satoshis
    assert (
        refusal(chain, spend(wallet, coin, to(merchant, total + 1))) == "16: bad-txns-in-belowout"
    )
    chain.accept(spend(wallet, coin, to(merchant, total)).to_bytes())


def test_fees_go_to_the_miner(chain, wallet, merchant):
    coin = wallet.coins[0]
    chain.accept(spend(wallet, coin, to(merchant, coin.output.satoshis - 500)).to_bytes())
    reward = chain.ledger.coin(chain.ledger.txids_of(chain.mine()[0])[0], 0)
    assert reward.output.satoshis == 50 * 100_000_000 + 500


def test_a_young_coinbase_cannot_be_spent(chain, wallet, merchant):
    txid = chain.ledger.txids_of(chain.mine()[0])[0]
    transaction = spend(wallet, chain.ledger.coin(txid, 0), to(merchant, 1000))
    assert refusal(chain, transaction) == "16: bad-txns-premature-spend-of-coinbase"
    chain.mine(99)
    assert chain.accept(transaction.to_bytes()) == transaction.txid


def test_a_transaction_without_inputs_or_outputs_or_final_time_is_refused(chain, wallet, merchant):
    good = spend(wallet, wallet.coins[0], to(merchant, 1000))
    twice = replace(good, inputs=good.inputs * 2)
    later = replace(good, lock_time=9_999_999, inputs=(replace(good.inputs[0], sequence=0),))
    assert refusal(chain, replace(good, inputs=())) == "16: bad-txns-vin-empty"
    assert refusal(chain, replace(good, outputs=())) == "16: bad-txns-vout-empty"
    assert refusal(chain, twice) == "16: bad-txns-inputs-duplicate"
    assert refusal(chain, later) == "64: non-final"
    with pytest.raises(Refused, match="TX decode failed"):
        chain.accept(good.to_bytes()[:-1])


def test_a_reorganisation_puts_transactions_back_to_wait(chain, wallet, merchant):
    [parent] = wallet.pay(Invoice(merchant.address, 1000))
    [orphaned] = chain.mine()
    [child] = wallet.pay(Invoice(merchant.address, 2000))
    chain.mine()
    height = chain.tip.height
    assert chain.reorganise(2) == [child, parent]
    assert chain.tip.height == height + 1
    assert chain.ledger.block(orphaned) is None
    assert [entry.txid for entry in chain.ledger.mempool()] == [parent, child]
    again = chain.mine()[0]
    assert chain.ledger.txids_of(again)[1:] == [parent, child]
    assert chain.ledger.block(again).header.has_work


def test_a_deep_reorganisation_takes_what_came_from_lost_coinbases_with_it(chain, wallet, merchant):
    [txid] = wallet.pay(Invoice(merchant.address, 50 * 100_000_000 * 5))
    chain.mine()
    assert chain.reorganise(111) == []
    assert chain.ledger.entry(txid).gone
    assert chain.ledger.mempool() == []


def test_a_reorganisation_may_take_payments_back(chain, wallet, merchant):
    [txid] = wallet.pay(Invoice(merchant.address, 1000))
    chain.mine()
    assert wallet.reorganise(1, double_spend=True) == [txid]
    chain.mine()
    assert chain.ledger.entry(txid).gone
    assert chain.ledger.coin(txid, 0) is None


def test_a_replaced_transaction_may_come_back_once_its_rival_is_gone(chain, wallet, merchant):
    [txid] = wallet.pay(Invoice(merchant.address, 1000))
    raw = chain.ledger.entry(txid).raw
    rival = wallet.take_back(txid)
    assert chain.replace(raw) == txid
    assert chain.ledger.entry(rival).gone
    assert not chain.ledger.entry(txid).gone


def test_a_replacement_that_is_refused_leaves_everything_as_it_was(chain, wallet, merchant):
    coin = wallet.coins[0]
    first = spend(wallet, coin, to(merchant, 1000))
    chain.accept(first.to_bytes())
    with pytest.raises(Refused, match="belowout"):
        chain.replace(spend(wallet, coin, to(merchant, coin.output.satoshis + 1)).to_bytes())
    assert [entry.txid for entry in chain.ledger.mempool()] == [first.txid]
    assert chain.ledger.coin(coin.txid, coin.vout).spent_by == first.txid


def test_blocks_come_by_themselves_until_mining_is_paused(chain, clock):
    chain.mine_every(30)
    height = chain.tip.height
    for seconds, expected in ((29, 0), (1, 1), (1, 1), (300, 2)):
        clock.pass_by(seconds)
        chain.tick()
        assert chain.tip.height == height + expected
    chain.mine_every(0)
    clock.pass_by(300)
    chain.tick()
    assert chain.tip.height == height + 2


def test_the_chain_is_still_there_after_a_restart_and_quickly(tmp_path: Path, clock, merchant):
    miner = new_key()
    before = Chain(tmp_path / "kept", miner=miner.public_key_hash, clock=clock)
    wallet = Wallet(before, miner)
    before.mine(1500)
    [mined] = wallet.pay(Invoice(merchant.address, 1000))
    before.mine()
    [waiting] = wallet.pay(Invoice(merchant.address, 2000))
    before.mine_every(60)
    tip, balance = before.tip, wallet.balance
    before.close()

    began = time.perf_counter()
    after = Chain(tmp_path / "kept", miner=miner.public_key_hash, clock=clock)
    assert time.perf_counter() - began < 0.5
    assert after.tip == tip
    assert after.confirmations(after.ledger.entry(mined)) == 1
    assert [entry.txid for entry in after.ledger.mempool()] == [waiting]
    assert after.auto_seconds == 60
    assert Wallet(after, miner).balance == balance
    after.close()
