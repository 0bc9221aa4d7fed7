"""The face converters from the command line, in this process: importing torch takes seconds."""

import runpy
import sys
from pathlib import Path

import cv2
import pytest
from helpers.face_data import write_casia
from helpers.runs import ROOT


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
