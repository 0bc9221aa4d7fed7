"""Export the embedding model of a checkpoint to ONNX and compare it with torch in onnxruntime.

    amlfs_mm export CONFIG CHECKPOINT --out model.onnx [--insightface]

Input `images`: (N, 3, H, W) float32, N free, normalised as the config's data_preprocessor says
(order of the channels, mean, std; also in the file's metadata). Output `features`: (N, D), as the
model compares them; flipping is inside.

With --insightface the file is a face recogniser of insightface 2, in FaceAnalysis or by itself:

    recogniser = insightface.model_zoo.get_model('model.onnx')
    features = recogniser.get_feat(insightface.utils.face_align.norm_crop(image, landmarks))

It takes RGB faces as (x - 127.5) / 127.5 then, whatever the config's normalisation. Sizes: squares
of a multiple of 112 or 128; a model of 112 x 96 takes 112 x 112 and cuts out its middle, which is
the same alignment. Other sizes are refused.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from amlfs_mm.export import (
    as_recogniser,
    build_embedder,
    export_onnx,
    find_order,
    find_preprocessing,
    find_size,
    measure_difference,
)
from amlfs_mm.utils.command_line import config_file, errors_as_messages, positive_int, program_name
from amlfs_mm.utils.paths import user_path

TOLERANCE = 1e-4


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', type=config_file, help='config file')
    parser.add_argument('checkpoint', type=user_path, help='checkpoint file')
    parser.add_argument('--out', type=user_path, default=Path('model.onnx'))
    parser.add_argument(
        '--size',
        type=positive_int,
        nargs=2,
        metavar=('H', 'W'),
        help="default: what the test pipeline feeds, else the backbone's input_size",
    )
    parser.add_argument(
        '--order',
        choices=('RGB', 'BGR'),
        help='channels as the model sees them; default: RGB if the data_preprocessor has to_rgb',
    )
    parser.add_argument(
        '--insightface', action='store_true', help='a recogniser that insightface loads'
    )
    return parser.parse_args(arguments)


def export(args: argparse.Namespace) -> None:
    cfg = Config.fromfile(args.config)
    model = build_embedder(cfg, args.checkpoint)
    size = tuple(args.size or find_size(cfg))
    preprocessing, order = find_preprocessing(cfg), find_order(cfg, args.order)
    about = dict(preprocessing, order=order, size=size)
    if args.insightface:
        model, about = as_recogniser(model, size, preprocessing, order)
    height, width = about['size']
    export_onnx(model, (height, width), args.out, dict(preprocessing=json.dumps(about)))
    difference = measure_difference(model, (height, width), args.out)
    print(f'{args.out}: images (N, 3, {height}, {width}), largest difference {difference:.1e}')
    if difference > TOLERANCE:
        raise SystemExit(f'{program_name()}: onnxruntime differs from torch by {difference:.1e}')


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        export(args)
