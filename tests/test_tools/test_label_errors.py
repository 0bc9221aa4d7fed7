"""tools/analysis/label_errors.py: the table, the page, and what a second training needs."""

from __future__ import annotations

import csv
import html
import json
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.face_data import write_casia
from helpers.runs import ROOT, run, train
from helpers.work_dirs import run_tool
from mmengine.config import Config
from mmpretrain.datasets import CustomDataset
from mmpretrain.registry import DATASETS, MODELS
from sklearn.metrics import roc_auc_score

from amlfs_mm.analysis.label_errors.cleaned_files import has_plain_indices, second_config
from amlfs_mm.analysis.label_errors.training_data import JudgedSamples
from amlfs_mm.datasets import Digits, ImageFolder

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
DIGITS = f"""
_base_ = ['{ROOT}/configs/small/digits/baseline_resnet20_digits.py']
model = dict(
    backbone=dict(_delete_=True, type='amlfs_mm.MLP', in_channels=192, channels=(64, 32)),
    neck=None,
    head=dict(in_channels=32),
)
train_dataloader = dict(
    dataset=dict(
        indices=list(range(100, 897)),
        pipeline=[
            dict(type='amlfs_mm.LabelNoise', ratio=0.3, num_classes=10),
            dict(type='PackInputs'),
        ],
    )
)
train_cfg = dict(max_epochs=4)
"""
STRETCHED = [dict(type='Resize', scale=(16, 16)), dict(type='PackInputs')]


class Page(HTMLParser):
    """What a page refers to, and the tags that are left open."""

    VOID = frozenset({'meta', 'img', 'br', 'wbr'})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.references += [value for key, value in attrs if key in ('src', 'href')]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_table(work_dir: Path) -> list[dict]:
    with open(work_dir / 'label_errors.csv', newline='') as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def noisy_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain MLP after a few epochs on digits with 30 % of the labels wrong, judged, to drop."""
    folder = tmp_path_factory.mktemp('noisy')
    config = folder / 'noisy.py'
    config.write_text(DIGITS)
    train(folder / 'run', config=config)
    run_tool('label_errors.py', folder / 'run', '--drop', '--show', 40)
    return folder / 'run'


def true_labels(rows: list[dict]) -> np.ndarray:
    source = Digits('train')
    return np.array([source.get_data_info(int(row['index']))['gt_label'] for row in rows])


def test_the_table_finds_the_wrong_labels(noisy_run: Path):
    rows = read_table(noisy_run)
    assert list(rows[0]) == ['index', 'path', 'given', 'suggested', 'p', 'weight', 'rank']
    assert [int(row['rank']) for row in rows] == list(range(1, 798))
    assert sorted(int(row['index']) for row in rows) == list(range(100, 897))
    p = np.array([float(row['p']) for row in rows])
    assert (np.diff(p) >= 0).all()
    assert {row['weight'] for row in rows} == {'1'}
    wrong = true_labels(rows) != np.array([int(row['given']) for row in rows])
    assert 0.2 < wrong.mean() < 0.4
    assert roc_auc_score(wrong, -p) > 0.9


def test_the_estimate_holds_the_truth(noisy_run: Path):
    rows = read_table(noisy_run)
    wrong = (true_labels(rows) != np.array([int(row['given']) for row in rows])).sum()
    found = json.loads((noisy_run / 'label_errors.json').read_text())
    assert found['samples'] == 797
    assert found['interval'][0] <= wrong <= found['interval'][1]


def test_a_second_training_has_the_others_with_their_labels(noisy_run: Path):
    rows = read_table(noisy_run)
    count = round(json.loads((noisy_run / 'label_errors.json').read_text())['wrong'])
    config = Config.fromfile(noisy_run / 'cleaned_config.py')
    assert config.work_dir == str(noisy_run / 'second_run')
    data = DATASETS.build(config.train_dataloader.dataset)
    expected = {int(row['index']): int(row['given']) for row in rows[count:]}
    assert len(data) == len(expected) == 797 - count
    assert [s['data_samples'].gt_label.item() for s in data] == [
        expected[index] for index in sorted(expected)
    ]
    # LabelNoise would change the labels of a list of indices, and digits are no files.
    assert not (noisy_run / 'cleaned_indices.json').exists()
    assert not (noisy_run / 'cleaned_annotations.txt').exists()


def test_the_page_needs_nothing_else(noisy_run: Path):
    text = (noisy_run / 'label_errors.html').read_text()
    page = Page(text)
    assert not page.open
    assert len(page.references) == 40
    assert all(reference.startswith('data:image/jpeg;base64,') for reference in page.references)


@pytest.mark.skipif(CHROMIUM is None, reason='no chromium')
@pytest.mark.parametrize('width', [390, 1280])
def test_the_page_fits_and_sorts(width: int, noisy_run: Path, tmp_path: Path):
    """In an inner frame, since a headless window is never narrower than 500 pixels."""
    frame = html.escape((noisy_run / 'label_errors.html').read_text())
    wrapper = tmp_path / 'frame.html'
    wrapper.write_text(
        f'<iframe id=f width={width} height=800 style="border:0" srcdoc="{frame}"></iframe>'
        '<script>f.onload = () => { const d = f.contentDocument, e = d.documentElement;'
        "const by = d.getElementById('by'); by.value = 'index';"
        "by.dispatchEvent(new Event('change'));"
        "const list = [...d.querySelector('ul').children].map((i) => Number(i.dataset.index));"
        'document.title = `${e.scrollWidth} of ${e.clientWidth}: ${list}` }</script>'
    )
    command = [CHROMIUM, '--headless=new', '--no-sandbox', '--disable-gpu']
    command += ['--hide-scrollbars', '--window-size=1400,900', '--dump-dom']
    command.append(f'--user-data-dir={tmp_path}/profile')
    dom = subprocess.run(
        [*command, wrapper.as_uri()], capture_output=True, text=True, timeout=300
    ).stdout
    scroll, client, listed = re.search(r'<title>(\d+) of (\d+): ([\d,]+)</title>', dom).groups()
    assert int(scroll) <= int(client) == width
    indices = list(map(int, listed.split(',')))
    assert indices == sorted(indices)


def untrained_run(work_dir: Path, dataset: str, classes: int) -> Path:
    """A work dir with a model that has not been trained, for a training set of image files."""
    work_dir.mkdir()
    text = f"""
