# SPDX-License-Identifier: MIT
"""The engines that vgg-infer is compared with: what to install, how the model is converted, and how a process is started.
Everything is written to the cache folder, once."""
import json
import pathlib
import subprocess
import tempfile

from harness import CACHE, PYTHON, Child, Failed

VENV = CACHE / "venv"
HERE = pathlib.Path(__file__).resolve().parent

# name: title, packages of PyPI, suffix of its model file
PEERS = {
    "onnxruntime": ("ONNX Runtime", ["onnxruntime"], ".onnx"),
    "mnn": ("MNN", ["MNN"], ".mnn"),
    "ncnn": ("ncnn", ["ncnn", "pnnx"], ".ncnn"),
    "openvino": ("OpenVINO", ["openvino"], ".onnx"),
    "torch": ("PyTorch eager", [], ".pth"),
    "torch-optimized": ("PyTorch optimized", [], ".pth"),
}
# With int8 versions of the same weights.
INT8_PEERS = {
    "onnxruntime-int8": ("ONNX Runtime int8", ["onnxruntime", "onnx"], ".int8.onnx"),
    "openvino-int8": ("OpenVINO int8", ["openvino", "onnxruntime", "onnx"], ".int8.onnx"),
}
# vgg-infer with other options, timed like a peer: arguments of time_model.
OWN = {
    "vgg-avx2": ("vgg-infer AVX2", ["--isa", "avx2"]),
    "vgg-avx512": ("vgg-infer AVX-512", ["--isa", "avx512"]),
    "vgg-exact": ("vgg-infer exact", ["--conv", "exact"]),
    "vgg-direct": ("vgg-infer direct", ["--conv", "direct"]),
    "vgg-int8": ("vgg-infer int8", []),
    "vgg-int8-avx512": ("vgg-infer int8 AVX-512", ["--isa", "avx512"]),
    "vgg-int8-avx2": ("vgg-infer int8 AVX2", ["--isa", "avx2"]),
}
EVERY = {**PEERS, **INT8_PEERS, **OWN}


def call(*command):
    """Runs a program; if it fails, raises Failed with the last line of its output."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        raise Failed(lines[-1] if lines else f"{command[0]}: exit code {done.returncode}")
    return done.stdout


def python():
    """The interpreter of the cache's environment. Debian's torch cannot run there, because the packages come with a newer
    NumPy."""
    program = VENV / "bin" / "python"
    if not program.exists():
        try:
            call(PYTHON, "-m", "venv", "--system-site-packages", VENV)
        except Failed:
            if pathlib.Path("/usr/bin/apt-get").exists():
                call("apt-get", "install", "-y", "-q", "python3-venv")
            call(PYTHON, "-m", "venv", "--clear", "--system-site-packages", VENV)
    return program


def install(packages):
    """Installs with pip the packages that the environment does not have."""
    have = {path.name.split("-")[0].lower() for path in VENV.glob("lib/*/site-packages/*.dist-info")}
    missing = [name for name in packages if name.lower() not in have]
    if missing:
        print(f"installing {', '.join(missing)} into {VENV}", flush=True)
        call(python(), "-m", "pip", "install", "-q", "--only-binary", ":all:", *missing)


EXPORT = """
import sys, torch, torchvision
variant, weights, path = sys.argv[1:]
net = getattr(torchvision.models, variant)(weights=None).eval()
net.load_state_dict(torch.load(weights))
torch.onnx.export(net, torch.zeros(1, 3, 224, 224), path, opset_version=13, input_names=["input"],
                  output_names=["logits"], dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}})
"""


def to_onnx(variant, weights, path):
    call(PYTHON, "-c", EXPORT, variant, weights, path)


# Noise like the input's, as images and as arrays, with which int8 is calibrated.
NOISE = """
import sys
from PIL import Image
for i in range(8):
    planes = [Image.effect_noise((256, 256), 58) for _ in range(3)]
    Image.merge("RGB", planes).save(f"{sys.argv[1]}/{i}.png")
"""
TO_INT8 = """
import sys
import numpy as np
from onnxruntime import quantization as q
class Reader(q.CalibrationDataReader):
    def __init__(self):
        generator = np.random.default_rng(0)
        self.inputs = [generator.normal(size=(1, 3, 224, 224)).clip(-1.8, 2.2) for _ in range(8)]
    def get_next(self):
        return {"input": self.inputs.pop().astype(np.float32)} if self.inputs else None
