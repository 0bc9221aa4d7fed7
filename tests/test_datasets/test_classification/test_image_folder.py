"""Image folders as people have them: the classes are those of the training part."""

from pathlib import Path

import cv2
import mmcv
import numpy as np
import pytest
import tifffile
from helpers.attempts import attempt
from helpers.logs import log  # noqa: F401
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlfs_mm.datasets import ImageFolder, count_classes

LOAD = [dict(type='LoadImageFromFile')]
WHOLE = [dict(type='amlfs_mm.LoadWholeImage')]


def write(root: Path, *names: str, value: int = 0) -> None:
    """An image of each name, grey ``value``."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        end = path.suffix.lower() or '.png'
        path.write_bytes(cv2.imencode(end, np.full((5, 4, 3), value, np.uint8))[1].tobytes())


def labels(data: ImageFolder) -> dict[str, int]:
    """The label of each image by its path below the split's folder."""
    infos = [data.get_data_info(i) for i in range(len(data))]
    return {str(Path(i['img_path']).relative_to(data.img_prefix)): i['gt_label'] for i in infos}


def test_classes_in_sorted_order(tmp_path: Path):
    for label, name in enumerate(['ant', 'bee', 'cow']):
        for i in range(2):
            write(tmp_path, f'train/{name}/{i}.png', value=80 * label + i)
    data = ImageFolder(str(tmp_path), 'train', pipeline=LOAD)
    assert data.metainfo['classes'] == ('ant', 'bee', 'cow')
    assert [data[i]['gt_label'] for i in range(6)] == [0, 0, 1, 1, 2, 2]
    assert [int(data[i]['img'][0, 0, 0]) for i in range(6)] == [0, 1, 80, 81, 160, 161]


def test_missing_and_empty_folders(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no folder '.*/val'.*<class>.*DATA_ROOT"):
        ImageFolder(str(tmp_path), 'val')
    (tmp_path / 'val' / 'ant').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match='holds no class with images'):
        ImageFolder(str(tmp_path), 'val')
    (tmp_path / 'test').write_text('a file')
    with pytest.raises(FileNotFoundError, match=r"a file, and no folder, '.*/test'"):
        ImageFolder(str(tmp_path), 'test')
    write(tmp_path, 'stray/x.png')
    with pytest.raises(FileNotFoundError, match='holds no class with images'):
        ImageFolder(str(tmp_path), 'stray')


@pytest.mark.parametrize('split', ['val', 'test'])
def test_a_class_without_images_in_val(tmp_path: Path, split: str, log):  # noqa: F811
    write(tmp_path, 'train/a/1.png', 'train/b/1.png', 'train/c/1.png')
    write(tmp_path, f'{split}/b/1.png', f'{split}/c/1.png')
    (tmp_path / split / 'a').mkdir()
    for _ in range(2):  # with a folder of its own and without
        data = ImageFolder(str(tmp_path), split)
        assert labels(data) == {'b/1.png': 1, 'c/1.png': 2}
        assert data.metainfo['classes'] == ('a', 'b', 'c')
        assert f"{split}' has no image of 1 of 3 classes, such as ['a']" in log.text
        log.clear()
        if (tmp_path / split / 'a').is_dir():
            (tmp_path / split / 'a').rmdir()


def test_held_out_images_of_each_class(tmp_path: Path, log):  # noqa: F811
    write(tmp_path, *(f'train/a/{i}.png' for i in range(20)))
    write(tmp_path, *(f'train/b/{i}.png' for i in range(5)), 'train/c/0.png')

    def parts(**options) -> list[set[str]]:
        return [
            set(labels(ImageFolder(str(tmp_path), split, held_out=0.2, **options)))
            for split in ('train', 'val')
        ]

    train, val = parts()
    assert "no folder 'val' beside" in log.text
    assert '5 of its 26 images are D_v (held_out=0.2, split_seed=0); the other 21 train' in log.text
    assert not train & val
    assert train | val == set(labels(ImageFolder(str(tmp_path), 'train')))
    # A fifth of each class; a single image trains.
    assert sorted(path[0] for path in val) == ['a'] * 4 + ['b']
    assert parts() == [train, val]
    assert parts(split_seed=1) != [train, val]
    val_folder = ImageFolder(str(tmp_path), 'val', held_out=0.2)
    assert val_folder.metainfo['classes'] == ('a', 'b', 'c')
    # New images of one class do not change the draw of another.
    write(tmp_path, 'train/b/9.png')
    assert {path for path in parts()[1] if path[0] == 'a'} == {p for p in val if p[0] == 'a'}


