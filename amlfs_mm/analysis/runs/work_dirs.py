"""Work dirs read back: what ``tools/train.py`` and ``tools/test.py`` left in them."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config

from amlfs_mm.engine.state.checkpoints import read_checkpoint
from amlfs_mm.utils.text_files import read_json

from .kept_model import KeptModel
from .records import check_records, read_json_lines, read_records
from .run import TEST_FILES, Run


def read_run(path: str | Path) -> Run:
    """The run in a work dir, or, if the path is a checkpoint in one, the search up to it.

    Raises:
        FileNotFoundError: There is no such path, or it is no work dir.
        ValueError: A file in it is damaged or not of this run, or no search wrote the checkpoint.
            The message names the file.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f'there is no work dir or checkpoint {path}')
    directory = path if path.is_dir() else path.parent
    run = Run(directory, Config.fromfile(find_config(directory)))
    if path.is_file():
        run.records = read_search_state(path)['records']
    elif (directory / 'loss_search.jsonl').is_file():
        run.records = read_records(directory / 'loss_search.jsonl')
    if run.records:
        _ = run.options  # an error here rather than in the middle of a report
    run.tests = read_tests(directory)
    if (file := directory / 'compute.json').is_file():
        run.compute = {key: int(value) for key, value in read_metrics(file).items()}
    run.validation = read_validation(directory)
    if (file := directory / 'kept_model.json').is_file():
        run.kept = KeptModel.read(file)
    return run


def find_config(directory: Path) -> Path:
    """The newest config that a run dumped into its work dir.

    Raises:
        FileNotFoundError: There is none.
    """
    found = [path for path in directory.glob('*.py') if is_dumped_config(path)]
    if not found:
        raise FileNotFoundError(
            f'{directory} is not a work dir of tools/train.py: it has no dumped config (*.py)'
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def is_dumped_config(path: Path) -> bool:
    """Whether a Python file sets ``model`` and ``work_dir``, as a dumped config does.

    Reading a config runs it: other people's code must not be run.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return False
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    return {'model', 'work_dir'} <= {t.id for t in targets if isinstance(t, ast.Name)}


def read_search_state(path: str | Path) -> dict:
    """The state of the search in a checkpoint: its ``records``, ``search_space`` and more.

    Raises:
        ValueError: The file is no checkpoint, or no search wrote it.
    """
    content = read_checkpoint(path)
    if 'loss_search' not in content:
        raise ValueError(f"{path} has no 'loss_search' state: no search wrote it")
    state = content['loss_search']
    check_records(state['records'], path)
    return state


def find_runs(paths: Iterable[str | Path]) -> list[Run]:
    """The runs in these work dirs, or one level below them.

    Raises:
        FileNotFoundError: A path has no run.
        ValueError: A file of a run is damaged or not of this run.
    """
    runs = []
    for path in (Path(path).expanduser() for path in paths):
        children = sorted(path.iterdir()) if path.is_dir() else []
        below = [child for child in children if child.is_dir() and any(child.glob('*.py'))]
        # A work dir may hold others: the one of tools/test.py is called test.
        alone = not path.is_dir() or any(path.glob('*.py')) or not below
        runs += [read_run(path)] if alone else [read_run(child) for child in below]
    return runs


def read_tests(directory: Path) -> dict[str, dict[str, float]]:
    """The test metrics in a work dir, by the model that was tested.

    Raises:
        ValueError: A file holds something else, or is cut short.
    """
    files = {model: directory / name for model, name in TEST_FILES.items()}
    return {model: read_metrics(file) for model, file in files.items() if file.is_file()}


def read_metrics(path: Path) -> dict[str, float]:
    """Numbers by name, from a JSON file.

    Raises:
        ValueError: The file holds something else, or is cut short.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not all(
        isinstance(value, (int, float)) for value in content.values()
    ):
        raise ValueError(f'{path} must hold numbers by name, as tools/test.py --out writes them')
    return content


def read_validation(directory: Path) -> dict[int, dict[str, float]]:
    """Metrics on D_v by epoch, from mmengine's ``scalars.json``.

    A later file counts from its first epoch on: a run that was resumed, or started anew, there.

    Raises:
        ValueError: A line is damaged. The last one may be cut short: this happens when a run is
            killed.
    """
    metrics: dict[int, dict[str, float]] = {}
    for path in sorted(directory.glob('*/vis_data/scalars.json')):
        of_file, epochs = {}, []
        for scalars in read_json_lines(path, last_may_be_cut=True):
            found = {
                key: value
                for key, value in scalars.items()
                if '/' in key and not key.startswith(('search/', 'train/'))
            }
            if found:
                if 'step' not in scalars:
                    raise ValueError(f'{path} has metrics without their step (epoch): {scalars}')
                of_file[scalars['step']] = found
            if found or 'epoch' in scalars:
                epochs.append(scalars['step'] if found else scalars['epoch'])
        first = min(epochs, default=math.inf)
        metrics = {epoch: value for epoch, value in metrics.items() if epoch < first} | of_file
    return metrics
