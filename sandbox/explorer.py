"""The chain as WhatsOnChain tells it: the same paths, the same bodies, the same refusals."""

import re
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox import faults, rates
from sandbox.block import DIFFICULTY, WORK_PER_BLOCK
from sandbox.chain import Refused
from sandbox.keys import WrongAddress, hash_of
from sandbox.ledger import Block, Coin, Entry
from sandbox.merkle import merkle_branch
from sandbox.telling import describe, script_hash
from sandbox.tx import p2pkh_script, parse
from sandbox.world import world

bp = Blueprint("explorer", __name__, url_prefix="/v1/bsv/test")
bp.before_request(faults.before_answer)
bp.after_request(faults.after_answer)

TXID = re.compile("[0-9a-fA-F]{64}")
BULK_LIMIT = 20
LIE_CONFIRMATIONS = 144


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/plain")


def _refuse(text: str, status: int = 400) -> None:
    abort(_text(text, status))


def _lies(kind: str) -> bool:
    return world().faults["explorer_lie"] == kind


def _txid(text: str) -> str:
    if not TXID.fullmatch(text):
        _refuse("txid must be 64 hex characters in length")
    return text.lower()


def _find(txid: str) -> Entry | None:
    entry = world().chain.ledger.entry(txid.lower())
    return None if entry is None or entry.gone else entry


def _known(text: str) -> Entry:
    entry = _find(_txid(text))
    if entry is None:
        abort(_text("Not Found", 404))
    return entry


def _somebody_else() -> Entry:
    """A transaction that has nothing to do with the question: the latest coinbase."""
    chain = world().chain
    entry = _find(chain.ledger.txids_of(chain.tip.hash)[0])
    if entry is None:
        raise RuntimeError("the latest block has no coinbase")
    return entry


