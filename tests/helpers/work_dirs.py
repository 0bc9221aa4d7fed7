"""Work dirs as finished runs leave them, without the training."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from amlfs_mm.analysis import Result
from helpers.runs import ROOT, TINY_SEARCH

BASELINE = ROOT / 'configs/small/digits/baseline_resnet20_digits.py'


def write_run(
    work_dir: Path,
    config: Path = TINY_SEARCH,
    seed: int = 0,
    records: list[dict] = (),
    test: dict | None = None,
    validation: dict[int, dict] | None = None,
    **options,
) -> Path:
    """A run's config dump, history and metrics; options as in --cfg-options."""
    work_dir.mkdir(parents=True)
    cfg = Config.fromfile(config)
    cfg.merge_from_dict({'randomness.seed': seed, 'work_dir': str(work_dir), **options})
    # mmengine's own dump formats the text, which takes long.
    text = ''.join(f'{key} = {value!r}\n' for key, value in cfg.to_dict().items())
    (work_dir / config.name).write_text(text)
    if records:
        lines = ''.join(json.dumps(record) + '\n' for record in records)
        (work_dir / 'loss_search.jsonl').write_text(lines)
    if test is not None:
        (work_dir / 'test.json').write_text(json.dumps(test))
    for epoch, metrics in (validation or {}).items():
        scalars = work_dir / '20260101_000000' / 'vis_data' / 'scalars.json'
        scalars.parent.mkdir(parents=True, exist_ok=True)
        with open(scalars, 'a') as file:
            file.write(json.dumps({'loss': 1.0, 'epoch': epoch, 'step': epoch}) + '\n')
            file.write(json.dumps({**metrics, 'step': epoch}) + '\n')
        (work_dir / f'epoch_{epoch}.pth').touch()
    return work_dir


def make_result(
    config: str, seed: int, test: float, model: str = 'last', validation: dict | None = None, **more
) -> Result:
    """A result of a benchmark, 5 epochs long, without a run."""
    curve = {epoch: {'accuracy/top1': value} for epoch, value in (validation or {}).items()}
    tests = {'accuracy/top1': test}
    return Result(config, model, seed, 5, 5, 500, tests, curve, **more)


def run_tool(name: str, *arguments) -> None:
    """A tool of tools/analysis in this process, with the arguments of its command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [name, *(str(argument) for argument in arguments)])
        runpy.run_path(str(ROOT / 'tools' / 'analysis' / name), run_name='__main__')
