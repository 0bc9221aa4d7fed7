"""Crops and flips against a loop over pixels; draws by the sample's seed alone."""

import weakref
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, DefaultSampler, pseudo_collate
from torch.utils.data import DataLoader, Subset

from amlfs_mm.datasets import InMemoryImages, make_reproducible
from amlfs_mm.datasets.loading.in_memory_images import crop_on_device, shift_and_flip
from amlfs_mm.utils.randomness import seed_process

PACK = dict(type='mmpretrain.PackInputs')


class Noise(BaseDataset):
    """Images of noise, H x W of any size; the label is the index."""

    METAINFO = dict(classes=('a', 'b'))

    def __init__(self, pipeline: list = (PACK,), sizes=((5, 6),) * 12, dtype=np.uint8) -> None:
        self.sizes = sizes
        self.dtype = dtype
        super().__init__(pipeline=list(pipeline))

    def load_data_list(self) -> list[dict]:
        draw = np.random.default_rng(0)
        return [
            dict(img=draw.integers(0, 256, (*size, 3)).astype(self.dtype), gt_label=i)
            for i, size in enumerate(self.sizes)
        ]


class Unlabelled(Noise):
    def load_data_list(self) -> list[dict]:
        return [dict(img=item['img']) for item in super().load_data_list()]


def test_crop_and_flip_pixel_by_pixel():
    images = torch.randint(256, (6, 2, 4, 5), dtype=torch.uint8)
    offsets = torch.tensor([[0, 0], [4, 4], [2, 2], [1, 3], [2, 2], [3, 0]])
    flip = torch.tensor([False, False, False, True, True, True])
    expected = torch.zeros_like(images)
    for n, (top, left) in enumerate((offsets - 2).tolist()):
        for y in range(4):
            for x in range(5):
                from_x = left + (4 - x if flip[n] else x)
                if 0 <= top + y < 4 and 0 <= from_x < 5:
                    expected[n, :, y, x] = images[n, :, top + y, from_x]
    assert torch.equal(shift_and_flip(images, 2, offsets, flip), expected)
    assert torch.equal(crop_on_device(images, 2, offsets, flip), expected)


def test_all_crops_are_as_likely():
    """18,000 seeds over 3 x 3 offsets and 2 flips of one pixel: 9 places to find it, or nowhere."""
    data = InMemoryImages(Noise(sizes=[(1, 2)]), padding=1, flip_prob=0.25)
    seeds = torch.randint(2**32, (18_000,), generator=torch.Generator().manual_seed(0))
    offsets, flip = data._draw(seeds.numpy())
    seen = Counter(zip(*offsets.T.tolist(), flip.tolist(), strict=True))
    assert len(seen) == 18
    for (_, _, flipped), count in seen.items():
        expected = 18_000 / 9 * (0.25 if flipped else 0.75)
        assert abs(count - expected) < 5 * expected**0.5


def test_without_augmentation_it_is_the_other_data_set():
    plain = Noise()
    data = InMemoryImages(plain, padding=0, flip_prob=0)
    assert len(data) == 12
    assert data.metainfo['classes'] == ('a', 'b')
    for i in range(12):
        assert torch.equal(data[i]['inputs'], plain[i]['inputs'])
        assert data[i]['data_samples'].gt_label == plain[i]['data_samples'].gt_label


def test_wrong_labels_stay_wrong():
    noise = dict(type='amlfs_mm.LabelNoise', ratio=0.5, num_classes=12)
    plain = Noise([noise, PACK])
    labels = [sample.gt_label.item() for sample in InMemoryImages(plain).data_samples]
    assert labels == [plain[i]['data_samples'].gt_label.item() for i in range(12)]
    assert labels != list(range(12))


def seen_in(workers: int = 0, batch_size: int = 5, candidate: int = 0) -> dict[int, torch.Tensor]:
    data = InMemoryImages(Noise())
    loader = DataLoader(
        data,
        batch_size=batch_size,
        sampler=DefaultSampler(data, seed=0),
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
    loader = make_reproducible(loader, seed=1)
    loader.batch_sampler.set_epoch(2, candidate)
    return {
        sample.gt_label.item(): image
        for batch in loader
        if isinstance(batch['inputs'], torch.Tensor)
        for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True)
    }


