# SPDX-License-Identifier: MIT
"""Writes checkpoints as torch.save does, one for each type of Python's and NumPy's that may stand beside the
weights, with the Python that runs it: 3.6 or newer, without PyTorch.

    inert_writer.py FOLDER

Each has one tensor, `weight` in `state_dict`, [2], of 1 and 2. Writes to standard output, as JSON, the version of
Python, that of NumPy or null, and for each file its name and the names "module name" in its pickle."""
import argparse
import collections
import datetime
import decimal
import fractions
import functools
import io
import json
import pathlib
import pickle
import pickletools
import struct
import sys
import types
import uuid
import zipfile

try:
    import numpy as np
except ImportError:
    np = None


def stand_in(module, name):
    """A class or function that pickles by the name of PyTorch's."""
    thing = type(name, (), {"__module__": module})
    vars(sys.modules.setdefault(module, types.ModuleType(module)))[name] = thing
    return thing


rebuild = stand_in("torch._utils", "_rebuild_tensor_v2")
FloatStorage = stand_in("torch", "FloatStorage")


class Storage:
    pass


class Tensor:
    def __reduce__(self):
        return rebuild, (Storage(), 0, (2,), (1,), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        return ("storage", FloatStorage, "0", "cpu", 2) if isinstance(thing, Storage) else None


def of_python():
    hour = datetime.timedelta(hours=1)
    things = {
        "bool": [bool], "bytearray": [bytearray(b"a\xff"), bytearray], "bytes": [b"a\xff", b"", bytes],
        "complex": [1j, complex], "dict": [dict], "float": [float], "frozenset": [frozenset([1]), frozenset],
        "int": [int, 2**64, -2**64], "list": [list], "object": [object(), object], "range": [range(3), range],
        "set": [{1}, set], "slice": [slice(1, 2), slice], "str": [str], "tuple": [tuple],
        "Ellipsis": [...], "NotImplemented": [NotImplemented],
        "OrderedDict": [collections.OrderedDict(a=1)], "defaultdict": [collections.defaultdict(int, a=1)],
        "Counter": [collections.Counter("aab")], "deque": [collections.deque([1, 2], 5)],
        "date": [datetime.date(2020, 1, 2)], "time": [datetime.time(1, 2)], "timedelta": [hour],
        "datetime": [datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone(hour))],
        "timezone": [datetime.timezone.utc, datetime.timezone(hour, "CET")],
        "Decimal": [decimal.Decimal("1.5"), decimal.Decimal("NaN")], "Context": [decimal.Context(prec=9)],
        "Fraction": [fractions.Fraction(1, 3)],
        "UUID": [uuid.UUID(int=2**128 - 1), uuid.UUID(int=1)], "SafeUUID": [getattr(uuid, "SafeUUID", None)],
        "Namespace": [argparse.Namespace(lr=0.1, data=pathlib.PurePosixPath("/data"))],
        "partial": [functools.partial(int, base=2)], "SimpleNamespace": [types.SimpleNamespace(a=1)],
        "Path": [pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("c:/a"), pathlib.Path("a"), pathlib.PurePath,
                 pathlib.Path, pathlib.PosixPath, pathlib.WindowsPath],
    }
    return things


def of_numpy():
    things = {
        "np.scalar": [np.float64(1), np.bool_(True), np.datetime64("2020-01-01")], "np.type": [np.float32],
        "np.array": [np.arange(3.), np.ones((2, 3), order="F"), np.arange(9)[::2], np.array(["a"]),
                     np.array([1, "a"], dtype=object), np.float32],
        "np.dtype": [np.dtype("f4"), np.dtype([("a", "i4")])],
        "np.masked": [np.ma.array([1, 2], mask=[0, 1])],
        "np.RandomState": [np.random.RandomState(1)], "np.get_state": [np.random.get_state()],
    }
    if hasattr(np.random, "default_rng"):
        things["np.Generator"] = [np.random.default_rng(1), np.random.PCG64(1)]
        things["np.PCG64"] = [np.random.PCG64(seed).state for seed in range(8)]
        things["np.SeedSequence"] = [np.random.SeedSequence(5)]
    return things


def names_in(data):
    """Every "module name" that a pickle refers to."""
    names, texts, memo = set(), [], {}
    for opcode, value, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            names.add(value)
        elif opcode.name == "STACK_GLOBAL":
            names.add(" ".join(texts[-2:]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else None
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            texts.append(memo.get(value))
        elif "UNICODE" in opcode.name:
            texts.append(value)
        elif not opcode.name.endswith("PUT"):
            texts.append(None)
    return sorted(names)


def write(path, thing, protocol):
    out = io.BytesIO()
    Pickler(out, protocol).dump({"beside": thing, "state_dict": {"weight": Tensor()}})
    with zipfile.ZipFile(str(path), "w") as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/data/0", struct.pack("<2f", 1, 2))
    return names_in(out.getvalue())


def main(folder):
    files = {}
    things = dict(of_python(), **(of_numpy() if np else {}))
    for name, thing in things.items():
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            path = pathlib.Path(folder) / "{}.{}.pth".format(name, protocol)
            files[path.name] = write(path, thing, protocol)
    json.dump({"python": sys.version.split()[0], "numpy": np.__version__ if np else None, "files": files}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
