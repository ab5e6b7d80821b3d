"""How every test says that a call must be refused, and that the refusal must explain itself."""

import re

import pytest


def refused(*parts):
    """The call must raise a ValueError whose message holds each of `parts`, in this order."""
    return pytest.raises(ValueError, match="(?s)" + ".*".join(re.escape(str(part)) for part in parts))
