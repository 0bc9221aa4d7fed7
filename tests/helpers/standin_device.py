"""A stand-in for a GPU: a device of torch with the host's memory and the CPU's kernels.

A tensor on it gives the CPU's numbers, bit for bit. It refuses what a GPU refuses, an operation
between a tensor of its own and one of the CPU, and it counts what a GPU makes slow: numbers that
the host reads back, and copies between the host and the device.

A tensor of the device owns a storage that points to the memory of a CPU tensor (DLPack hands it
over without a copy). Views, in-place operations and autograd are therefore torch's own.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mmengine.device.utils as mmengine_device
import torch
from torch import Tensor
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _DummyPrivateUse1Hook,
    _setup_privateuseone_for_python_backend,
)

NAME = 'standin'
aten = torch.ops.aten
_CPU_KERNELS = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)
_DLPACK_CPU, _DLPACK_OTHER = 1, 12  # kDLCPU, kDLExtDev of dlpack.h; torch's PrivateUse1

# Read a tensor's own description or storage, not its numbers.
_ON_THE_TENSOR_ITSELF = {
    'aten::set_',
    'aten::is_same_size',
    'aten::is_set_to',
    'aten::_has_compatible_shallow_copy_type',
}
# CUDA takes a CPU tensor without dimensions here, besides where torch calls an operation pointwise.
_TAKES_A_HOST_SCALAR = {'aten::fill_', 'aten::masked_fill', 'aten::masked_fill_'}
_INDEXES = {'aten::index', 'aten::index_put', 'aten::index_put_', 'aten::_index_put_impl_'}


@dataclass
class Traffic:
    """What crossed between the host and the device, each with the line that asked for it."""

    read_backs: Counter = field(default_factory=Counter)
    to_host: Counter = field(default_factory=Counter)
    to_device: Counter = field(default_factory=Counter)

    @property
    def waits(self) -> Counter:
        """Everything for which a GPU's host waits until the device is done."""
        return self.read_backs + self.to_host


_counting: list[Traffic] = []
_present = False  # only while a test uses the device may torch choose it by itself


class _Hook(_DummyPrivateUse1Hook):
    def is_available(self) -> bool:
        return _present


class _Module(_DummyBackendModule):
    def is_available(self) -> bool:
        return _present

    # Random numbers of the device come from the CPU's generator: they are the CPU's numbers.
    get_rng_state = staticmethod(torch.get_rng_state)
    set_rng_state = staticmethod(torch.set_rng_state)

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]


@functools.lru_cache(maxsize=1)
def install() -> torch.device:
    """Add the device to torch, once a process."""
    _setup_privateuseone_for_python_backend(NAME, _Module(), _Hook())
    library = torch.library.Library('_', 'IMPL')
    library.fallback(_call, 'PrivateUse1')
    library_of_aten = torch.library.Library('aten', 'IMPL')
    for name in sorted(_names_with_two_kernels()):
        op = _operator(name)
        library_of_aten.impl(op, functools.partial(_call, op), 'PrivateUse1')
    for name, kernel in _KERNELS.items():
        library_of_aten.impl(_operator(name), kernel, 'PrivateUse1')
    _let_storages_be_copied()
    # The threads that torch starts at the first backward are those of the devices known by then.
    torch.autograd.set_multithreading_enabled(False)
    install.libraries = library, library_of_aten  # they last as long as these objects
    return torch.device(NAME, 0)


@contextmanager
def model_device() -> Iterator[torch.device]:
    """While this lasts, mmengine puts models on the device, as it does on a GPU."""
    global _present
    device = install()
    former = mmengine_device.DEVICE, _present
    mmengine_device.DEVICE, _present = NAME, True
    try:
        yield device
    finally:
        mmengine_device.DEVICE, _present = former


@contextmanager
def counted() -> Iterator[Traffic]:
    """What crosses while this lasts."""
    traffic = Traffic()
    _counting.append(traffic)
    try:
        yield traffic
    finally:
        _counting.remove(traffic)


def to_host_view(tensor: Tensor) -> Tensor:
    """A CPU tensor in the same memory, for a test to look without being counted."""
    view = _hand_over(tensor.detach(), _DLPACK_CPU)
    return view if view.stride() == tensor.stride() else _restrided(view, tensor)


