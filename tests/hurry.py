"""Read by the kernels that run the notebooks as they start: a training ends after a tenth of its steps."""


def hurry():
    from itertools import islice

    from diffusion_course.lab import bars

    class Hurried(bars.tqdm):
        def __iter__(self):
            steps = super().__iter__()
            return islice(steps, self.total // 10) if getattr(self, "unit", "") == "step" else steps  # none if disabled

    bars.tqdm = Hurried


hurry()
del hurry  # the lesson finds no name that it has not made