def test_a_folder_val_has_precedence_over_held_out(tmp_path: Path):
    write(tmp_path, *(f'train/a/{i}.png' for i in range(5)), 'val/a/7.png', 'test/a/1.png')
    for split, count in (('train', 5), ('val', 1), ('test', 1)):
        assert len(ImageFolder(str(tmp_path), split, held_out=0.4)) == count


def test_what_cannot_be_held_out(tmp_path: Path):
    write(tmp_path, 'train/a/1.png', 'train/b/1.png')
    with pytest.raises(FileNotFoundError, match=r"no folder '.*/val'.*held_out=0\.1"):
        ImageFolder(str(tmp_path), 'val')
    with pytest.raises(ValueError, match=r"train': held_out=0\.5 of 2 images leaves no D_v"):
        ImageFolder(str(tmp_path), 'val', held_out=0.5)
    with pytest.raises(ValueError, match=r'a share in \[0, 1\), got 1'):
        ImageFolder(str(tmp_path), 'train', held_out=1)
    (tmp_path / 'list.txt').write_text('a/1.png 0\n')
    with pytest.raises(ValueError, match='leave it out with ann_file'):
        ImageFolder(str(tmp_path), 'train', ann_file='list.txt', held_out=0.5)


def test_classes_are_counted(tmp_path: Path):
    write(tmp_path, 'train/a/1.png', 'train/b/1.png', 'train/.hidden/1.png')
    assert count_classes(str(tmp_path)) == 2
    assert count_classes(str(tmp_path / 'none')) is None


def test_a_class_that_train_lacks(tmp_path: Path):
    write(tmp_path, 'train/a/1.png', 'train/cat/1.png', 'val/a/1.png', 'val/b/1.png')
    with pytest.raises(ValueError, match=r"val/b' is a class that the folder '.*train' lacks"):
        ImageFolder(str(tmp_path), 'val')
    write(tmp_path, 'test/Cat/1.png')
    with pytest.raises(ValueError, match=r"test/Cat' is a class .*; is it 'cat'\?"):
        ImageFolder(str(tmp_path), 'test')


def test_the_training_part_by_another_name(tmp_path: Path):
    write(tmp_path, 'training/a/1.png', 'training/b/1.png', 'val/b/1.png')
    with pytest.raises(FileNotFoundError, match=r"no folder '.*/train', .*set classes_from"):
        ImageFolder(str(tmp_path), 'val')
    for split, expected in (('training', {'a/1.png': 0, 'b/1.png': 1}), ('val', {'b/1.png': 1})):
        assert labels(ImageFolder(str(tmp_path), split, classes_from='training')) == expected


def test_given_classes(tmp_path: Path):
    write(tmp_path, 'train/a/1.png', 'train/b/1.png', 'val/b/1.png')
    # Names of folders: their order counts. Other names are shown in place of the folders'.
    data = ImageFolder(str(tmp_path), 'train', classes=['b', 'a'])
    assert (data.metainfo['classes'], labels(data)) == (('b', 'a'), {'a/1.png': 1, 'b/1.png': 0})
    data = ImageFolder(str(tmp_path), 'val', classes=['ant', 'bee'])
    assert (data.metainfo['classes'], labels(data)) == (('ant', 'bee'), {'b/1.png': 1})
    with pytest.raises(
        ValueError, match=r"classes has 3 names, but .* has 2 classes: \['a', 'b'\]"
    ):
        ImageFolder(str(tmp_path), 'train', classes=['ant', 'bee', 'cow'])
    with pytest.raises(ValueError, match=r"val/b' is a class that classes lacks"):
        ImageFolder(str(tmp_path), 'val', classes=['a', 'c'])
    (tmp_path / 'train').rename(tmp_path / 'gone')
    assert labels(ImageFolder(str(tmp_path), 'val', classes=['a', 'b'])) == {'b/1.png': 1}


def test_hidden_folders_are_no_classes(tmp_path: Path):
    for split in ('train', 'val'):
        write(tmp_path, f'{split}/a/1.png', f'{split}/b/1.png', f'{split}/a/._1.png')
        write(tmp_path, f'{split}/.ipynb_checkpoints/1.png', f'{split}/__MACOSX/a/1.png')
        (tmp_path / split / 'a' / '.DS_Store').write_bytes(b'x')
        (tmp_path / split / 'Thumbs.db').write_bytes(b'x')
        data = ImageFolder(str(tmp_path), split)
        assert labels(data) == {'a/1.png': 0, 'b/1.png': 1}
        assert data.metainfo['classes'] == ('a', 'b')


