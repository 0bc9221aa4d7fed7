"""Models for programs without torch (ONNX, insightface), and searched losses as one Python file.

The command of the latter is ``amlfs_mm zoo export``.
"""

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
