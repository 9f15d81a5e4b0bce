#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What people put inside a checkpoint, as PyTorch writes it, against the C reader.

    contents.py DUMP_TENSORS

State dicts under every key and prefix, beside all that training scripts save with them; whole modules
and TorchScript archives; tensors of every encoding, what newer PyTorch writes among them; weights in two
parts (weight_norm, prune). Each must give the same names, shapes and float32 bytes as PyTorch's own
tensors. Ends with "N passed, N failed". Exit 77 (skipped) without PyTorch.
"""
import argparse
import collections
import copy
import datetime
import functools
import inspect
import io
import pathlib
import pickle
import sys
import tempfile

import checkpoints
from checkpoints import LEGACY, expect, finish, np, refuse, report, seed, torch

import torch.jit._pickle
import torch.nn.utils.parametrize
import torchvision
from torch import nn
from torch.nn.utils import prune

CONTAINERS = (("zip", {}), ("legacy", LEGACY))
# Newer versions of PyTorch save that a tensor is a conjugated view; older ones save the numbers.
SAVES_VIEWS = "metadata" in inspect.signature(torch._utils._rebuild_tensor_v2).parameters


def small_vgg(batch_norm=True, **sizes):
    """A VGG as torchvision makes it, with a small head."""
    net = torchvision.models.vgg.VGG.__new__(torchvision.models.vgg.VGG)
    nn.Module.__init__(net)  # its own __init__ would fill 120 million weights first
    net.features = torchvision.models.vgg.make_layers([4, "M", 6, "M"], batch_norm)
    net.avgpool = nn.AdaptiveAvgPool2d(sizes.get("pool", 2))
    side = sizes.get("pool", 2)
    net.classifier = nn.Sequential(nn.Linear(6 * side * side, 5), nn.ReLU(True), nn.Dropout(),
                                   nn.Linear(5, 3))
    return net


class MyVGG(nn.Module):
    """A class of the user's own, with what users put into modules."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(16, 3))
        self.activation = nn.functional.relu
        self.make_norm = functools.partial(nn.BatchNorm2d, eps=1e-3)
        self.config = Config()
        self.register_buffer("mean", torch.ones(3), persistent=False)
        self.absent = None
        self.nothing = nn.Identity()
        self.history = [{"loss": 1.5}]


class Config:
    def __init__(self):
        self.layers = (1, 2)


class Settings(dict):
    pass


def make_mode(name):
    return Mode(name)


class Mode:
    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return make_mode, (self.name,)


def nets_tensors():
    return small_vgg().state_dict()


# ---- keys and prefixes ----

def saver(folder, container, options):
    def save(name, thing, **more):
        path = folder / f"{name}.{container}.pth"
        torch.save(thing, path, **options, **more)
        return path
    return save


def keys(save, container):
    state = nets_tensors()
    for key in ("state_dict", "model", "model_state_dict", "model_ema", "state_dict_ema", "ema", "net",
                "network", "weights", "params", "my_own_name"):
        path = save(f"key-{key}", {"epoch": 3, key: state})
        expect(path.name, path, state, container, key, "-", "-")
    path = save("key-deep", {"trainer": {"nets": {"best": state}}})
    expect(path.name, path, state, container, "trainer.nets.best")
    path = save("key-list", [{"lr": 0.1}, state])
    expect(path.name, path, state, container, "1")
    path = save("key-tuple", (state, 7))
    expect(path.name, path, state, container, "0")

    for prefix in ("module.", "model.", "net.", "_orig_mod.", "backbone.", "module._orig_mod.",
                   "_orig_mod.module.", "model.module.", "some.encoder.vgg."):
        path = save("prefix-" + prefix, {"state_dict": {prefix + n: t for n, t in state.items()}})
        expect(path.name, path, state, container, "state_dict", prefix, "-")
    for inner in ("module.", "_orig_mod.", "module._orig_mod."):
        named = {n.replace("features.", "features." + inner): t for n, t in state.items()}
        path = save("prefix-features-" + inner, named)
        expect(path.name, path, state, container, "-", "-", "-")
        path = save("prefix-outer-" + inner, {"module." + n: t for n, t in named.items()})
        expect(path.name, path, state, container, "-", "module.", "-")
    named = {n.replace("weight", "_orig_mod.weight") if "features" in n else n: t for n, t in state.items()}
    path = save("prefix-layers", named)
    expect(path.name, path, state, container)

    lightning = {"model." + n: t for n, t in state.items()}
    lightning.update({"criterion.weight": torch.ones(3), "accuracy.total": torch.tensor(5)})
    path = save("lightning", {"epoch": 1, "pytorch-lightning_version": "1.9.0", "state_dict": lightning,
                              "optimizer_states": [{"state": {}}], "hyper_parameters": Settings(lr=0.1)})
    expect(path.name, path, state, container, "state_dict", "model.", "-")
    averaged = {"module." + n: t for n, t in state.items()}
    averaged["n_averaged"] = torch.tensor(4)
    path = save("averaged", averaged)
    expect(path.name, path, state, container, "-", "module.", "-")


