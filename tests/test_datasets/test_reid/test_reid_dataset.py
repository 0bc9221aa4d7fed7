"""ReIDDataset: its parts, and D_v."""

from collections import Counter
from pathlib import Path

import pytest
from helpers.reid_data import MARKET, people_root, write_image  # noqa: F401
from mmpretrain.registry import DATASETS

from amlfs_mm.datasets import LoadWholeImage, ReIDDataset
from amlfs_mm.datasets.reid.reid_sources import Person
from amlfs_mm.datasets.reid.reid_split import hold_out_identities, split_query_gallery


def load(root: Path, part: str, source: str = 'market1501', **options) -> list[dict]:
    kind = dict(type='amlfs_mm.ReIDDataset', source=source, data_root=str(root), part=part)
    data = DATASETS.build(dict(kind, **options))
    return [data.get_data_info(i) for i in range(len(data))]


@pytest.mark.parametrize('source', ['market1501', 'dukemtmcreid'])
@pytest.mark.parametrize('held_out', [0.1, 0.3])
def test_d_v_are_other_identities(people_root: Path, source: str, held_out: float):  # noqa: F811
    train = load(people_root, 'train', source, held_out=held_out)
    val = load(people_root, 'val', source, held_out=held_out)
    everything = load(people_root, 'train', source, held_out=0)
    apart = round(held_out * 20)
    assert len({info['person_id'] for info in val}) == apart
    assert not {info['person_id'] for info in train} & {info['person_id'] for info in val}
    assert sorted(i['img_path'] for i in train + val) == [i['img_path'] for i in everything]
    # Classes are numbered without a gap, by identity; D_v keeps the identities' numbers.
    labels = [info['gt_label'] for info in train]
    assert labels == sorted(labels)
    assert set(labels) == set(range(20 - apart))
    assert all('bounding_box_train' in info['img_path'] for info in val)


@pytest.mark.parametrize('seed', range(5))
def test_every_query_has_a_positive_from_another_camera(people_root: Path, seed: int):  # noqa: F811
    val = load(people_root, 'val', held_out=0.5, split_seed=seed)
    gallery = [info for info in val if info['role'] == 'gallery']
    queries = [info for info in val if info['role'] == 'query']
    assert {info['person_id'] for info in queries} == {info['person_id'] for info in gallery}
    for query in queries:
        assert any(
            info['person_id'] == query['person_id'] and info['camera_id'] != query['camera_id']
            for info in gallery
        )
    # One query a camera and identity, as in Market-1501.
    assert max(Counter((q['person_id'], q['camera_id']) for q in queries).values()) == 1


def test_the_split_depends_on_its_seed_alone(people_root: Path):  # noqa: F811
    def names(part: str, seed: int) -> list:
        infos = load(people_root, part, held_out=0.3, split_seed=seed)
        return [(info['img_path'], info['role']) for info in infos]

    assert names('val', 0) == names('val', 0)
    assert names('val', 0) != names('val', 1)
    for seed in range(3):
        paths = [{path for path, _ in names(part, seed)} for part in ('train', 'val')]
        assert not paths[0] & paths[1]


def test_the_test_set(people_root: Path):  # noqa: F811
    test = load(people_root, 'test')
    folder = people_root / MARKET
    roles = {info['img_path']: info['role'] for info in test}
    queries = {str(path) for path in (folder / 'query').iterdir()}
    gallery = {str(path) for path in (folder / 'bounding_box_test').iterdir()}
    junk = {path for path in gallery if Path(path).name.startswith('-1')}
    assert {path for path, role in roles.items() if role == 'query'} == queries
    assert {path for path, role in roles.items() if role == 'gallery'} == gallery - junk
    assert len(junk) == 5
    assert sum(info['person_id'] == 0 for info in test) == 10
    for info in test:
        identity, camera = Path(info['img_path']).name.split('_')[:2]
        assert info['person_id'] == int(identity)
        assert info['camera_id'] == int(camera[1]) - 1


def test_classes_are_known_to_the_search(people_root: Path):  # noqa: F811
    data = ReIDDataset('market1501', str(people_root), 'train', held_out=0.1)
    assert len(data.metainfo['classes']) == 18


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(part='query'), r"'train', 'val', 'test'.*'query'"),
        (dict(held_out=1.0), r'share in \[0, 1\), got 1.0'),
        (dict(held_out=-0.1), 'got -0.1'),
        (dict(part='val', held_out=0), "part='test' knowingly"),
        (dict(held_out=0.01), 'of 20 training identities is 0'),
        (dict(held_out=0.96), 'of 20 training identities is 19'),
    ],
)
def test_bad_options(people_root: Path, options: dict, says: str):  # noqa: F811
    with pytest.raises(ValueError, match=says):
        load(people_root, **{**dict(part='train'), **options})


def person(identity: int, camera: int, number: int = 0) -> Person:
    return Person(f'{identity}_{camera}_{number}.jpg', identity, camera)


def test_identities_seen_by_one_camera_stay_in_training():
    people = [person(i, 0) for i in range(8)] + [person(i, 1) for i in (2, 5)]
    for seed in range(5):
        assert hold_out_identities(people, 0.25, seed) == {2, 5}
    with pytest.raises(ValueError, match=r'is 4, but only 2.*6 are seen by one camera only'):
        hold_out_identities(people, 0.5, 0)
    with pytest.raises(ValueError, match='identity 3 is seen by camera 1 only'):
        split_query_gallery([person(3, 0, 0), person(3, 0, 1)], 0)


def test_one_image_a_camera():
    """Then one image asks, and the other cameras' answer."""
    query, gallery = split_query_gallery([person(4, camera) for camera in range(3)], 0)
    assert len(query) == 1
    assert len(gallery) == 2


def test_a_truncated_image(tmp_path: Path):
    path = tmp_path / '0001_c1s1_000001_00.jpg'
    write_image(path, 200, (128, 64))
    load_image = LoadWholeImage()
    assert load_image(dict(img_path=str(path)))['img'].shape == (128, 64, 3)
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:10], b''):
        path.write_bytes(damage)
        with pytest.raises(OSError, match=rf'{path.name} cannot be read.*cut short'):
            load_image(dict(img_path=str(path)))
    path.unlink()
    with pytest.raises(FileNotFoundError, match=path.name):
        load_image(dict(img_path=str(path)))