def _bulk(field: str) -> list[str]:
    body = request.get_json(force=True, silent=True)
    values = body.get(field) if isinstance(body, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        _refuse(f"a JSON object with a list of {field} is wanted")
        return []
    if not 1 <= len(values) <= BULK_LIMIT:
        _refuse(f"between 1 and {BULK_LIMIT} {field} are allowed per request")
    return values


def _standing(entry: Entry) -> dict[str, Any]:
    """Block, height, time and confirmations; nothing at all while unconfirmed."""
    chain = world().chain
    tip = chain.tip
    if _lies("confirmations"):
        block, confirmations = chain.ledger.block(max(tip.height - 143, 0)), LIE_CONFIRMATIONS
    else:
        block = chain.ledger.block(entry.block_hash) if entry.block_hash else None
        confirmations = chain.confirmations(entry)
    if block is None:
        return {}
    return {
        "blockhash": block.hash,
        "blockheight": block.height,
        "blocktime": block.header.time,
        "confirmations": confirmations,
    }


# Rate and chain


@bp.get("/exchangerate")
def exchange_rate() -> ResponseReturnValue:
    return rates.rate("whatsonchain")


@bp.get("/chain/info")
def chain_info() -> ResponseReturnValue:
    chain = world().chain
    tip = chain.tip
    return jsonify(
        chain="test",
        blocks=tip.height,
        headers=tip.height,
        bestblockhash=tip.hash,
        difficulty=DIFFICULTY,
        mediantime=chain.ledger.median_time(tip.height),
        verificationprogress=1,
        pruned=False,
        chainwork=_chain_work(tip.height),
    )


@bp.get("/block/<key>/header")
def header(key: str) -> ResponseReturnValue:
    if TXID.fullmatch(key):
        block = world().chain.ledger.block(key.lower())
    elif key.isascii() and key.isdigit() and len(key) < 10:
        block = world().chain.ledger.block(int(key))
    else:
        return _text("invalid block hash or height", 400)
    return _text("Not Found", 404) if block is None else jsonify(_header_body(block))


def _header_body(block: Block) -> dict[str, Any]:
    chain = world().chain
    following = chain.ledger.block(block.height + 1)
    return {
        "hash": block.hash,
        "confirmations": chain.tip.height - block.height + 1,
        "size": block.size,
        "height": block.height,
        "version": block.header.version,
        "versionHex": f"{block.header.version:08x}",
        "merkleroot": block.header.merkle_root,
        "time": block.header.time,
        "mediantime": chain.ledger.median_time(block.height),
        "nonce": block.header.nonce,
        "bits": f"{block.header.bits:08x}",
        "difficulty": DIFFICULTY,
        "chainwork": _chain_work(block.height),
        "previousblockhash": block.header.previous if block.height else "",
        "nextblockhash": following.hash if following else "",
        "nTx": 0,
        "num_tx": block.transaction_count,
    }


def _chain_work(height: int) -> str:
    return f"{(height + 1) * WORK_PER_BLOCK:064x}"


# Transactions


@bp.get("/tx/hash/<txid>")
def transaction(txid: str) -> ResponseReturnValue:
    entry = _known(txid)
    if _lies("other_tx"):
        entry = _somebody_else()
    standing = _standing(entry)
    when = standing.get("blocktime", int(entry.seen_at))
    return jsonify({**describe(parse(entry.raw)), "time": when, **standing})


@bp.get("/tx/<txid>/hex")
def raw(txid: str) -> ResponseReturnValue:
    entry = _known(txid)
    return _text((_somebody_else() if _lies("wrong_raw") else entry).raw.hex())


@bp.post("/txs/hex")
def raw_of_many() -> ResponseReturnValue:
    bodies: list[dict[str, Any]] = []
    for txid in _bulk("txids"):
        entry = _find(txid)
        if entry is None:
            bodies.append({"txid": txid, "error": "unknown"})
            continue
        shown = _somebody_else() if _lies("wrong_raw") else entry
        bodies.append({"txid": txid, "hex": shown.raw.hex(), **_standing(entry)})
    return jsonify(bodies)


@bp.post("/txs/status")
def status_of_many() -> ResponseReturnValue:
    bodies: list[dict[str, Any]] = []
    for txid in _bulk("txids"):
        entry = _find(txid)
        if entry is None:
            bodies.append({"txid": txid, "error": "unknown"})
        elif _lies("other_tx"):
            bodies.append({"txid": _somebody_else().txid, **_standing(_somebody_else())})
        else:
            bodies.append({"txid": txid, **_standing(entry)})
    return jsonify(bodies)


@bp.get("/tx/<txid>/proof/tsc")
def proof(txid: str) -> ResponseReturnValue:
    """The proof, or null with 200 for what is unmined or unknown."""
    entry = _find(_txid(txid))
    if entry is None or entry.block_hash is None or entry.position is None:
        return jsonify(None)
    nodes = merkle_branch(world().chain.ledger.txids_of(entry.block_hash), entry.position)
    if _lies("bad_proof"):
        nodes = ["11" * 32, *nodes[1:]]
    return jsonify(
        [
            {
                "index": entry.position,
                "txOrId": entry.txid,
                "target": entry.block_hash,
                "nodes": nodes,
            }
        ]
    )


@bp.get("/tx/<txid>/<int:vout>/spent")
def spent(txid: str, vout: int) -> ResponseReturnValue:
    coin = world().chain.ledger.coin(_txid(txid), vout)
    if coin is None:
        return _text("Bad Request", 400)
    spender = _find(coin.spent_by) if coin.spent_by else None
    if spender is None:
        return _text("Not Found", 404)
    status = "confirmed" if spender.block_hash else "unconfirmed"
    return jsonify(txid=spender.txid, vin=coin.spent_vin, status=status)


@bp.post("/tx/raw")
def broadcast() -> ResponseReturnValue:
    body = request.get_json(force=True, silent=True)
    text = body.get("txhex") if isinstance(body, dict) else None
    try:
        sent = bytes.fromhex(text if isinstance(text, str) else "")
    except ValueError:
        sent = b""
    try:
        return jsonify(world().chain.accept(sent))
    except Refused as refusal:
        return _text(f"unexpected response code 500: {refusal}", 400)


# Addresses


def _script(address: str) -> bytes:
    return p2pkh_script(hash_of(address))


@bp.post("/addresses/history/all")
def history_of_many() -> ResponseReturnValue:
    return jsonify([_history(address) for address in _bulk("addresses")])


def _history(address: str) -> dict[str, Any]:
    try:
        script = _script(address)
    except WrongAddress:
        nothing = {"result": None, "error": "invalid address"}
        return {"address": address, "script": "", "unconfirmed": nothing, "confirmed": nothing}
    now, lag = world().clock(), world().faults.number("index_lag")
    entries = world().chain.ledger.history(address, seen_before=now, lag=lag)
    if _lies("phantom"):
        entries.append(_somebody_else())
    waiting = [{"tx_hash": entry.txid} for entry in entries if entry.height is None]
    mined = [
        {"tx_hash": entry.txid, "height": entry.height}
        for entry in entries
        if entry.height is not None
    ]
    # Never used: null. Used: a list on either side, which may be empty.
    return {
        "address": address,
        "script": script_hash(script),
        "unconfirmed": {"result": waiting if entries else None, "error": ""},
        "confirmed": {"result": mined if entries else None, "error": ""},
    }


@bp.get("/address/<address>/<any(confirmed, unconfirmed):standing>/unspent")
def unspent(address: str, standing: str) -> ResponseReturnValue:
    try:
        script = _script(address)
    except WrongAddress:
        return _text("invalid address", 400)
    now, lag = world().clock(), world().faults.number("index_lag")
    coins = world().chain.ledger.coins(address, seen_before=now, lag=lag)
    rows = [
        _coin_body(coin) for coin in coins if (coin.height is not None) == (standing == "confirmed")
    ]
    if not rows:
        return _text("Not Found", 404)
    return jsonify(address=address, script=script_hash(script), result=rows, error="")


def _coin_body(coin: Coin) -> dict[str, Any]:
    body = {
        "tx_pos": coin.vout,
        "tx_hash": coin.txid,
        "value": coin.output.satoshis,
        "isSpentInMempoolTx": coin.spent_by is not None,
    }
    if coin.height is None:
        return {**body, "hex": coin.output.script.hex(), "status": "unconfirmed"}
    return {"height": coin.height, **body, "status": "confirmed"}
