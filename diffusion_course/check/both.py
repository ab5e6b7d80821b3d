"""The check of a function that must be right for NumPy arrays and for tensors."""

import sys

from .asked import Mistake
from .engine import Exercise
from .handed import offer


class ForBothKinds(Exercise):
    """The exercise whose answer gets NumPy arrays first and tensors later."""

    def _judge(self, attempt, kind: str) -> None:
        fails = "tensors" if "torch" in sys.modules and not self._right_for_tensors(attempt) else ""
        try:
            super()._judge(attempt, kind)
        except Mistake as mistake:
            if fails or mistake.kind != "raised":
                raise
            fails = "NumPy arrays"
        if fails:
            told = "Mix by arithmetic (`mask * …`), not by `np.where` or `torch.where`; draw by `randn_like(x, rng)`."
            raise Mistake(f"{self.name}: right, but not for {fails}, which come, too. {told}", "one kind", "named")

    def _right_for_tensors(self, attempt) -> bool:
        import torch

        def asked(function):
            return function(*(offer(x, "torch") for x in self.probes[-1][:-1]), torch.Generator().manual_seed(4))

        try:
            return bool(torch.allclose(asked(attempt), asked(self.reference), atol=1e-4))
        except (NotImplementedError, Mistake):
            raise
        except Exception:
            return False
