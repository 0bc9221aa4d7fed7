"""Export the embedding model of a checkpoint to ONNX and compare it with torch in onnxruntime.

The same as ``amlfs_mm export``.
"""

from amlfs_mm.cli.export_onnx import main

if __name__ == '__main__':
    main()
