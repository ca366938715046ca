"""Encrypted sets: each row carries the password its texts are encrypted with, so that no plain copy is ever crawled.

Base64 of the text, XORed with the password's SHA-256, repeated. A row whose question has a space or a sign beyond ASCII
is a decrypted copy and is taken as it is. Nothing decrypted is written here. Source: OpenAI, simple-evals, BrowseComp.
"""

import base64
import hashlib
from itertools import cycle

from webfarer.core.errors import ConfigError, boundary
from webfarer.evals.sources import Row


def decrypted(sealed: str, password: str) -> str:
    """Return the text.

    Raises:
        ValueError: it is no base64, or the password is another.
    """
    key = hashlib.sha256(password.encode()).digest()
    return bytes(a ^ b for a, b in zip(base64.b64decode(sealed, validate=True), cycle(key), strict=False)).decode()


def opened(row: Row, question: str, names: tuple[str, ...], key: str = "") -> dict[str, str]:
    """Return texts of a row by name, decrypted where they are encrypted; one that the row lacks is "".

    Args:
        row: of an encrypted set, or of its decrypted copy.
        question: the name that tells which of the two it is.
        names: of all texts.
        key: password, for rows that carry none.

    Raises:
        ConfigError: no password, or it does not fit.
    """
    given = {name: str(row.find(name) or "").strip() for name in names}
    given[question] = row.text(question)
    if any(sign.isspace() or not sign.isascii() for sign in given[question]):
        return given
    password = str(row.find("canary") or key)
    if not password:
        raise ConfigError(f"{row.place}: encrypted, but without a canary; give the password with --key", row=row.number)
    with boundary(ConfigError, f"{row.place}: cannot be decrypted, the row is damaged or the password another"):
        return {name: decrypted(text, password) for name, text in given.items()}


def answered(row: Row, answer: str) -> str:
    """Return the answer.

    Raises:
        ConfigError: it is empty.
    """
    if not answer.strip():
        raise ConfigError(f"{row.place}: the answer is empty", row=row.number, key="answer")
    return answer.strip()
