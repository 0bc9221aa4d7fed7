"""The page "What is checked, and when" has every check, as its docstring says it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from helpers.runs import ROOT


@pytest.fixture(scope='module')
def list_checks():
    path = ROOT / 'docs' / 'hooks' / 'list_checks.py'
    spec = importlib.util.spec_from_file_location('list_checks', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCE = '''
class Reader:
    def __init__(self):
        check_size(self)

def load():
    check_size(None)

def check_size(x):
    """The size ``h`` is right | positive.

    More about it.

    Raises:
        ValueError: It is
            not.
    """

def check_stated(x):
    """Stated.

    When:
        The tenth batch.
    """
    raise KeyError(x)

def check_part(x):
    """Called by checks only."""

def check_all(x):
    """All."""
    check_part(x)

class Owner:
    def check_all(self):
        check_all(self)
'''


def test_a_check_is_described(tmp_path: Path, list_checks):
    (tmp_path / 'package' / 'folder').mkdir(parents=True)
    (tmp_path / 'package' / 'folder' / 'code.py').write_text(SOURCE)
    size, stated, part, _ = list_checks.find_checks(tmp_path / 'package')
    assert size.name == 'check_size'
    assert size.folder == 'folder'
    assert size.raises == 'ValueError: It is not.'
    assert size.when == '`Reader` is built; `load` is called'
    assert stated.raises == 'KeyError'
    assert stated.when == 'The tenth batch.'
    assert part.when == '`Owner.check_all` is called'
    table = list_checks.render('folder', [size])
    assert (
        r'| `check_size` | The size `h` is right \| positive. | ValueError: It is not. |' in table
    )


def test_a_check_without_a_docstring_is_refused(tmp_path: Path, list_checks):
    (tmp_path / 'package').mkdir()
    (tmp_path / 'package' / 'code.py').write_text('def check_x(): pass')
    with pytest.raises(ValueError, match=r'code\.py:1: check_x has no docstring'):
        list_checks.find_checks(tmp_path / 'package')


def test_the_page_has_the_package_s_checks(list_checks):
    page = (ROOT / 'docs' / 'reference' / 'checks.md').read_text()
    made = list_checks.on_page_markdown(page)
    for name in ('check_epochs', 'check_held_out', 'check_reward', 'check_part'):
        assert f'| `{name}` |' in made
    assert list_checks.PLACE not in made
