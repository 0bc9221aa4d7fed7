"""Decoding: the picture that is in a file, or an error that names the file."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import mmcv
import numpy as np
import pytest
import tifffile
from helpers.attempts import attempt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from amlfs_mm.datasets import FaceDataset, ImageFolder, LoadWholeImage, ReIDDataset
from amlfs_mm.datasets.image_bytes import decode_image, extension_of
from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS

MMCV = [dict(type='LoadImageFromFile')]
GREY16 = (np.arange(64 * 48).reshape(64, 48) * 20).astype(np.uint16)
COLOUR = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def load(path: Path, **options) -> np.ndarray:
    return LoadWholeImage(**options)(dict(img_path=str(path)))['img']


@pytest.mark.parametrize('name', ['a.png', 'a.tif', 'a.TIFF', 'a.pgm'])
def test_grey_images_of_16_bits(tmp_path: Path, name: str):
    """mmcv's own reading with OpenCV is the oracle: divided by 256."""
    path = tmp_path / name
    path.write_bytes(cv2.imencode(path.suffix.lower(), GREY16)[1].tobytes())
    image = load(path)
    np.testing.assert_array_equal(image, mmcv.imread(str(path), backend='cv2'))
    np.testing.assert_array_equal(image[..., 0], GREY16 >> 8)
    assert load(path, color_type='grayscale').shape == (64, 48)
    np.testing.assert_array_equal(load(path, color_type='unchanged'), GREY16)


@pytest.mark.parametrize('name', ['a.png', 'a.tif', 'a.ppm'])
def test_colour_images_of_16_bits(tmp_path: Path, name: str):
    image = np.stack([GREY16, GREY16[::-1], GREY16[:, ::-1]], axis=-1)
    assert cv2.imwrite(str(tmp_path / name), image)
    assert np.abs(load(tmp_path / name).astype(int) - (image >> 8)).max() <= 1


def test_white_is_zero(tmp_path: Path):
    tifffile.imwrite(tmp_path / 'a.tif', GREY16, photometric='miniswhite')
    np.testing.assert_array_equal(load(tmp_path / 'a.tif')[..., 0], 255 - (GREY16 >> 8))


@pytest.mark.parametrize('turned', [3, 6, 8])
def test_16_bits_and_turned(tmp_path: Path, turned: int):
    exif = Image.Exif()
    exif[274] = turned
    Image.fromarray(GREY16).save(tmp_path / 'a.png', exif=exif)
    Image.fromarray((GREY16 >> 8).astype(np.uint8)).save(tmp_path / 'b.png', exif=exif)
    for options in ({}, dict(color_type='color_ignore_orientation')):
        one, other = (load(tmp_path / name, **options) for name in ('a.png', 'b.png'))
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    'values',
    [
        GREY16 / 65535,
        (GREY16 / 65535).astype(np.float32),
        np.stack([GREY16 / 65535] * 3, axis=-1).astype(np.float32),
        GREY16.astype(np.int32),
        GREY16.astype(np.uint32),
        GREY16.astype(np.int16),
    ],
)
def test_values_without_a_known_range(tmp_path: Path, values: np.ndarray):
    tifffile.imwrite(tmp_path / 'a.tif', values)
    with pytest.raises(OSError, match=r'a\.tif cannot be read.*range is not known: save it with 8'):
        load(tmp_path / 'a.tif')


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGBA', 'CMYK', 'YCbCr'])
def test_other_kinds_are_as_mmcv_reads_them(tmp_path: Path, mode: str):
    path = tmp_path / ('a.png' if mode not in ('CMYK', 'YCbCr') else 'a.tif')
    Image.fromarray(COLOUR).convert(mode).save(path)
    np.testing.assert_array_equal(load(path), mmcv.imread(str(path), backend='pillow'))


@pytest.mark.parametrize('end', ['gif', 'webp'])
def test_animations_give_their_first_picture(tmp_path: Path, end: str):
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (0, 255)]
    path = tmp_path / f'a.{end}'
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert load(path).max() < 20


@pytest.mark.parametrize(
    'form', ['JPEG', 'PNG', 'BMP', 'PPM', 'TIFF', 'WEBP', 'GIF', 'JPEG2000', 'AVIF', 'MPO', 'DIB']
)
def test_every_format_has_an_extension_that_is_listed(form: str):
    buffer = BytesIO()
    Image.fromarray(COLOUR).save(buffer, form)
    assert extension_of(buffer.getvalue(), 'a') in IMAGE_EXTENSIONS
    assert decode_image(buffer.getvalue(), 'a').shape == (64, 48, 3)


