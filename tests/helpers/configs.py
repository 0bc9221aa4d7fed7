"""The repository's configs, wherever they lie."""

from __future__ import annotations

import csv
from pathlib import Path

from mmengine.config import Config

from helpers.runs import ROOT

CONFIGS = ROOT / 'configs'
BASES = CONFIGS / '_base_'
LEAVES = sorted(path for path in CONFIGS.rglob('*.py') if BASES not in path.parents)
PATHS = {path.stem: path for path in LEAVES}
PAPER_NUMBERS = ROOT / 'tests' / 'data' / 'paper_numbers.csv'
DATA = {'Market-1501': 'market', 'DukeMTMC-reID': 'duke'}
FACE_LOSSES = dict(SphereFace='asoftmax', CosineFace='amsoftmax', ArcFace='arcface')


def read_config(name: str) -> Config:
    """The config of a leaf's name, without folder and suffix."""
    return Config.fromfile(PATHS[name])


def header_of(path: Path) -> str:
    """The comment that opens a config, on one line."""
    return path.read_text().split('_base_')[0].replace('\n# ', ' ')


def search_options(cfg: Config) -> dict:
    """What ``loss_search`` and the hook say together."""
    (hook,) = [h for h in cfg.custom_hooks if h['type'] == 'amlfs_mm.LossSearchHook']
    return {**cfg.loss_search.to_dict(), **hook}


def read_paper_numbers() -> dict[str, dict[str, float]]:
    """The paper's numbers of the methods that have a config, by leaf and metric."""
    numbers: dict[str, dict[str, float]] = {}
    with open(PAPER_NUMBERS) as file:
        for row in csv.DictReader(file):
            name = _leaf_of(row)
            if name and row['value']:
                reranked = '_reranked' if '(RK)' in row['method'] else ''
                numbers.setdefault(name, {})[row['metric'] + reranked] = float(row['value'])
    return numbers


def _leaf_of(row: dict[str, str]) -> str | None:
    """The config that gives a row of the paper's tables; None if there is none."""
    method, setting = row['method'].replace('(RK)', ''), row['setting']
    name = method.split('+')[0].lower().replace('-', '')
    is_search = 'AM-LFS' in method
    data = DATA.get(row['dataset'])
    if row['table'] == '2' and method in ('CE', 'AM-LFS'):
        noise = setting.split('noise=')[1].rstrip('%')
        suffix = '' if noise == '0' else f'_noise{noise}'
        return f'{"amlfs" if is_search else "baseline"}_resnet20_cifar10{suffix}'
    if row['table'] == '3':
        kind = 'amlfs' if is_search else f'baseline_{FACE_LOSSES[method]}'
        return f'{kind}_sphereface20_casia'
    if row['table'] == '4.6':
        return f'frozen_{name}_{data}'
    if row['table'] in ('4', '5') and method in ('PCB', 'MLFN', 'HA-CNN'):  # not PCB+RPP
        return f'baseline_{name}_{data}'
    if row['table'] in ('4', '5') and name in ('spherereid', 'sft', 'mgn'):
        return f'{"amlfs" if is_search else "baseline"}_{name}_{data}'
    if row['table'] in ('6', '7'):
        changed = setting.split()[0].replace('=', '').lower()
        suffix = '' if changed in ('b32', 'm6') else f'_{changed}'
        return f'amlfs_{name}_{data}{suffix}'
    return None
