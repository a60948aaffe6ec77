"""Machine code of functions over rows: compiled by numba once for every machine, and from then on loaded without it.

Importing numba and having it load what it has kept takes 0.6 s, as long as hundreds of prosumers take to their
equilibrium; LLVM alone loads an object file in 0.03 s. So what numba compiles is kept as an object file, in the folder
where Python keeps its own, or where that cannot be written among the user's caches. A file is for one text of the
module, one version of the compiler and one kind of processor, and says by its sum that it is whole.

The machine code is numba's own, and without fast math LLVM neither reorders nor fuses operations on floats: the bits
are those of the interpreter. Only code that calls nothing outside itself but what every processor has, and that takes
its arguments as is expected here, is called in this way. All else is called through numba.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..network.arrays import FloatArray, IntArray

Run = Callable[[IntArray, FloatArray], None]
"""Fills in results for some rows, with room to work in."""
Kernel = Callable[[tuple[Any, ...], tuple[FloatArray, ...]], Run]
"""What is to be run, of inputs, as `laid_out` makes them, and the results to fill in."""


class ArrayKind(NamedTuple):
    """What an array is, as far as compiled code is for it: the type of its numbers, and how many axes it has."""

    number: str
    axes: int


Kind: TypeAlias = "str | ArrayKind | tuple[Kind, ...]"
"""What a value is, as far as compiled code is for it: of a number its type."""
Kinds = tuple[Kind, Kind]
"""Those of the inputs and of the results."""

_NUMBERS = {type_: np.dtype(type_).str for type_ in (bool, int, float)}
_WORDS = dict(zip(_NUMBERS.values(), ("i8", "i64", "double"), strict=True))
_CTYPES: dict[str, Any] = {
    "ptr": ctypes.c_void_p,
    "i8": ctypes.c_uint8,
    "i64": ctypes.c_int64,
    "double": ctypes.c_double,
}
_ASKED, _SCRATCH = ArrayKind(_NUMBERS[int], 1), ArrayKind(_NUMBERS[float], 2)
_SUM = 32  # bytes
LOCK = "gridbazaar.numba.lock"
"""Who holds this file, in the folder where numba keeps code, may compile or look for some."""
_ALONE = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
"""Options of numba for code that needs nothing of Python: no way in from there, and no counting of references."""


def laid_out(value: Any) -> Any:
    """An input as compiled code takes it: arrays lie in memory row by row."""
    if isinstance(value, tuple):
        return tuple(map(laid_out, value))
    if not isinstance(value, np.ndarray) or (value.flags.c_contiguous and value.flags.aligned):
        return value
    return np.require(value, None, ["C", "A"])


def listed(value: Any) -> Any:
    """An input as interpreted code is quickest with: lists for arrays."""
    if isinstance(value, tuple):
        return tuple(map(listed, value))
    return value.tolist() if isinstance(value, np.ndarray) else value


def kept(function: Callable[..., None], inputs: tuple[Any, ...], results: tuple[FloatArray, ...]) -> Kernel | None:
    """The function of rows for values of these kinds, if its machine code is kept; nothing is compiled."""
    return _kept(function, _kind(inputs), _kind(results)) if _is_kept(function) else None


def compiled(function: Callable[..., None], inputs: tuple[Any, ...], results: tuple[FloatArray, ...]) -> Kernel:
    """The function of rows for values of these kinds, compiled if its machine code is not kept yet."""
    kinds = _kind(inputs), _kind(results)
    return _kept(function, *kinds) or _compiled(function, *kinds)


@cache
def _is_kept(function: Callable[..., None]) -> bool:
    """Whether there is any file of it, which nothing need be loaded for to know."""
    return any(file for folder in _folders(function) for file in folder.glob(f"{_label(function)}-*"))


@cache
def _kept(function: Callable[..., None], inputs: Kind, results: Kind) -> Kernel | None:
    """What is found in a file; damaged files are none."""
    kinds = inputs, results
    for folder in _folders(function):
        try:
            file = (folder / _name(function, kinds)).read_bytes()
        except OSError:
            continue
        if sha256(file[_SUM:]).digest() == file[:_SUM]:
            symbol, _, code = file[_SUM:].partition(b"\n")
            return _Loaded(function, kinds, symbol.decode(), code).given
    return None


@cache
def _compiled(function: Callable[..., None], inputs: Kind, results: Kind) -> Kernel:
    """What numba makes of it, kept as a file if it can be; through numba itself if that is no code by itself."""
    _say_that_it_compiles()
    kinds = inputs, results
    try:
        symbol, code = _machine_code(function, kinds)
    except (_UnfitError, AttributeError, KeyError, TypeError, RuntimeError):  # of another numba than was foreseen
        return _ByNumba(function).given
    text = symbol.encode() + b"\n" + code
    for folder in _folders(function):
        try:
            _write(folder / _name(function, kinds), sha256(text).digest() + text)
            break
        except OSError:
            continue
    return _Loaded(function, kinds, symbol, code).given


def _write(path: Path, text: bytes) -> None:
    """A file that is there as a whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_bytes(text)
    part.replace(path)


