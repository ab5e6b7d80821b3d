"""What is drawn anew for each class: the hidden questions, the grader's noise and the spirals.

All of it follows from one secret, which `init` makes and which never leaves the course directory. Only the salt of the
spirals, from which nobody can tell the secret, stands in the notebook that is given out.
"""

import hashlib
import secrets

import numpy as np

from ...check.homework import variant


def secret() -> str:
    """A new secret, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def salt(secret: str) -> str:
    """The salt of a class's spirals; without a secret that of the source notebook."""
    return _hash(secret, "salt").hexdigest()[:12] if secret else variant.SALT


def generator(secret: str, *what) -> np.random.Generator:
    """The generator of all random numbers for this purpose in this class."""
    return np.random.default_rng(list(_hash(secret, *what).digest()))


def levels(rng: np.random.Generator, last: int = 30) -> np.ndarray:
    """ᾱ_0 … ᾱ_last of a question, no two of them near each other."""
    return np.concatenate([[1.0], 1 - (np.arange(1, last + 1) + rng.uniform(-0.3, 0.3, last)) / (last + 1.5)])


def _hash(*words):
    return hashlib.sha256("/".join(map(str, words)).encode())
