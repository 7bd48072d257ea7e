"""Secrets that go into links: made from what is stored, yet not to be found in what is stored.

A row keeps a nonce, an epoch and the SHA-256 of its token; the token itself is an HMAC under the
store's key, so a letter can be sent again and a leaked database opens nothing.
"""

import base64
import hashlib
import hmac
import secrets


def nonce() -> str:
    """128 random bits, base64url."""
    return secrets.token_urlsafe(16)


def make(key: str, purpose: str, nonce: str, epoch: int) -> str:
    """The token (256 bits, base64url, 43 characters) of this nonce and epoch, for one purpose."""
    message = f"satchel|{purpose}|{nonce}|{epoch}".encode()
    return (
        base64.urlsafe_b64encode(hmac.digest(key.encode(), message, "sha256")).rstrip(b"=").decode()
    )


def digest(token: str) -> str:
    """What is stored of a token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