def several(save, container):
    one, two = nets_tensors(), nets_tensors()
    count = len(one)
    path = save("two", {"state_dict": one, "state_dict_ema": two, "epoch": 1})
    refuse(path.name, path, "several different ones", f"state_dict ({count} tensors)",
           f"state_dict_ema ({count} tensors)")
    expect(path.name + " first", path, one, container, "state_dict", key=["state_dict"])
    expect(path.name + " second", path, two, container, "state_dict_ema", key=["state_dict_ema"])
    refuse(path.name + " wrong", path, "key ema: expected the path of tensors", "state_dict_ema", key=["ema"])
    refuse(path.name + " part", path, "key state: expected the path of tensors", "state_dict_ema", key=["state"])

    both = {"student." + n: t for n, t in one.items()}
    both.update({"teacher." + n: t for n, t in two.items()})
    path = save("distilled", {"state_dict": both})
    refuse(path.name, path, f"state_dict.student ({count} tensors)", f"state_dict.teacher ({count} tensors)")
    expect(path.name + " student", path, one, container, "state_dict", "student.",
           key=["state_dict.student"])
    expect(path.name + " teacher", path, two, container, "state_dict", "teacher.",
           key=["state_dict.teacher"])
    refuse(path.name + " whole", path, "state_dict.student", key=["state_dict"])
    path = save("distilled-root", both)
    expect(path.name, path, two, container, "-", "teacher.", key=["teacher"])

    path = save("same", {"state_dict": one, "best": dict(one), "last": copy.copy(one)})
    expect(path.name, path, one, container, "state_dict")
    loss = {n: t for n, t in two.items() if n.startswith("features")}
    path = save("perceptual", {"loss": loss, "net": one})  # only one of them can classify
    expect(path.name, path, one, container, "net")
    expect(path.name + " loss", path, loss, container, "loss", key=["loss"])
    other = collections.OrderedDict((f"{i}.weight", torch.randn(2)) for i in range(50))
    path = save("gan", {"generator": other, "model": one, "module.x": torch.ones(1)})
    expect(path.name, path, one, container, "model")
    expect(path.name + " other", path, other, container, "generator", key=["generator"])
    path = save("root", dict(one, ema=two))
    refuse(path.name, path, f". ({count} tensors)", f"ema ({count} tensors)")
    expect(path.name + " root", path, one, container, "-", key=["."])
    path = save("no-vgg", {"generator": other, "model": {"module.a": torch.ones(2)}})
    expect(path.name, path, {"a": torch.ones(2)}, container, "model", "module.", "-")


