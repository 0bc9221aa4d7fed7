"""The wheel of this package, and environments of their own to install it into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from helpers.runs import ROOT

SOURCES = ('amlfs_mm', 'configs', 'requirements', 'tools')
FILES = ('LICENSE', 'README.md', 'model-index.yml', 'pyproject.toml', 'setup.py')


def build_wheel(folder: Path) -> Path:
    """The wheel of a copy of the sources: no build of earlier sources is in the way."""
    tree = folder / 'tree'
    tree.mkdir(parents=True)
    for name in SOURCES:
        shutil.copytree(ROOT / name, tree / name, symlinks=True)
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    pip = [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-build-isolation']
    run_outside([*pip, '--wheel-dir', folder, tree], folder)
    (wheel,) = folder.glob('*.whl')
    return wheel


class Environment:
    """A virtual environment in a new folder, with nothing in it.

    Args:
        folder: Its place.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False)
        self.python = folder / 'bin' / 'python'

    def install(self, *arguments: str | Path) -> None:
        """Run ``pip install`` for it, with the pip of this environment."""
        pip = [sys.executable, '-m', 'pip', '--python', self.python]
        run_outside([*pip, 'install', '--quiet', *arguments], self.folder)

    def borrow_packages(self) -> None:
        """Let it import the packages that are installed here, after its own."""
        version = f'python{sys.version_info.major}.{sys.version_info.minor}'
        borrowed = self.folder / 'lib' / version / 'site-packages' / 'borrowed.pth'
        borrowed.write_text(f'{sysconfig.get_path("purelib")}\n')

    def run(self, program: str, *arguments: str | Path) -> str:
        """What a program of the environment prints, run beside the environment."""
        return run_outside([self.folder / 'bin' / program, *arguments], self.folder.parent)


def run_outside(command: list, folder: Path) -> str:
    """The output of a command that does not see the repository."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != 'PYTHONPATH'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout
