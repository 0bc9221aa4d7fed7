"""Write the page "What is checked, and when" from the docstrings of the package's checks.

A check is a public function whose name starts with ``check_``. The source is parsed, not imported.
"When" is a docstring's ``When:`` section; without one it follows from who calls the check.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PLACE = '<!-- checks -->'
MOMENTS = {
    '__init__': '`{owner}` is built',
    '__post_init__': '`{owner}` is built',
    'before_run': 'a run starts that has `{owner}`',
    'before_train': 'training starts in a run that has `{owner}`',
    'after_load_checkpoint': 'a run with `{owner}` resumes',
    'before_train_epoch': 'an epoch starts (`{owner}`)',
    'before_val': 'a validation starts (`{owner}`)',
    'after_val_epoch': 'the first score is there (`{owner}`)',
    'forward': 'the first batch reaches `{owner}`',
    'loss': 'a batch reaches `{owner}`',
}


class Check(NamedTuple):
    """One check, as its docstring describes it."""

    name: str
    folder: str
    what: str
    raises: str
    when: str


def on_page_markdown(markdown: str, **_) -> str:
    """Called by mkdocs with the text of each page."""
    if PLACE not in markdown:
        return markdown
    tables = '\n\n'.join(render(*folder) for folder in by_folder(find_checks()))
    return markdown.replace(PLACE, tables)


def find_checks(package: Path = ROOT / 'amlfs_mm') -> list[Check]:
    """All checks below a package's folder, in the order of files and lines."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(package.rglob('*.py'))}
    callers: dict[str, list[str]] = {}
    for tree in trees.values():
        for name, moment in calls(tree):
            callers.setdefault(name, []).append(moment)
    return [
        describe(node, path.relative_to(package.parent), moments(node.name, callers))
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and is_check(node)
    ]


def moments(
    check: str, callers: dict[str, list[str]], seen: frozenset[str] = frozenset()
) -> list[str]:
    """When a check is called; where another check calls it, when that one is called."""
    found: list[str] = []
    for moment in callers.get(check, []):
        if not moment.startswith('check_'):
            found.append(moment)
        elif moment not in seen:
            found += moments(moment, callers, seen | {check, moment})
    return list(dict.fromkeys(found))


def describe(node: ast.FunctionDef, path: Path, moments: list[str]) -> Check:
    """A check's docstring taken apart.

    Raises:
        ValueError: It has no docstring.
    """
    docstring = ast.get_docstring(node)
    if not docstring:
        raise ValueError(f'{path}:{node.lineno}: {node.name} has no docstring')
    when = section(docstring, 'When') or '; '.join(moments)
    first_paragraph = ' '.join(docstring.split('\n\n')[0].split())
    raises = section(docstring, 'Raises') or ' or '.join(raised(node))
    return Check(node.name, path.parts[1], first_paragraph, raises, when or 'on a call')


def is_check(function: ast.FunctionDef) -> bool:
    return function.name.startswith('check_')


def section(docstring: str, title: str) -> str:
    """The text of a section of a Google docstring in one line, its entries after each other."""
    found = re.search(rf'^{title}:\n((?:[ ]+.*\n?|\n)+)', docstring, re.MULTILINE)
    return ' '.join(inspect.cleandoc(found[1]).split()) if found else ''


def raised(node: ast.FunctionDef) -> list[str]:
    """The classes of the errors that a function raises itself."""
    errors = [inner.exc for inner in ast.walk(node) if isinstance(inner, ast.Raise) and inner.exc]
    return sorted(
        {ast.unparse(error.func if isinstance(error, ast.Call) else error) for error in errors}
    )


def calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name of the check, moment) of each call of a check; the moment may be another check."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    owned = [
        (owner, node)
        for owner in tree.body
        for node in (owner.body if isinstance(owner, ast.ClassDef) else [owner])
        if isinstance(node, functions)
    ]
    for owner, function in owned:
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                called = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
                if called.startswith('check_'):
                    yield called, moment(owner, function)


def moment(owner: ast.ClassDef | ast.FunctionDef, function: ast.FunctionDef) -> str:
    if owner is function:
        return function.name if is_check(function) else f'`{function.name}` is called'
    return MOMENTS.get(function.name, '`{owner}.' + function.name + '` is called').format(
        owner=owner.name
    )


def by_folder(checks: list[Check]) -> list[tuple[str, list[Check]]]:
    """The checks of each folder of the package, the engine's first."""
    folders: dict[str, list[Check]] = {'engine': []}
    for check in checks:
        folders.setdefault(check.folder, []).append(check)
    return [(folder, found) for folder, found in folders.items() if found]


def render(folder: str, checks: list[Check]) -> str:
    """A heading and a table."""
    rows = [
        f'| `{check.name}` | {cell(check.what)} | {cell(check.raises)} | {cell(check.when)} |'
        for check in checks
    ]
    header = ['| check | what must hold | otherwise | when |', '|---|---|---|---|']
    return '\n'.join([f'## `amlfs_mm.{folder}`', '', *header, *rows])


def cell(text: str) -> str:
    """Text for one cell: code in Markdown's quotes, bars escaped."""
    return text.replace('``', '`').replace('|', '\\|')
