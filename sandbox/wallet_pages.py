"""The wallet for people, and for programs that send the same forms."""

from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.chain_pages import number
from sandbox.wallet import CannotPay, How, read_invoice, satoshis_of
from sandbox.world import answer_act, wants_json, world

bp = Blueprint("wallet", __name__)

WAYS = (
    (How.FULL, "In full"),
    (How.SHORT, "Too little", "half, or the amount below"),
    (How.OVER, "Too much", "a tenth more, or the amount below"),
    (How.TWICE, "Twice", "two transactions"),
    (How.DOUBLE_SPEND, "Double spend", "the first is seen, then replaced"),
)


def loopback(url: str) -> str:
    """The URL if it leads to this very machine, else nothing."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return ""
    return url if local and parts.scheme in {"http", "https"} else ""


@bp.get("/wallet")
def show() -> ResponseReturnValue:
    return _page(request.args.get("uri", ""))


@bp.post("/wallet/pay")
def pay() -> ResponseReturnValue:
    form = request.form
    uri = form.get("uri", "")
    try:
        txids = world().wallet.pay(
            read_invoice(uri),
            _way(form.get("how", "")),
            own_satoshis=satoshis_of(own) if (own := form.get("amount", "").strip()) else None,
            seconds=number("seconds", default=10, at_least=0, at_most=600),
            lag=number("lag", default=0, at_least=0, at_most=600),
        )
    except CannotPay as error:
        if wants_json():
            return jsonify(error=str(error)), 422
        return _page(uri, error=str(error)), 422
    if wants_json():
        return jsonify(txids=txids)
    way = _way(form.get("how", ""))
    return_url = loopback(form.get("return", ""))
    query = urlencode({"txid": txids, "how": way, "return": return_url}, doseq=True)
    return redirect(f"{url_for('wallet.paid')}?{query}", 303)


@bp.get("/wallet/paid")
def paid() -> ResponseReturnValue:
    ledger, txids = world().chain.ledger, request.args.getlist("txid")
    return render_template(
        "paid.html",
        transactions=[(txid, ledger.entry(txid)) for txid in txids],
        double_spend=request.args.get("how") == How.DOUBLE_SPEND,
        chain=world().chain,
        return_url=loopback(request.args.get("return", "")),
    )


@bp.post("/wallet/take-back")
def take_back() -> ResponseReturnValue:
    try:
        txid = world().wallet.take_back(request.form.get("txid", "").strip().lower())
    except CannotPay as error:
        abort(409, str(error))
    return answer_act({"txids": [txid]}, f"Paid back to this wallet by {txid}.", "wallet.show")


def _way(text: str) -> How:
    try:
        return How(text or How.FULL)
    except ValueError as error:
        raise CannotPay(f"{text!r} is not a way to pay") from error


def _page(uri: str, *, error: str = "") -> str:
    return render_template(
        "wallet.html",
        uri=uri,
        error=error,
        ways=WAYS,
        form=request.form,
        return_url=loopback(request.values.get("return", "")),
        wallet=world().wallet,
        chain=world().chain,
        transactions=world().chain.ledger.latest_transactions(20),
    )
