"""FaceDataset: its sources, parts, lists and D_v."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.attempts import attempt
from helpers.face_data import draw_face, encode, write_casia, write_face_record
from helpers.logs import log  # noqa: F401
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmengine.logging import MMLogger
from mmpretrain.registry import DATASETS
from torch.utils.data import DataLoader

from amlfs_mm.datasets import FaceDataset
from amlfs_mm.datasets.faces.face_sources import select_identities
from amlfs_mm.engine.checks import check_held_out

ORL = Path(os.environ.get('DATA_ROOT', 'data')) / 'orl_faces'
NAMES = [f'{45 + 54 * identity:07d}' for identity in range(10)]


@pytest.fixture(scope='module')
def casia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_casia(tmp_path_factory.mktemp('casia'), identities=10, images=4)


@pytest.fixture(scope='module')
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    people = [[encode(draw_face(i, shot)) for shot in range(4)] for i in range(10)]
    return write_face_record(tmp_path_factory.mktemp('record'), people, flag=2)


@pytest.fixture(params=['casia', 'record'])
def root(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def load(root: Path, part: str, **options) -> FaceDataset:
    kind = dict(type='amlfs_mm.FaceDataset', data_root=str(root), part=part)
    return DATASETS.build(dict(kind, **options))


def infos(data: FaceDataset) -> list[dict]:
    return [data.get_data_info(i) for i in range(len(data))]


def lists(tmp_path: Path, *names: str) -> str:
    path = tmp_path / f'list{len(list(tmp_path.iterdir()))}.txt'
    path.write_text('# identities\n\n' + '\n'.join(names) + '\n')
    return str(path)


def test_folders_and_records_give_the_same(casia: Path, record: Path):
    pipeline = [dict(type='amlfs_mm.LoadWholeImage')]
    for part in ('train', 'val', 'test'):
        one, other = (load(root, part, held_out=0.3, pipeline=pipeline) for root in (casia, record))
        assert len(one) == len(other) > 0
        for i in range(len(one)):
            a, b = one[i], other[i]
            np.testing.assert_array_equal(a['img'], b['img'])
            assert a['img_shape'] == b['img_shape'] == (112, 96)
            for key in ('gt_label', 'person_id', 'role', 'sample_idx'):
                assert a[key] == b[key]


def test_items_are_sorted_and_packed(root: Path):
    meta = ('sample_idx', 'img_path', 'person_id', 'role')
    data = load(
        root,
        'train',
        held_out=0,
        pipeline=[
            dict(type='amlfs_mm.LoadWholeImage'),
            dict(type='mmpretrain.PackInputs', meta_keys=meta),
        ],
    )
    assert [int(data.get_data_info(i)['gt_label']) for i in range(40)] == sorted(
        list(range(10)) * 4
    )
    item = data[7]
    sample = item['data_samples']
    assert tuple(item['inputs'].shape) == (3, 112, 96)
    assert (int(sample.gt_label), sample.person_id, sample.role) == (1, 1, 'train')
    # BGR, as mmcv loads images; encoded as JPEG.
    rgb = item['inputs'].permute(1, 2, 0).numpy()[..., ::-1].astype(float)
    assert np.abs(rgb - draw_face(1, 3)).mean() < 8
    assert np.abs(rgb[..., ::-1] - draw_face(1, 3)).mean() > 15


@pytest.mark.parametrize('held_out', [0.1, 0.5])
def test_d_v_are_other_identities(root: Path, held_out: float):
    train = infos(load(root, 'train', held_out=held_out))
    val = infos(load(root, 'val', held_out=held_out))
    apart = round(held_out * 10)
    assert len({info['person_id'] for info in val}) == apart
    assert not {info['person_id'] for info in train} & {info['person_id'] for info in val}
    assert len({info['img_path'] for info in train + val}) == 40
    labels = [info['gt_label'] for info in train]
    assert labels == sorted(labels)
    assert set(labels) == set(range(10 - apart))
    # One image of each identity is the gallery, the others are the probes.
    gallery = [info['person_id'] for info in val if info['role'] == 'gallery']
    probes = Counter(info['person_id'] for info in val if info['role'] == 'probe')
    assert sorted(gallery) == sorted(probes)
    assert set(probes.values()) == {3}


def test_the_split_depends_on_its_seed_alone(root: Path):
    def roles(seed: int) -> list:
        val = infos(load(root, 'val', held_out=0.4, split_seed=seed))
        return [(info['img_path'], info['role']) for info in val]

    assert roles(0) == roles(0)
    assert len({tuple(roles(seed)) for seed in range(5)}) == 5


def test_a_search_notices_training_images_in_d_v(root: Path):
    val = load(root, 'val', held_out=0.3)
    check_held_out(load(root, 'train', held_out=0.3), val)
    for options in (dict(held_out=0), dict(held_out=0.3, split_seed=1)):
        with pytest.raises(ValueError, match='also trained on'):
            check_held_out(load(root, 'train', **options), val)


def test_lists(casia: Path, record: Path, tmp_path: Path):
    for root, names in ((casia, NAMES), (record, [str(label) for label in range(10)])):
        lfw, scrub = lists(tmp_path, names[3]), lists(tmp_path, names[0], names[9])
        data = load(root, 'train', held_out=0, exclude=[lfw, scrub])
        remaining = [names[i] for i in (1, 2, 4, 5, 6, 7, 8)]
        assert data.metainfo['classes'] == tuple(remaining)
        assert [info['gt_label'] for info in infos(data)] == sorted(list(range(7)) * 4)
        kept = load(root, 'train', held_out=0, keep=lists(tmp_path, *remaining))
        assert infos(kept) == infos(data)
        both = load(root, 'test', keep=lists(tmp_path, *names[:4]), exclude=[lfw])
        assert {info['person_id'] for info in infos(both)} == {0, 1, 2}


def test_lists_of_other_copies(casia: Path, record: Path, tmp_path: Path, caplog):
    some = lists(tmp_path, NAMES[0], '9999998', '9999999')
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    assert len(load(casia, 'train', held_out=0, exclude=[some])) == 36
    logger.removeHandler(caplog.handler)
    assert "2 of 3 identities are not in the data, such as ['9999998', '9999999']" in caplog.text
    # Folder names are not labels, though they are numbers too.
    with pytest.raises(
        ValueError, match=r"names none of the 10 identities.*'0', '1', '2'.*0000045"
    ):
        load(record, 'train', exclude=[lists(tmp_path, NAMES[0])])
    with pytest.raises(ValueError, match='names none'):
        load(casia, 'train', exclude=[lists(tmp_path)])
    with pytest.raises(ValueError, match='of 10 identities none remains'):
        load(casia, 'train', exclude=[lists(tmp_path, *NAMES)])
    with pytest.raises(FileNotFoundError, match=r'none\.txt'):
        load(casia, 'train', exclude=['none.txt'])


def test_identities_with_one_image(tmp_path: Path):
    write_casia(tmp_path, identities=4, images=1)
    with pytest.raises(ValueError, match='none of the 4 identities has a second image'):
        load(tmp_path, 'test')
    for identity in (1, 2):
        content = encode(draw_face(identity, 1))
        (tmp_path / f'{45 + 54 * identity:07d}' / '002.jpg').write_bytes(content)
    for seed in range(4):  # the others stay in training
        val = infos(load(tmp_path, 'val', held_out=0.5, split_seed=seed))
        assert {info['person_id'] for info in val} == {1, 2}
    test = infos(load(tmp_path, 'test'))
    assert Counter(info['role'] for info in test) == dict(gallery=4, probe=2)
    (tmp_path / '0000099' / '002.jpg').unlink()
    with pytest.raises(ValueError, match='is 2, but only 1 can be in D_v; 3 have one image only'):
        load(tmp_path, 'val', held_out=0.5)


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(part='probe'), r"'train', 'val', 'test'.*'probe'"),
        (dict(held_out=1.0), r'share in \[0, 1\), got 1.0'),
        (dict(part='val', held_out=0), 'leaves no D_v'),
        (dict(held_out=0.01), 'of 10 training identities is 0'),
        (dict(held_out=0.9), 'of 10 training identities is 9'),
        (dict(exclude='list.txt'), 'exclude is a list of files'),
    ],
)
def test_bad_options(casia: Path, options: dict, says: str):
    with pytest.raises(ValueError, match=says):
        load(casia, **{**dict(part='train'), **options})


def test_missing_faces(tmp_path: Path):
    with pytest.raises(
        FileNotFoundError, match=r'no folder .*/none.*<identity>.*train.rec.*data_root'
    ):
        load(tmp_path / 'none', 'train')
    (tmp_path / '0000045').mkdir()
    with pytest.raises(FileNotFoundError, match='holds no identity with images'):
        load(tmp_path, 'train')


@pytest.mark.parametrize('kind', ['folder', 'record'])
def test_a_damaged_image_is_named(tmp_path: Path, kind: str):
    content = encode(draw_face(0, 0))
    if kind == 'folder':
        write_casia(tmp_path, identities=2, images=2)
        (tmp_path / '0000045' / '002.jpg').write_bytes(content[:-300])
    else:
        write_face_record(tmp_path, [[content, content[:-300]], [content]])
    data = load(tmp_path, 'train', held_out=0, pipeline=[dict(type='amlfs_mm.LoadWholeImage')])
    data[0]
    name = dict(folder='0000045/002.jpg', record='train.rec#2')[kind]
    with pytest.raises(OSError, match=f'{name} cannot be read, it is no image or is cut short'):
        data[1]


def test_identity_records_that_lie(tmp_path: Path):
    """The images of an identity have another label: never a wrong label for an image."""
    write_face_record(tmp_path, [[encode(draw_face(i, s)) for s in range(2)] for i in range(3)])
    content = (tmp_path / 'train.rec').read_bytes()
    ranges = [np.array(pair, '<f4').tobytes() for pair in ((1, 3), (3, 5), (1, 4), (4, 5))]
    content = content.replace(ranges[0], ranges[2]).replace(ranges[1], ranges[3])
    (tmp_path / 'train.rec').write_bytes(content)
    data = load(tmp_path, 'train', held_out=0)
    with pytest.raises(ValueError, match=r'train\.rec#3 has the label 1, but .* of label 0'):
        data[2]


def test_workers_and_subsets(root: Path):
    data = load(root, 'train', held_out=0, pipeline=[dict(type='amlfs_mm.LoadWholeImage')])
    loader = DataLoader(data, batch_size=None, num_workers=2, collate_fn=dict)
    for i, item in enumerate(loader):
        np.testing.assert_array_equal(item['img'], data[i]['img'])
    for indices in (5, -5, [3, 39]):
        part = load(root, 'train', held_out=0, indices=indices)
        whole = infos(data)
        wanted = [whole[i] for i in indices] if isinstance(indices, list) else None
        wanted = wanted or (whole[:5] if indices == 5 else whole[-5:])
        assert [info['img_path'] for info in infos(part)] == [info['img_path'] for info in wanted]


@pytest.mark.skipif(not ORL.is_dir(), reason='the ORL faces are not here')
def test_real_faces(tmp_path: Path):
    """20 of the 30 subjects train, 10 are the test: the lists that split them."""
    names = sorted(path.name for path in ORL.iterdir() if path.is_dir())
    others = lists(tmp_path, *names[20:])
    train = load(ORL, 'train', held_out=0.2, exclude=[others])
    val = load(ORL, 'val', held_out=0.2, exclude=[others])
    test = load(ORL, 'test', keep=others, pipeline=[dict(type='amlfs_mm.LoadWholeImage')])
    assert len(train.metainfo['classes']) == 16
    assert [len(data) for data in (train, val, test)] == [160, 40, 100]
    assert Counter(info['role'] for info in infos(test)) == dict(gallery=10, probe=90)
    assert test[0]['img'].shape == (112, 92, 3)
    assert test[0]['img'].std() > 10


# Folders and lists as people have them.


def test_hidden_folders_and_files(tmp_path: Path, log):  # noqa: F811
    write_casia(tmp_path, identities=3, images=2)
    content = encode(draw_face(0, 0))
    (tmp_path / '.ipynb_checkpoints').mkdir()
    (tmp_path / '.ipynb_checkpoints' / '001.jpg').write_bytes(content)
    for name in ('._001.jpg', '.DS_Store', 'Thumbs.db'):
        (tmp_path / NAMES[0] / name).write_bytes(b'x')
        (tmp_path / name).write_bytes(b'x')
    data = load(tmp_path, 'train', held_out=0)
    assert data.metainfo['classes'] == tuple(NAMES[:3])
    assert [info['gt_label'] for info in infos(data)] == [0, 0, 1, 1, 2, 2]
    assert 'left out' not in log.text


def test_every_extension(tmp_path: Path, log):  # noqa: F811
    from PIL import Image

    folder = tmp_path / 'ann'
    folder.mkdir()
    for end in ('JPG', 'jpeg', 'webp', 'tiff', 'PNG', 'bmp'):
        Image.fromarray(draw_face(0, 0)).save(folder / f'{end}.{end}')
    (folder / 'about.csv').write_text('x')
    (tmp_path / 'stray.jpg').write_bytes(b'x')
    data = load(tmp_path, 'train', held_out=0, pipeline=[dict(type='amlfs_mm.LoadWholeImage')])
    assert len(data) == 6
    assert all(data[i]['img'].shape == (112, 96, 3) for i in range(6))
    assert '2 files or folders are left out' in log.text


@pytest.mark.parametrize(
    'text',
    [
        '\ufeff0000045\r\n0000153\r\n\r\n'.encode(),
        '\ufeff0000045\r\n0000153'.encode('utf-16-le'),
        b'45\n153\n',  # as a spreadsheet leaves numbers
        b'"0000045"\n"0000153"\n',
        b'0000045,Ann Lee\n0000153,Bo\n',
        b'0000045\tAnn\t\n0000153\tBo\t\n',
        b'  0000045  \n0000153/\n',
    ],
)
def test_lists_as_tools_write_them(casia: Path, tmp_path: Path, text: bytes):
    (tmp_path / 'list.txt').write_bytes(text)
    data = load(casia, 'train', held_out=0, keep=str(tmp_path / 'list.txt'))
    assert data.metainfo['classes'] == ('0000045', '0000153')


def test_names_that_differ_in_case(tmp_path: Path, log):  # noqa: F811
    for name in ('Ann_Lee', 'bo', 'Cy'):
        (tmp_path / 'faces' / name).mkdir(parents=True)
        (tmp_path / 'faces' / name / '1.jpg').write_bytes(encode(draw_face(0, 0)))
    (tmp_path / 'list.txt').write_text('ann lee\nBO\n')
    data = load(tmp_path / 'faces', 'train', held_out=0, exclude=[str(tmp_path / 'list.txt')])
    assert data.metainfo['classes'] == ('Cy',)
    assert '2 identities have names that differ from the list' in log.text
    (tmp_path / 'faces' / 'CY').mkdir()
    (tmp_path / 'list.txt').write_text('bo\ncy\n')
    with pytest.raises(ValueError, match=r"list\.txt, line 2: 'cy' could be any of \['CY', 'Cy'\]"):
        load(tmp_path / 'faces', 'train', held_out=0, exclude=[str(tmp_path / 'list.txt')])


def test_lists_that_match_little(casia: Path, record: Path, tmp_path: Path):
    few = lists(tmp_path, NAMES[0], *(f'person {i}' for i in range(9)))
    says = r"names only 1 of the 10 identities.*9 of its 10 .*line 4: 'person 0'"
    for options in (dict(exclude=[few]), dict(keep=few)):
        with pytest.raises(ValueError, match=says):
            load(casia, 'train', held_out=0, **options)
    assert len(load(casia, 'train', held_out=0, exclude=[few], least_matched=0)) == 36
    with pytest.raises(ValueError, match=r'least_matched is a share in \[0, 1\], got 2'):
        load(casia, 'train', exclude=[few], least_matched=2)
    # Folder names are no labels, also where a label has the same digits.
    with pytest.raises(ValueError, match='names none'):
        load(record, 'train', exclude=[lists(tmp_path, '0000003')])


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    content=st.binary(max_size=40)
    | st.lists(st.sampled_from([*NAMES, 'x'])).map(lambda names: '\r\n'.join(names).encode())
)
def test_any_list_selects_or_is_refused_by_name(tmp_path: Path, content: bytes):
    path = tmp_path / 'list.txt'
    path.write_bytes(content)
    remaining, error = attempt(ValueError, select_identities, NAMES, (), path)
    if error:
        assert 'list.txt' in error
    else:
        listed = content.decode('utf-8-sig').split()
        known = {i for i, name in enumerate(NAMES) if name in listed}
        assert known <= set(np.flatnonzero(remaining))


def test_home(casia: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'casia').symlink_to(casia)
    (tmp_path / 'list.txt').write_text('\n'.join(NAMES[:4]))
    data = load('~/casia', 'train', held_out=0, keep='~/list.txt', exclude=['~/list.txt'][:0])
    assert len(data.metainfo['classes']) == 4
    write_face_record(tmp_path / 'rec', [[encode(draw_face(0, 0))], [encode(draw_face(1, 0))]])
    assert len(load('~/rec', 'train', held_out=0)) == 2