q.quantize_static(sys.argv[1], sys.argv[2], Reader(), quant_format=q.QuantFormat.QDQ, per_channel=True,
                  activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8)
"""


def to_int8_onnx(variant, weights, path):
    call(python(), "-c", TO_INT8, model("onnxruntime", variant, weights), path)


def to_int8_packed(program, weights):
    """An int8 packed file, written by the vgg-infer of the same build unless the file is newer."""
    command = pathlib.Path(program).parents[2] / "tools" / "vgg-infer"
    path = CACHE / "models" / (weights.stem + ".int8.vgg")
    newest = max(weights.stat().st_mtime, command.stat().st_mtime)
    if not path.exists() or path.stat().st_mtime < newest:
        print(f"packing {weights.name} to {path.name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            call(PYTHON, "-c", NOISE, folder)
            call(command, "pack", weights, "-o", path, "--weights", "int8", "--calibrate", folder)
    return path


def to_mnn(variant, weights, path):
    # This calls the converter's entry point instead of its command, because the command installs a logging client with
    # the pip in PATH, and reports the conversion to its vendor.
    call(python(), "-c", "import sys, _tools; _tools.mnnconvert(sys.argv)", "-f", "ONNX",
         "--modelFile", model("onnxruntime", variant, weights), "--MNNModel", path, "--bizCode", "vgg")


def to_ncnn(variant, weights, path):
    """Writes a pair of files whose stem is `path`."""
    onnx = model("onnxruntime", variant, weights)
    spare = path.with_suffix(".pnnx")
    try:
        call(VENV / "bin" / "pnnx", onnx, "inputshape=[1,3,224,224]", "fp16=0",
             f"ncnnparam={path}.param", f"ncnnbin={path}.bin", f"ncnnpy={spare}.ncnn.py",
             f"pnnxparam={spare}.param", f"pnnxbin={spare}.bin", f"pnnxpy={spare}.py",
             f"pnnxonnx={spare}.onnx")
        path.touch()
    finally:
        for left in [*path.parent.glob(spare.name + ".*"),
                     onnx.with_suffix(".pnnxsim.onnx")]:
            left.unlink(missing_ok=True)


CONVERT = {".onnx": to_onnx, ".int8.onnx": to_int8_onnx, ".mnn": to_mnn, ".ncnn": to_ncnn}


def model(name, variant, weights):
    """The model in the format of the engine; it is converted unless a file exists that is not older than the weights."""
    suffix = EVERY[name][2]
    if suffix == ".pth":
        return weights
    path = CACHE / "models" / (weights.stem + suffix)
    if not path.exists() or path.stat().st_mtime < weights.stat().st_mtime:
        print(f"converting {weights.name} to {path.name}", flush=True)
        CONVERT[suffix](variant, weights, path)
        if not path.exists():
            raise Failed(f"{path.name} was not made by the converter")
    return path


def simd(library):
    """Whether a library has AVX-512 code. The result is cached, because disassembling takes seconds."""
    path, notes = pathlib.Path(library), CACHE / "simd.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    key = f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}"
    if key not in known:
        try:
            with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", path],
                                  stdout=subprocess.PIPE) as listing:
                known[key] = sum(b"%zmm" in line for line in listing.stdout)
        except FileNotFoundError:
            return "unknown (objdump is missing)"
        notes.write_text(json.dumps(known, indent=1))
    if known[key] == 0:
        return "AVX2 at most: no instruction of its library uses a 512-bit register"
    return f"picks by CPU; its library has AVX-512 code ({known[key]} instructions)"


def start(name, program, variant, weights, batch, threads, source, destination):
    """Starts a Child of the engine with its converted model; raises Failed if the engine is not available."""
    if name == "vgg-infer" or name in OWN:
        extra = OWN[name][1] if name in OWN else []
        if "int8" in name:
            weights = to_int8_packed(program, weights)
        return Child([program, weights, "--batch", batch, "--threads", threads, "--input", source,
                      "--output", destination, *extra])
    install(EVERY[name][1])
    return Child([python() if EVERY[name][1] else PYTHON, HERE / "worker.py", name,
                  model(name, variant, weights), variant, batch,
                  threads, source, destination], OMP_NUM_THREADS=str(threads))


def title(name):
    return EVERY.get(name, (name,))[0]


def runs_as(about):
    """One line with the instruction set or the kernels that an engine uses, as far as known."""
    kernels = about.get("kernels") or about.get("isa") or simd(about["library"])
    return f"{kernels}; {about['note']}" if "note" in about else kernels
