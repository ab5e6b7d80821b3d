"""Read by the kernels of notebooks as they start: a training ends after a tenth of its steps (of 100 and more, at
least 100), and pictures of words are painted in four.
"""


def hurry():
    from dataclasses import replace
    from itertools import islice

    from diffusion_course.lab import bars
    from diffusion_course.run import recipes

    recipes.EMOJI = replace(recipes.EMOJI, steps=4)  # `paint` takes its default from here

    class Hurried(bars.tqdm):
        def __iter__(self):
            steps, short = super().__iter__(), getattr(self, "unit", "") == "step"  # none if disabled
            few = max(self.total // 10, 100 if self.total >= 100 else 0)
            return islice(steps, few) if short else steps

    bars.tqdm = Hurried


hurry()
del hurry  # the lesson finds no name that it has not made
