"""Commands in documents, checked without running them: files exist, and options are known."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mmengine.config import Config

from amlfs_mm.cli.commands import COMMANDS
from helpers.runs import ROOT

# Bash calls the handler for every command that it does not find, and there is no PATH.
PRELUDE = r"""
command_not_found_handle() { printf '%s\037' "$@" >&3; printf '\036' >&3; }
PATH=/nonexistent
"""
LAUNCHERS = {'tools/dist_train.sh': 2, 'tools/dist_test.sh': 3, 'tools/slurm_train.sh': 3}
PLACEHOLDERS = re.compile(r'[A-Z_]+')


def expand(code: str, tree: Path) -> list[list[str]]:
    """The commands of bash code with their arguments, as bash expands them in a folder.

    Raises:
        AssertionError: Its syntax is wrong.
    """
    syntax = subprocess.run(['bash', '-n', '-c', code], capture_output=True, text=True)
    assert syntax.returncode == 0, syntax.stderr
    # A function of a script's name goes before the script.
    scripts = [str(path.relative_to(ROOT)) for path in (ROOT / 'tools').glob('*.sh')]
    functions = '\n'.join(
        f'{name}() {{ command_not_found_handle {name} "$@"; }}' for name in scripts
    )
    done = subprocess.run(
        ['bash', '-c', f'exec 3>&1 1>/dev/null\n{PRELUDE}\n{functions}\n{code}'],
        cwd=tree,
        capture_output=True,
        text=True,
        env={'LC_ALL': 'C.UTF-8'},
    )
    return [line.split('\x1f')[:-1] for line in done.stdout.split('\x1e')[:-1]]


def check_command(command: list[str], made: set[str]) -> None:
    """Fail unless the script of a command exists and takes its arguments.

    Args:
        command: Name and arguments, expanded.
        made: Files that the page makes.
    """
    name, *arguments = command
    if name in LAUNCHERS:
        assert len(arguments) >= LAUNCHERS[name], f'{name} needs more arguments: {command}'
        check_launcher(name, arguments, made)
    elif name in ('bash', 'sh'):
        assert (ROOT / arguments[0]).is_file(), f'there is no {arguments[0]}'
    elif name == 'python':
        check_python(arguments, made)
    elif name == 'amlfs_mm':
        check_python(['-m', 'amlfs_mm', *arguments], made)
    elif name == 'pip' and '-r' in arguments:
        assert (ROOT / arguments[arguments.index('-r') + 1]).is_file(), command
    elif name.startswith('tools/'):
        assert (ROOT / name).is_file(), f'there is no {name}'


def check_launcher(name: str, arguments: list[str], made: set[str]) -> None:
    if name == 'tools/dist_train.sh':
        config, processes, *options = arguments
        check_python(['tools/train.py', config, *options], made)
    elif name == 'tools/slurm_train.sh':
        _, _, config, *options = arguments
        return check_python(['tools/train.py', config, *options], made)
    else:
        config, checkpoint, processes, *options = arguments
        check_python(['tools/test.py', config, checkpoint, *options], made)
    assert processes.isdigit() or PLACEHOLDERS.fullmatch(processes), f'{processes} processes?'


def check_python(arguments: list[str], made: set[str]) -> None:
    while arguments[0] == '-W':
        arguments = arguments[2:]
    if arguments[0] == '-c':
        compile(arguments[1], '<string>', 'exec')
    elif arguments[:2] == ['-m', 'pytest']:
        for path in arguments[2:]:
            assert '/' not in path or (ROOT / path.split('::')[0]).exists(), f'there is no {path}'
    elif arguments[:2] == ['-m', 'amlfs_mm']:
        command, *options = arguments[2:] or ['--help']
        if command == '--help':
            return
        assert command in COMMANDS, f'there is no command {command}'
        parsed = parse(Path(f'amlfs_mm {command}'), options, load_command)
        if command == 'new':
            made.add(str(parsed.out))  # for the commands that follow
        check_configs(options, made)
        merge_options(parsed)
    elif arguments[0].endswith('.py'):
        check_configs(arguments[1:], made)
        merge_options(parse(ROOT / arguments[0], arguments[1:], load_script))


def check_configs(arguments: list[str], made: set[str]) -> None:
    for argument in arguments:
        if argument.endswith('.py') and argument not in made and '::' not in argument:
            assert (ROOT / argument).is_file(), f'there is no config {argument}'


def merge_options(parsed: argparse.Namespace) -> None:
    """The config has the places that options of the command line change."""
    config = getattr(parsed, 'config', None)
    options = getattr(parsed, 'cfg_options', None)
    if config and isinstance(options, dict) and (ROOT / config).is_file():
        Config.fromfile(ROOT / config).merge_from_dict(options)


class Parsed(Exception):
    """The command line is right; carries what it means."""


@contextmanager
def stop_after_parsing() -> Iterator[None]:
    original = argparse.ArgumentParser.parse_args

    def parse_args(self, *args, **kwargs):
        raise Parsed(original(self, *args, **kwargs))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
        yield


def load_script(script: Path) -> Callable[[], None]:
    """The main function of a script.

    Raises:
        AssertionError: There is no such script.
    """
    assert script.is_file(), f'there is no {script}'
    spec = importlib.util.spec_from_file_location(f'documented_{script.stem}', script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module.main


def load_command(program: Path) -> Callable[[], None]:
    """The function of a command of ``amlfs_mm``."""
    command = COMMANDS[program.name.split()[1]]
    return importlib.import_module(command.module).main


def parse(
    program: Path, arguments: list[str], load: Callable[[Path], Callable[[], None]]
) -> argparse.Namespace:
    """What a program's own parser makes of its arguments; the program does nothing else.

    Raises:
        AssertionError: There is no such program, or it does not take them.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [str(program), *arguments])
        patch.setattr(sys, 'path', [str(program.parent), *sys.path])
        patch.setattr(os, 'environ', dict(os.environ))
        try:
            with stop_after_parsing():
                load(program)()
        except Parsed as parsed:
            return parsed.args[0]
        except SystemExit as error:
            raise AssertionError(f'{program.name} does not take {arguments}') from error
    raise AssertionError(f'{program.name} reads no arguments')
