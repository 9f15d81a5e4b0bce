#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vgg-infer convert against PyTorch and the text of the safetensors format.

    convert.py VGG_INFER SOURCE_ROOT KILL_AT

Tensors of every element type and layout are saved by PyTorch, converted, and read back: by torch.load with
weights_only, by a reader of safetensors in this file, and by the safetensors package where there is one.
Then what must not happen: a target that is neither the old file nor the whole new one."""
import collections
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError:
    print("PyTorch is not installed: skipped")
    sys.exit(77)
try:
    import safetensors.torch
except ImportError:
    safetensors = None

from kills import kill
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

program, source, kill_at = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


def convert(model, out, *options, **keywords):
    done = subprocess.run([program, "convert", str(model), "-o", str(out), *options],
                          capture_output=True, text=True, timeout=120, **keywords)
    return done.returncode, done.stderr.strip()


def raw(tensor):
    """A tensor's bytes, whatever its type."""
    tensor = tensor.detach().contiguous()
    if tensor.numel() == 0:
        return b""
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.dtype != torch.bool \
        else tensor.numpy().tobytes()


TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
         torch.uint8: "U8", torch.bool: "BOOL"}


def read_safetensors(path):
    """{name: (type, shape, bytes)}, with all that the format demands checked."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length].decode("utf-8"))
    check(header.pop("__metadata__") == {"format": "pt"}, f"{path.name}: metadata")
    check((8 + length) % 8 == 0 and data[8:9] == b"{", f"{path.name}: header not aligned")
    body, end, out = data[8 + length:], 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        check(begin == end, f"{path.name}: {name}: a hole")
        end = stop
        out[name] = (entry["dtype"], entry["shape"], body[begin:stop])
    check(end == len(body), f"{path.name}: {len(body) - end} bytes too many")
    return out


def state():
    torch.manual_seed(1)
    tensors = collections.OrderedDict()
    special = torch.tensor([0.0, -0.0, 1e-40, float("nan"), float("inf"), -1.5, 3e38])
    for dtype in TYPES:
        values = (torch.randn(3, 5, 2) * 50).to(dtype)
        name = str(dtype)[6:]
        tensors[name] = values
        tensors[f"{name}.transposed"] = values.permute(2, 0, 1)
        tensors[f"{name}.part"] = values[1:, ::2]
    tensors["special"] = special
    tensors["expanded"] = torch.randn(4, 1).expand(4, 6)
    tensors["channels_last"] = torch.randn(2, 3, 5, 7).to(memory_format=torch.channels_last)
    tensors["large row"] = torch.randn(3, 10000).t()
    tensors["scalar"] = torch.tensor(7, dtype=torch.int64)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["Gewürz \"x\\y\" 日本"] = torch.randn(300)
    tensors["parameter"] = torch.nn.Parameter(torch.randn(70000))
    return tensors


def compare(name, model, expected, folder):
    pth, tensors = folder / f"{name}.out.pth", folder / f"{name}.out.safetensors"
    code, err = convert(model, pth)
    check(code == 0, f"{name}: {err}")
    loaded = torch.load(pth, weights_only=True)
    check(list(loaded) == list(expected), f"{name}: names {list(loaded)[:3]}")
    for key, tensor in expected.items():
        found = loaded[key]
        check(found.dtype == tensor.dtype and found.shape == tensor.shape and
              raw(found) == raw(tensor), f"{name}: {key} differs in the .pth")
    code, err = convert(model, tensors)
    check(code == 0, f"{name}: {err}")
    found = read_safetensors(tensors)
    check(set(found) == set(expected), f"{name}: names in safetensors")
    for key, tensor in expected.items():
        check(found[key] == (TYPES[tensor.dtype], list(tensor.shape), raw(tensor)),
              f"{name}: {key} differs in the .safetensors")
    if safetensors:
        for key, tensor in safetensors.torch.load_file(tensors).items():
            check(raw(tensor) == raw(expected[key]), f"{name}: {key}: the safetensors package differs")
    # What was written can be converted again, to the same bytes.
    again = folder / f"{name}.again.pth"
    check(convert(pth, again)[0] == 0 and again.read_bytes() == pth.read_bytes(), f"{name}: again")


def check_sources(folder):
    tensors = state()
    for name, options in (("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False})):
        model = folder / f"{name}.pth"
        torch.save(tensors, model, **options)
        compare(name, model, tensors, folder)
    wrapped = folder / "wrapped.pth"
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in tensors.items()}}, wrapped)
    compare("wrapped", wrapped, tensors, folder)
    bundled = source / "models/fashion_vgg8_bn.pth"
    compare("bundled", bundled, torch.load(bundled), folder)
    image = source / "models/images/bag_18.png"
    spec = source / "models/fashion_vgg8_bn.json"
    runs = [subprocess.run([program, "--format", "csv", "-k10", "--spec", spec, model, image],
                           capture_output=True).stdout
            for model in (bundled, folder / "bundled.out.pth")]
    check(len(runs[0]) > 100 and runs[0] == runs[1], "the converted net classifies otherwise")


def check_columns(folder, converted):
    """Fully connected weights, in the file input by input, come back as they were, or rounded as torch rounds."""
    original = torch.load(source / "models" / "fashion_vgg8_bn.pth")
    names = [name for name in original if name.startswith("classifier") and name.endswith("weight")]
    check(len(names) == 3, f"linear layers: {names}")
    for dtype, choice in ((torch.float32, None), (torch.bfloat16, "bf16"), (torch.float16, "f16")):
        if choice is not None:
            packed, converted = folder / f"{choice}.vgg", folder / f"{choice}.pth"
            subprocess.run([program, "pack", source / "models" / "fashion_vgg8_bn.pth", "-o", packed, "--weights",
                            choice], check=True, capture_output=True)
            check(convert(packed, converted)[0] == 0, f"{choice}: not converted")
        found = torch.load(converted)
        for name in names:
            check(found[name].dtype == dtype and torch.equal(found[name], original[name].to(dtype)),
                  f"{choice}: {name} is another one")
        check(found["features.0.weight"].dtype == dtype and found["features.0.bias"].dtype == torch.float32,
              f"{choice}: types of a convolution")


def check_packed(folder):
    """A packed file's description stands beside what it is converted to, and is no one else's."""
    packed, out = folder / "shoes.vgg", folder / "shoes.pth"
    image = source / "models" / "images" / "bag_18.png"
    labels = folder / "labels.txt"
    labels.write_text("".join(f"shoe {i}\n" for i in range(10)))
    subprocess.run([program, "pack", source / "models" / "fashion_vgg8_bn.pth", "-o", packed, "--labels", labels],
                   check=True, capture_output=True)
    labels.unlink()  # the file has them
    for _ in range(2):  # its own description may be there already
        code, err = convert(packed, out)
        check(code == 0 and "preprocessing in the .json beside it" in err, f"{code}, {err}")
    # For one run, weights that are ready may be of another F(m) than those that must be prepacked.
    # Fully connected weights are summed in another order than rows are.
    runs = [[line.split(",") for line in
             subprocess.run([program, "--plan-for", "steady", "--format", "csv", model, image],
                            capture_output=True, text=True).stdout.splitlines()[1:]] for model in (packed, out)]
    check(len(runs[0]) == 5 and runs[0][0][3] == "shoe 8" and
          all(a[:4] == b[:4] and abs(float(a[5]) - float(b[5])) <= 5e-6 for a, b in zip(*runs)),
          "a packed net that is converted classifies otherwise")
    check_columns(folder, out)
    (folder / "shoes.json").unlink()
    for make, remove in ((os.mkdir, os.rmdir), (os.mkfifo, os.unlink)):  # a pipe is not waited for
        make(folder / "shoes.json")
        code, err = convert(packed, out)
        check(code == 1 and "shoes.json: exists already" in err, f"{make.__name__}: {code}, {err}")
        remove(folder / "shoes.json")
    (folder / "shoes.json").write_text('{"schema": 1}')
    out.unlink()
    code, err = convert(packed, out)
    check(code == 1 and "shoes.json: exists already, and would describe" in err and not out.exists() and
          (folder / "shoes.json").read_text() == '{"schema": 1}', f"another description: {code}, {err}")


def check_messages(folder):
    model = folder / "zip.pth"
    for out, code, text in (("x.bin", 2, "x.bin: expected a name that ends in .pth"),
                            ("no/x.pth", 1, "cannot create: No such file"),
                            ("zip.pth/x.pth", 1, "cannot create: Not a directory")):
        found = convert(model, folder / out)
        check(found[0] == code and text in found[1], f"{out}: {found}")
    found = convert(folder / "absent.pth", folder / "x.pth")
    check(found[0] == 3 and "absent.pth: cannot open" in found[1], found)
    (folder / "is.pth").mkdir()
    found = convert(model, folder / "is.pth")
    check(found[0] == 1 and "is.pth: expected a file to write, found a folder" in found[1], found)
    check(not list(folder.glob("*.tmp")), "a temporary file is left after an error")


def check_failed_write(folder):
    """A full disk, as a limit on the size of files."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    for target in ("full.pth", "full.safetensors"):
        out = folder / target
        out.write_bytes(b"old")
        code, err = convert(folder / "zip.pth", out, preexec_fn=limit)
        check(code == 1 and "cannot write: File too large" in err, f"{target}: {code}, {err}")
        check(out.read_bytes() == b"old", f"{target}: the old file has changed")
    # The description beside a packed file's tensors is small enough, but is not left alone.
    code, err = convert(folder / "shoes.vgg", folder / "alone.pth", preexec_fn=limit)
    check(code == 1 and "alone.pth: cannot write: File too large" in err, f"alone.pth: {code}, {err}")
    check(not list(folder.glob("alone.*")), f"left after a failed write: {list(folder.glob('alone.*'))}")
    check(not list(folder.glob("*.tmp")), "a temporary file is left after a failed write")


def check_in_place(folder):
    model = folder / "place.pth"
    torch.save({"w": torch.arange(100000.0).reshape(100, 1000).t()}, model)
    before = model.read_bytes()
    code, err = convert(model, model)
    check(code == 2 and "expected a file that is not read" in err and model.read_bytes() == before, f"in place: {code}, {err}")


def check_kills(folder):
    model, out = folder / "big.pth", folder / "killed.safetensors"
    torch.save({f"w{i}": torch.randn(250000) for i in range(30)}, model)
    convert(model, out)
    kill(kill_at, [program, "convert", model, "-o", out], out, out.read_bytes(), 40)


os.umask(0o022)
with tempfile.TemporaryDirectory(prefix="vgg-convert-") as name:
    folder = pathlib.Path(name)
    check_sources(folder)
    check((folder / "zip.out.pth").stat().st_mode & 0o777 == 0o644, "mode of the file")
    check_packed(folder)
    check_messages(folder)
    check_failed_write(folder)
    check_in_place(folder)
    check_kills(folder)

sys.exit(finish())
