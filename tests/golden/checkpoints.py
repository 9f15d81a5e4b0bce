#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checkpoints as PyTorch writes them, and as older versions wrote them, against the C reader.

    checkpoints.py DUMP_TENSORS

Writes state dicts in every container, protocol, encoding, element type and memory layout, runs
DUMP_TENSORS (tests/golden/dump_tensors.c) on each file and compares names, order, element types,
shapes and every value. Then files that must be refused, with the reason the message has to give.
Ends with "N passed, N failed". Exit 77 (skipped) without PyTorch.
"""
import argparse
import collections
import io
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

try:
    import numpy as np
    import torch
except ImportError:
    print("PyTorch is not installed: skipped")
    sys.exit(77)

import container_files
from nets import seed
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, report  # noqa: E402

MAGIC = 0x1950A86A20F9469CFC6C
LEGACY = {"_use_new_zipfile_serialization": False}



def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def run(path, *key):
    done = subprocess.run([DUMP, str(path), *key], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout, done.stderr.strip()


def lines_of(tensors):
    """What dump_tensors has to print, without the file offset."""
    lines = []
    for name, tensor in tensors.items():
        dtype = getattr(tensor, "dtype_name", str(tensor.dtype)[6:])  # of types that torch has not
        tensor = tensor.detach()
        values = tensor.to(torch.float32).contiguous().numpy().tobytes()
        layout = "contiguous" if tensor.is_contiguous() else "strided"
        shape = "x".join(map(str, tensor.shape)) or "-"
        lines.append(f"{name} {dtype} {shape} {layout} {fnv1a(values):016x}")
    return lines


def expect(name, path, tensors, *where, key=()):
    """The file holds exactly these tensors, in this order, in the container that where begins with, and
    at the key, with the prefix and of the class that follow there, if they do."""
    code, out, err = run(path, *key)
    found = out.splitlines()
    if code != 0:
        return report(name, err)
    if found[0].split()[1:][:len(where)] != list(where):
        return report(name, f"expected {where}, found {found[0]}")
    without_offset = [" ".join(f[:-2] + f[-1:]) for f in (line.split(" ") for line in found[1:])]
    expected = lines_of(tensors)
    if without_offset != expected:
        wrong = [pair for pair in zip(expected, without_offset) if pair[0] != pair[1]]
        return report(name, f"{len(expected)} tensors expected, {len(without_offset)} found; "
                            f"expected, found: {wrong[:2]}")
    report(name, None)


def refuse(name, path, *reasons, key=()):
    """The file is refused with one line that has all the reasons."""
    code, out, err = run(path, *key)
    if code != 1 or out or err.count("\n") or not err.startswith(str(path)):
        return report(name, f"expected a refusal, got exit {code}, {err!r}")
    missing = [reason for reason in reasons if reason not in err]
    report(name, f"{missing} not in {err!r}" if missing else None)


# ---- what is saved ----

def plain():
    return collections.OrderedDict([
        ("features.0.weight", torch.randn(4, 3, 3, 3)),
        ("features.0.bias", torch.randn(4)),
        ("classifier.0.weight", torch.randn(5, 16)),
        ("classifier.0.bias", torch.randn(5)),
    ])


def types():
    tensors = collections.OrderedDict()
    special = torch.tensor([0.0, -0.0, 1e-8, -3e-6, 65504.0, 1e6, float("inf"), -float("inf"), 1.5])
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        name = str(dtype)[6:]
        tensors[name] = special.to(dtype)
        tensors[name + ".strided"] = torch.randn(6, 5).to(dtype).t()
    tensors["rounded"] = torch.tensor([1 + 2.0**-24, 1 + 3 * 2.0**-24, 1e300, 1e-320], dtype=torch.float64)
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        info = torch.iinfo(dtype)
        tensors[str(dtype)[6:]] = torch.tensor([info.min, info.max, 0, 1, 77], dtype=dtype)
    tensors["int64.rounded"] = torch.tensor([2**24 + 1, -(2**53) - 1, 2**62 + 12345])
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["scalar"] = torch.tensor(7)
    tensors["empty"] = torch.zeros(0)
    tensors["empty.2d"] = torch.zeros(3, 0, 2)
    return tensors


def float8():
    """Only newer versions of PyTorch have these types."""
    values = torch.tensor([0.0, -0.0, 0.0625, -1.5, 240.0, 2.0**-9])
    tensors = collections.OrderedDict()
    for name in ("float8_e4m3fn", "float8_e5m2"):
        tensors[name] = values.to(getattr(torch, name))
        tensors[name + ".strided"] = torch.randn(6, 5).to(getattr(torch, name)).t()
    return tensors


def layouts():
    base = torch.randn(6, 7, 5, 4)
    tensors = collections.OrderedDict([
        ("base", base),
        ("channels_last", torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)),
        ("transposed", base.transpose(0, 2)),
        ("permuted", base.permute(3, 1, 0, 2)),
        ("sliced", base[1:5:2, 2:, ::3, 1]),
        ("shared", base),
        ("row", base[3, 2, 1]),
        ("element", base[5, 6, 4, 3]),
        ("expanded", torch.randn(3, 1).expand(3, 4)),
        ("expanded.scalar", torch.randn(1).expand(2, 3, 4)),
        ("unfolded", torch.randn(10).unfold(0, 4, 2)),
        ("one", torch.randn(1, 1, 1, 1)),
        ("eight", torch.randn(2, 1, 2, 1, 3, 1, 2, 2).transpose(0, 7)),
    ])
    return tensors


def numpy_scalar_beside(state):
    return {"epoch": 90, "arch": "vgg16", "best_acc1": np.float64(71.5), "state_dict": state,
            "args": argparse.Namespace(lr=0.01, data=pathlib.PurePosixPath("/data")),
            "optimizer": {"state": {0: {"momentum_buffer": torch.randn(4)}},
                          "param_groups": [{"lr": 0.01, "params": [0, 1]}]},
            "seen": {1, 2}, "nothing": None, "loss": [1.5, 2.5, (True, False)], "raw": b"abc"}


# ---- files as PyTorch writes them ----

def saved_by_torch(folder):
    for protocol in (2, 3, 4, 5):
        for container, options in (("zip", {}), ("legacy", LEGACY)):
            for what in (plain, types, layouts, *([float8] if hasattr(torch, "float8_e5m2") else [])):
                path, tensors = folder / f"{what.__name__}.{container}.{protocol}.pth", what()
                torch.save(tensors, path, pickle_protocol=protocol, **options)
                expect(path.name, path, tensors, container)
            path, tensors = folder / f"whole.{container}.{protocol}.pth", plain()
            torch.save(numpy_scalar_beside(tensors), path, pickle_protocol=protocol, **options)
            expect(path.name, path, tensors, container)
    for container, options in (("zip", {}), ("legacy", LEGACY)):
        def save(name, thing, expected):
            path = folder / f"{name}.{container}.pth"
            torch.save(thing, path, **options)
            expect(path.name, path, expected, container)
        tensors = plain()
        save("dict", dict(tensors), tensors)
        save("parameters", {n: torch.nn.Parameter(t) for n, t in tensors.items()}, tensors)
        save("data-parallel", {"module." + n: t for n, t in tensors.items()}, tensors)
        half = dict(tensors, **{"module.x": torch.ones(1)})
        save("one-module", half, half)
        for key in ("state_dict", "model", "model_state_dict", "net", "weights"):
            save(f"under-{key}", {"epoch": 3, key: tensors}, tensors)
        save("twice", {"model": {"state_dict": tensors}}, tensors)
        save("arch-as-model", dict({"model": "vgg16"}, **tensors), tensors)
        save("beside", dict({"n": 1, "text": "x", "inner": {"t": torch.ones(2)}}, **tensors), tensors)
        net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        save("module-state", net.state_dict(), net.state_dict())
        many = collections.OrderedDict((f"t{i}.weight", torch.full((2,), float(i))) for i in range(2500))
        save("many", many, many)
        save("defaultdict", {"state_dict": tensors, "d": collections.defaultdict(list, a=[1])}, tensors)
        save("unicode", {"schön.重み": torch.ones(2)}, {"schön.重み": torch.ones(2)})


def rezipped(folder):
    tensors = types()
    source = folder / "source.pth"
    torch.save(tensors, source)
    for name, method in (("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED)):
        path = folder / f"rezip.{name}.pth"
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", method) as new:
            for member in old.namelist():
                new.writestr(member, old.read(member))
        expect(path.name, path, tensors, "zip")
    for order in ("little", "big"):
        path = folder / f"byteorder.{order}.pth"
        sizes = {str(i): t.element_size() for i, t in enumerate(tensors.values())}
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
            for member in old.namelist():
                data = old.read(member)
                key = member.rsplit("/", 1)[1]
                if key == "byteorder":  # written since PyTorch 2.1
                    continue
                if "/data/" in member and order == "big":
                    data = np.frombuffer(data, f"V{sizes[key]}").tobytes()
                    data = np.frombuffer(data, f">u{sizes[key]}").astype(f"<u{sizes[key]}").tobytes()
                new.writestr(member, data)
            new.writestr("source/byteorder", order)
        expect(path.name, path, tensors, "zip")


def zip_variants(folder):
    """What other versions and tools make of the same archive; PyTorch itself reads each."""
    tensors = plain()
    keys = [str(94613285943296 + 64 * i) for i in range(len(tensors))]
    raw = Raw().op("ccollections\nOrderedDict\n)R(")
    for (name, tensor), key in zip(tensors.items(), keys):
        by_v1(raw.text(name), tensor, key, view=False)
    body = raw.op("u.").out
    storages = {"data/" + key: tensor.numpy().tobytes() for key, tensor in zip(keys, tensors.values())}
    variants = {
        "pointer-keys": {"version": b"3\n"},
        "newest": {"version": b"3\n", "byteorder": b"little", ".format_version": b"1",
                   ".storage_alignment": b"64", ".data/serialization_id": b"0" * 40},
        "version-6": {".data/version": b"6\n"},
        "deflated": {"version": b"3\n"},
        "zip64": {"version": b"3\n"},
        "no-crc": {"version": b"3\n"},
    }
    for name, others in variants.items():
        path = folder / f"variant.{name}.pth"
        method = zipfile.ZIP_DEFLATED if name == "deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, data in {"data.pkl": bytes(body), **storages, **others}.items():
                with archive.open("archive/" + member, "w", force_zip64=name == "zip64") as out:
                    out.write(data)
            infos = archive.infolist()
        if name == "no-crc":
            data = bytearray(path.read_bytes())
            for info in infos:
                data[info.header_offset + 14:info.header_offset + 18] = bytes(4)
                at = data.rindex(b"PK\x01\x02", 0, data.rindex(info.filename.encode()))
                data[at + 16:at + 20] = bytes(4)
            path.write_bytes(data)
        expect(path.name, path, tensors, "zip")
        loaded = torch.load(path)
        report(path.name + " (PyTorch)",
               None if all(torch.equal(loaded[n], t) for n, t in tensors.items()) else "differs")


# ---- containers that this PyTorch does not write ----

def safetensors(folder):
    for what in (plain, types):
        tensors = what()
        path = folder / f"{what.__name__}.safetensors"
        path.write_bytes(container_files.safetensors(tensors, {"format": "pt"}))
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        expect(path.name, path, contiguous, "safetensors")
    tensors = {"module." + name: tensor for name, tensor in plain().items()}
    path = folder / "module.pth"  # by content, never by name
    path.write_bytes(container_files.safetensors(tensors))
    expect("safetensors in .pth", path, plain_names(tensors), "safetensors")


def plain_names(tensors):
    return {name[len("module."):]: tensor for name, tensor in tensors.items()}


def tar(folder):
    """PyTorch's own reader of these archives is the judge, of our writer too."""
    def check(name, thing, expected, views=()):
        path = folder / name
        path.write_bytes(container_files.tar(thing, views))
        expect(name, path, expected, "tar")
        loaded = torch.load(path, weights_only=False)  # which PyTorch asks for where it reads these archives
        loaded = loaded.get("state_dict", loaded)
        same = all(torch.equal(loaded[n], t) for n, t in thing.get("state_dict", thing).items())
        report(name + " (PyTorch)", None if same else "differs")

    tensors = plain()
    check("plain.tar.pth", tensors, tensors)
    check("wrapped.tar.pth", {"epoch": 3, "state_dict": tensors}, tensors)
    check("module.tar.pth", {"module." + n: t for n, t in tensors.items()}, tensors)
    numbers = collections.OrderedDict(
        (n, t) for n, t in types().items()
        if t.dtype in container_files.STORAGES and t.numel() > 0)
    check("types.tar.pth", numbers, numbers)
    laid_out = layouts()
    check("layouts.tar.pth", laid_out, laid_out)
    base = torch.randn(40)
    parts = collections.OrderedDict([("all", base), ("part", base[7:31:2]), ("rest", base[31:])])
    check("views.tar.pth", parts, parts, [(parts["part"], 5, 30), (parts["rest"], 30, 10)])