def beside(save, container):
    """Everything that training scripts save with a state dict is skipped."""
    net = small_vgg()
    optimizer = torch.optim.Adam(net.parameters())
    sum(p.sum() for p in net.parameters()).backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    state = net.state_dict()
    things = {
        "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
        "optimizer_object": optimizer, "epoch": np.int64(3), "best": np.float32(0.5),
        "array": np.arange(6).reshape(2, 3), "text": np.array(["a", "b"]),
        "args": argparse.Namespace(lr=0.1, data=pathlib.Path("/data"), device=torch.device("cpu")),
        "counts": collections.Counter("abc"), "groups": collections.defaultdict(list, a=[1]),
        "when": datetime.datetime(2020, 1, 2), "how_long": datetime.timedelta(seconds=3),
        "class": MyVGG, "function": nn.functional.relu, "config": Config(), "settings": Settings(a=1),
        "dtype": torch.float16, "size": torch.Size([1, 2]), "complex": 1 + 2j, "none": None,
        "rng": torch.get_rng_state(), "set": {1, 2}, "frozen": frozenset("ab"), "range": slice(1, 2),
        "sparse": torch.eye(2).to_sparse(), "quantised": torch.quantize_per_tensor(
            torch.ones(2), 0.1, 0, torch.qint8), "z": torch.ones(2, dtype=torch.complex64),
        "text2": "ü", "deep": [[[[[[[[(1,)]]]]]]]],
    }
    for name, thing in things.items():
        path = save("beside-" + name, {name: thing, "state_dict": state})
        expect(path.name, path, state, container, "state_dict")
    path = save("beside-all", dict(things, state_dict=state))
    expect(path.name, path, state, container, "state_dict")
    without = {n: t for n, t in state.items() if "num_batches_tracked" not in n}
    path = save("beside-counts", without)
    expect(path.name, path, without, container)
    path = save("beside-call", {"mode": Mode("train"), "state_dict": state})
    refuse(path.name, path, "calls __main__.make_mode", "save model.state_dict() instead")


# ---- whole modules ----

def modules(save, container):
    for name, net, class_name, prefix in (
            ("vgg", small_vgg(), "VGG", "-"), ("vgg-plain", small_vgg(False), "VGG", "-"),
            ("mine", MyVGG(), "MyVGG", "-"), ("parallel", nn.DataParallel(small_vgg()), "DataParallel", "module."),
            ("sequential", nn.Sequential(nn.Flatten(), small_vgg()), "Sequential", "1.")):
        expected = {n[len(prefix) if prefix != "-" else 0:]: t for n, t in net.state_dict().items()}
        for protocol in (2, 4):
            path = save(f"module-{name}-{protocol}", net, pickle_protocol=protocol)
            expect(path.name, path, expected, container, "-", prefix, class_name)
    half = small_vgg().half()
    path = save("module-half", {"ema": half, "updates": 7})
    expect(path.name, path, half.state_dict(), container, "ema", "-", "VGG")
    inner = small_vgg()
    inner.features = nn.DataParallel(inner.features)
    path = save("module-features-parallel", inner)
    expect(path.name, path, {n.replace("module.", ""): t for n, t in inner.state_dict().items()}, container)
    tied = MyVGG()
    tied.also = tied.classifier  # one module under two names
    path = save("module-tied", tied)
    expect(path.name, path, tied.state_dict(), container)
    looped = MyVGG()
    looped.features.add_module("parent", looped)
    path = save("module-loop", looped)
    refuse(path.name, path, "contain themselves")
    short = MyVGG()  # a tree of 2^30 modules in a few hundred bytes
    leaf = nn.Identity()
    for _ in range(30):
        leaf = nn.Sequential(leaf, leaf)
    short.extra = leaf
    path = save("module-shared", short)
    refuse(path.name, path, "more modules and attributes than the limit")


def scripts(folder):
    for name, batch_norm in (("plain", False), ("bn", True)):
        net = small_vgg(batch_norm).eval()
        for kind, script in (("script", torch.jit.script(net)),
                             ("trace", torch.jit.trace(net, torch.zeros(1, 3, 8, 8)))):
            path = folder / f"{kind}.{name}.pt"
            script.save(str(path))
            state = script.state_dict()
            expect(path.name, path, state, "torchscript", "-", "-", "VGG")
    parallel = torch.jit.script(nn.Sequential(collections.OrderedDict(module=small_vgg())))
    parallel.save(str(folder / "wrapped.pt"))
    expect("wrapped.pt", folder / "wrapped.pt",
           {n[7:]: t for n, t in parallel.state_dict().items()}, "torchscript", "-", "module.", "Sequential")
    frozen = torch.jit.freeze(torch.jit.script(small_vgg().eval()))
    for name, script in (("frozen.pt", frozen), ("optimized.pt", torch.jit.optimize_for_inference(frozen))):
        script.save(str(folder / name))
        refuse(name, folder / name, "a TorchScript module (VGG) without weights: if torch.jit.freeze or "
                                    "optimize_for_inference made them constants of its code, save the module as it was before, "
                                    "or its state_dict()")


