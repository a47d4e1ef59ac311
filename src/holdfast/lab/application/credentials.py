"""Passwords of the application's own users: scrypt at a small cost, since a lab logs in many times a second."""

import hashlib
import hmac
import secrets

_COST = {"n": 1024, "r": 8, "p": 1, "dklen": 32}


def hash_password(password: str, salt: bytes | None = None) -> str:
    """`<salt>$<hash>` in hexadecimal."""
    salt = secrets.token_bytes(16) if salt is None else salt
    return f"{salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, **_COST).hex()}"


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed."""
    salt, _, _ = stored.partition("$")
    return hmac.compare_digest(hash_password(password, bytes.fromhex(salt)), stored)
