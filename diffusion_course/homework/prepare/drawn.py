"""What is drawn anew for each class: the hidden questions, the grader's noise and the spirals.

All of it follows from one secret, 32 hexadecimal digits, which `init` makes and which never leaves the course
directory. Only the salt of the spirals, from which nobody can tell the secret, stands in the notebook given out.
"""

import hashlib

import numpy as np

from ...check.homework import variant


def salt(secret: str) -> str:
    """The salt of a class's spirals; without a secret that of the source notebook."""
    return _hash(secret, "salt").hexdigest()[:12] if secret else variant.SALT


def generator(secret: str, *what) -> np.random.Generator:
    """The generator of all random numbers for this purpose in this class."""
    return np.random.default_rng(list(_hash(secret, *what).digest()))


def _hash(*words):
    return hashlib.sha256("/".join(map(str, words)).encode())
