"""Where buyers send coins: fresh addresses of an account xpub, or one configured address.

Only public keys come in here. bsv-sdk derives and encodes; what it would let through, or refuse by
a bare `assert`, is checked before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

XPUB_LENGTH = 78
XPUB = bytes.fromhex("0488b21e")
TPUB = bytes.fromhex("043587cf")
PRIVATE = {bytes.fromhex("0488ade4"), bytes.fromhex("04358394")}
DEEPEST = 253  # two more levels are derived, and depth is one byte
HARDENED = 2**31


class AddressRefused(ValueError):
    """A setting that cannot receive coins on this network; the text names it."""


@dataclass(frozen=True, slots=True)
class Destination:
    """An address and the one script that pays it."""

    address: str
    script: bytes


class AccountKey:
    """An account's public key: makes `m/0/i` addresses, can spend nothing."""

    def __init__(self, xpub: str, network: str) -> None:
        from bsv.hd.bip32 import Xpub

        payload = _decode("BSV_XPUB", xpub)
        _check_xpub(payload, network)
        try:
            key = Xpub(payload)
            self._receiving: Any = key.ckd(0)
        except (ValueError, AssertionError) as error:
            raise AddressRefused("BSV_XPUB does not hold a public key") from error
        self.fingerprint = str(key.key.hash160()[:4].hex())
        self._network = network

    def destination(self, index: int) -> Destination:
        """The address at `m/0/index`."""
        if not 0 <= index < HARDENED:
            raise AddressRefused(f"there is no address number {index}")
        return _destination(self._receiving.ckd(index).key.hash160(), self._network)


def single(address: str, network: str) -> Destination:
    """Where a configured address leads; AddressRefused when it is none of this network."""
    payload = _decode("BSV_ADDRESS", address)
    if len(payload) != 21 or payload[:1] != _version(network):
        raise AddressRefused(f"BSV_ADDRESS is not an address of the {_kind(network)} network")
    return _destination(payload[1:], network)


def _destination(key_hash: bytes, network: str) -> Destination:
    from bsv.base58 import base58check_encode

    script = b"\x76\xa9\x14" + key_hash + b"\x88\xac"
    return Destination(base58check_encode(_version(network) + key_hash), script)


def _check_xpub(payload: bytes, network: str) -> None:
    prefix = payload[:4]
    if prefix in PRIVATE:
        raise AddressRefused(
            "BSV_XPUB is a private key; give the account's public key (xpub), and consider "
            "the private one exposed"
        )
    if len(payload) != XPUB_LENGTH or prefix not in {XPUB, TPUB}:
        raise AddressRefused("BSV_XPUB is not an extended public key")
    if prefix != (XPUB if network == "main" else TPUB):
        raise AddressRefused(
            f"BSV_XPUB is of the other network: BSV_NETWORK={network} takes "
            f"{'an xpub' if network == 'main' else 'a tpub'}"
        )
    if payload[4] > DEEPEST or payload[45:46] not in {b"\x02", b"\x03"}:
        raise AddressRefused("BSV_XPUB does not hold a public key")


def _decode(setting: str, text: str) -> bytes:
    from bsv.base58 import base58check_decode

    try:
        payload: bytes = base58check_decode(text)
    except ValueError:  # its text repeats the setting, which may be a private key
        raise AddressRefused(f"{setting} is mistyped: its checksum is wrong") from None
    return payload


def _version(network: str) -> bytes:
    return b"\x00" if network == "main" else b"\x6f"


def _kind(network: str) -> str:
    return "main" if network == "main" else "test"
