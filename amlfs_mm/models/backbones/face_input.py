"""A check that backbones for faces of one size share."""

from __future__ import annotations

from torch import Tensor


def check_face_size(x: Tensor, size: tuple[int, int], name: str) -> None:
    """Images have the size for which a backbone was built.

    Args:
        x: (N, 3, H, W).
        size: (H, W) of the backbone.
        name: Of the backbone, for the message.

    Raises:
        ValueError: The images have another size.
    """
    if tuple(x.shape[2:]) != tuple(size):
        raise ValueError(
            f'{name} was built for images of {size[0]} x {size[1]} (H x W), got '
            f"{x.shape[2]} x {x.shape[3]}: align the faces to that size, or set the backbone's "
            f'input_size=({x.shape[2]}, {x.shape[3]})'
        )
