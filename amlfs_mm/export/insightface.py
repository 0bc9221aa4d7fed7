"""Face recognisers of insightface 2, as its ``model_zoo`` loads them from ONNX files."""

from __future__ import annotations

from torch import nn

from amlfs_mm.models.classifiers import InsightFaceInput


def as_recogniser(
    model: nn.Module, size: tuple[int, int], preprocessing: dict, order: str
) -> tuple[InsightFaceInput, dict]:
    """The model behind the input of insightface's recognisers, and what that input is.

    Args:
        model: Takes images (N, 3, H, W), normalised as it was trained, and gives features (N, D).
        size: (H, W) of its images.
        preprocessing: Their ``mean`` and ``std`` by channel.
        order: Their channels, ``'RGB'`` or ``'BGR'``.

    Returns:
        The recogniser; its own ``mean``, ``std``, ``order`` and ``size``.

    Raises:
        ValueError: insightface cannot feed a model of that size.
    """
    recogniser = InsightFaceInput(model, size, **preprocessing, order=order).eval()
    fed = dict(mean=[127.5] * 3, std=[127.5] * 3, order='RGB', size=recogniser.size)
    return recogniser, fed