# ---- weights in two parts ----

def normed(g, v, dims):
    """What torch.nn.utils.weight_norm computes, if its norm is exact to the last bit."""
    norm = v.double().square().sum(dims, keepdim=True).sqrt().float()
    return v * (g / norm.reshape(g.shape))


def folded(save, container):
    net = small_vgg()
    expected = collections.OrderedDict(net.state_dict())
    normal = copy.deepcopy(net)
    for part in (normal.features, normal.classifier):
        for layer in part:
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                torch.nn.utils.weight_norm(layer)
                layer.weight_g.data.mul_(torch.rand_like(layer.weight_g) + 0.5)
    state = normal.state_dict()
    wanted = {}
    for name, tensor in state.items():
        if name.endswith("_g"):
            v = state[name[:-1] + "v"]
            wanted[name[:-2]] = normed(tensor, v, tuple(range(1, v.dim())))
            module = normal.get_submodule(name.rsplit(".", 1)[0])
            module(torch.zeros(1, *([3, 4, 4] if v.dim() == 4 and v.shape[1] == 3 else
                                    [v.shape[1], 4, 4] if v.dim() == 4 else [v.shape[1]])))
            worst = ((module.weight - wanted[name[:-2]]).abs() / wanted[name[:-2]].abs()).max()
            # Each of torch's n additions, its square root, quotient and product rounds once.
            bound = (v[0].numel() / 2 + 4) * 2**-24
            report(f"weight_norm formula {name}", None if worst <= bound else f"{worst} > {bound}")
    ordered = [(n[:-2] if n.endswith("_g") else n) for n in state if not n.endswith("_v")]
    expected = collections.OrderedDict((n, wanted.get(n, state.get(n))) for n in ordered)
    path = save("weight_norm", state)
    expect(path.name, path, expected, container)
    path = save("weight_norm-module", normal)
    expect(path.name, path, expected, container)
    renamed = {n.replace("weight_g", "parametrizations.weight.original0")
                .replace("weight_v", "parametrizations.weight.original1"): t for n, t in state.items()}
    path = save("weight_norm-parametrized", {"module." + n: t for n, t in renamed.items()})
    expect(path.name, path, expected, container, "-", "module.")

    base = nets_tensors()
    for name, shape, dims in (("all", (), (0, 1, 2, 3)), ("dim1", (1, 4, 1, 1), (0, 2, 3)),
                              ("dim3", (1, 1, 1, 3), (0, 1, 2))):
        g, v = torch.rand(shape) + 0.5, base["features.4.weight"].to(memory_format=torch.channels_last)
        parts = collections.OrderedDict(base)
        parts["features.4.weight"] = normed(g, v, dims).contiguous()
        broken = collections.OrderedDict()
        for key, tensor in base.items():
            if key == "features.4.weight":
                broken.update({key + "_g": g, key + "_v": v})
            else:
                broken[key] = tensor
        path = save("weight_norm-" + name, broken)
        expect(path.name, path, parts, container)
    broken["features.4.weight_g"] = torch.ones(6, 4, 1, 1)
    path = save("weight_norm-bad", broken)
    refuse(path.name, path, "features.4.weight", "incompatible shapes")

    pruned = copy.deepcopy(net)
    for part in (pruned.features, pruned.classifier):
        for layer in part:
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                prune.l1_unstructured(layer, "weight", amount=0.4)
                prune.random_unstructured(layer, "bias", amount=1)
    state = pruned.state_dict()
    expected = {}
    for name, tensor in state.items():
        if name.endswith("_orig"):
            expected[name[:-5]] = tensor * state[name[:-5] + "_mask"]
        elif not name.endswith("_mask"):
            expected[name] = tensor
    for name, tensor in (("prune", state), ("prune-module", pruned)):
        path = save(name, tensor)
        expect(path.name, path, expected, container)
    layer = pruned.features[0]
    report("prune is what torch computes",
           None if torch.equal(layer.weight, expected["features.0.weight"]) else "it is not")
    both = nn.Conv2d(3, 4, 3)
    torch.nn.utils.weight_norm(both)
    prune.l1_unstructured(both, "weight_v", amount=0.3)
    tensors = {"features.0." + n: t for n, t in both.state_dict().items()}
    v = both.weight_v_orig * both.weight_v_mask
    path = save("prune-weight_norm", tensors)
    expect(path.name, path, {"features.0.bias": both.bias,
                             "features.0.weight": normed(both.weight_g, v, (1, 2, 3))}, container)

    spectral = small_vgg()
    torch.nn.utils.spectral_norm(spectral.features[0])
    path = save("spectral", spectral.state_dict())
    refuse(path.name, path, "features.0.weight_orig: spectral_norm", "remove_spectral_norm")
    spectral = small_vgg()
    torch.nn.utils.parametrizations.spectral_norm(spectral.features[0])
    path = save("spectral-parametrized", spectral.state_dict())
    refuse(path.name, path, "features.0.parametrizations.weight.original", "remove_parametrizations")