default_scope = 'mmpretrain'
custom_imports = dict(imports=['amlfs_mm'])
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
model = dict(
    type='ImageClassifier',
    backbone=dict(type='amlfs_mm.MLP', in_channels=192, channels=(8,)),
    head=dict(type='amlfs_mm.SoftmaxHead', num_classes={classes}, in_channels=8, scale=8.0),
)
pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(8, 8)),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=4, num_workers=0, dataset=dict({dataset}, pipeline=pipeline))
work_dir = {str(work_dir)!r}
"""
    (work_dir / 'config.py').write_text(text)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(work_dir / 'config.py').model)
    torch.save(dict(meta=dict(epoch=1), state_dict=model.state_dict()), work_dir / 'epoch_1.pth')
    return work_dir


def test_lists_for_image_folders(tmp_path: Path):
    draw = np.random.default_rng(0)
    for name in ('<cat>', 'dog', 'owl'):
        folder = tmp_path / 'data' / 'train' / name
        folder.mkdir(parents=True)
        for number in range(3):
            image = draw.integers(256, size=(8, 8, 3), dtype=np.uint8)
            assert cv2.imwrite(str(folder / f'an image {number}.png'), image)
    data = f"type='amlfs_mm.ImageFolder', data_root={str(tmp_path / 'data')!r}, split='train'"
    work_dir = untrained_run(tmp_path / 'run', data, classes=3)

    run_tool('label_errors.py', work_dir, '--relabel', 4)
    rows = read_table(work_dir)
    expected = {
        row['path']: int(row['suggested' if int(row['rank']) <= 4 else 'given']) for row in rows
    }
    assert expected != {row['path']: int(row['given']) for row in rows}
    listed = str(work_dir / 'cleaned_annotations.txt')
    ours = ImageFolder(
        data_root=str(tmp_path / 'data'),
        split='train',
        ann_file=listed,
        classes=['cat', 'dog', 'owl'],
    )
    theirs = CustomDataset(data_root='', ann_file=listed)
    for dataset in (ours, theirs):
        infos = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert {info['img_path']: info['gt_label'] for info in infos} == expected
    page = (work_dir / 'label_errors.html').read_text()
    assert '<cat>' not in page
    assert not Page(page).open

    run_tool('label_errors.py', work_dir, '--drop', 4)
    kept = json.loads((work_dir / 'cleaned_indices.json').read_text())
    assert kept == sorted(int(row['index']) for row in rows[4:])
    part = ImageFolder(data_root=str(tmp_path / 'data'), split='train', indices=kept)
    names = {part.get_data_info(i)['img_path'] for i in range(len(part))}
    assert names == {row['path'] for row in rows[4:]}


def test_faces(tmp_path: Path):
    root = write_casia(tmp_path / 'casia', identities=4, images=3)
    data = f"type='amlfs_mm.FaceDataset', data_root={str(root)!r}, part='train', held_out=0.0"
    work_dir = untrained_run(tmp_path / 'run', data, classes=4)
    run_tool('label_errors.py', work_dir, '--drop', 2)
    rows = read_table(work_dir)
    assert len(rows) == 12
    assert all(Path(row['path']).is_file() for row in rows)
    config = Config.fromfile(work_dir / 'cleaned_config.py')
    assert len(DATASETS.build(config.train_dataloader.dataset)) == 10


def test_each_training_has_a_config_of_its_own(tmp_path: Path):
    """The work dir of a second training holds its config under the name of the first one's."""
    root = write_casia(tmp_path / 'casia', identities=4, images=3)
    data = f"type='amlfs_mm.FaceDataset', data_root={str(root)!r}, part='train', held_out=0.0"
    work_dir = untrained_run(tmp_path / 'run', data, classes=4)
    names = ['cleaned_config.py', 'cleaned_config_2.py', 'cleaned_config_3.py']
    own = work_dir / 'config.py'
    for left, name in zip([11, 10, 9], names, strict=True):
        before = own.read_text()
        run_tool('label_errors.py', work_dir, '--drop', 1)
        assert own.read_text() == before
        config = Config.fromfile(work_dir / name)
        assert len(DATASETS.build(config.train_dataloader.dataset)) == left
        # What a training with this config leaves in its work dir.
        assert config.work_dir == str(work_dir / 'second_run')
        (work_dir / 'second_run').mkdir()
        shutil.copy(work_dir / 'epoch_1.pth', work_dir / 'second_run')
        work_dir, own = work_dir / 'second_run', work_dir / 'second_run' / name
        own.write_text(''.join(f'{key} = {value!r}\n' for key, value in config.to_dict().items()))


