"""Stands in the sandbox for each file that a submission may not use: importing from it works, calling does not.

So an import that nobody needs costs nothing, and an answer taken from the package says so in the place of a result.
"""


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)

    def withheld(*args, **kwargs):
        raise RuntimeError(f"{__name__}.{name} may not be used here: the homework asks for your own.")

    return withheld
