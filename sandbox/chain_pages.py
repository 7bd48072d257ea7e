"""The chain for people: its latest blocks, mining, reorganising."""

from flask import Blueprint, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.wallet import CannotPay
from sandbox.world import answer_act, world

bp = Blueprint("chain", __name__)

MAX_BLOCKS = 200
MAX_SECONDS = 3600


def number(name: str, *, default: int, at_least: int, at_most: int) -> int:
    """A whole number out of the form, or 400 with the reason."""
    text = request.form.get(name, "").strip() or str(default)
    if not text.isascii() or not text.isdigit() or not at_least <= int(text) <= at_most:
        abort(400, f"{name} must be a whole number between {at_least} and {at_most}")
    return int(text)


@bp.get("/")
def show() -> ResponseReturnValue:
    ledger = world().chain.ledger
    return render_template(
        "chain.html",
        chain=world().chain,
        blocks=ledger.latest_blocks(20),
        waiting=ledger.mempool(),
        faults=world().faults,
    )


@bp.get("/ready")
def ready() -> ResponseReturnValue:
    return jsonify(ready=True, blocks=world().chain.tip.height)


@bp.post("/chain/mine")
def mine() -> ResponseReturnValue:
    blocks = number("blocks", default=1, at_least=1, at_most=MAX_BLOCKS)
    hashes = world().chain.mine(blocks)
    height = world().chain.tip.height
    message = f"Mined {blocks} block{'s' * (blocks > 1)}: the chain is {height} high."
    return answer_act({"hashes": hashes, "height": height}, message, "chain.show")


@bp.post("/chain/reorganise")
def reorganise() -> ResponseReturnValue:
    depth = number("depth", default=1, at_least=1, at_most=MAX_BLOCKS)
    double_spend = request.form.get("double_spend") in {"1", "on"}
    try:
        txids = world().wallet.reorganise(depth, double_spend=double_spend)
    except CannotPay as error:
        abort(409, str(error))
    fate = "paid back to the wallet instead" if double_spend else "unconfirmed again"
    message = f"Undid {depth} block{'s' * (depth > 1)}; payments {fate}: {len(txids)}."
    facts = {"txids": txids, "height": world().chain.tip.height}
    return answer_act(facts, message, "chain.show")


@bp.post("/chain/auto")
def auto() -> ResponseReturnValue:
    on = request.form.get("on", "1") in {"1", "on"}
    seconds = number("seconds", default=30, at_least=1, at_most=MAX_SECONDS) if on else 0
    world().chain.mine_every(seconds)
    message = f"A block comes every {seconds} s." if on else "Mining is paused."
    return answer_act({"on": on, "seconds": seconds}, message, "chain.show")