# ---- what newer PyTorch writes ----

def stand_in(module, name):
    """A function that pickles by the name of one that this PyTorch may not have."""
    def function():
        pass
    function.__module__, function.__name__, function.__qualname__ = module, name, name
    vars(sys.modules[module])[name] = function
    return function


class NewType:
    """torch.float8_e5m2, which pickles by its name."""
    __module__ = "torch"

    def __init__(self, name):
        self.name = name
        setattr(torch, name, self)

    def __reduce__(self):
        return self.name


class Call:
    def __init__(self, function, *args, state=None):
        self.reduced = (function, args, state)

    def __reduce__(self):
        return self.reduced if self.reduced[2] is not None else self.reduced[:2]


class Storage:
    def __init__(self, kind, count, data):
        self.kind, self.count, self.data = kind, count, data


class NewPickler(pickle.Pickler):
    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.storages = []

    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            if thing not in self.storages:
                self.storages.append(thing)
            return ("storage", thing.kind, str(self.storages.index(thing)), "cpu", thing.count)
        return None


def save_new(path, thing, protocol=2):
    out = io.BytesIO()
    pickler = NewPickler(out, protocol)
    pickler.dump(thing)
    writer = torch._C.PyTorchFileWriter(str(path))
    writer.write_record("data.pkl", out.getvalue(), len(out.getvalue()))
    writer.write_record(".format_version", b"1", 1)
    writer.write_record("byteorder", b"little", 6)
    for i, storage in enumerate(pickler.storages):
        writer.write_record(f"data/{i}", storage.data, len(storage.data))
    writer.write_end_of_file()


def float8(exponent_bits, bias, finite):
    """The values of all bytes but NaN, by the definition of the format."""
    values = []
    fraction_bits = 7 - exponent_bits
    for byte in range(256):
        exponent, fraction = byte >> fraction_bits & (1 << exponent_bits) - 1, byte & (1 << fraction_bits) - 1
        top = exponent == (1 << exponent_bits) - 1
        value = (fraction / 2**fraction_bits * 2.0**(1 - bias) if exponent == 0
                 else (1 + fraction / 2**fraction_bits) * 2.0**(exponent - bias))
        if top and not finite:
            value = float("inf") if fraction == 0 else 0.0
        if top and finite and fraction == (1 << fraction_bits) - 1:
            value = 0.0
        values.append(-value if byte & 0x80 else value)
    return torch.tensor(values)


def typed(tensor, name):
    tensor.dtype_name = name
    return tensor


