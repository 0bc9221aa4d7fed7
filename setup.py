from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def read_requirements(name: str) -> list[str]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def read_version() -> str:
    scope: dict = {}
    exec((ROOT / 'amlfs_mm' / 'version.py').read_text(), scope)
    return scope['__version__']


EXTRAS = {name: read_requirements(name) for name in ('docs', 'face', 'reid', 'search', 'tests')}

setup(
    name='amlfs_mm',
    version=read_version(),
    description='AM-LFS: AutoML for Loss Function Search (ICCV 2019) as an MMEngine extension',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['amlfs_mm', 'amlfs_mm.*']),
    package_data={'amlfs_mm': ['py.typed']},
    python_requires='>=3.10',
    install_requires=read_requirements('runtime'),
    extras_require={**EXTRAS, 'all': sorted({line for part in EXTRAS.values() for line in part})},
)
