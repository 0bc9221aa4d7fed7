"""insightface's ``.bin`` verification sets: a pickle that is read without running what it says.

The file is a pickled pair ``(bins, issame_list)``: 2N encoded images, of which 2k and 2k + 1 are
pair k, and N flags. Source: insightface, recognition/arcface_torch/eval/verification.py, load_bin.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from amlfs_mm.utils.paths import user_path


def read_verification_bin(path: str | Path) -> tuple[list[bytes], list[bool]]:
    """The encoded images (2N) and which of the N pairs show one person.

    The file cannot make Python import or call anything. It may hold containers, strings, bytes,
    numbers, and flags of numpy. Files that Python 2 wrote are read too.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no such pickle, asks for something else, or is cut short.
    """
    try:
        with open(user_path(path), 'rb') as file:
            content = PlainUnpickler(file, encoding='bytes').load()
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged pickle fails in any way
        raise ValueError(
            f'{path} cannot be read as a verification set, a pickle of (images, flags) and nothing '
            f'else: {error}'
        ) from error
    try:
        images, flags = content
        flags = [FLAGS[flag] for flag in flags]
        whole = len(images) == 2 * len(flags) and all(isinstance(i, bytes) for i in images)
    except (TypeError, ValueError, KeyError):
        whole = False
    if not whole or not flags:
        raise ValueError(
            f'{path} is no verification set: expected a pair of 2N images, as bytes, and N flags'
        )
    return list(images), flags


FLAGS = {True: True, False: False}  # and 1 and 0, which are equal to them


class PlainUnpickler(pickle.Unpickler):
    """Reads plain values only. The few names that they need stand for functions of this file."""

    def find_class(self, module: str, name: str) -> object:
        """A class that a verification file may hold; an error for any other."""
        try:
            return ALLOWED[module.replace('numpy._core', 'numpy.core'), name]
        except KeyError:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}') from None


class NumpyType:
    """A numpy type by its code, such as ``b1``."""

    def __init__(self, code: str | bytes, *flags: object) -> None:
        self.code = code if isinstance(code, bytes) else code.encode()

    def __setstate__(self, state: object) -> None:
        """Byte order and the like: a flag has none."""


def numpy_flag(kind: NumpyType, value: bytes) -> bool:
    """A numpy bool, as ``numpy.core.multiarray.scalar`` makes it; other types are refused."""
    if kind.code != b'b1' or value not in (b'\0', b'\1'):
        raise pickle.UnpicklingError(f'it holds a numpy value of type {kind.code!r}')
    return value == b'\1'


def encode_latin1(text: str, encoding: str | bytes) -> bytes:
    """Bytes as Python 3 writes them for Python 2."""
    if encoding not in ('latin1', b'latin1'):
        raise pickle.UnpicklingError(f'it encodes text as {encoding!r}')
    return text.encode('latin1')


ALLOWED = {
    ('numpy.core.multiarray', 'scalar'): numpy_flag,
    ('numpy', 'dtype'): NumpyType,
    ('_codecs', 'encode'): encode_latin1,
}