@cache
def _say_that_it_compiles() -> None:
    """Once in a process, to who has been waiting: by the standard library's logging, which is stderr if not told."""
    logging.getLogger("gridbazaar").warning("compiling for this machine, some 10 s; it is kept for the next time")


# --- where it is kept ------------------------------------------------------------------------------------------------


def _folders(function: Callable[..., None]) -> tuple[Path, ...]:
    """Where machine code may be kept, in the order of preference."""
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return _source(function).parent / "__pycache__", Path(home) / "gridbazaar"


def _source(function: Callable[..., None]) -> Path:
    return Path(function.__code__.co_filename)


def _label(function: Callable[..., None]) -> str:
    return f"{_source(function).stem}.{function.__name__}"


def _name(function: Callable[..., None], kinds: Kinds) -> str:
    """The name of its file: another one for each text, compiler, processor, and kinds of values."""
    facts = _source(function).read_bytes(), repr((kinds, version("numba"), sys.byteorder, _processor())).encode()
    return f"{_label(function)}-{sha256(b''.join(facts)).hexdigest()[:32]}.o"


# --- LLVM ------------------------------------------------------------------------------------------------------------


@cache
def _llvm() -> Any:
    """The library, ready for this machine; a thirtieth of a second."""
    import llvmlite.binding

    llvmlite.binding.initialize_native_target()
    llvmlite.binding.initialize_native_asmprinter()
    return llvmlite.binding


@cache
def _processor() -> tuple[str, str, str, str]:
    """What code is made for: kind of machine, processor, what it can do; and the version of the compiler."""
    llvm = _llvm()
    features = llvm.get_host_cpu_features().flatten()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), features, str(llvm.llvm_version_info)


def _target() -> Any:
    """A compiler for this machine."""
    triple, processor, features, _ = _processor()
    target = _llvm().Target.from_triple(triple)
    return target.create_target_machine(cpu=processor, features=features, opt=3, codemodel="jitdefault", jit=True)


class _Loaded:
    """Machine code in memory, to be called without Python's lock."""

    def __init__(self, function: Callable[..., None], kinds: Kinds, symbol: str, code: bytes) -> None:
        llvm = _llvm()
        self._function = function
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())  # with it the code would go
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        types = [_CTYPES[word] for word in _words_of(kinds)]
        self._entry = ctypes.CFUNCTYPE(ctypes.c_int32, *types)(self._engine.get_function_address(symbol))

    def given(self, inputs: tuple[Any, ...], results: tuple[FloatArray, ...]) -> Run:
        """What is to be run; what it cannot do the interpreter does once more, and says why not."""
        words = _words((inputs, results))

        def run(asked: IntArray, scratch: FloatArray) -> None:
            reason = ctypes.c_void_p()
            place = ctypes.addressof(reason)
            if self._entry(place, place, *_words(asked), *words, *_words(scratch)):
                self._function(*map(listed, (asked, *inputs)), results, scratch)

        return run


class _ByNumba:
    """Code that is called through numba."""

    def __init__(self, function: Callable[..., None]) -> None:
        self._kernel = through_numba(function)

    def given(self, inputs: tuple[Any, ...], results: tuple[FloatArray, ...]) -> Run:
        """What is to be run."""
        return lambda asked, scratch: self._kernel(asked, *inputs, results, scratch)


# --- what numba's code takes -----------------------------------------------------------------------------------------


def _kind(value: Any) -> Kind:
    """What a value is."""
    if isinstance(value, tuple):
        return tuple(map(_kind, value))
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous, "rows are of arrays that lie in memory row by row"
        return _kind_of_arrays(value.dtype, value.ndim)
    return _NUMBERS.get(type(value)) or np.dtype(type(value)).str


@cache
def _kind_of_arrays(numbers: np.dtype[Any], axes: int) -> ArrayKind:
    return ArrayKind(numbers.str, axes)


def _words_of(kinds: Kinds) -> list[str]:
    """The types of the arguments for values of these kinds, in LLVM's words, after where to tell what went wrong."""
    return ["ptr", "ptr", *_flat((_ASKED, kinds, _SCRATCH))]


def _flat(kind: Kind) -> list[str]:
    if isinstance(kind, str):
        return [_WORDS[kind]]
    if isinstance(kind, ArrayKind):
        return ["ptr", "ptr", "i64", "i64", "ptr", *2 * kind.axes * ["i64"]]
    return [word for part in kind for word in _flat(part)]


