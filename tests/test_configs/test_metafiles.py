"""The model index as OpenMMLab's tools read it: every leaf once, with the numbers of its header."""

from __future__ import annotations

import re
from pathlib import Path

import modelindex
import pytest
import yaml
from helpers.configs import BASES, CONFIGS, LEAVES, PATHS, header_of, read_paper_numbers
from helpers.runs import ROOT

METAFILES = sorted(CONFIGS.rglob('metafile.yml'))
# The metafile's names of the paper's metrics, and the header's way to say them.
PAPER_METRICS = {
    'Top 1 Error': 'top1_error',
    'Rank-1 at 1e6': 'rank1@1e6',
    'mAP': 'mAP',
    'Rank-1': 'rank1',
    'mAP (re-ranked)': 'mAP_reranked',
    'Rank-1 (re-ranked)': 'rank1_reranked',
}


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def models() -> list[dict]:
    return [model for path in METAFILES for model in read(path)['Models']]


def metrics_of(model: dict) -> dict[str, float]:
    results = model.get('Results', [])
    return {key: value for result in results for key, value in result['Metrics'].items()}


def numbers_of(model: dict) -> list[str]:
    """The numbers of the header's line Expected, as they are written."""
    header = header_of(PATHS[model['Name']])
    return re.findall(r'\d+\.\d+', header.split('Expected: ')[1])


def test_the_index_imports_every_metafile():
    imports = read(ROOT / 'model-index.yml')['Import']
    assert sorted(ROOT / path for path in imports) == METAFILES


def test_the_index_is_valid():
    """By the package that mmpretrain reads it with."""
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    index.check(silent=False)
    assert len(index.models) == len(LEAVES)


def test_every_leaf_is_listed_once_in_the_metafile_of_its_folder():
    listed = []
    for path in METAFILES:
        for model in read(path)['Models']:
            config = ROOT / model['Config']
            assert config.stem == model['Name']
            assert path.parent in config.parents
            nearest = next(p for p in config.parents if (p / 'metafile.yml').exists())
            assert nearest == path.parent, f'{config} belongs into the metafile of {nearest}'
            listed.append(config)
    assert sorted(listed) == LEAVES


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_required_keys(path: Path):
    content = read(path)
    (collection,) = content['Collections']
    assert collection['Paper'].keys() == {'URL', 'Title'}
    assert ROOT / collection['README'] == path.parent / 'README.md'
    for model in content['Models']:
        assert model['In Collection'] == collection['Name']
        assert model['Metadata']['Training Data']
        for result in model.get('Results', []):
            assert result.keys() == {'Dataset', 'Metrics', 'Task'}


@pytest.mark.parametrize('model', models(), ids=lambda model: model['Name'])
def test_metrics_are_those_of_the_header(model: dict):
    metrics, numbers = metrics_of(model), numbers_of(model)
    decimals = {float(number) for number in numbers}
    assert set(metrics.values()) <= decimals
    # A header without a number is that of a config without a metric.
    assert bool(metrics) == bool(numbers)


def test_the_papers_configs_have_the_papers_numbers():
    paper = read_paper_numbers()
    at_root = {
        model['Name']: metrics_of(model) for model in read(CONFIGS / 'metafile.yml')['Models']
    }
    assert {name for name, metrics in at_root.items() if metrics} == set(paper)
    for name, metrics in at_root.items():
        for key, value in metrics.items():
            assert paper[name][PAPER_METRICS[key]] == value, name


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_the_readme_names_every_config_and_its_command_exists(path: Path):
    readme = (path.parent / 'README.md').read_text()
    links = {(path.parent / link).resolve() for link in re.findall(r'\]\(([^)]+\.py)\)', readme)}
    assert links == {ROOT / model['Config'] for model in read(path)['Models']}
    commands = re.findall(r'configs/\S+\.py', readme.split('## Configs')[0])
    assert commands
    assert all((ROOT / command).exists() for command in commands)


def test_every_folder_of_configs_has_a_readme_and_a_metafile():
    folders = {path.parent for path in LEAVES}
    for folder in folders:
        home = folder.parent if folder.name == 'ablations' else folder
        assert (home / 'README.md').exists()
        assert (home / 'metafile.yml').exists()
    assert BASES not in folders
