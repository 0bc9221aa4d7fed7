"""The face converters from the command line, in this process: importing torch takes seconds."""

import runpy
import sys
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.face_data import draw_face, write_casia, write_face_record
from helpers.logs import log  # noqa: F401
from helpers.runs import ROOT
from PIL import Image

from amlfs_mm.datasets import FaceDataset
from amlfs_mm.evaluation.faces.megaface import read_list


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    def run(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, 'argv', [name, *(str(argument) for argument in arguments)])
        runpy.run_path(str(ROOT / 'tools' / 'converters' / name), run_name='__main__')
        return capsys.readouterr().out

    return run


def test_convert_face_records(tool, tmp_path: Path):
    casia = write_casia(tmp_path / 'casia', identities=5, images=3)
    (tmp_path / 'lfw.txt').write_text('0000153\n')
    (tmp_path / 'kept.txt').write_text('0000045\n0000153\n0000207\n')
    name, rec = 'convert_face_records.py', tmp_path / 'rec'
    lists = ['--exclude', tmp_path / 'lfw.txt', '--keep', tmp_path / 'kept.txt']
    assert f'{rec}: 6 images of 2 identities' in tool(name, 'to-record', casia, rec, *lists)
    assert '6 images of 2 identities' in tool(name, 'to-folder', rec, tmp_path / 'back')
    before = [(casia / folder / '002.jpg').read_bytes() for folder in ('0000045', '0000207')]
    after = [path.read_bytes() for path in sorted((tmp_path / 'back').glob('*/*.jpg'))]
    assert before == [after[1], after[4]]
    with pytest.raises(SystemExit, match=r'^convert_face_records\.py: .*rec exists: remove it'):
        tool(name, 'to-record', casia, rec)


def test_align_faces(tool, tmp_path: Path):
    pytest.importorskip('insightface')
    photos = write_casia(tmp_path / 'photos', identities=2, images=1)
    row = '30.3 51.7 65.5 51.5 48 71.7 33.5 92.4 62.7 92.2'
    (tmp_path / 'landmarks.txt').write_text(f'0000045/001.jpg {row}\n')
    options = ['--landmarks', tmp_path / 'landmarks.txt', '--size', '112x96']
    out = tool('align_faces.py', photos, tmp_path / 'faces', *options)
    assert '1 faces; 1 images skipped' in out
    face = cv2.imread(str(tmp_path / 'faces' / '0000045' / '001.png'))
    photo = cv2.imread(str(photos / '0000045' / '001.jpg'))
    assert abs(face.astype(int) - photo).mean() < 4  # the landmarks are already in their place
    with pytest.raises(SystemExit, match=r'^align_faces\.py: there is no detector .*none\.onnx'):
        tool('align_faces.py', photos, tmp_path / 'other', '--detector', tmp_path / 'none.onnx')


@pytest.mark.parametrize('form', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'BMP', 'JPEG2000', 'MPO', 'GIF'])
def test_what_to_folder_writes_is_read(tool, tmp_path: Path, form: str):
    people = []
    for identity in range(2):
        buffer = BytesIO()
        Image.fromarray(draw_face(identity, 0)).save(buffer, form)
        people.append([buffer.getvalue()])
    write_face_record(tmp_path / 'rec', people)
    tool('convert_face_records.py', 'to-folder', tmp_path / 'rec', tmp_path / 'folder')
    pipeline = [dict(type='amlfs_mm.LoadWholeImage')]
    one, other = (
        FaceDataset(str(tmp_path / name), 'train', held_out=0, pipeline=pipeline)
        for name in ('rec', 'folder')
    )
    assert len(one) == len(other) == 2
    for i in range(2):
        np.testing.assert_array_equal(one[i]['img'], other[i]['img'])


def test_lists_of_other_data(tool, tmp_path: Path):
    casia = write_casia(tmp_path / 'casia', identities=3, images=1)
    (tmp_path / 'list.txt').write_text('0000045\n' + ''.join(f'{i}\n' for i in range(1, 9)))
    command = ['convert_face_records.py', 'to-record', casia, tmp_path / 'rec']
    command += ['--exclude', tmp_path / 'list.txt']
    with pytest.raises(SystemExit, match=r'only 1 of the 3 identities.*line 2'):
        tool(*command)
    assert not (tmp_path / 'rec').exists()
    assert '2 images of 2 identities' in tool(*command, '--least-matched', '0')


def test_make_face_list(tool, tmp_path: Path, log):  # noqa: F811
    casia = write_casia(tmp_path / 'faces', identities=2, images=2)
    (casia / '0000045' / '001.jpg').rename(casia / '0000045' / '001.WEBP')
    for name in ('._001.jpg', '.DS_Store', 'Thumbs.db'):
        (casia / '0000045' / name).write_bytes(b'x')
    (casia / '.ipynb_checkpoints').mkdir()
    (casia / '.ipynb_checkpoints' / '1.jpg').write_bytes(b'x')
    (casia / 'notes.txt').write_bytes(b'x')
    out = tmp_path / 'list.json'
    assert '4 images, 2 persons' in tool('make_face_list.py', casia, '--out', out, '--identities')
    assert read_list(out) == (
        ['0000045/001.WEBP', '0000045/002.jpg', '0000099/001.jpg', '0000099/002.jpg'],
        ['0000045', '0000045', '0000099', '0000099'],
    )
    assert '1 files or folders are left out' in log.text
    (casia / 'stray.jpg').write_bytes(b'x')
    with pytest.raises(SystemExit, match=r'stray\.jpg is in no folder that says who is on it'):
        tool('make_face_list.py', casia, '--out', out, '--identities')
    with pytest.raises(SystemExit, match=r'make_face_list\.py: .*none'):
        tool('make_face_list.py', tmp_path / 'none', '--out', out)


def test_landmarks_as_a_spreadsheet_writes_them(tool, tmp_path: Path):
    pytest.importorskip('insightface')
    photos = write_casia(tmp_path / 'photos', identities=2, images=1)
    row = '30.3,51.7,65.5,51.5,48,71.7,33.5,92.4,62.7,92.2'
    text = f'\ufeff0000045\\001.JPG,{row}\r\n0000099\\001.JPG,{row}\r\n'
    (tmp_path / 'landmarks.csv').write_text(text, encoding='utf-16-le')
    options = ['--landmarks', tmp_path / 'landmarks.csv']
    assert '2 faces; 0 images skipped' in tool('align_faces.py', photos, tmp_path / 'out', *options)


def test_home(tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    write_casia(tmp_path / 'casia', identities=2, images=1)
    (tmp_path / 'list.txt').write_text('0000045\n0000099\n')
    command = ['convert_face_records.py', 'to-record', '~/casia', '~/rec', '--keep', '~/list.txt']
    tool(*command)
    tool('convert_face_records.py', 'to-folder', '~/rec', '~/back')
    tool('make_face_list.py', '~/back', '--out', '~/list.json')
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *('back', 'casia', 'list.json', 'list.txt', 'rec'),
    ]
    assert not Path('~').exists()
