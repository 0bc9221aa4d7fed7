"""Landmarks from a file, and from insightface's detector."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.attempts import attempt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from amlfs_mm.datasets.faces.preparation.face_landmarks import LandmarkDetector, LandmarkList
from amlfs_mm.utils.text_lists import read_lines, real_number, split_numbers

LANDMARKS = np.array([(40, 50), (80, 52), (60, 70), (42, 92), (76, 94)])
PHOTO = np.zeros((128, 128, 3), np.uint8)


def test_files_of_landmarks(tmp_path: Path):
    path = tmp_path / 'landmarks.txt'
    path.write_text(
        '# eyes, nose, mouth\n\nann lee/1.jpg 1 2 3 4 5 6 7 8 9 10.5\nbo/1.jpg ' + '0 ' * 10
    )
    find = LandmarkList(path)
    assert find('ann lee/1.jpg', PHOTO).tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10.5]]
    assert find('bo/1.jpg', PHOTO).tolist() == [[0, 0]] * 5
    with pytest.raises(LookupError, match='no landmarks'):
        find('bo/2.jpg', PHOTO)


@pytest.mark.parametrize(
    'line', ['a.jpg 1 2 3', 'a.jpg 1 2 3 4 5 6 7 8 9 x', '1 2 3 4 5 6 7 8 9 10']
)
def test_lines_that_are_no_landmarks(tmp_path: Path, line: str):
    path = tmp_path / 'landmarks.txt'
    path.write_text(f'# face\n{line}\n')
    with pytest.raises(ValueError, match=r'landmarks\.txt, line 2: .* is not <path> and five'):
        LandmarkList(path)


def test_an_image_with_two_lines(tmp_path: Path):
    path = tmp_path / 'landmarks.txt'
    path.write_text(f'a.jpg {"0 " * 10}\n' * 2)
    with pytest.raises(ValueError, match=r'line 2: a\.jpg has landmarks already'):
        LandmarkList(path)


@pytest.mark.parametrize('mark', [' ', '\t', ',', ';', ', ', '   '])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
@pytest.mark.parametrize('name', ['ann lee/1.jpg', '"ann lee/1.jpg"'])
def test_files_as_tools_write_them(tmp_path: Path, mark: str, encoding: str, name: str):
    path = tmp_path / 'landmarks.txt'
    line = mark.join([name, *map(str, range(10))])
    path.write_text(f'# face\n{line}\n\n', encoding=encoding, newline='\r\n')
    assert LandmarkList(path)('ann lee/1.jpg', PHOTO).tolist()[4] == [8, 9]


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from(['1', '2.5', 'a.jpg', ' ', '\t', ',', ';', '\n', '#'])).map(
        lambda words: ''.join(words).encode()
    )
)
def test_any_list_is_read_or_refused_by_line(tmp_path: Path, content: bytes):
    path = tmp_path / 'landmarks.txt'
    path.write_bytes(content)
    found, error = attempt(ValueError, LandmarkList, path)
    if error:
        assert re.search(r'landmarks\.txt, line [0-9]+: ', error)
    else:
        for line in read_lines(path, comments=True):
            name, numbers = split_numbers(line.text, 10, real_number)
            assert found(name, PHOTO).ravel().tolist() == numbers


def test_decimal_commas(tmp_path: Path):
    (tmp_path / 'landmarks.txt').write_text('a.jpg;' + ';'.join(['1,5'] * 10))
    assert (LandmarkList(tmp_path / 'landmarks.txt')('a.jpg', PHOTO) == 1.5).all()
    (tmp_path / 'landmarks.txt').write_text('a.jpg ' + ' '.join(['1,5'] * 10))
    with pytest.raises(ValueError, match=r'landmarks\.txt, line 1: .* is not <path>'):
        LandmarkList(tmp_path / 'landmarks.txt')


@pytest.mark.parametrize('value', ['nan', 'inf', '1e999', '1_0', 'x'])
def test_numbers_that_are_none(tmp_path: Path, value: str):
    (tmp_path / 'landmarks.txt').write_text(f'a.jpg {value} ' + '1 ' * 9)
    with pytest.raises(ValueError, match=r'landmarks\.txt, line 1'):
        LandmarkList(tmp_path / 'landmarks.txt')


def test_names_that_differ_from_the_photos(tmp_path: Path):
    path = tmp_path / 'landmarks.txt'
    path.write_text(f'Ann\\1.JPG {"1 " * 10}\nbo/2 {"2 " * 10}\nbo/3.jpg {"3 " * 10}\n')
    find = LandmarkList(path)
    find.check(['ann/1.jpg', 'bo/2.png'])
    assert find('ann/1.jpg', PHOTO)[0, 0] == 1
    assert find('bo/2.png', PHOTO)[0, 0] == 2
    with pytest.raises(ValueError, match=r"names none of the 1 images.*line 1: 'Ann"):
        LandmarkList(path).check(['cy/1.jpg'])
    with pytest.raises(ValueError, match=r"line 2: 'bo/2' could be any of"):
        LandmarkList(path).check(['bo/2.jpg', 'bo/2.png'])
    path.write_text(f'a.jpg {"1 " * 10}\nA.jpg {"2 " * 10}\n')
    with pytest.raises(ValueError, match=r'line 2: a\.jpg has landmarks already'):
        LandmarkList(path).check(['a.jpg'])


def test_a_list_for_other_photos(tmp_path: Path):
    path = tmp_path / 'landmarks.txt'
    path.write_text(''.join(f'{i}.jpg {"1 " * 10}\n' for i in range(10)))
    with pytest.raises(ValueError, match=r'names only 3 of the 4 images.*7 of its 10 entries'):
        LandmarkList(path).check(['0.jpg', '1.jpg', '2.jpg', 'x.jpg'])


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'landmarks.txt').write_text(f'a.jpg {"1 " * 10}')
    assert LandmarkList('~/landmarks.txt')('a.jpg', PHOTO).shape == (5, 2)


def write_detector(path: Path, score: float) -> None:
    """A model with SCRFD's inputs and outputs that finds a face in every image.

    Of 64 x 64 pixels; it has two anchors at each multiple of 8, 16 and 32 pixels. One at
    (24, 32) has the score; distances from it count in its stride.
    """
    centre, stride, anchor = np.array([24, 32]), 8, (4 * 8 + 3) * 2
    outputs = []
    for width in (1, 4, 10):
        for cells in (8, 4, 2):
            values = np.zeros((cells * cells * 2, width), np.float32)
            outputs.append(values)
    outputs[0][anchor] = score
    outputs[3][anchor] = 2
    outputs[6][anchor] = ((LANDMARKS / 2 - centre) / stride).ravel()
    nodes, infos = [], []
    for number, values in enumerate(outputs):
        tensor = onnx.numpy_helper.from_array(values)
        nodes.append(helper.make_node('Constant', [], [f'out{number}'], value=tensor))
        infos.append(helper.make_tensor_value_info(f'out{number}', TensorProto.FLOAT, values.shape))
    image = helper.make_tensor_value_info('input.1', TensorProto.FLOAT, [1, 3, 64, 64])
    graph = helper.make_graph(nodes, 'scrfd', [image], infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    onnx.save(model, path)


def test_insightfaces_detector(tmp_path: Path):
    """Its real code; only the network's outputs are made up."""
    pytest.importorskip('insightface')
    write_detector(tmp_path / 'det.onnx', 0.9)
    landmarks = LandmarkDetector(tmp_path / 'det.onnx')('', PHOTO)
    np.testing.assert_allclose(landmarks, LANDMARKS, atol=1e-3)
    # A photo of another shape is fitted into the network's input.
    wide = LandmarkDetector(tmp_path / 'det.onnx')('', np.zeros((256, 512, 3), np.uint8))
    np.testing.assert_allclose(wide, 4 * LANDMARKS, atol=1e-2)
    write_detector(tmp_path / 'det.onnx', 0.1)
    with pytest.raises(LookupError, match='no face found'):
        LandmarkDetector(tmp_path / 'det.onnx')('', PHOTO)


def test_without_a_detector(tmp_path: Path):
    with pytest.raises(
        FileNotFoundError, match=r'no detector .*/det_10g\.onnx.*nothing is downloaded'
    ):
        LandmarkDetector(tmp_path / 'det_10g.onnx')
