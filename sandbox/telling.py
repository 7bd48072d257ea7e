"""A transaction in the long words of a node's JSON."""

from hashlib import sha256
from typing import Any

from sandbox.keys import address_of
from sandbox.tx import Input, Output, Transaction, display_hash, p2pkh_hash

OP_FALSE, OP_RETURN = 0x00, 0x6A


def describe(transaction: Transaction) -> dict[str, Any]:
    """The body of a transaction, without its place in the chain."""
    return {
        "hex": "",
        "txid": transaction.txid,
        "hash": transaction.txid,
        "size": len(transaction.to_bytes()),
        "version": transaction.version,
        "locktime": transaction.lock_time,
        "vin": [
            _coinbase(entry) if transaction.is_coinbase else _input(number, entry)
            for number, entry in enumerate(transaction.inputs)
        ],
        "vout": [_output(number, entry) for number, entry in enumerate(transaction.outputs)],
    }


def script_hash(script: bytes) -> str:
    """The name an address index files a script under."""
    return display_hash(sha256(script).digest())


def _coinbase(entry: Input) -> dict[str, Any]:
    return {
        "coinbase": entry.script.hex(),
        "txid": "",
        "vout": 0,
        "scriptSig": {"asm": "", "hex": ""},
        "sequence": entry.sequence,
    }


def _input(number: int, entry: Input) -> dict[str, Any]:
    script = {"asm": _pushes(entry.script), "hex": entry.script.hex(), "isTruncated": False}
    return {
        "n": number,
        "txid": entry.txid,
        "vout": entry.vout,
        "scriptSig": script,
        "sequence": entry.sequence,
        "coinbase": "",
    }


def _output(number: int, output: Output) -> dict[str, Any]:
    public_key_hash = p2pkh_hash(output.script)
    script: dict[str, Any] = {"asm": "", "hex": output.script.hex()}
    if public_key_hash is not None:
        hash_text = public_key_hash.hex()
        script["asm"] = f"OP_DUP OP_HASH160 {hash_text} OP_EQUALVERIFY OP_CHECKSIG"
        script |= {"reqSigs": 1, "type": "pubkeyhash", "addresses": [address_of(public_key_hash)]}
    else:
        carries_data = OP_RETURN in output.script[:2] and output.script[0] in {OP_FALSE, OP_RETURN}
        script["type"] = "nulldata" if carries_data else "nonstandard"
    script |= {"opReturn": None, "isTruncated": False}
    return {"value": output.satoshis / 1e8, "n": number, "scriptPubKey": script}


def _pushes(script: bytes) -> str:
    """The pushed data in hex, or the whole script where it does more than push."""
    words, at = [], 0
    while at < len(script):
        size = script[at]
        if not 0 < size <= 75 or at + 1 + size > len(script):
            return script.hex()
        words.append(script[at + 1 : at + 1 + size].hex())
        at += 1 + size
    return " ".join(words)
