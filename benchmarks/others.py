"""The U-Nets of other packages as denoisers: as many weights as ours to 5 %, given our t and asked for v like ours.

They import torchvision to load files, which nothing here does. So while they are imported `diffusers` is told that
there is none, and for the others an empty stand-in takes its place: any build of it will do, or none.
"""

import sys
from importlib import import_module
from unittest.mock import MagicMock

import torch
from torch import nn

from diffusion_course.models import Denoiser
from diffusion_course.unet import UNet
from measure import installed

PACKAGES = ("diffusers", "denoising-diffusion-pytorch", "azula", "smalldiffusion")
FILES = ("torchvision", "torchvision.transforms", "torchvision.utils", "torchvision.datasets")


def imported(module):
    """A module of another package, imported without torchvision."""
    before = {name: sys.modules.pop(name) for name in FILES if name in sys.modules}
    sys.modules |= {"torchvision": None} if module == "diffusers" else {name: MagicMock() for name in FILES}
    try:
        return import_module(module)
    finally:
        for name in FILES:
            sys.modules.pop(name, None)
        sys.modules |= before


class Other(Denoiser):
    """A denoiser whose `network` asks for t, which `answer` finds in `self.now`: so a GPU must not play it back."""

    def __init__(self, schedule):
        super().__init__(schedule)
        self.recordings = lambda network, *inputs: network.answer(*inputs)

    def forward(self, xt, t, cond=None, want="eps"):
        self.now = torch.as_tensor(t, device=xt.device).expand(len(xt))
        return super().forward(xt, t, cond, want)

    def answer(self, xt, time):
        return self.network(xt, self.now)


class Diffusers(Other):
    """UNet2DModel."""

    def __init__(self, schedule):
        super().__init__(schedule)
        self.network = imported("diffusers").UNet2DModel(
            sample_size=16, in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=8,
            block_out_channels=(40, 80, 88), attention_head_dim=8,
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        )  # fmt: skip

    def answer(self, xt, time):
        return self.network(xt, self.now).sample


class DenoisingDiffusion(Other):
    """The Unet of denoising-diffusion-pytorch."""

    def __init__(self, schedule):
        super().__init__(schedule)
        self.network = imported("denoising_diffusion_pytorch").Unet(dim=32, dim_mults=(1, 2, 3))


class Azula(Other):
    """The UNet of azula, which takes the time as features: our embedding, through one linear layer."""

    def __init__(self, schedule):
        super().__init__(schedule)
        self.time = nn.Linear(self.embedding.shape[1], 160)
        unet = imported("azula.nn.unet").UNet
        self.network = unet(3, 3, hid_channels=(48, 96, 128), hid_blocks=(1, 1, 1), mod_features=160)

    def answer(self, xt, time):
        return self.network(xt, self.time(time))


class SmallDiffusion(Other):
    """The Unet of smalldiffusion, which takes σ for the time; told that pictures may be of any size."""

    def __init__(self, schedule):
        super().__init__(schedule)
        small = imported("smalldiffusion")
        sizes = {"ch": 32, "ch_mult": (1, 2, 3), "num_res_blocks": 1, "attn_resolutions": (4,)}
        self.network = small.Unet(16, 3, 3, dropout=0.0, **sizes)

    def answer(self, xt, time):
        self.network.in_dim = xt.shape[-1]
        return self.network(xt, (self.noise / self.signal)[self.now])


NETWORKS = {"ours": UNet} | dict(zip(PACKAGES, (Diffusers, DenoisingDiffusion, Azula, SmallDiffusion), strict=True))


def networks():
    """Name → class of ours and of each other's that is installed here."""
    return {name: network for name, network in NETWORKS.items() if name == "ours" or installed(name)}
