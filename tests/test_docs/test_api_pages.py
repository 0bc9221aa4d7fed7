"""The pages of docs/api/ have every public name of the package."""

from __future__ import annotations

import re
from importlib import import_module
from pydoc import locate

import pytest
from helpers.runs import ROOT

PACKAGES = (
    'analysis',
    'datasets',
    'engine',
    'engine.checks',
    'evaluation',
    'export',
    'models',
    'models.losses',
    'search',
    'visualization',
)
PATHS = [
    path
    for page in sorted((ROOT / 'docs' / 'api').glob('*.md'))
    for path in re.findall(r'^::: (\S+)', page.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize('package', PACKAGES)
def test_every_public_name_is_on_a_page(package: str):
    module = import_module(f'amlfs_mm.{package}')
    listed = {id(locate(path)) for path in PATHS}
    if id(module) in listed:  # its page shows all of it
        return
    missing = [name for name in module.__all__ if id(getattr(module, name)) not in listed]
    assert not missing, f'add to docs/api/: ::: amlfs_mm.{package}.{missing[0]} (and {missing[1:]})'


def test_every_name_on_a_page_exists_and_stands_there_once():
    assert [path for path in PATHS if locate(path) is None] == []
    assert len(set(PATHS)) == len(PATHS)