# ---- files as older versions wrote them, pickled by hand ----

class Raw:
    """Builds a pickle opcode by opcode."""

    def __init__(self):
        self.out = bytearray(b"\x80\x02")

    def op(self, *parts):
        for part in parts:
            self.out += part if isinstance(part, bytes) else part.encode()
        return self

    def text(self, text, python2=False):
        data = text.encode()
        return self.op(b"U" + bytes([len(data)]) if python2 else b"X" + struct.pack("<I", len(data)), data)

    def number(self, value):
        return self.op(b"J" + struct.pack("<i", value))

    def numbers(self, values):
        self.op("(")
        for value in values:
            self.number(value)
        return self.op("t")

    def storage(self, key, count, view=None, python2=False, module="torch"):
        """view: (key, offset, count); None in a legacy stream; False: not there, as in a zip."""
        self.op("(").text("storage", python2).op(f"c{module}\nFloatStorage\n").text(key, python2)
        self.text("cpu", python2).number(count)
        if view is None:
            self.op("N")
        elif view:
            self.op("(").text(view[0]).number(view[1]).number(view[2]).op("t")
        return self.op("tQ")


def legacy_stream(body, storages):
    """The stream round a hand-written pickle; storages: key -> float32 tensor."""
    out = io.BytesIO()
    for header in (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
        pickle.dump(header, out, protocol=2)
    out.write(bytes(body))
    keys = sorted(storages)
    pickle.dump(keys, out, protocol=2)
    for key in keys:
        data = storages[key].reshape(-1).numpy()
        out.write(struct.pack("<q", data.size) + data.tobytes())
    return out.getvalue()


def by_class(raw, call, tensor, key):
    """torch.FloatTensor() and its state, as the vgg11 and vgg13 files before 2021 have it."""
    raw.op("ctorch\nFloatTensor\n)", call, "(").storage(key, tensor.numel()).number(0)
    return raw.numbers(tensor.shape).numbers(tensor.stride()).op("tb")


def by_v1(raw, tensor, key, **options):
    """_rebuild_tensor, as vgg16 and vgg19 have it."""
    raw.op("ctorch._utils\n_rebuild_tensor\n(").storage(key, tensor.numel(), **options).number(0)
    return raw.numbers(tensor.shape).numbers(tensor.stride()).op("tR")


def written_by_hand(folder):
    tensors = plain()
    storages = {str(94000000 + i): t for i, t in enumerate(tensors.values())}
    encodings = {
        "class-reduce": lambda raw, t, key: by_class(raw, "R", t, key),
        "class-newobj": lambda raw, t, key: by_class(raw, b"\x81", t, key),
        "v1": by_v1,
        "cuda": lambda raw, t, key: by_v1(raw, t, key, module="torch.cuda"),
    }
    for name, encode in encodings.items():
        raw = Raw().op("ccollections\nOrderedDict\n)R(")
        for (tensor_name, tensor), key in zip(tensors.items(), storages):
            encode(raw.text(tensor_name), tensor, key)
        path = folder / f"by-hand.{name}.pth"
        path.write_bytes(legacy_stream(raw.op("u.").out, storages))
        expect(path.name, path, tensors, "legacy")
        loaded = torch.load(path)  # PyTorch reads what we wrote in its name
        report(path.name + " (PyTorch)",
               None if all(torch.equal(loaded[n], t) for n, t in tensors.items()) else "differs")

    raw = Raw().op("ccollections\nOrderedDict\n(](")  # Python 2: OrderedDict([[key, value], ...])
    for (tensor_name, tensor), key in zip(tensors.items(), storages):
        raw.op("](").text(tensor_name, python2=True)
        by_v1(raw, tensor, key, python2=True).op("e")
    path = folder / "by-hand.python2.pth"
    path.write_bytes(legacy_stream(raw.op("etR.").out, storages))
    expect(path.name, path, tensors, "legacy")

    # cPickle numbers its memo with gaps: the device is named once, and fetched afterwards.
    body, name, index = bytes(raw.out), b"U\x03cpu", struct.pack("<I", 70000)
    first = body.index(name) + len(name)
    body = body[:first] + b"r" + index + body[first:].replace(name, b"j" + index)
    path = folder / "by-hand.python2-memo.pth"
    path.write_bytes(legacy_stream(body, storages))
    expect(path.name, path, tensors, "legacy")
    loaded = torch.load(path)
    report(path.name + " (PyTorch)",
           None if all(torch.equal(loaded[n], t) for n, t in tensors.items()) else "differs")

    root = torch.randn(20)
    raw = Raw().op("}").text("a").op("ctorch._utils\n_rebuild_tensor\n(")
    raw.storage("7", 20, view=("8", 5, 10)).number(2).numbers([4]).numbers([2]).op("tRs.")
    path = folder / "by-hand.view.pth"
    path.write_bytes(legacy_stream(raw.out, {"7": root}))
    expect(path.name, path, {"a": root[7:15:2]}, "legacy")


# ---- files that are refused ----

class System:
    def __reduce__(self):
        return os.system, ("echo executed > executed",)


def refused(folder):
    def write(name, data):
        path = folder / name
        path.write_bytes(data)
        return path

    def save(name, thing, **options):
        torch.save(thing, folder / name, **options)
        return folder / name

    for container, options in (("zip", {}), ("legacy", LEGACY)):
        for protocol in (2, 4):
            path = save(f"system.{container}.{protocol}.pth", {"a": torch.ones(2), "b": System()},
                        pickle_protocol=protocol, **options)
            refuse(path.name, path, "checkpoint refers to posix.system, which is not tensor data")
        path = save(f"complex.{container}.pth", {"w": torch.ones(2, dtype=torch.complex64)}, **options)
        refuse(path.name, path, ": w: ", "ComplexFloat")
        path = save(f"quantised.{container}.pth",
                    {"w": torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.qint8)}, **options)
        refuse(path.name, path, ": w: ", "_rebuild_qtensor")
        path = save(f"list.{container}.pth", [torch.ones(2)], **options)
        refuse(path.name, path, "expected a state dict, found a list")
        path = save(f"nothing.{container}.pth", {"epoch": 1}, **options)
        refuse(path.name, path, "no tensors", "'epoch'")
        path = save(f"module.{container}.pth", torch.nn.ReLU(), **options)
        refuse(path.name, path, "torch.nn.modules.activation.ReLU", "state_dict()")
        whole = save(f"good.{container}.pth", plain(), **options).read_bytes()
        refuse(f"cut.{container}", write(f"cut.{container}.pth", whole[:-100]), "truncated")
        refuse(f"appended.{container}", write(f"appended.{container}.pth", whole + b"x" * 30), "30 bytes after")
    script = folder / "script.pth"
    torch.jit.script(torch.nn.ReLU()).save(str(script))
    refuse("script.pth", script, "without weights")
    refuse("pickle", write("bare.pth", pickle.dumps({"a": list(range(50))}, protocol=2)), "bare pickle")
    refuse("html", write("html.pth", b"<!DOCTYPE html><html></html>"), "HTML")
    refuse("lfs", write("lfs.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "git lfs pull")
    np.save(folder / "array.npy", np.ones(3))
    refuse("npy", folder / "array.npy", "NumPy")
    refuse("empty", write("empty.pth", b""), "empty")
    refuse("folder", folder, "folder")
    refuse("missing", folder / "missing.pth", "No such file")
    report("nothing was executed", "it was" if pathlib.Path("executed").exists() else None)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in (saved_by_torch, rezipped, zip_variants, safetensors, tar, written_by_hand, refused):
            seed(part.__name__)
            part(folder)
    return finish()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    DUMP = sys.argv[1]
    sys.exit(main())
