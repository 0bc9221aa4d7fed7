"""From folders of images and features to MegaFace's rates, raw and refined."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import ROOT

from amlfs_mm.evaluation import identification_rate
from amlfs_mm.evaluation.faces.megaface import read_list, refine_probes, write_feature

MEGAFACE, MAKE_LIST = 'tools/analysis/megaface.py', 'tools/converters/make_face_list.py'


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Run a tool in this process; what it prints."""

    def run(path: str, *arguments) -> str:
        monkeypatch.setattr(sys, 'argv', [path, *map(str, arguments)])
        runpy.run_path(str(ROOT / path), run_name='__main__')
        return capsys.readouterr().out

    return run


@pytest.fixture(scope='module')
def devkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of 12 probes of 3 persons and 40 distractors, with the lists of their images."""
    root = tmp_path_factory.mktemp('megaface')
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((3, 8))
    for person in range(3):
        for image in range(4):
            path = f'P_{person}/P_{person}_{image}.png'
            write_feature(root / 'fs' / f'{path}.bin', centres[person] + draw.standard_normal(8))
            (root / 'images' / path).parent.mkdir(parents=True, exist_ok=True)
            (root / 'images' / path).touch()
    paths = [f'F/{i // 9}/{i}.jpg' for i in range(40)]
    for path in paths:
        write_feature(root / 'mf' / f'{path}.bin', draw.standard_normal(8))
    (root / 'd_10.json').write_text(json.dumps(dict(path=paths[:10])))
    (root / 'd_40.json').write_text(json.dumps(dict(path=paths)))
    (root / 'noise_fs.txt').write_text('P_1_2.png\n')
    (root / 'noise_mf.txt').write_text('# noise\n1\tF/0/3.jpg\n2\tF/4/39.jpg\n')
    return root


def test_rates(devkit: Path, tool):
    probes, out = devkit / 'probes.json', devkit / 'rates.json'
    printed = tool(MAKE_LIST, devkit / 'images', '--out', probes, '--identities')
    assert '12 images, 3 persons' in printed
    lists = [devkit / 'd_10.json', devkit / 'd_40.json']
    noise = ['--noise', devkit / 'noise_fs.txt', devkit / 'noise_mf.txt']
    arguments = [devkit / 'fs', devkit / 'mf', '--probe-list', probes, '--distractor-lists', *lists]
    printed = tool(MEGAFACE, *arguments, '--ranks', '1', '5', *noise, '--out', out)

    def features(folder: str, paths: list[str]) -> np.ndarray:
        files = [devkit / folder / f'{path}.bin' for path in paths]
        return np.stack([np.frombuffer(file.read_bytes()[16:], '<f4') for file in files])

    faces, expected = read_list(probes), {}
    raw = features('fs', faces.paths)
    noisy = np.array(['P_1_2' in path for path in faces.paths])
    assert noisy.sum() == 1
    refined = refine_probes(raw, faces.ids, noisy)
    for count in (10, 40):
        paths = read_list(devkit / f'd_{count}.json').paths
        clean = [path for path in paths if path not in ('F/0/3.jpg', 'F/4/39.jpg')]
        for name, value in identification_rate(
            raw, faces.ids, features('mf', paths), (1, 5)
        ).items():
            expected[f'{name}@{count}'] = value
        rates = identification_rate(refined, faces.ids, features('mf', clean), (1, 5))
        expected |= {f'{name}_refined@{count}': value for name, value in rates.items()}
    assert json.loads(out.read_text()) == pytest.approx(expected)
    assert f'rank1_refined@40: {expected["rank1_refined@40"]:.2f}' in printed
    raw_alone = json.loads(out.read_text())
    tool(MEGAFACE, *arguments, '--ranks', '1', '5', '--out', out)
    raw_alone = {name: value for name, value in raw_alone.items() if 'refined' not in name}
    assert json.loads(out.read_text()) == raw_alone


def test_wrong_files(devkit: Path, tool, tmp_path: Path):
    lists = ['--probe-list', devkit / 'd_10.json', '--distractor-lists', devkit / 'd_10.json']
    with pytest.raises(SystemExit, match=r"d_10.json names no persons \('id'\)"):
        tool(MEGAFACE, devkit / 'fs', devkit / 'mf', *lists)
    with pytest.raises(SystemExit, match=r'there is no file .*none\.txt'):
        tool(MEGAFACE, devkit / 'fs', devkit / 'mf', *lists, '--noise', devkit / 'none.txt')
    with pytest.raises(SystemExit, match='there is no image below'):
        tool(MAKE_LIST, tmp_path, '--out', tmp_path / 'list.json')


def test_noise_of_other_images(devkit: Path, tool, tmp_path: Path):
    """With no image found, the refined rates would be the raw ones."""
    probes = tmp_path / 'probes.json'
    tool(MAKE_LIST, devkit / 'images', '--out', probes, '--identities')
    lists = ['--probe-list', probes, '--distractor-lists', devkit / 'd_10.json']
    arguments = [devkit / 'fs', devkit / 'mf', *lists, '--noise']
    (tmp_path / 'other.txt').write_text('P_1_2.jpg\n')  # the images are .png
    with pytest.raises(SystemExit, match=r'other\.txt: none of the 22 probes and distractors'):
        tool(MEGAFACE, *arguments, tmp_path / 'other.txt')
    printed = tool(MEGAFACE, *arguments, tmp_path / 'other.txt', devkit / 'noise_fs.txt')
    assert 'other.txt: 0 of 22 probes and distractors are in it' in printed
    assert 'noise_fs.txt: 1 of 22' in printed