def _to_device_view(tensor: Tensor) -> Tensor:
    view = _hand_over(tensor, _DLPACK_OTHER)
    return view if view.stride() == tensor.stride() else _restrided(view, tensor)


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _hand_over(tensor: Tensor, device_type: int) -> Tensor:
    capsule = torch._C._to_dlpack(tensor)
    # struct DLTensor { void *data; struct { int32 device_type, device_id; } device; ... }
    device = _pointer(capsule, b'dltensor') + ctypes.sizeof(ctypes.c_void_p)
    ctypes.c_int32.from_address(device).value = device_type
    ctypes.c_int32.from_address(device + 4).value = 0
    return torch._C._from_dlpack(capsule)


def _restrided(view: Tensor, like: Tensor) -> Tensor:
    # DLPack writes stride 1 for dimensions of size 1.
    arguments = view, like.shape, like.stride(), view.storage_offset()
    return aten.as_strided.default.redispatch(_CPU_KERNELS, *arguments)


@dataclass
class _Schema:
    """What the kernel must know of an operator."""

    views: bool  # its result lies in its argument's memory
    returned: list[int | None]  # the argument that a result is, None for a new one
    tensors: list[int]  # the arguments that are one tensor
    outs: list[str]  # arguments that it may give another size
    host_scalars: bool
    counts: bool  # the host must know numbers of the device, if only to know the result's size


@functools.cache
def _schema_of(op: torch._ops.OpOverload) -> _Schema:
    schema = op._schema
    places = {}
    for place, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            places.update(dict.fromkeys(argument.alias_info.before_set, place))
    aliases = [result.alias_info for result in schema.returns]
    own = [
        None if a is None else next((places.get(n) for n in a.before_set), None) for a in aliases
    ]
    tags = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
    number = any(
        str(result.type) in ('number', 'bool', 'int', 'float') for result in schema.returns
    )
    return _Schema(
        views=any(a is not None and not a.is_write for a in aliases),
        returned=own,
        tensors=[i for i, a in enumerate(schema.arguments) if str(a.type) == 'Tensor'],
        outs=[a.name for a in schema.arguments if a.is_out],
        host_scalars=torch.Tag.pointwise in op.tags or schema.name in _TAKES_A_HOST_SCALAR,
        counts=bool(number or tags & set(op.tags)),
    )


def _call(op: torch._ops.OpOverload, *args, **kwargs) -> Any:
    """Any operator: the CPU's kernel on the same memory."""
    schema, name = _schema_of(op), op._schema.name
    if schema.views or name in _ON_THE_TENSOR_ITSELF:
        return op.redispatch(_CPU_KERNELS, *args, **kwargs)
    takes_index = name in _INDEXES

    def host(value: Any) -> Any:
        if isinstance(value, Tensor):
            if value.device.type == NAME:
                return to_host_view(value)
            host_scalar = value.dim() == 0 and schema.host_scalars
            if value.device.type == 'cpu' and (host_scalar or takes_index):
                if takes_index:
                    _count('to_device', op)
                return value
            raise RuntimeError(
                'Expected all tensors to be on the same device, but found at least two devices, '
                f'{NAME}:0 and {value.device}! (an argument of {op})'
            )
        if isinstance(value, torch.Generator):
            raise RuntimeError(f"Expected a '{NAME}' generator, but found 'cpu' (in {op})")
        if isinstance(value, torch.device):
            return torch.device('cpu')
        if isinstance(value, (list, tuple)):
            return type(value)(host(item) for item in value)
        return value

    host_args, host_kwargs = host(args), {key: host(value) for key, value in kwargs.items()}
    for place in schema.returned:
        if place is not None and host_args[place:] and args[place].device.type != NAME:
            raise RuntimeError(f'{op} would write a result of {NAME}:0 into a tensor of the CPU')
    if (schema.counts or takes_index) and _reads_back(name, host_args, host_kwargs):
        _count('read_backs', op)
    resized = [key for key in schema.outs if _is_empty(kwargs.get(key))]
    for key in resized:
        host_kwargs[key] = torch.empty(0, dtype=kwargs[key].dtype)
    result = _with_numbers(op, schema, host_args)(*host_args, **host_kwargs)
    for key in resized:
        _replace(kwargs[key], host_kwargs[key])
    several = isinstance(result, tuple)
    results = []
    for value, place in zip(result if several else (result,), schema.returned, strict=False):
        if place is not None:
            argument = op._schema.arguments[place].name
            results.append(args[place] if place < len(args) else kwargs[argument])
        else:
            results.append(_on_device(value))
    return tuple(results) if several else results[0] if results else None


def _with_numbers(op: torch._ops.OpOverload, schema: _Schema, args: tuple) -> Callable:
    """The operator, or the overload that takes a number where torch has unwrapped a tensor."""
    unwrapped = any(
        isinstance(args[i], (bool, int, float)) for i in schema.tensors if i < len(args)
    )
    return op.overloadpacket if unwrapped else op


