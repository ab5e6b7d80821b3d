"""Stands in the sandbox for each file that a submission may not use: importing from it works, calling does not.

So an import that nobody needs costs nothing, and an answer taken from the package says so in the place of a result.
"""


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    if (__name__, name) == ("diffusion_course.models", "time_embedding"):  # which may be used
        from diffusion_course.base.embedding import time_embedding

        return time_embedding

    def withheld(*args, **kwargs):
        raise RuntimeError(f"{__name__}.{name} may not be used here: the homework asks for your own.")

    return withheld
