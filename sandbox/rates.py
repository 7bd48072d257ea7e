"""Seven sources of the price of one BSV in US dollars, each in the words of its real namesake."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify
from flask.typing import ResponseReturnValue

from sandbox.world import world

bp = Blueprint("rates", __name__)

USD_PER_BSV = 25.0
STALE_SECONDS = 3600
OUTLIER = 1.4


def _whatsonchain(rate: float, at: int) -> Any:
    return {"rate": rate, "time": at, "currency": "USD"}


def _coingecko(rate: float, at: int) -> Any:
    return {"bitcoin-cash-sv": {"usd": rate, "last_updated_at": at}}


def _coinpaprika(rate: float, at: int) -> Any:
    return {
        "id": "bsv-bitcoin-sv",
        "name": "Bitcoin SV",
        "symbol": "BSV",
        "last_updated": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "quotes": {"USD": {"price": rate}},
    }


def _gate(rate: float, _at: int) -> Any:
    return [{"currency_pair": "BSV_USDT", "last": f"{rate:.3f}"}]


def _bitget(rate: float, at: int) -> Any:
    ticker = {"symbol": "BSVUSDT", "lastPr": f"{rate:.3f}", "ts": str(at * 1000)}
    return {"code": "00000", "msg": "success", "requestTime": at * 1000, "data": [ticker]}


def _mexc(rate: float, _at: int) -> Any:
    return {"symbol": "BSVUSDT", "price": f"{rate:.3f}"}


def _htx(rate: float, at: int) -> Any:
    trade = {"id": at, "ts": at * 1000, "amount": 1.0, "direction": "buy", "price": rate}
    tick = {"id": at, "ts": at * 1000, "data": [trade]}
    return {"ch": "market.bsvusdt.trade.detail", "status": "ok", "ts": at * 1000, "tick": tick}


SOURCES: dict[str, Callable[[float, int], Any]] = {
    "whatsonchain": _whatsonchain,
    "coingecko": _coingecko,
    "coinpaprika": _coinpaprika,
    "gate": _gate,
    "bitget": _bitget,
    "mexc": _mexc,
    "htx": _htx,
}


def rate_of(source: str, now: float) -> float:
    """Around the usual price, drifting by one per cent, no two sources quite alike."""
    apart = list(SOURCES).index(source) * 0.0004
    return round(USD_PER_BSV * (1 + apart + 0.01 * math.sin(now / 1800)), 3)


@bp.get("/rates/<source>")
@bp.get("/rates/<source>/<path:_rest>")
def rate(source: str, _rest: str = "") -> ResponseReturnValue:
    """The rate as this source tells it; the rest of the path may be its real one."""
    if source not in SOURCES:
        abort(404)
    now, fault = world().clock(), world().faults[f"rate_{source}"]
    if fault == "down":
        return Response("Service Unavailable", 503, mimetype="text/plain")
    factor = {"zero": 0.0, "outlier": OUTLIER}.get(fault, 1.0)
    stamp = int(now) - (STALE_SECONDS if fault == "stale" else 0)
    return jsonify(SOURCES[source](round(rate_of(source, now) * factor, 3), stamp))