def newer(folder):
    v2 = torch._utils._rebuild_tensor_v2
    v3 = stand_in("torch._utils", "_rebuild_tensor_v3")
    with_state = stand_in("torch._utils", "_rebuild_parameter_with_state")
    untyped = stand_in("torch.storage", "UntypedStorage")
    hooks = collections.OrderedDict
    types = {n: NewType(n) for n in ("float8_e4m3fn", "float8_e5m2", "float8_e5m2fnuz", "float8_e4m3fnuz",
                                     "uint16", "float4_e2m1fn_x2")}
    nan = {"float8_e4m3fn": (0x7F, 0xFF), "float8_e5m2": (0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF)}
    for protocol in (2, 4, 5):
        tensors, expected = {}, {}
        for name, exponent_bits, bias in (("float8_e4m3fn", 4, 7), ("float8_e5m2", 5, 15)):
            data = bytes(0 if b in nan[name] else b for b in range(256))
            values = float8(exponent_bits, bias, name.endswith("fn"))
            values = torch.stack([values[b] for b in data])
            storage = Storage(untyped, 256, data)
            tensors[name] = Call(v3, storage, 0, (16, 16), (1, 16), False, hooks(), types[name])
            expected[name] = typed(values.reshape(16, 16).t(), name)
            tensors[name + ".part"] = Call(v3, storage, 5, (3,), (7,), False, hooks(), types[name], None)
            expected[name + ".part"] = typed(values[5:26:7], name)
        data = torch.randn(12)
        floats = Storage(torch.FloatStorage, 12, data.numpy().tobytes())
        plain = Call(v2, floats, 2, (2, 3), (3, 1), False, hooks())
        tensors["parameter"] = Call(with_state, plain, True, hooks(), {"note": 1})
        expected["parameter"] = data[2:8].reshape(2, 3)
        tensors["subclass"] = Call(torch._tensor._rebuild_from_type_v2, v2, MyTensor,
                                   (floats, 0, (12,), (1,), False, hooks()), {})
        expected["subclass"] = data
        tensors["metadata"] = Call(v2, floats, 0, (12,), (1,), False, hooks(), {})
        expected["metadata"] = data
        path = folder / f"newer.{protocol}.pth"
        save_new(path, {"state_dict": tensors}, protocol)
        expect(path.name, path, expected, "zip", "state_dict")

    storage = Storage(untyped, 8, bytes(8))
    for name in ("float8_e5m2fnuz", "float8_e4m3fnuz", "uint16", "float4_e2m1fn_x2"):
        path = folder / f"refused.{name}.pth"
        save_new(path, {"w": Call(v3, storage, 0, (4,), (1,), False, hooks(), types[name])})
        refuse(path.name, path, f": w: elements of torch.{name} are not supported")
    path = folder / "refused.conj.pth"
    save_new(path, {"w": Call(v2, floats, 0, (4,), (1,), False, hooks(), {"neg": True})})
    refuse(path.name, path, ": w: ", "conjugated or negated")


def typed_values(save, container):
    """Lists and dicts with a type, as torch::pickle_save writes them in C++."""
    state = nets_tensors()
    path = save("typed-dict", Call(torch.jit._pickle.restore_type_tag, dict(state), "Dict[str, Tensor]"))
    expect(path.name, path, state, container)
    path = save("typed-lists", {"sizes": Call(torch.jit._pickle.build_intlist, [1, 2]), "state_dict": state,
                                "tensors": Call(torch.jit._pickle.build_tensorlist, [torch.ones(2)])})
    expect(path.name, path, state, container, "state_dict")