def test_formats_that_are_not_read():
    buffer = BytesIO()
    Image.fromarray(COLOUR).save(buffer, 'TGA')
    with pytest.raises(OSError, match=r"a#1 has the format 'TGA': expected one of"):
        extension_of(buffer.getvalue(), 'a#1')


def test_nothing_of_a_cut_file_is_shown(tmp_path: Path):
    for end in ('jpg', 'png', 'tif', 'webp', 'bmp', 'jp2', 'gif'):
        path = tmp_path / f'a.{end}'
        Image.fromarray(COLOUR).save(path)
        whole = path.read_bytes()
        for size in (0, 3, len(whole) // 2):
            path.write_bytes(whole[:size])
            with pytest.raises(OSError, match=rf'a\.{end} cannot be read'):
                load(path)
    assert LoadWholeImage(ignore_empty=True)(dict(img_path=str(path))) is None
    with pytest.raises(FileNotFoundError, match='none'):
        load(tmp_path / 'none.png')
    (tmp_path / 'folder.png').mkdir()
    with pytest.raises(OSError, match=r'folder\.png'):
        load(tmp_path / 'folder.png')


HEADS = [
    b'',
    b'\xff\xd8\xff',
    b'\x89PNG\r\n\x1a\n',
    b'II*\0',
    b'MM\0*',
    b'II+\0',
    b'GIF89a',
    b'P5 ',
    b'BM',
]


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(HEADS), st.binary(max_size=200))
@example(b'II*\0', b'\xff\xff\xff\xff')
def test_any_bytes_are_an_image_or_an_error_that_names_the_file(head: bytes, rest: bytes):
    image, error = attempt(OSError, decode_image, head + rest, 'some/file')
    if error:
        assert 'some/file' in error
    else:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3


@pytest.mark.parametrize('content', [b'', b'<html>404</html>', b'\x89PNG\r\n\x1a\n cut'])
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_an_image_that_another_loader_cannot_read(tmp_path: Path, content: bytes, backend: str):
    """Pillow, and mmcv with it, names no file."""
    (tmp_path / 'train' / 'a').mkdir(parents=True)
    (tmp_path / 'train' / 'a' / 'one.png').write_bytes(content)
    pipeline = [dict(type='LoadImageFromFile', imdecode_backend=backend)]
    data = ImageFolder(str(tmp_path), 'train', pipeline=pipeline)
    with pytest.raises((OSError, AssertionError), match=r'a/one\.png'):
        data[0]


def people(root: Path, *images: bytes) -> ReIDDataset:
    """Each image is one of another person."""
    for part in ('bounding_box_train', 'bounding_box_test', 'query'):
        (root / 'market1501' / part).mkdir(parents=True)
        for number, image in enumerate(images, start=1):
            name = f'000{number}_c{1 + (part == "query")}s1_000001_00.tif'
            (root / 'market1501' / part / name).write_bytes(image)
    return ReIDDataset('market1501', str(root), 'train', held_out=0, pipeline=MMCV)


def faces(root: Path, *images: bytes) -> FaceDataset:
    for number, image in enumerate(images):
        (root / str(number)).mkdir()
        (root / str(number) / 'a.tif').write_bytes(image)
    return FaceDataset(str(root), 'train', held_out=0, pipeline=MMCV)


def folders(root: Path, *images: bytes) -> ImageFolder:
    (root / 'train').mkdir()
    faces(root / 'train', *images)
    return ImageFolder(str(root), 'train', pipeline=MMCV)


@pytest.mark.parametrize('reader', [people, faces, folders])
def test_every_reader_names_an_image_that_mmcv_cannot_load(reader: Callable, tmp_path: Path):
    """Whatever loads it: an empty file, and values of no known range."""
    signed, whole = BytesIO(), BytesIO()
    tifffile.imwrite(signed, (GREY16 // 2).astype(np.int16))
    tifffile.imwrite(whole, GREY16)
    data = reader(tmp_path, b'', signed.getvalue(), whole.getvalue())
    for index, message in ((0, ''), (1, 'signed integers of 16 bits')):
        name = Path(data.get_data_info(index)['img_path'])
        with pytest.raises(OSError, match=rf'{name.parent.name}/{name.name} .*{message}'):
            data[index]
    np.testing.assert_array_equal(data[2]['img'][..., 0], GREY16 >> 8)
