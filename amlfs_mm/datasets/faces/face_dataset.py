"""Face recognition data: CASIA-WebFace and the like in folders, insightface's record files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.randomness import derive_seed

from ..held_out import check_part
from ..image_bytes import loading
from .face_sources import LEAST_MATCHED, FaceSource, load_faces, select_identities
from .face_split import ROLES, TRAIN, hold_out_faces, split_probes_gallery


@DATASETS.register_module()
class FaceDataset(BaseDataset):
    """Aligned faces with their identities, in one folder an identity or in record files.

    ``data_root`` holds either ``<identity>/<image>.jpg`` or insightface's ``train.rec``,
    ``train.idx`` and ``property``. An item has ``img_path`` (of record files the file and key,
    ``...train.rec#12``) and ``img_bytes``, which :class:`amlfs_mm.LoadWholeImage` decodes;
    ``gt_label`` (train: class from 0; else the identity), ``person_id`` and ``role``: ``train``,
    ``probe`` or ``gallery``.

    ``val`` is D_v: training identities held out from ``train``, with one image each as gallery and
    all others as probes. Both parts need the same lists, ``held_out`` and ``split_seed``. ``test``
    splits all identities (of the lists) into probes and gallery, for data that are not trained on.

    Args:
        data_root: The folder with the identities or the record files.
        part: ``train``, ``val`` or ``test``.
        held_out: Share of the identities in ``val`` and not in ``train``. With 0 all are in
            ``train``.
        split_seed: Draws the held-out identities and the gallery. No other seed changes them.
        exclude: Files that list identities to leave out, such as those of the test sets.
        keep: A file that lists those to keep. The format is at
            :func:`amlfs_mm.datasets.faces.face_sources.select_identities`.
        least_matched: The share of a list's identities that must be in the data.
        pipeline: Transforms.
        kwargs: As in mmengine's ``BaseDataset``.

    Raises:
        FileNotFoundError, ValueError: As in :func:`load_faces`, :func:`select_identities`,
            :func:`hold_out_faces` and :func:`split_probes_gallery`.
    """

    def __init__(
        self,
        data_root: str,
        part: str,
        held_out: float = 0.1,
        split_seed: int = 0,
        exclude: Sequence[str] = (),
        keep: str | None = None,
        least_matched: float = LEAST_MATCHED,
        pipeline: list = (),
        **kwargs,
    ) -> None:
        check_part(part, held_out)
        if isinstance(exclude, (str, Path)):
            raise ValueError(
                f'exclude is a list of files, got {str(exclude)!r}: put it in brackets'
            )
        self.source_root = data_root
        self.part = part
        self.held_out = held_out
        self.split_seed = split_seed
        self.exclude = list(exclude)
        self.keep = keep
        self.least_matched = least_matched
        # Serialised dicts of millions of images would take gigabytes a process.
        super().__init__(pipeline=list(pipeline), serialize_data=False, **kwargs)

    def load_data_list(self) -> FaceImages:
        """The faces of the part, with label and role."""
        self.source = load_faces(self.source_root)
        names = self.source.names
        remaining = select_identities(names, self.exclude, self.keep, self.least_matched)
        images = np.flatnonzero(remaining[self.source.identities])
        images, roles = self._split(images)
        people, labels = np.unique(self.source.identities[images], return_inverse=True)
        if self.part == 'train':
            self._metainfo['classes'] = tuple(names[person] for person in people)
        else:
            labels = self.source.identities[images]
        count = {ROLES[role]: int((roles == role).sum()) for role in np.unique(roles)}
        print_log(
            f'{self.source_root} {self.part}: {len(people)} of {len(names)} identities, '
            + ', '.join(f'{number} {role}' for role, number in count.items())
            + ' images',
            logger='current',
        )
        return FaceImages(self.source, images, labels, roles)

    def prepare_data(self, idx: int) -> dict:
        """A sample as the pipeline makes it from the encoded image of its source."""
        info = self.get_data_info(idx)
        content = info['img_bytes'] = self.source.read(info.pop('source_image'))
        with loading(info['img_path'], content, self.pipeline.transforms):
            return self.pipeline(info)

    def _split(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The part's images and their roles."""
        identities = self.source.identities[images]
        if self.part != 'test' and self.held_out > 0:
            apart = hold_out_faces(identities, self.held_out, derive_seed(self.split_seed, 0))
            images = images[apart if self.part == 'val' else ~apart]
        if self.part == 'train':
            return images, np.full(len(images), TRAIN)
        identities = self.source.identities[images]
        return images, split_probes_gallery(identities, derive_seed(self.split_seed, 1))


class FaceImages(Sequence):
    """The items of a :class:`FaceDataset`, each made from arrays when it is asked for.

    Args:
        source: Where the images are.
        images: Their numbers in the source (N,).
        labels: Their ``gt_label`` (N,).
        roles: Their roles (N,), indices into ``ROLES``.
    """

    def __init__(
        self, source: FaceSource, images: np.ndarray, labels: np.ndarray, roles: np.ndarray
    ) -> None:
        self.source = source
        self.images = images
        self.labels = labels
        self.roles = roles

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice) -> dict | list[dict]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        image = int(self.images[index])
        return dict(
            img_path=self.source.path(image),
            gt_label=int(self.labels[index]),
            person_id=int(self.source.identities[image]),
            role=ROLES[self.roles[index]],
            source_image=image,
        )