def _words(value: Any) -> list[Any]:
    """The arguments for a value: of an array its owners (nobody), size, place, shape and strides."""
    words: list[Any] = []
    _add_words(value, words)
    return words


def _add_words(value: Any, words: list[Any]) -> None:
    if isinstance(value, tuple):
        for part in value:
            _add_words(part, words)
    elif isinstance(value, np.ndarray):
        place = value.__array_interface__["data"][0]  # quicker than `ctypes.data`
        words += (None, None, value.size, value.itemsize, place, *value.shape, *value.strides)
    else:
        words.append(value)


def _machine_code(function: Callable[..., None], kinds: Kinds) -> tuple[str, bytes]:
    """The name of the function in an object file, and that file.

    Raises:
        _UnfitError: It calls others, or takes its arguments in another way.
    """
    import numba

    kernel = by_numba(function, **_ALONE)
    inputs, results = kinds
    told = (_type(numba, kind, writes=False) for kind in (_ASKED, *inputs))
    types = (*told, *(_type(numba, kind, writes=True) for kind in (results, _SCRATCH)))
    kernel.compile(types)
    symbol = kernel.overloads[types].fndesc.llvm_func_name
    module = _llvm().parse_assembly(kernel.inspect_llvm(types))
    entry = module.get_function(symbol)
    others = [each.name for each in module.functions if each.is_declaration and not each.name.startswith("llvm.")]
    if others or [str(each.type) for each in entry.arguments] != _words_of(kinds):
        raise _UnfitError
    return symbol, _target().emit_object(module)


def _type(numba: Any, kind: Kind, *, writes: bool) -> Any:
    """Numba's type of a kind that is written to or not."""
    if isinstance(kind, str):
        return numba.from_dtype(np.dtype(kind))
    if isinstance(kind, ArrayKind):
        return numba.types.Array(numba.from_dtype(np.dtype(kind.number)), kind.axes, "C", readonly=not writes)
    return numba.types.Tuple(tuple(_type(numba, part, writes=writes) for part in kind))


class _UnfitError(Exception):
    """Code that is not for being called without numba."""


def through_numba(function: Callable[..., Any], *, by_zero: Literal["python", "numpy"] = "python") -> Any:
    """The function compiled by numba, and kept by it; who has to wait for that is told.

    Args:
        function: It lets go of Python's lock while it runs.
        by_zero: What a division by 0 does: raise as in "python", or come to inf or nan as in "numpy", which is what
            vector units do.
    """
    kernel = by_numba(function, nogil=True, cache=True, error_model=by_zero)
    if not any(Path(str(kernel.stats.cache_path)).glob(f"*.{function.__name__}-*.nbi")):
        _say_that_it_compiles()
    return _one_at_a_time(kernel)


@cache
def _one_at_a_time(kernel: Any) -> _OneAtATime:
    return _OneAtATime(kernel)


class _OneAtATime:
    """Code that numba compiles or finds for new kinds of values in one process at a time.

    Numba numbers the files that it keeps: where two processes compile for different kinds at once, one of them
    overwrites what the other has kept, and who reads that later calls code for other kinds.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel, self._known = kernel, set[Any]()

    def __call__(self, *values: Any) -> Any:
        """What the code makes of the values."""
        kinds = _signature(values)
        if kinds in self._known:
            return self._kernel(*values)
        with _alone_in(self._kernel.stats.cache_path):
            found = self._kernel(*values)
        self._known.add(kinds)
        return found


def _signature(value: Any) -> Any:
    """What numba compiles anew for."""
    if isinstance(value, tuple):
        return tuple(map(_signature, value))
    if isinstance(value, np.ndarray):
        flags = value.flags
        return value.dtype.str, value.ndim, flags.c_contiguous, flags.f_contiguous, flags.aligned, flags.writeable
    return type(value)


@contextmanager
def _alone_in(folder: str | None) -> Iterator[None]:
    """No other process is in here meanwhile that keeps its code in this folder, if that can be seen to."""
    from filelock import FileLock

    with ExitStack() as stack:
        with suppress(OSError, NotImplementedError):  # a folder, or a system, where nothing can be locked
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(Path(folder) / LOCK))
        yield


def by_numba(function: Callable[..., Any], **options: Any) -> Any:
    """The function compiled by numba when it is called, and with it those of its module that it calls."""
    return _by_numba(function, tuple(options.items()))


@cache
def _by_numba(function: Callable[..., Any], options: tuple[tuple[str, Any], ...]) -> Any:
    import numba  # takes a quarter of a second, and what it has kept as long again

    compiler: Any = numba.njit(**dict(options))
    names = {
        name: _by_numba(helper, options)
        for name in function.__code__.co_names
        if isinstance(helper := function.__globals__.get(name), FunctionType)
        and helper.__module__ == function.__module__
    }
    twin = FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)
    twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
    return compiler(twin)