def test_images_of_every_extension(tmp_path: Path, log):  # noqa: F811
    names = ['1.JPG', '2.jpeg', '3.webp', '4.tiff', '5.PNG', '6.bmp', 'more/7.png']
    write(tmp_path, *(f'train/a/{name}' for name in names), 'train/stray.png')
    (tmp_path / 'train' / 'a' / 'notes.txt').write_text('x')
    data = ImageFolder(str(tmp_path), 'train', pipeline=LOAD)
    assert sorted(labels(data)) == sorted(f'a/{name}' for name in names)
    assert "train': 2 files or folders are left out" in log.text
    assert all(data[i]['img'].shape == (5, 4, 3) for i in range(7))
    assert len(ImageFolder(str(tmp_path), 'train', extensions=('.PNG',))) == 2


def test_letters_that_look_the_same(tmp_path: Path):
    """One system stores an e with an accent as one letter, another one as two."""
    write(tmp_path, 'train/caf\u00e9/1.png', 'train/tea/1.png', 'val/cafe\u0301/1.png')
    assert list(labels(ImageFolder(str(tmp_path), 'val')).values()) == [0]
    write(tmp_path, 'train/cafe\u0301/1.png')
    with pytest.raises(ValueError, match='twice, in letters that look the same'):
        ImageFolder(str(tmp_path), 'val')


def test_float_and_16_bit_images(tmp_path: Path):
    values = np.linspace(0, 1, 20, dtype=np.float32).reshape(5, 4)
    (tmp_path / 'train' / 'a').mkdir(parents=True)
    tifffile.imwrite(tmp_path / 'train' / 'a' / '1.tif', values)
    tifffile.imwrite(tmp_path / 'train' / 'a' / '2.tif', (values * 65535).astype(np.uint16))
    mmcv.imwrite((values * 65535).astype(np.uint16), str(tmp_path / 'train' / 'a' / '3.png'))
    for pipeline in (LOAD, WHOLE):
        data = ImageFolder(str(tmp_path), 'train', pipeline=pipeline)
        with pytest.raises(OSError, match=r'a/1\.tif cannot be read.*floats of 32 bits'):
            data[0]
        for i in (1, 2):
            expected = (values * 65535).astype(np.uint16) >> 8
            np.testing.assert_array_equal(data[i]['img'][..., 0], expected)


def test_an_empty_file_is_named(tmp_path: Path):
    write(tmp_path, 'train/a/1.png')
    (tmp_path / 'train' / 'a' / '2.png').write_bytes(b'')
    for pipeline in (LOAD, WHOLE):
        with pytest.raises(OSError, match=r'a/2\.png cannot be read'):
            ImageFolder(str(tmp_path), 'train', pipeline=pipeline)[1]


@pytest.mark.parametrize(
    'text',
    [
        b'a/1.png 1\nb c/2.png 0\n\n',
        b'\xef\xbb\xbfa/1.png\t1\r\nb c/2.png\t0\r\n',
        b'"a/1.png",1\n"b c/2.png",0\n',
        b'A\\1.PNG;1\nB C\\2.PNG;0\n',
        '\ufeffa/1.jpg 1\r\nb c/2 0'.encode('utf-16-le'),
    ],
)
def test_lists_of_images(tmp_path: Path, text: bytes):
    write(tmp_path, 'train/a/1.png', 'train/b c/2.png')
    (tmp_path / 'list.txt').write_bytes(text)
    data = ImageFolder(str(tmp_path), 'train', ann_file='list.txt')
    assert labels(data) == {'a/1.png': 1, 'b c/2.png': 0}


@pytest.mark.parametrize(
    ('line', 'error', 'says'),
    [
        ('a/1.png', ValueError, 'is not <path> <label>'),
        ('a/1.png 0.5', ValueError, 'is not <path> <label>'),
        ('a/1.png -1', ValueError, 'the label -1; labels go from 0 to 1'),
        ('a/1.png 2', ValueError, 'the label 2; labels go from 0 to 1'),
        ('a/none.png 1', FileNotFoundError, "there is no image 'a/none.png' in '.*train'"),
    ],
)
def test_wrong_lines(tmp_path: Path, line: str, error: type, says: str):
    write(tmp_path, 'train/a/1.png')
    (tmp_path / 'list.txt').write_text(f'a/1.png 0\n\n{line}\n')
    with pytest.raises(error, match=rf'list\.txt, line 3: .*{says}'):
        ImageFolder(str(tmp_path), 'train', ann_file='list.txt', classes=['x', 'y'])


