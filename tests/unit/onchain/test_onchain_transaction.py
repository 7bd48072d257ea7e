import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payments.onchain.spv.transaction import (
    MAX_BYTES,
    MAX_SATOSHIS,
    MalformedTransaction,
    parse,
    txid_of,
)
from tests.fakes.transactions import a_coin, build, coinbase, p2pkh, varint

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "vectors_public.json").read_text())
REAL = VECTORS["transactions"]
real = pytest.mark.parametrize("vector", REAL, ids=[one["txid"][:8] for one in REAL])


@real
def test_a_real_transaction_is_read_as_it_is(vector: dict) -> None:
    transaction = parse(bytes.fromhex(vector["raw_hex"]))
    assert transaction.txid == vector["txid"]
    assert transaction.size == vector["size"]
    assert transaction.is_coinbase == ("coinbase" in vector["tags"])
    for output in vector["outputs"]:
        mine = transaction.outputs[output["index"]]
        assert (mine.satoshis, mine.script.hex()) == (output["satoshis"], output["script_hex"])


@real
def test_a_real_transaction_cut_off_anywhere_is_refused(vector: dict) -> None:
    raw = bytes.fromhex(vector["raw_hex"])
    for length in range(len(raw)):
        with pytest.raises(MalformedTransaction):
            parse(raw[:length])


@real
def test_a_real_transaction_with_a_byte_altered_is_refused_or_another_one(vector: dict) -> None:
    raw = bytes.fromhex(vector["raw_hex"])
    for place in range(len(raw)):
        for flip in (0x01, 0x80, 0xFF):
            altered = raw[:place] + bytes([raw[place] ^ flip]) + raw[place + 1 :]
            try:
                transaction = parse(altered)
            except MalformedTransaction:
                continue
            assert transaction.txid != vector["txid"]


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with suppress(MalformedTransaction):
        assert parse(raw).size == len(raw)


def test_a_byte_left_over_is_refused() -> None:
    with pytest.raises(MalformedTransaction, match="left over"):
        parse(build([(1, p2pkh())]) + b"\x00")


@pytest.mark.parametrize(
    "long", [b"\xfd\x01\x00", b"\xfe\x01\x00\x00\x00", b"\xff" + b"\x01" + b"\x00" * 7]
)
def test_a_length_written_longer_than_needed_is_refused(long: bytes) -> None:
    raw = build([(1, p2pkh())])
    with pytest.raises(MalformedTransaction, match="longer than needed"):
        parse(raw[:4] + long + raw[5:])


def test_what_could_be_an_inner_node_of_a_merkle_tree_is_refused() -> None:
    raw = build([(1, b"")], unlocking=b"\x00" * 4)
    assert len(raw) == 64
    with pytest.raises(MalformedTransaction, match="64 bytes"):
        parse(raw)
    assert parse(build([(1, b"")], unlocking=b"\x00" * 5)).size == 65


def test_more_coins_than_there_are_is_refused() -> None:
    assert parse(build([(MAX_SATOSHIS, p2pkh())])).outputs[0].satoshis == MAX_SATOSHIS
    for outputs in ([(MAX_SATOSHIS + 1, p2pkh())], [(MAX_SATOSHIS, p2pkh()), (1, p2pkh())]):
        with pytest.raises(MalformedTransaction, match="more coins"):
            parse(build(outputs))


def test_a_transaction_beyond_what_is_read_is_refused() -> None:
    with pytest.raises(MalformedTransaction, match="bytes long"):
        parse(build([(1, b"\x6a" * MAX_BYTES)]))


def test_a_count_that_cannot_fit_is_refused_without_trying() -> None:
    raw = build([(1, p2pkh())])
    with pytest.raises(MalformedTransaction, match="cut off"):
        parse(raw[:4] + b"\xff" + (2**63).to_bytes(8, "little") + raw[5:])


def test_spending_the_same_output_twice_is_refused() -> None:
    coin = a_coin()
    with pytest.raises(MalformedTransaction, match="twice"):
        parse(build([(1, p2pkh())], coins=[coin, coin]))


def test_a_coinbase_input_stands_alone() -> None:
    assert parse(coinbase([(1, p2pkh())])).is_coinbase
    with pytest.raises(MalformedTransaction, match="coinbase"):
        parse(build([(1, p2pkh())], coins=[("00" * 32, 0xFFFFFFFF), a_coin()]))


def test_ten_thousand_outputs_are_read() -> None:
    assert len(parse(build([(1, p2pkh())] * 10_000)).outputs) == 10_000


@pytest.mark.parametrize("value", [0, 0xFC, 0xFD, 0xFFFF, 0x10000])
def test_every_width_of_length_is_read(value: int) -> None:
    raw = build([(1, b"\x6a" * value)], unlocking=b"\x51" * 60)
    assert parse(raw).outputs[0].script == b"\x6a" * value
    assert varint(value) in raw


@pytest.mark.parametrize(
    ("lock_time", "sequence", "final"),
    [(0, 0, True), (500, 0xFFFFFFFF, True), (500, 0xFFFFFFFE, False), (2_000_000_000, 0, False)],
)
def test_a_lock_time_counts_unless_every_input_waives_it(
    lock_time: int, sequence: int, final: bool
) -> None:
    raw = build([(1, p2pkh())], lock_time=lock_time, sequence=sequence)
    assert parse(raw).is_final is final


def test_a_lock_time_that_has_passed_no_longer_counts() -> None:
    by_height = parse(build([(1, p2pkh())], lock_time=500, sequence=0))
    assert [by_height.is_final_at(height, 0) for height in (None, 499, 500)] == [False, False, True]
    by_date = parse(build([(1, p2pkh())], lock_time=1_700_000_000, sequence=0))
    assert [by_date.is_final_at(None, at) for at in (1_700_000_000, 1_700_000_001)] == [False, True]


def test_the_id_is_the_double_hash_turned_round() -> None:
    raw = build([(1, p2pkh())])
    assert bytes.fromhex(txid_of(raw))[::-1] == sha256(sha256(raw).digest()).digest()