@pytest.mark.parametrize('other', [dict(workers=2), dict(batch_size=3)])
def test_a_sample_s_augmentation_depends_on_its_seed_alone(other: dict):
    one, two = seen_in(), seen_in(**other)
    assert list(one) == list(two)
    assert all(torch.equal(one[i], two[i]) for i in one)


def test_candidates_differ():
    one, other = seen_in(), seen_in(candidate=1)
    assert sum(not torch.equal(one[i], other[i]) for i in one) > 6


def test_a_plain_loader_draws_from_numpy_as_transforms_do():
    data = InMemoryImages(Noise())

    def epoch(seed: int) -> torch.Tensor:
        seed_process(seed)
        loader = DataLoader(data, batch_size=4, collate_fn=pseudo_collate)
        return torch.cat([torch.stack(batch['inputs']) for batch in loader])

    assert torch.equal(epoch(0), epoch(0))
    assert not torch.equal(epoch(0), epoch(1))


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        (dict(padding=-1), r'padding must be a whole number in \[0, 255\], got -1'),
        (dict(padding=1.5), r'padding must be a whole number in \[0, 255\], got 1.5'),
        (dict(device='gpu'), "device must be one that is here, got 'gpu'"),
        (dict(flip_prob=2), r'flip_prob is a probability in \[0, 1\], got 2'),
        (dict(dataset=Noise(sizes=[(4, 4), (4, 5)])), 'uint8 images of one size, with Resize'),
        (dict(dataset=Noise(dtype=np.float32)), r'uint8 images of one size.*float32'),
        (dict(dataset=Noise([])), r'a pipeline that ends in PackInputs; it is Compose\('),
        (dict(dataset=Subset(Noise(), [])), 'Subset has no image'),
        (dict(dataset=Unlabelled()), r'one class an image \(gt_label\), but image 0 has 0'),
        (
            dict(dataset=Noise([dict(type='RandomFlip', prob=0.5), PACK])),
            '(?s)draws random numbers, but runs only once.*RandomFlip',
        ),
    ],
)
def test_what_it_cannot_take(options: dict, error: str):
    with pytest.raises(ValueError, match=error):
        InMemoryImages(**dict(dataset=Noise()) | options)


def test_a_batch_knows_the_labels_of_the_whole_data_set():
    data = InMemoryImages(Noise())
    order = [(np.array([3, 5]), np.array([1, 2], np.uint32))]
    for batch in (data.batch([3, 5]), *data.batches(order)):
        assert batch['data_samples'].labels.tolist() == [3, 5]
        assert batch['data_samples'].label_range == (0, 11)


def test_a_probability_of_one_flips_the_last_seeds_too():
    """The seeds are no multiple of the places of a crop: a few are left over at the top."""
    last = np.array([2**32 - 1, 2**32 - 2, 2**31, 0])
    for padding in (0, 4, 255):
        data = InMemoryImages(Noise(sizes=[(5, 6)]), padding=padding, flip_prob=1.0)
        assert data._draw(last)[1].all()
        data = InMemoryImages(Noise(sizes=[(5, 6)]), padding=padding, flip_prob=0.0)
        assert not data._draw(last)[1].any()


class Watched(Noise):
    """The images that are there while another one is made."""

    def __init__(self) -> None:
        self.images: list[weakref.ref] = []
        self.most = 0
        super().__init__()

    def __getitem__(self, idx: int) -> dict:
        self.most = max(self.most, sum(image() is not None for image in self.images))
        sample = super().__getitem__(idx)
        self.images.append(weakref.ref(sample['inputs']))
        return sample


def test_images_are_not_there_twice_while_they_are_loaded():
    plain = Watched()
    InMemoryImages(plain)
    assert len(plain.images) == 12
    assert plain.most <= 2  # the first one, and the one before


def test_no_other_pipeline():
    data = InMemoryImages(Noise())
    assert data.pipeline is data.dataset.pipeline
    with pytest.raises(ValueError, match=r'cannot take another pipeline: .*set in_memory_gib=0'):
        data.pipeline = []
