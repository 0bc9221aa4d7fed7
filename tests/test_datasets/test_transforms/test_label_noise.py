from collections import Counter

import pytest

from amlfs_mm.datasets import Digits, LabelNoise


def flip(noise: LabelNoise, label: int, n: int = 4000) -> Counter:
    return Counter(noise(dict(gt_label=label, sample_idx=i))['gt_label'] for i in range(n))


def test_ratio_and_other_classes_only():
    seen = flip(LabelNoise(ratio=0.2, num_classes=10), label=3)
    # Binomial(4000, 0.2): 800 with a deviation of 25; spread over nine classes, 89 +- 9 each.
    assert abs(4000 - seen[3] - 800) < 5 * 25
    assert all(abs(seen[c] - 800 / 9) < 5 * 9.4 for c in range(10) if c != 3)


def test_other_convention_includes_the_true_label():
    seen = flip(LabelNoise(ratio=1.0, num_classes=10, include_true_label=True), label=3)
    assert all(abs(seen[c] - 400) < 5 * 19 for c in range(10))


def test_extremes():
    assert flip(LabelNoise(ratio=0.0, num_classes=10), label=3) == {3: 4000}
    assert 3 not in flip(LabelNoise(ratio=1.0, num_classes=10), label=3)
    assert flip(LabelNoise(ratio=1.0, num_classes=2), label=1) == {0: 4000}


def test_fixed_by_seed_and_sample():
    noise = dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10)

    def labels(**options) -> list[int]:
        data = Digits('train', pipeline=[noise | options])
        return [data[i]['gt_label'] for i in range(200)]

    truth = Digits('train')
    clean = [truth[i]['gt_label'] for i in range(200)]
    assert labels() == labels()
    assert labels() != labels(seed=1)
    assert 20 < sum(a != b for a, b in zip(labels(), clean, strict=True)) < 65


@pytest.mark.parametrize(
    'options', [dict(ratio=1.5, num_classes=10), dict(ratio=0.1, num_classes=1)]
)
def test_bad_options(options: dict):
    with pytest.raises(ValueError, match='got'):
        LabelNoise(**options)


@pytest.mark.parametrize('label', [-1, 10, 255])
@pytest.mark.parametrize('ratio', [0.0, 1.0])
def test_labels_out_of_range(label: int, ratio: float):
    noise = LabelNoise(ratio=ratio, num_classes=10)
    with pytest.raises(ValueError, match=rf'sample 7 \(a.png\) has the label {label}.*from 0 to 9'):
        noise(dict(gt_label=label, sample_idx=7, img_path='a.png'))


def test_to_the_next_class():
    seen = flip(LabelNoise(ratio=0.2, num_classes=10, to='next'), label=9)
    assert set(seen) == {9, 0}
    assert abs(seen[0] - 800) < 5 * 25
    # The same samples are changed as with other noise.
    one, other = (LabelNoise(ratio=0.2, num_classes=10, to=to) for to in ('any', 'next'))
    for index in range(200):
        changed = [n(dict(gt_label=3, sample_idx=index))['gt_label'] != 3 for n in (one, other)]
        assert changed[0] == changed[1]


def test_wrong_target():
    with pytest.raises(ValueError, match=r"to must be one of \['any', 'next'\], got 'previous'"):
        LabelNoise(ratio=0.2, num_classes=10, to='previous')
    with pytest.raises(ValueError, match="goes with to='any' only"):
        LabelNoise(ratio=0.2, num_classes=10, to='next', include_true_label=True)
