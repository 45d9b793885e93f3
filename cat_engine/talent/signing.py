"""Signatures on what leaves: detached JWS (RFC 7515, appendix F; unencoded payload, RFC 7797) with Ed25519.

    X-Signature = BASE64URL(header) ".." BASE64URL(Ed25519(key, BASE64URL(header) "." body)) header = {"alg":
    "EdDSA", "b64": false, "crit": ["b64"], "kid": ..., "timestamp_ms": ..., "idempotency_key": ...}

The signature covers the time, the idempotency key and every byte of the body; the receiver compares
`timestamp_ms` and `idempotency_key` with the request's headers and refuses old times, so that an overheard
request is of no use. `kid` is the JWK thumbprint of the public key (RFC 7638, RFC 8037).

A key is made with `openssl genpkey -algorithm ed25519`; the file (PKCS #8, PEM, no password) is readable by
the server only. The record system gets the public half: `openssl pkey -pubout`.
"""

import base64
import hashlib
import re
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cat_engine.foundation.outbox import PermanentError

FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def read_secret(directory: Path | None, name: str) -> bytes:
    """A file of the secrets directory by its bare name: settings of an agency cannot point anywhere else."""
    if directory is None or not FILE_NAME.fullmatch(name):
        raise PermanentError("secret_file_name_invalid")
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        raise PermanentError("secret_file_unreadable") from error


def load_key(directory: Path | None, name: str) -> Ed25519PrivateKey:
    """The signing key; what is wrong with a file is said without a byte of its content."""
    try:
        key = load_pem_private_key(read_secret(directory, name), password=None)
    except (ValueError, TypeError):
        raise PermanentError("signing_key_unusable") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise PermanentError("signing_key_unusable")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """JWK thumbprint of an Ed25519 public key."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes_raw())}
    return _base64url(hashlib.sha256(rfc8785.dumps(jwk)).digest())


def sign(key: Ed25519PrivateKey, body: bytes, *, timestamp_ms: int, idempotency_key: str) -> str:
    """The detached JWS of a body."""
    header = _base64url(
        rfc8785.dumps(
            {
                "alg": "EdDSA",
                "b64": False,
                "crit": ["b64"],
                "kid": key_id(key.public_key()),
                "timestamp_ms": timestamp_ms,
                "idempotency_key": idempotency_key,
            }
        )
    )
    return f"{header}..{_base64url(key.sign(header.encode() + b'.' + body))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
