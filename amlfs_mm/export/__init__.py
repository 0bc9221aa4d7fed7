"""Models for programs without torch: ONNX, and recognisers for insightface."""

from .input_size import find_size
from .insightface import as_recogniser
from .onnx import build_embedder, export_onnx, find_order, find_preprocessing, measure_difference

__all__ = [
    'as_recogniser',
    'build_embedder',
    'export_onnx',
    'find_order',
    'find_preprocessing',
    'find_size',
    'measure_difference',
]