@pytest.mark.parametrize(
    ('resume', 'expected'),
    [('resume = True', None), ('resume = False', 'start.pth'), ('', 'start.pth')],
)
def test_a_second_training_starts_as_the_first_one_did(
    resume: str, expected: str | None, tmp_path: Path
):
    """A checkpoint that the run was resumed from has seen the wrong labels."""
    (tmp_path / 'run').mkdir()
    own = tmp_path / 'run' / 'config.py'
    own.write_text(f"train_dataloader = dict(dataset=dict())\nload_from = 'start.pth'\n{resume}\n")
    second = tmp_path / 'run' / 'second.py'
    second.write_text(second_config(Config.fromfile(own), own.parent))
    config = Config.fromfile(second)
    assert config.load_from == expected
    assert not config.resume


@pytest.mark.parametrize('wrapped', [False, True], ids=['alone', 'wrapped'])
@pytest.mark.parametrize('held_out', [None, 'same pipeline', 'other pipeline'])
def test_images_in_memory_are_judged_without_augmentation(held_out: str | None, wrapped: bool):
    noise = dict(type='amlfs_mm.LabelNoise', ratio=0.5, num_classes=10)
    source = dict(type='amlfs_mm.Digits', split='train', pipeline=[noise, dict(type='PackInputs')])
    train = dict(type='amlfs_mm.InMemoryImages', dataset=source, padding=2, flip_prob=0.5)
    if wrapped:
        part = dict(type='RepeatDataset', dataset=train, times=2)
        train = dict(type='ConcatDataset', datasets=[part])
    config = Config(dict(train_dataloader=dict(dataset=train)))
    if held_out:
        pipeline = source['pipeline'][1:] if held_out == 'same pipeline' else STRETCHED
        held_out = dict(type='amlfs_mm.Digits', split='val', pipeline=pipeline)
        config.val_dataloader = dict(dataset=held_out)
        source = dict(source, pipeline=[noise, *pipeline])
    samples = JudgedSamples(config)
    expected = DATASETS.build(source)
    assert len(samples) == len(expected)
    for found, other in zip((samples[i] for i in range(40)), expected, strict=False):
        assert torch.equal(found['inputs'], other['inputs'])
        assert found['data_samples'].gt_label.item() == other['data_samples'].gt_label.item()
    assert not has_plain_indices(samples, [], {})  # InMemoryImages has no indices


