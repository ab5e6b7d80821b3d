"""Your own folder of pictures as a Dataset, for a training that reads them as it needs them."""

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..base.files import listed, picture, pictures


class Album(Dataset):
    """Your own folder of pictures as `data.folder` gives them, but each read only when it is asked for."""

    def __init__(self, folder: str | Path, size: int) -> None:
        self.paths, self.size = listed(folder, size), size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> Tensor:
        return torch.from_numpy(pictures(picture(self.paths[row], self.size)[None])[0])
