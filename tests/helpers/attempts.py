"""Calls that may be refused, for property tests: any input gives a value or a proper error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar('T')


def attempt(error: type[Exception], call: Callable[..., T], *arguments) -> tuple[T | None, str]:
    """What a call returns, or None, and the message of its error, or ''."""
    try:
        return call(*arguments), ''
    except error as problem:
        return None, str(problem)
