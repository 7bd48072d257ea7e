"""Test-network keys, grown from one seed file: the merchant's account and the shopper's wallet."""

import argparse
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bsv.base58 import base58check_encode
from bsv.constants import Network
from bsv.hd.bip32 import Xprv, ckd
from bsv.keys import PrivateKey, PublicKey
from bsv.utils import decode_address

from sandbox.tx import SIGHASH_ALL_FORKID, Output, Transaction, push

ADDRESS_PREFIX = b"\x6f"
MERCHANT_ACCOUNT = "m/44'/1'/0'"
SHOPPER_KEY = "m/44'/1'/1'/0/0"


class WrongAddress(ValueError):
    """What was given is no address of the test network."""


def address_of(public_key_hash: bytes) -> str:
    return str(base58check_encode(ADDRESS_PREFIX + public_key_hash))


def hash_of(address: str) -> bytes:
    """The key hash an address of the test network stands for."""
    try:
        public_key_hash, network = decode_address(address)
    except ValueError as error:
        raise WrongAddress(f"{address!r} is not an address") from error
    if network != Network.TESTNET:
        raise WrongAddress(f"{address} belongs to another network: play money cannot go there")
    return bytes(public_key_hash)


def signature_holds(script: bytes, public_key_hash: bytes, preimage: bytes) -> bool:
    """Whether an unlocking script carries the right key and a signature of it over this message."""
    signature_size = script[0] if script else 0
    signature, rest = script[1 : 1 + signature_size], script[1 + signature_size :]
    if len(signature) < 2 or signature[-1] != SIGHASH_ALL_FORKID or rest[:1] != bytes([33]):
        return False
    try:
        key = PublicKey(rest[1:])
        return bool(key.hash160() == public_key_hash and key.verify(signature[:-1], preimage))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Key:
    """A private key that pays and is paid by its hash."""

    private: Any  # bsv.keys.PrivateKey, which ships no types

    @property
    def public_key_hash(self) -> bytes:
        return bytes(self.private.public_key().hash160())

    @property
    def address(self) -> str:
        return address_of(self.public_key_hash)

    def sign(self, transaction: Transaction, spent: list[Output]) -> Transaction:
        """The same transaction with every input unlocked by this key."""
        public_key = bytes(self.private.public_key().serialize())
        scripts = []
        for index, output in enumerate(spent):
            signature = bytes(self.private.sign(transaction.preimage(index, output)))
            scripts.append(push(signature + bytes([SIGHASH_ALL_FORKID])) + push(public_key))
        return transaction.with_scripts(scripts)


def new_key() -> Key:
    return Key(PrivateKey(network=Network.TESTNET))


def _master(directory: Path) -> Any:
    path = directory / "seed.hex"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(64) + "\n")
    return Xprv.from_seed(path.read_text().strip(), Network.TESTNET)


def merchant_xpub(directory: Path) -> str:
    """The account key the store watches; it receives at its children 0/0, 0/1, 0/2 and so on."""
    return str(ckd(_master(directory), MERCHANT_ACCOUNT).xpub())


def shopper_key(directory: Path) -> Key:
    """The key that holds the shopper's play money."""
    return Key(ckd(_master(directory), SHOPPER_KEY).private_key())


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the sandbox merchant's account xpub.")
    parser.add_argument("--dir", type=Path, default=Path("instance/sandbox"))
    print(merchant_xpub(parser.parse_args().dir))


if __name__ == "__main__":
    main()
