"""From a submission to a record: its cells run in the sandbox, and the tests ask it for answers from outside."""

from contextlib import contextmanager


@contextmanager
def extra(name: str):
    """Within it a module is imported that only this extra of the package brings. ValueError where it is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ValueError(f'{missing}. Try: pip install "diffusion-course[{name}]"') from missing