def _on_device(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _to_device_view(value)
    if isinstance(value, list):
        return [_on_device(item) for item in value]
    return value


def _is_empty(value: Any) -> bool:
    return isinstance(value, Tensor) and value.numel() == 0


def _replace(tensor: Tensor, new: Tensor) -> None:
    """Give a tensor of the device other memory and another size."""
    other = _to_device_view(new)
    aten.set_.source_Storage_storage_offset.redispatch(
        _CPU_KERNELS, tensor, other.untyped_storage(), 0, new.shape, new.stride()
    )


def _reads_back(name: str, args: tuple, kwargs: dict) -> bool:
    if name in _INDEXES:
        masks = [i for i in args[1] if i is not None and i.dtype in (torch.bool, torch.uint8)]
        # CUDA turns x[mask] = number into masked_fill, which reads nothing.
        return bool(masks) and not (len(masks) == 1 and len(args) > 2 and args[2].numel() == 1)
    return name != 'aten::repeat_interleave' or kwargs.get('output_size') is None


def _count(kind: str, op: torch._ops.OpOverload) -> None:
    if _counting:
        place = f'{op._schema.name.removeprefix("aten::")} at {_caller()}'
        for traffic in _counting:
            getattr(traffic, kind)[place] += 1


def _caller() -> str:
    """The innermost line that is neither torch's nor of this file."""
    frame = sys._getframe()
    while frame is not None:
        code = frame.f_code
        if '/torch/' not in code.co_filename and code.co_filename != __file__:
            file = '/'.join(Path(code.co_filename).parts[-2:])
            return f'{file}:{frame.f_lineno} ({code.co_name})'
        frame = frame.f_back
    return 'a thread of torch'


def _copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    if self.device.type != src.device.type:
        _count('to_device' if self.device.type == NAME else 'to_host', aten.copy_.default)
    own, other = (to_host_view(t) if t.device.type == NAME else t for t in (self, src))
    own.copy_(other)
    return self


def _resize_(self: Tensor, size: list[int], *, memory_format: torch.memory_format | None = None):
    new = torch.empty(
        size, dtype=self.dtype, memory_format=memory_format or torch.contiguous_format
    )
    kept = min(new.numel(), self.numel())
    if kept:
        new.view(-1)[:kept] = to_host_view(self).reshape(-1)[:kept]
    _replace(self, new)
    return self


def _native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    # On a CPU dropout is made of other operations than on a GPU: here as there.
    host = to_host_view(input)
    kept = torch.empty_like(host).bernoulli_(1 - p)
    return _to_device_view(host * kept.div(1 - p)), _to_device_view(kept.bool())


def _native_dropout_backward(grad_output: Tensor, mask: Tensor, scale: float) -> Tensor:
    grad = to_host_view(grad_output)
    return _to_device_view(grad * to_host_view(mask).to(grad.dtype).div(1 / scale))


_KERNELS: dict[str, Callable] = {
    'aten::copy_': _copy_,
    'aten::resize_': _resize_,
    'aten::native_dropout': _native_dropout,
    'aten::native_dropout_backward': _native_dropout_backward,
}


def _names_with_two_kernels() -> set[str]:
    """Operators for which torch has a kernel of the CPU and one made of other operations.

    A device of which torch knows nothing gets the second; the CPU's numbers come from the first.
    """

    def registered(key: str) -> set[str]:
        return set(torch._C._dispatch_get_registrations_for_dispatch_key(key))

    composed = registered('CompositeExplicitAutograd') | registered(
        'CompositeExplicitAutogradNonFunctional'
    )
    names = {name for name in composed & registered('CPU') if name.startswith('aten::')}
    return names | {'aten::convolution', 'aten::convolution_backward'}


def _operator(name: str) -> torch._ops.OpOverload:
    packet, _, overload = name.removeprefix('aten::').partition('.')
    return getattr(getattr(aten, packet), overload or 'default')


def _let_storages_be_copied() -> None:
    """copy.deepcopy asks for an empty storage, for which torch needs an allocator in C++."""
    base = torch.storage._StorageBase
    clone = base.clone

    def clone_storage(self: torch.UntypedStorage) -> torch.UntypedStorage:
        if self.device.type != NAME:
            return clone(self)
        whole = torch.empty(0, dtype=torch.uint8, device=NAME).set_(self)
        return whole.clone().untyped_storage()

    base.clone = clone_storage