def arrays(save, container):
    """Arrays of NumPy instead of tensors: a state dict of them, and what XLA's devices write."""
    state = nets_tensors()
    plain = {name: tensor.numpy() for name, tensor in state.items()}
    for protocol in (2, 4, 5):
        path = save(f"arrays-{protocol}", {"epoch": 1, "net": plain}, pickle_protocol=protocol)
        expect(path.name, path, state, container, "net")
    kinds = {f"{kind}.weight": np.arange(-6, 6).reshape(2, 3, 2).astype(kind)
             for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "?")}
    expected = {name: torch.from_numpy(array) for name, array in kinds.items()}
    path = save("arrays-types", kinds)
    expect(path.name, path, expected, container)
    path = save("arrays-swapped", {name: array.astype(array.dtype.newbyteorder(">")) for name, array in kinds.items()})
    expect(path.name, path, expected, container)
    path = save("arrays-fortran", {name: np.asfortranarray(array) for name, array in kinds.items()})
    expect(path.name, path, {name: torch.from_numpy(np.asfortranarray(array)) for name, array in kinds.items()}, container)
    mixed = dict(state, **{"features.0.bias": plain["features.0.bias"], "scores": np.ones(3)})
    path = save("arrays-mixed", mixed)
    expect(path.name, path, state, container)

    for function in ("_rebuild_xla_tensor", "_rebuild_device_tensor_from_numpy"):
        rebuild = stand_in("torch._utils", function)
        path = save(function, {n: Call(rebuild, array, state[n].dtype, "xla:0", False) for n, array in plain.items()})
        expect(path.name, path, state, container)
    rebuild = stand_in("torch._utils", "_rebuild_device_tensor_from_cpu_tensor")
    path = save("from-cpu", {n: Call(rebuild, t, t.dtype, "xla:0", False) for n, t in state.items()})
    expect(path.name, path, state, container)

    path = save("arrays-complex", dict(state, **{"features.0.bias": np.ones(4, np.complex64)}))
    refuse(path.name, path, ": features.0.bias: an array of NumPy, expected one of numbers")
    path = save("arrays-names", {"conv1_W": np.ones((2, 3))})
    refuse(path.name, path, "arrays of NumPy whose names are no layer's parameters")
    for shape in ((1 << 62, 1 << 62), (13,), (11,), (5, 0, 1 << 62)):
        array = Call(np.core.multiarray._reconstruct, np.ndarray, (0,), b"b",
                     state=(1, shape, np.dtype("f4"), False, bytes(48)))
        path = save(f"arrays-{len(shape)}-{shape[0]}", {"a.weight": array})
        refuse(path.name, path, ": a.weight: bad array of NumPy: ")


class MyTensor(torch.Tensor):
    pass


def tensors(save, container):
    tensors = {"base": torch.randn(3, 4)}
    tensors["parameter"] = nn.Parameter(torch.randn(4))
    tensors["subclass"] = torch.randn(2, 3).as_subclass(MyTensor)
    buffer = torch.randn(5)
    buffer.note = "an attribute"  # makes torch write _rebuild_from_type_v2
    tensors["attribute"] = buffer
    path = save("tensor-kinds", tensors)
    expect(path.name, path, tensors, container)
    for name, tensor, reason in (
            ("sparse", torch.eye(2).to_sparse(), "a sparse tensor"),
            ("csr", torch.eye(2).to_sparse_csr(), "a sparse tensor"),
            ("quantised", torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "a quantised tensor"),
            ("complex", torch.ones(2, dtype=torch.complex64), "ComplexFloatStorage"),
            ("conj", torch.ones(2, dtype=torch.complex64).conj(),
             "a conjugated or negated view" if SAVES_VIEWS else "ComplexFloatStorage"),
            ("meta", torch.ones(2, device="meta"), "'meta'")):
        path = save("refused-" + name, {"w": tensor})
        refuse(path.name, path, ": w: ", reason)
        path = save("beside-" + name, {"features.0.weight": torch.ones(2), "x": {"w": tensor}})
        expect(path.name, path, {"features.0.weight": torch.ones(2)}, container)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for container, options in CONTAINERS:
            save = saver(folder, container, options)
            for part in (keys, several, beside, modules, folded, tensors, typed_values, arrays):
                seed(part.__name__ + container)
                part(save, container)
        for part in (scripts, newer):
            seed(part.__name__)
            part(folder)
    return finish()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    checkpoints.DUMP = sys.argv[1]
    sys.exit(main())
