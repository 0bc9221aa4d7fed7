"""An embedding model behind the input that insightface gives a face recogniser.

This is what insightface 2.1 does with the ONNX file of a recogniser (its code was read and tried).
It recognises such a file by its shapes: one square input of at least 112, and one output. It feeds
RGB faces as (x - 127.5) / 127.5, unless the names of some of the first nodes begin with Sub and
Mul. It aligns faces to multiples of 112 or 128.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MEAN = STD = 127.5
"""insightface's normalisation."""


class InsightFaceInput(nn.Module):
    """Makes a model take faces as insightface normalises and aligns them: RGB, (x - 127.5) / 127.5.

    If the model has another normalisation or channel order, this becomes part of the network. A
    model of 112 x 96 gets the middle of a face of 112 x 112: both alignment templates are the same,
    except for 8 columns on either side.

    Attributes:
        size: (H, W) that insightface feeds.

    Args:
        model: Takes images (N, 3, H, W) and gives features (N, D).
        size: (H, W) of the model.
        mean: Of each channel, in the model's order, of values from 0 to 255.
        std: The standard deviation of each, likewise.
        order: Of the model's channels, ``'RGB'`` or ``'BGR'``.

    Raises:
        ValueError: insightface cannot feed a model of that size.
    """

    def __init__(
        self,
        model: nn.Module,
        size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        order: str = 'RGB',
    ) -> None:
        super().__init__()
        self.model = model
        self.size = fed_size(size)
        self.margin = (self.size[1] - size[1]) // 2
        self.order = order
        mean, std = (torch.tensor(v, dtype=torch.float64).view(-1, 1, 1) for v in (mean, std))
        # (x - mean) / std = gain * (x - 127.5) / 127.5 + offset
        self.same = bool((mean == MEAN).all() and (std == STD).all())
        self.register_buffer('gain', (STD / std).float())
        self.register_buffer('offset', ((MEAN - mean) / std).float())

    def forward(self, faces: Tensor) -> Tensor:
        """The features (N, D) of faces (N, 3, H, W) of insightface's size."""
        if self.margin:
            faces = faces[..., self.margin : -self.margin]
        if self.order == 'BGR':
            faces = faces.flip(1)
        return self.model(faces if self.same else faces * self.gain + self.offset)


def fed_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size (H, W) that insightface feeds to a model of a given size (H, W).

    Raises:
        ValueError: insightface has no such size.
    """
    height, width = size
    if (height, width) == (112, 96):
        return 112, 112
    if height != width or (height % 112 and height % 128):
        raise ValueError(
            f'insightface has no recognisers of {height} x {width} (H x W): it aligns faces to '
            'squares of a multiple of 112 or 128; 112 x 96 is cut out of 112 x 112. Without '
            "--insightface the exported file loads with get_model(path, model_task='recognition', "
            "model_metadata={'preprocessing': {'mean': ..., 'std': ...}}), for faces that you "
            'align yourself (get_feat, not get)'
        )
    return height, width