def mix_identities(folder: Path, share: float) -> set[str]:
    """Give some images of Market-1501's folder another identity; their new paths."""
    draw = random.Random(0)
    files = sorted(folder.glob('*.png'))
    identities = sorted({file.name.split('_')[0] for file in files})
    mixed = set()
    for number, file in enumerate(draw.sample(files, int(share * len(files)))):
        own, camera, _, box = file.name.split('_')
        other = draw.choice([identity for identity in identities if identity != own])
        moved = folder / f'{other}_{camera}_{900000 + number:06d}_{box}'
        mixed.add(str(file.rename(moved)))
    return mixed


@pytest.mark.slow
def test_mixed_identities_of_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Images in the folder of another identity come first, after a real training."""
    data = tmp_path / 'data'
    made = run(['amlfs_mm', 'make-character-identities', data, '--train-identities', '60'])
    assert made.returncode == 0, made.stdout
    mixed = mix_identities(next(data.rglob('bounding_box_train')), 0.1)
    monkeypatch.setenv('DATA_ROOT', str(data))
    options = ['train_cfg.max_epochs=15', 'model.head.num_classes=48', 'param_scheduler.T_max=15']
    options += ['optim_wrapper.optimizer.lr=0.1', 'optim_wrapper.optimizer.weight_decay=5e-3']
    config = ROOT / 'configs' / 'small' / 'characters' / 'baseline_resnet8_characters.py'
    train(tmp_path / 'run', '--cfg-options', *options, config=config)
    run_tool('label_errors.py', tmp_path / 'run', '--drop', 76)
    rows = read_table(tmp_path / 'run')
    wrong = [row['path'] in mixed for row in rows]
    assert 50 < sum(wrong) < 96  # those of 48 of the 60 identities train
    assert roc_auc_score(wrong, [-int(row['rank']) for row in rows]) > 0.9
    again = Config.fromfile(tmp_path / 'run' / 'cleaned_config.py')
    assert len(DATASETS.build(again.train_dataloader.dataset)) == len(rows) - 76


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--drop', '11'], 'two at least must stay'),
        (['--drop', '13'], 'there are 12 training samples, fewer than 13'),
        (['--checkpoint', 'none.pth'], 'there is no checkpoint'),
    ],
)
def test_errors(arguments: list[str], message: str, tmp_path: Path):
    root = write_casia(tmp_path / 'casia', identities=4, images=3)
    data = f"type='amlfs_mm.FaceDataset', data_root={str(root)!r}, part='train', held_out=0.0"
    work_dir = untrained_run(tmp_path / 'run', data, classes=4)
    with pytest.raises(SystemExit, match=message):
        run_tool('label_errors.py', work_dir, *arguments)
