"""Features of images as files for MegaFace's devkit, written while a model is tested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.evaluator import BaseMetric

from amlfs_mm.registry import METRICS

from ..common import check_fields, features_on_host
from .megaface import write_feature


@METRICS.register_module()
class MegaFaceFeatures(BaseMetric):
    """Writes each image's feature to ``<out_dir>/<path below image_root><suffix>``.

    It needs from each data sample ``feature`` (D,) and ``img_path``. The files of a batch are
    written at once, so a million images need no memory. The result ``face/feature_files`` is the
    number of files. ``tools/analysis/megaface.py`` and the devkit read them.

    Args:
        out_dir: Folder of the files; ``~`` is the home folder. Probes and distractors need one
            each.
        image_root: Folder to which the paths in the devkit's lists are relative.
        suffix: End of a file's name, the devkit's ``file_ending``.
        kwargs: As in mmengine's ``BaseMetric``.
    """

    default_prefix = 'face'

    def __init__(self, out_dir: str, image_root: str, suffix: str = '.bin', **kwargs) -> None:
        super().__init__(**kwargs)
        self.out_dir = Path(out_dir).expanduser()
        self.image_root = Path(image_root).expanduser()
        self.suffix = suffix

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Write the features of a batch.

        Raises:
            ValueError: A sample lacks a field, is not below ``image_root``, or its feature is not
                finite.
        """
        paths = []
        for sample in data_samples:
            check_fields(sample, ('feature', 'img_path'), type(self).__name__)
            path = Path(sample['img_path'])
            if not path.is_relative_to(self.image_root):
                raise ValueError(f'image {path} is not below image_root={str(self.image_root)!r}')
            paths.append(path.relative_to(self.image_root))
        for path, feature in zip(paths, features_on_host(data_samples), strict=True):
            write_feature(self.out_dir / f'{path}{self.suffix}', feature.numpy())
            self.results.append(str(path))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """How many images have a file."""
        return dict(feature_files=len(set(results)))
