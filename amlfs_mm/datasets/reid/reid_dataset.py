"""Person re-identification data: Market-1501, DukeMTMC-reID, MSMT17, CUHK03."""

from __future__ import annotations

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.randomness import derive_seed

from ..held_out import check_part
from ..image_bytes import loading
from .reid_layout import Person
from .reid_sources import load_source
from .reid_split import hold_out_identities, split_query_gallery


@DATASETS.register_module()
class ReIDDataset(BaseDataset):
    """Images of people with identity and camera, in the layouts that torchreid reads.

    An item has ``img_path``, ``gt_label`` (train: class from 0; else the identity), ``person_id``,
    ``camera_id`` (from 0) and ``role``: ``train``, ``query`` or ``gallery``. ``val`` and ``test``
    hold queries and gallery in one, for :class:`amlfs_mm.ReIDMetric` to tell apart.

    ``val`` is D_v: training identities held out from ``train``. Both parts need the same
    ``held_out`` and ``split_seed``. To score candidates on the test set instead, as published
    numbers suggest others did, set ``part='test'`` in the validation data.

    Args:
        source: ``market1501``, ``dukemtmcreid``, ``msmt17`` or ``cuhk03``.
        data_root: The folder that holds the source's own, such as ``market1501``.
        part: ``train``, ``val`` or ``test``.
        held_out: Share of the training identities in ``val`` and not in ``train``. With 0 all are
            in ``train``.
        split_seed: Draws the held-out identities and their queries. No other seed changes them.
        own_data: Whether the data are one's own in the source's layout: with any number of cameras
            and identities. If not, more than the published data have is an error.
        source_options: Those of the source, such as ``combineall`` of torchreid's protocols.
        pipeline: Transforms.
        kwargs: As in mmengine's ``BaseDataset``.

    Raises:
        FileNotFoundError, ValueError: As in :func:`load_source` and :func:`hold_out_identities`.
    """

    def __init__(
        self,
        source: str,
        data_root: str,
        part: str,
        held_out: float = 0.1,
        split_seed: int = 0,
        own_data: bool = False,
        source_options: dict = dict(),
        pipeline: list = (),
        **kwargs,
    ) -> None:
        check_part(part, held_out)
        self.source = source
        self.source_root = data_root
        self.part = part
        self.held_out = held_out
        self.split_seed = split_seed
        self.own_data = own_data
        self.source_options = dict(source_options)
        super().__init__(pipeline=list(pipeline), **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images of the part, with identity, camera and role."""
        source = load_source(self.source, self.source_root, self.own_data, **self.source_options)
        if self.part == 'test':
            roles = dict(query=source.query, gallery=source.gallery)
        else:
            roles = self._split(source.train)
        everyone = [person for people in roles.values() for person in people]
        identities = sorted({person.identity for person in everyone})
        label = {identity: identity for identity in identities}
        if self.part == 'train':
            label = {identity: number for number, identity in enumerate(identities)}
            self._metainfo['classes'] = tuple(str(identity) for identity in identities)
        counts = ', '.join(f'{len(people)} {role}' for role, people in roles.items())
        print_log(
            f'{self.source} {self.part}: {len(identities)} identities, {counts} images, '
            f'{len({person.camera for person in everyone})} cameras',
            logger='current',
        )
        return [
            dict(
                img_path=person.path,
                gt_label=label[person.identity],
                person_id=person.identity,
                camera_id=person.camera,
                role=role,
            )
            for role, people in roles.items()
            for person in people
        ]

    def prepare_data(self, idx: int) -> dict:
        """A sample as the pipeline makes it; TIFF values of unknown range are an error."""
        with loading(self.get_data_info(idx)['img_path'], transforms=self.pipeline.transforms):
            return super().prepare_data(idx)

    def _split(self, train: list[Person]) -> dict[str, list[Person]]:
        if self.held_out == 0:
            return dict(train=train)
        apart = hold_out_identities(train, self.held_out, derive_seed(self.split_seed, 0))
        if self.part == 'train':
            return dict(train=[person for person in train if person.identity not in apart])
        people = [person for person in train if person.identity in apart]
        query, gallery = split_query_gallery(people, derive_seed(self.split_seed, 1))
        return dict(query=query, gallery=gallery)
