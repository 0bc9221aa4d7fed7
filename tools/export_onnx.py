"""Export the embedding model of a checkpoint to ONNX and compare it with torch in onnxruntime.

    python tools/export_onnx.py CONFIG CHECKPOINT --out model.onnx [--insightface]

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
import warnings
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpretrain.registry import MODELS
from torch import nn

import amlfs_mm  # noqa: F401
from amlfs_mm.models.classifiers import InsightFaceInput
from amlfs_mm.utils.atomic_files import atomic_write

TOLERANCE = 1e-4


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', type=Path, default=Path('model.onnx'))
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help="default: the test pipeline's last Resize, else the backbone's input_size",
    )
    parser.add_argument(
        '--order',
        choices=('RGB', 'BGR'),
        help='channels as the model sees them; default: RGB if the data_preprocessor has to_rgb',
    )
    parser.add_argument(
        '--insightface', action='store_true', help='a recogniser that insightface loads'
    )
    return parser.parse_args()


def build_embedder(cfg: Config, checkpoint: str) -> nn.Module:
    """The config's model with the checkpoint's weights, in evaluation mode."""
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    cfg.model.backbone.pop('init_cfg', None)  # the checkpoint has the weights
    model = MODELS.build(cfg.model)
    if not hasattr(model, 'embed'):
        raise SystemExit(f'export_onnx.py: {type(model).__name__} has no features to export')
    load_checkpoint(model, checkpoint, map_location='cpu', strict=True)
    return model.eval()


def find_size(cfg: Config) -> tuple[int, int]:
    """(H, W) of the test images."""
    pipeline = cfg.test_dataloader.dataset.pipeline
    scales = [transform.scale for transform in pipeline if transform.type == 'Resize']
    if scales:
        width, height = scales[-1]
        return height, width
    if 'input_size' not in cfg.model.backbone:
        raise SystemExit('export_onnx.py: the test pipeline has no Resize: give --size H W')
    return cfg.model.backbone.input_size


def find_order(cfg: Config, given: str | None) -> str:
    """The order of the channels that the model was trained on."""
    if given is None and not cfg.data_preprocessor.get('to_rgb'):
        raise SystemExit(
            "export_onnx.py: the config's data_preprocessor has no to_rgb=True, so that the order "
            'of the channels is that of the data set: give --order RGB or --order BGR'
        )
    return given or 'RGB'


def export(model: nn.Module, size: tuple[int, int], path: Path, metadata: dict) -> None:
    import onnx

    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # tracing's; the comparison below is what counts
        torch.onnx.export(
            model,
            (torch.zeros(2, 3, *size),),
            str(temporary),
            input_names=['images'],
            output_names=['features'],
            dynamic_axes=dict(images={0: 'N'}, features={0: 'N'}),
            opset_version=17,
            dynamo=False,
        )
        exported = onnx.load(temporary)
        onnx.helper.set_model_props(exported, metadata)
        onnx.checker.check_model(exported)
        onnx.save(exported, temporary)


def compare(model: nn.Module, size: tuple[int, int], path: Path) -> float:
    """The largest difference to torch, relative to the features' size, over batches of 1 and 3."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    worst = 0.0
    for n in (1, 3):
        images = torch.randn(n, 3, *size, generator=torch.Generator().manual_seed(n))
        with torch.no_grad():
            expected = model(images).numpy()
        (features,) = session.run(None, dict(images=images.numpy()))
        worst = max(worst, np.abs(features - expected).max() / np.abs(expected).max())
    return float(worst)


def main() -> None:
    args = parse_args()
    if not Path(args.checkpoint).is_file():
        raise SystemExit(f'export_onnx.py: there is no checkpoint {args.checkpoint!r}')
    cfg = Config.fromfile(args.config)
    size = tuple(args.size or find_size(cfg))
    model = build_embedder(cfg, args.checkpoint)
    preprocessing = dict(
        mean=cfg.data_preprocessor.get('mean', [0.0] * 3),
        std=cfg.data_preprocessor.get('std', [1.0] * 3),
    )
    order = find_order(cfg, args.order)
    if args.insightface:
        try:
            model = InsightFaceInput(model, size, **preprocessing, order=order).eval()
        except ValueError as error:
            raise SystemExit(f'export_onnx.py: {error}') from error
        size, order, preprocessing = model.size, 'RGB', dict(mean=[127.5] * 3, std=[127.5] * 3)
    metadata = dict(preprocessing=json.dumps(dict(preprocessing, order=order, size=size)))
    export(model, size, args.out, metadata)
    difference = compare(model, size, args.out)
    print(f'{args.out}: images (N, 3, {size[0]}, {size[1]}), largest difference {difference:.1e}')
    if difference > TOLERANCE:
        raise SystemExit(f'export_onnx.py: onnxruntime differs from torch by {difference:.1e}')


if __name__ == '__main__':
    main()