def test_one_image_in_two_classes(tmp_path: Path):
    write(tmp_path, 'train/a/1.png', 'train/b/2.png')
    (tmp_path / 'list.txt').write_text('a/1.png 0\nb/2.png 1\na/1.png 0\n')
    options = dict(ann_file=str(tmp_path / 'list.txt'), pipeline=LOAD)
    assert len(ImageFolder(str(tmp_path), 'train', **options)) == 3  # drawn twice as often
    (tmp_path / 'list.txt').write_text('a/1.png 0\nb/2.png 1\nA/1.PNG 1\n')
    with pytest.raises(ValueError, match=r'list\.txt, line 3: .* label 1, but 0 in line 1'):
        ImageFolder(str(tmp_path), 'train', **options)


def test_an_empty_list_and_a_list_without_labels(tmp_path: Path):
    write(tmp_path, 'train/a/1.png', 'train/b/2.png')
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'list\.txt lists no image'):
        ImageFolder(str(tmp_path), 'train', ann_file='list.txt')
    (tmp_path / 'list.txt').write_text('b/2.png\n')
    data = ImageFolder(str(tmp_path), 'train', ann_file='list.txt', with_label=False)
    assert 'gt_label' not in data.get_data_info(0)
    assert len(data) == 1
    assert len(ImageFolder(str(tmp_path), 'train', with_label=False)) == 2
    (tmp_path / 'val').mkdir()
    with pytest.raises(FileNotFoundError, match=r"val' holds no image"):
        ImageFolder(str(tmp_path), 'val', with_label=False)


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    write(tmp_path, 'data/train/a/1.png')
    (tmp_path / 'list.txt').write_text('a/1.png 0\n')
    assert len(ImageFolder('~/data', 'train')) == 1
    assert len(ImageFolder('~/data', 'train', ann_file='~/list.txt')) == 1


def test_folders_that_differ_only_in_case(tmp_path: Path, log):  # noqa: F811
    write(tmp_path, 'train/Cat/1.png', 'train/cat/1.png')
    assert labels(ImageFolder(str(tmp_path), 'train')) == {'Cat/1.png': 0, 'cat/1.png': 1}
    assert "the folders 'Cat' and 'cat' differ only in case" in log.text


def test_an_empty_class_of_train_is_said(tmp_path: Path, log):  # noqa: F811
    write(tmp_path, 'train/b/1.png')
    (tmp_path / 'train' / 'a').mkdir()
    assert labels(ImageFolder(str(tmp_path), 'train')) == {'b/1.png': 1}
    assert "train' has no image of 1 of 2 classes, such as ['a']" in log.text


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(max_size=40)
    | st.lists(
        st.sampled_from(['a/1.png', 'A', ' ', '\t', ',', '0', '1', '-1', '\n', '\r\n', '"'])
    ).map(lambda words: ''.join(words).encode())
)
def test_any_list_gives_labels_or_an_error_that_names_it(tmp_path: Path, content: bytes):
    if not (tmp_path / 'train').exists():
        write(tmp_path, 'train/a/1.png')
    (tmp_path / 'list.txt').write_bytes(content)
    errors = (ValueError, FileNotFoundError)
    data, error = attempt(
        errors,
        lambda: ImageFolder(str(tmp_path), 'train', ann_file='list.txt', classes=['x', 'y']),
    )
    if error:
        assert 'list.txt' in error
    else:
        entries = [line for line in content.decode('utf-8-sig').splitlines() if line.strip()]
        assert len(data) == len(entries)
        assert {data.get_data_info(i)['gt_label'] for i in range(len(data))} <= {0, 1}


def test_16_bits_with_pillow_in_mmcvs_loader(tmp_path: Path):
    """It would cut the values at 255: a white image."""
    for number, values in enumerate(
        (np.full((4, 4), 3000, np.uint16), np.full((4, 4), 7, np.uint8))
    ):
        path = tmp_path / 'train' / 'a' / f'{number}.png'
        mmcv.imwrite(values, str(path))
    loader = dict(type='LoadImageFromFile', imdecode_backend='pillow')
    data = ImageFolder(str(tmp_path), 'train', pipeline=[loader])
    with pytest.raises(OSError, match=r'0\.png.*16 bits a value.*amlfs_mm\.LoadWholeImage'):
        data[0]
    assert data[1]['img'].max() == 7
