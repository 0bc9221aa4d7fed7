"""Face data from folders to record files and back."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from helpers.face_data import draw_face, encode, write_casia, write_face_record

from amlfs_mm.datasets import FaceDataset, InsightFaceRecord, write_insightface_record
from amlfs_mm.datasets.faces.preparation.face_conversion import folder_to_record, record_to_folder
from amlfs_mm.utils.atomic_files import atomic_folder


def labels(root: Path, **options) -> list[int]:
    data = FaceDataset(str(root), 'train', held_out=0, **options)
    return [data.get_data_info(i)['gt_label'] for i in range(len(data))]


def test_to_record_and_back(tmp_path: Path):
    casia = write_casia(tmp_path / 'casia', identities=5, images=3)
    (tmp_path / 'lfw.txt').write_text('# in LFW too\n0000153\n')
    assert folder_to_record(casia, tmp_path / 'rec', [tmp_path / 'lfw.txt']) == (4, 12)
    assert (tmp_path / 'rec' / 'property').read_text() == '4,112,96\n'
    there = labels(tmp_path / 'rec')
    assert there == labels(casia, exclude=[str(tmp_path / 'lfw.txt')]) == sorted([0, 1, 2, 3] * 3)

    assert record_to_folder(tmp_path / 'rec', tmp_path / 'back') == (4, 12)
    before = [p.read_bytes() for p in sorted(casia.glob('*/*.jpg')) if '0000153' not in str(p)]
    after = [path.read_bytes() for path in sorted((tmp_path / 'back').glob('*/*.jpg'))]
    assert before == after
    assert labels(tmp_path / 'back') == there


def test_labels_of_ten_and_more_keep_their_order(tmp_path: Path):
    people = [[encode(draw_face(i, 0), '.png')] for i in range(12)]
    record_to_folder(write_face_record(tmp_path / 'rec', people), tmp_path / 'folder')
    assert labels(tmp_path / 'folder') == list(range(12))
    assert len(list((tmp_path / 'folder' / '0000011').glob('*.png'))) == 1
    folder_to_record(tmp_path / 'folder', tmp_path / 'again')
    record = InsightFaceRecord(tmp_path / 'again')
    assert [record.read(i) for i in range(12)] == [
        (person[0], i) for i, person in enumerate(people)
    ]


def test_what_stops_a_conversion_leaves_nothing(tmp_path: Path):
    casia = write_casia(tmp_path / 'casia', identities=3, images=2)
    last = casia / '0000153' / '002.jpg'
    whole = last.read_bytes()
    target = tmp_path / 'rec'
    last.write_bytes(whole[:-200])
    with pytest.raises(OSError, match=r'0000153/002\.jpg cannot be read'):
        folder_to_record(casia, target)
    last.write_bytes(encode(draw_face(2, 1, (112, 112))))
    with pytest.raises(ValueError, match=r'002\.jpg is 112 x 112 .*001\.jpg is 112 x 96: align'):
        folder_to_record(casia, target)
    assert [path.name for path in tmp_path.iterdir()] == ['casia']
    last.write_bytes(whole)
    folder_to_record(casia, target)
    files = {path.name: path.read_bytes() for path in target.iterdir()}
    with pytest.raises(FileExistsError, match='rec exists: remove it'):
        folder_to_record(casia, target)
    assert files == {path.name: path.read_bytes() for path in target.iterdir()}

    (target / 'train.rec').write_bytes(files['train.rec'][:-500])
    with pytest.raises(ValueError, match='the record file ends at'):
        record_to_folder(target, tmp_path / 'back')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['casia', 'rec']


def test_a_killed_conversion_can_be_done_again(tmp_path: Path):
    casia = write_casia(tmp_path / 'casia', identities=2, images=2)
    image = encode(draw_face(0, 0))

    def images():
        yield image
        os.kill(os.getpid(), signal.SIGKILL)

    def convert() -> None:
        with atomic_folder(tmp_path / 'rec') as part:
            write_insightface_record(part, [[image], images()], (112, 96))

    process = multiprocessing.get_context('fork').Process(target=convert)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.rec.part', 'casia']
    folder_to_record(casia, tmp_path / 'rec')
    assert len(InsightFaceRecord(tmp_path / 'rec')) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ['casia', 'rec']
