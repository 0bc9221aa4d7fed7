import numpy as np
import pytest

from amlfs_mm.datasets import DrawnClasses


def images(split: str, num_classes: int, noise: float) -> tuple[np.ndarray, list[int]]:
    data = DrawnClasses(split, num_classes, noise)
    items = [data[i] for i in range(len(data))]
    return np.stack([item['img'] for item in items]), [item['gt_label'] for item in items]


def test_samples_lie_around_their_class():
    clean, labels = images('train', 5, noise=0)
    assert labels == [label for label in range(5) for _ in range(4)]
    for split, count in (('train', 4), ('val', 1), ('test', 2)):
        noisy, labels = images(split, 5, noise=20)
        assert labels == [label for label in range(5) for _ in range(count)]
        distance = np.abs(noisy[:, None] - clean[None, ::4].astype(float)).mean((2, 3, 4))
        assert distance.argmin(1).tolist() == labels
        assert distance.min() > 5
        assert len({image.tobytes() for image in noisy}) == len(labels)


def test_parts_are_disjoint_and_classes_do_not_depend_on_their_number():
    parts = [images(split, 5, noise=20)[0] for split in ('train', 'val', 'test')]
    assert len({image.tobytes() for part in parts for image in part}) == 5 * 7
    assert (images('train', 9, noise=20)[0][:20] == parts[0]).all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(split='trian', num_classes=5), "'train', 'val', 'test'.*'trian'"),
        (dict(split='train', num_classes=1), 'num_classes.*1'),
        (dict(split='train', num_classes=5, noise=-1), 'noise.*-1'),
    ],
)
def test_bad_arguments(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        DrawnClasses(**arguments)
