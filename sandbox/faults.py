"""What may go wrong with the outside world, chosen by hand; a fresh start is without fault."""

import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.world import answer_act, wants_json, world

bp = Blueprint("faults", __name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that may go wrong: a choice among words, a number up to a limit, or a text."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    limit: int | None = None

    @property
    def default(self) -> str:
        if self.choices:
            return self.choices[0][0]
        return "" if self.limit is None else "0"

    def accepts(self, value: str) -> bool:
        if self.choices:
            return value in dict(self.choices)
        if self.limit is None:
            return len(value) <= 254
        return value.isascii() and value.isdigit() and int(value) <= self.limit


EXPLORER = (
    Fault(
        "explorer",
        "Explorer",
        (
            ("ok", "answers"),
            ("down", "down: 503"),
            ("closed", "cuts the connection"),
            ("limited", "429, asks for patience"),
            ("limited_bare", "429 without Retry-After"),
            ("garbage", "a web page with 200"),
            ("null", "null with 200"),
            ("half", "half of each body"),
        ),
    ),
    Fault(
        "explorer_lie",
        "Explorer's honesty",
        (
            ("none", "tells the truth"),
            ("wrong_raw", "gives another transaction's bytes"),
            ("other_tx", "describes another transaction"),
            ("confirmations", "says all are confirmed"),
            ("phantom", "says an address was paid when it was not"),
            ("bad_proof", "gives a wrong Merkle proof"),
        ),
    ),
    Fault("explorer_delay", "Seconds before each answer", limit=30),
    Fault("rate_limit", "Requests a second before 429 (0: no limit)", limit=100),
    Fault("index_lag", "Seconds the address index lags behind", limit=600),
)
_RATE = (("ok", "answers"), ("zero", "says zero"), ("outlier", "far from the others"))
_DOWN = (("down", "down: 503"),)
_STALE = (("stale", "an hour old"),)
RATES = tuple(
    Fault(f"rate_{source}", label, _RATE + stamped + _DOWN)
    for source, label, stamped in (
        ("whatsonchain", "WhatsOnChain", _STALE),
        ("coingecko", "CoinGecko", _STALE),
        ("coinpaprika", "CoinPaprika", _STALE),
        ("gate", "Gate", ()),
        ("bitget", "Bitget", _STALE),
        ("mexc", "MEXC", ()),
        ("htx", "HTX", _STALE),
    )
)
MAIL = (
    Fault(
        "mail",
        "Mail server",
        (
            ("ok", "takes letters"),
            ("refuse", "refuses every connection: 421"),
            ("defer", "refuses for now: 450"),
            ("reject", "refuses for good: 550"),
        ),
    ),
    Fault("mail_recipient", "Only for this recipient (empty: for all; 450 and 550 only)"),
)
GROUPS = (("Explorer", EXPLORER), ("Rates", RATES), ("Mail", MAIL))
FAULTS = {fault.name: fault for _, faults in GROUPS for fault in faults}


class Faults:
    """The faults in force, each by its name."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, FAULTS[name].default)

    def number(self, name: str) -> int:
        return int(self[name])

    def set(self, name: str, value: str) -> None:
        fault = FAULTS.get(name)
        if fault is None or not fault.accepts(value):
            raise ValueError(f"{name!r} cannot be {value!r}")
        self._values[name] = value

    def reset(self) -> None:
        self._values.clear()

    def values(self) -> dict[str, str]:
        return {name: self[name] for name in FAULTS}

    @property
    def active(self) -> int:
        return sum(self[name] != fault.default for name, fault in FAULTS.items())


class Throttle:
    """Counts the requests of the last second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: deque[float] = deque()
        self._lock = Lock()

    def allows(self, per_second: int) -> bool:
        now = self._clock()
        with self._lock:
            while self._times and self._times[0] <= now - 1:
                self._times.popleft()
            self._times.append(now)
            return len(self._times) <= per_second


def before_answer() -> ResponseReturnValue | None:
    """What a troubled explorer answers instead; None when it is well."""
    faults = world().faults
    time.sleep(faults.number("explorer_delay"))
    limit = faults.number("rate_limit")
    if limit and not world().throttle.allows(limit):
        return _too_many(retry_after=True)
    match faults["explorer"]:
        case "down":
            return _plain("Service Unavailable", 503)
        case "closed":
            return _cut()
        case "limited" | "limited_bare" as kind:
            return _too_many(retry_after=kind == "limited")
        case "garbage":
            page = "<html><head><title>502 Bad Gateway</title></head></html>"
            return Response(page, mimetype="text/html")
        case "null":
            return Response("null", mimetype="application/json")
    return None


def after_answer(response: Response) -> Response:
    """Half of the body, though all of it is announced, when the explorer breaks off."""
    if world().faults["explorer"] == "half" and response.status_code == 200:
        body = response.get_data()
        response.set_data(body[: len(body) // 2])
        response.headers["Content-Length"] = str(len(body))
    return response


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")


def _too_many(*, retry_after: bool) -> Response:
    response = _plain("Too Many Requests", 429)
    if retry_after:
        response.headers["Retry-After"] = "2"
    return response


def _cut() -> Response:
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    return _plain("", 503)


@bp.get("/faults")
def show() -> ResponseReturnValue:
    faults = world().faults
    if wants_json():
        return jsonify(faults.values())
    return render_template("faults.html", groups=GROUPS, faults=faults)


@bp.post("/faults")
def choose() -> ResponseReturnValue:
    name, value = request.form.get("name", ""), request.form.get("value", "").strip()
    try:
        world().faults.set(name, value)
    except ValueError as error:
        abort(400, str(error))
    fault = FAULTS[name]
    said = dict(fault.choices).get(value, value or "everyone")
    return answer_act({"name": name, "value": value}, f"{fault.label}: {said}", "faults.show")


@bp.post("/faults/reset")
def reset() -> ResponseReturnValue:
    world().faults.reset()
    return answer_act(world().faults.values(), "All is well again.", "faults.show")
