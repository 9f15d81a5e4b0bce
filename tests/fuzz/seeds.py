#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds and dictionaries for the fuzz targets.

    seeds.py FOLDER                 writes FOLDER/TARGET/* and FOLDER/TARGET.dict for each target
    seeds.py --replay TARGET REPLAY runs REPLAY (tests/fuzz/replay.c) on that target's seeds
"""
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "crashers"))
sys.path.insert(0, str(HERE.parent / "golden"))
import jpeg  # noqa: E402
import scan_files  # noqa: E402
import writer  # noqa: E402

SOURCE = HERE.parent.parent / "src"


# ---- seeds: target -> name -> bytes ----

def by_class(name, tensor, call):
    """A tensor as torch.FloatTensor() and its state."""
    raw = writer.Pickle()
    raw.out.clear()
    raw.name("torch", "FloatTensor").op(")", call, "(").view(tensor).op("tb")
    return name, {**tensor, "raw": bytes(raw.out)}


def by_v1(name, tensor):
    raw = writer.Pickle()
    raw.out.clear()
    raw.name("torch._utils", "_rebuild_tensor").op("(").view(tensor).op("tR")
    return name, {**tensor, "raw": bytes(raw.out)}


def as_parameter(name, tensor):
    raw = writer.Pickle()
    raw.out.clear()
    raw.name("torch._utils", "_rebuild_parameter").op("(").tensor(tensor).op(b"\x88")
    raw.name("collections", "OrderedDict").op(")RtR")
    return name, {**tensor, "raw": bytes(raw.out)}


def framed():
    """Protocol 4: FRAME, SHORT_BINUNICODE, MEMOIZE, STACK_GLOBAL."""
    def short(text):
        return b"\x8c" + bytes([len(text)]) + text.encode()
    body = short("collections") + b"\x94" + short("OrderedDict") + b"\x94\x93\x94)R\x94."
    return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body


def variants():
    """The net in every encoding that a pickle can have."""
    net = writer.net()
    yield "v2", net
    yield "bn", writer.net(writer.NET_BN)
    yield "v1", [by_v1(*item) for item in net]
    yield "class-reduce", [by_class(*item, "R") for item in net]
    yield "class-newobj", [by_class(*item, b"\x81") for item in net]
    yield "parameter", [as_parameter(*item) for item in net]
    yield "half", [(n, {**t, "type": "Half"}) for n, t in net]
    yield "double", [(n, {**t, "type": "Double"}) for n, t in net]
    yield "shared", [(n, {**t, "key": "0", "count": 108}) for n, t in net]
    yield "strided", writer.net(features_0_weight={"stride": [27, 1, 9, 3]})
    yield "module-prefix", [("module." + n, t) for n, t in net]
    yield "view", writer.net(features_0_bias={"view": b"(X\1\0\0\0vK\0K\4t"})


def wrapped():
    """Pickles that are more than a state dict."""
    net = writer.net()
    nested = writer.Pickle().op("}(").text("epoch").number(3).text("state_dict").state_dict(net)
    nested.text("args").name("argparse", "Namespace").op(")R}").text("lr").op("G", struct.pack(">d", 0.1))
    yield "nested", nested.op("sb", "u").stop()
    metadata = writer.Pickle().state_dict(net).op("}").text("_metadata").op("}sb")
    yield "metadata", metadata.stop()
    python2 = writer.Pickle().name("collections", "OrderedDict").op("(](]")
    python2.op("(U\1w").tensor(net[0][1]).op("eetR")
    yield "python2", python2.stop()
    memo = writer.Pickle().op("(").text("a").op("q\0r\1\0\0\0h\0j\1\0\0\0t")
    yield "memo", memo.stop()
    yield "sets", writer.Pickle().op(b"(\x8f(K\1K\2\x90(K\3\x91t").stop()
    yield "framed", framed()
    module = writer.Pickle().op("(").text("module").name("torch.nn.modules.linear", "Linear")
    module.text("linear.py").text("class Linear: pass").op(b"tQ)\x81}").text("_parameters").op("}sb")
    yield "module", module.stop()


def pickles():
    return {**{name: writer.net_pickle(net) for name, net in variants()}, **dict(wrapped())}


def bytes_of(net, size):
    return {t["key"]: bytes(size * t.get("count", writer.size_of(t["shape"]))) for _, t in net}


def containers(write):
    seeds = {}
    for name, net in variants():
        size = {"half": 2, "double": 8}.get(name, 4)
        seeds[name] = write(writer.net_pickle(net), bytes_of(net, size))
    for name, pickle in wrapped():
        seeds[name] = write(pickle, writer.values_of(writer.net()))
    return seeds


def zips():
    def plain(pickle, values):
        return writer.zip_archive(writer.members_of(pickle, values))
    seeds = containers(plain)
    members = writer.members_of(writer.net_pickle(), writer.values_of(writer.net()))
    seeds["deflated"] = writer.zip_archive([m.deflated() for m in members])
    seeds["no-descriptor"] = writer.zip_archive([writer.Member(m.name, m.data, descriptor=False)
                                                 for m in members])
    seeds["no-crc"] = writer.zip_archive([writer.Member(m.name, m.data, crc=0) for m in members])
    seeds["no-zip64"] = writer.zip_archive(members, no_end64=True)
    for order in ("little", "big"):
        seeds[order] = writer.zip_archive(members + [writer.Member("archive/byteorder", order)])
    seeds["constants"] = writer.zip_archive(members + [writer.Member("archive/constants.pkl", b"\x80\2).")])
    return seeds


def tars():
    parts = writer.tar_parts()
    views = writer.Pickle().op("]((").number(200).number(100).number(0).number(4).op("te").stop()
    return {"pax": writer.tar_archive(parts),
            "gnu": writer.tar_archive(parts, format=writer.tarfile.GNU_FORMAT),
            "ustar": writer.tar_archive(parts, format=writer.tarfile.USTAR_FORMAT),
            "views": writer.tar_archive(writer.tar_parts(views=views)),
            "long-name": writer.tar_archive({**parts, "x" * 200: b"x"})}


def packed():
    zeros = {"header": {"crc": 0}}
    return {"good": writer.packed_net(), "sum": writer.packed_net(**zeros),
            "late": writer.packed_net(features_0_bias={"offset": 1 << 20}),
            "filled": writer.packed_net(fill=1), "int8": writer.int8_net(),
            "int8-late": writer.int8_net(classifier_0_bias={"data": b"\xff\xff\xff\x7f" * 5}),
            "ready": writer.packed_net(ready=writer.READY),
            "alone": writer.packed_net(ready=writer.READY, plain=False),
            "winograd": writer.packed_net(ready=[{"layout": "winograd", "group": 8, "channels": 4, "m": 2,
                                                  "floats": 512}]),
            **{dtype: writer.packed_net(classifier_0_weight={"layout": "column-major", "dtype": dtype,
                                                             "data": b"\x00\x34" * 1024}) for dtype in ("F16", "BF16")},
            "columns": writer.packed_net(classifier_0_bias={"layout": "column-major", "shape": [1, 64], "dtype": "BF16"})}


def safetensors():
    seeds = {"f32": writer.safetensors_net(), "bn": writer.safetensors_net(writer.NET_BN)}
    header, size = writer.safetensors_header()
    seeds["metadata"] = writer.safetensors({"__metadata__": {"format": "pt"}, **header}, bytes(size))
    for dtype, width in (("F64", 8), ("F16", 2), ("BF16", 2), ("I64", 8), ("U8", 1), ("BOOL", 1),
                         ("F8_E4M3", 1), ("F8_E5M2", 1)):
        entry = {"dtype": dtype, "shape": [2, 3], "data_offsets": [0, 6 * width]}
        seeds[dtype.lower()] = writer.safetensors({"w": entry}, bytes(6 * width))
    seeds["empty"] = writer.safetensors({}, b"")
    return seeds


def specs():
    seeds = {path.stem: path.read_bytes() for path in (SOURCE.parent / "models").glob("*.json")}
    seeds["conv"] = (b'{"schema":1,"layers":[{"conv":4,"kernel":3,"stride":1,"padding":1,"bias":false,'
                     b'"batch_norm":true},{"max_pool":2,"stride":2},8,"M"],"avgpool":7,"input":32,'
                     b'"classifier":[{"linear":5,"bias":true,"index":1}],"preprocess":{"resize":32,'
                     b'"crop":32,"mean":[0,0,0],"std":[1,1,1]},"labels":["a","b","c","d","\xc3\xa9"],'
                     b'"checkpoint":{"file":"x.pth","sha256_prefix":"01234567","bytes":100},'
                     b'"accuracy":{"acc@1":71.5,"acc@5":90}}')
    seeds["single"] = b'{"schema":1,"layers":[8,"M"],"classifier":5,"dropout":false}'
    seeds["escapes"] = b'{"schema":1,"name":"\\u0041\\ud83d\\ude00\\n","layers":[8],"classifier":1e0}'
    seeds["deep"] = b"[" * 900 + b"]" * 900
    return seeds


SCRIPT = """class Conv(Module):
  __parameters__ = ["weight", "bias", ]
  weight : Tensor
  stride : Final[Tuple[int, int]] = (2, 2)
  def forward(self: __torch__.Conv,
    input: Tensor) -> Tensor:
    weight = self.weight
    bias = self.bias
    return torch.conv2d(input, weight, bias, [2, 2], [0, 1], [1, 1], 1)
class Act(Module):
  def forward(self: __torch__.Act,
    input: Tensor) -> Tensor:
    _0 = __torch__.torch.nn.functional.leaky_relu
    return _0(input, 1.0000000000000001e-05, False, )
class Net(Module):
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
"""
SCRIPT_BODIES = {
    "chain": """    act = getattr(self, "act")
    conv = self.conv
    _0 = (act).forward((conv).forward(x, ), )
    input = torch.max_pool2d(_0, [2, 2], annotate(List[int], []), [0, 0], [1, 1])
    x0 = torch.view(input, [int(ops.prim.NumToTensor(torch.size(input, 0))), -1])
    return torch.softmax(torch.dropout(x0, 0.5, False), 1)
""",
    "branch": """    conv = self.conv
    y = torch.relu((conv).forward(x, ))
    conv2 = self.conv2
    return torch.add(y, (conv2).forward(y, ))
""",
    "conditions": """    training = self.training
    if training:
      y = torch.tanh(x)
    else:
      if torch.ne(torch.dim(x), 4):
        ops.prim.RaiseException(torch.format("{}", torch.dim(x)), "builtins.ValueError")
      else:
        pass
      y = torch.relu_(x)
    if torch.lt(torch.len(torch.size(x)), 2):
      _1 = True
    else:
      _1 = torch.__is__(y, None)
    return __torch__.user(y, slope=self.scale, )
def user(x: Tensor,
    slope: float=-0.5,
    names: Dict[str, Tensor]={"a": 1}) -> Tensor:
  a, b = torch.adaptive_max_pool2d(torch.leaky_relu(x, slope), [1, 1])
  return torch.squeeze(torch.squeeze(a, -1), -1)
""",
    "others": """    h = torch.slice(torch.size(x), 2)
    y = torch.avg_pool2d(x, h)
    z = torch.mean(torch.clamp(y, 0., 6.), [2, 3], True, dtype=None)
    _3 = torch.batch_norm(z, None, None, CONSTANTS.c0, CONSTANTS.c1, False, 0.1, 0.001, True)
    return torch.cat([_3, z], 1)
""",
    "loop": """    for i in range(3):
      x = torch.relu(x)
    return (x, self.sizes[1])
""",
}


def scripts():
    return {name: (SCRIPT + body).encode() for name, body in SCRIPT_BODIES.items()}


def packed_rows(width, height, depth, channels):
    row = (width * depth * channels + 7) // 8
    return b"".join(bytes([y % 5]) + bytes((y * 31 + i * 7) & 0xff for i in range(row))
                    for y in range(height))


def images():
    seeds = {}
    for name, color, channels, depths in (("gray", 0, 1, (1, 2, 4, 8, 16)), ("rgb", 2, 3, (8, 16)),
                                          ("palette", 3, 1, (1, 2, 4, 8)), ("gray-alpha", 4, 2, (8, 16)),
                                          ("rgba", 6, 4, (8, 16))):
        for depth in depths:
            chunks = [(b"PLTE", bytes(range(48)))] if color == 3 else []
            seeds[f"{name}-{depth}"] = writer.png(9, 7, packed_rows(9, 7, depth, channels), depth, color,
                                                  chunks=chunks)
    seeds["chunks"] = writer.png(3, 2, chunks=[(b"gAMA", b"\0\1\x86\xa0"), (b"tEXt", b"a\0b"),
                                               (b"iCCP", b"x\0\0" + zlib.compress(b"profile"))])
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (3, 2), (5, 2), (5, 2))  # of 5 x 5 pixels, about
    seeds["interlaced"] = writer.png(5, 5, b"".join(packed_rows(w, h, 8, 3) for w, h in passes),
                                     interlace=1)
    seeds.update({"jpeg-" + name: data for name, data in jpeg.samples().items()})
    return {name: data + b"\0" for name, data in seeds.items()}


TARGETS = {
    "pickle": pickles,
    "zip": zips,
    "legacy": lambda: containers(writer.legacy),
    "tar": tars,
    "safetensors": safetensors,
    "packed": packed,
    "scan": lambda: {**scan_files.pickles(), **scan_files.archives()},
    "script": scripts,
    "spec": specs,
    "image": images,
}


# ---- dictionaries ----

def pickle_words():
    """The opcodes, the allowed names and the words of state_dict.c, from the sources themselves."""
    names = (SOURCE / "checkpoint/pickle/globals.inc").read_text()
    for module, name in re.findall(r'^NAME\("([\w.]+)", "(\w+)"', names, re.MULTILINE):
        yield f"c{module}\n{name}\n".encode()
    for element in re.findall(r"^ELEMENT\((\w+)", names, re.MULTILINE):
        yield f"ctorch\n{element}Storage\n".encode()
        yield f"ctorch\n{element}Tensor\n".encode()
    for module in re.findall(r'^PACKAGE\("([\w.]+)"', names, re.MULTILINE):
        yield f"c{module}\nX\n".encode()
    for text in ("storage", "module", "cpu", "meta", "state_dict", "model", "weights", "_metadata",
                 "_modules", "_parameters", "_buffers", "features.0.weight", "features.0.bias",
                 "classifier.0.weight", "classifier.0.bias", "module.", "running_mean", "0", "1"):
        yield b"X" + struct.pack("<I", len(text)) + text.encode()
    tensor = writer.Pickle()
    tensor.out.clear()
    yield bytes(tensor.tensor({"key": "0", "shape": (2, 3)}).out)
    yield b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"
    yield b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\xff"


def zip_words():
    yield from (b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\10", b"/data.pkl", b"/data/0",
                b"archive/byteorder", b"archive/version", b"archive/.data/version", b"constants.pkl",
                b"little", b"big", b"\x08\x08\0\0", b"\x08\x08\x08\0", b"\xff\xff\xff\xff", b"FB", b"\1\0\x10\0")


def scan_words():
    yield from (b"cposix\nsystem\n", b"iposix\nsystem\n", b"\x8c\x05posix\x8c\x06system\x93", b"PK\7\10", b"ustar\x0000", b"\x93NUMPY\1\0",
                b"\x1f\x8b\x08", b"\x78\x9c", b"torch.from_file(", b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n", b"latin1", b"\\u0000",
                b"c_codecs\nencode\n", b"ctorch.storage\n_load_from_bytes\n", b"'|O'")


def json_words(*more):
    yield from (b'"', b"\\u", b"\\ud83d", b"[]", b"{}", b"null", b"true", b"false", b"-1", b"1e308", b":", b",")
    yield from (b'"' + word.encode() + b'"' for word in more)


def script_words():
    text = (SOURCE / "checkpoint/script/operations.c").read_text() + (SOURCE / "checkpoint/script/term.c").read_text()
    yield from (b"torch.", b"__torch__.", b"torch.nn.functional.", b"self.conv", b"self.act", b".forward(", b"return ",
                b"if ", b"else:\n", b"    ", b"def ", b"class ", b"True", b"None", b"CONSTANTS.c0", b"[2, 3]", b"=")
    yield from (word.encode() for word in sorted(set(re.findall(r'\{"([\w.]+)",', text))))


def spec_words():
    text = "".join((SOURCE / "model/spec" / name).read_text() for name in ("spec.c", "layers.c"))
    yield from json_words("M", *sorted(set(re.findall(r'\{"([\w@]+)", VGG_FIELD', text))))


DICTIONARIES = {
    "pickle": lambda: pickle_words(),
    "zip": lambda: [*zip_words(), *pickle_words()],
    "legacy": lambda: [writer.MAGIC, b"\x80\x02M\xe9\x03.", *pickle_words()],
    "tar": lambda: [b"ustar\x0000", b"ustar  \0", b"sys_info", b"pickle", b"tensors", b"storages",
                    b"path=", b"size=", *pickle_words()],
    "safetensors": lambda: json_words("__metadata__", "dtype", "shape", "data_offsets", "F32", "F64", "F16",
                                      "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"),
    "packed": lambda: json_words("tensors", "name", "dtype", "layout", "shape", "offset", "crc32", "F32", "BF16",
                                 "I8", "I32", "rows", "column-major", "int8", "int8-input", "layers", "low", "step",
                                 "scales", "direct", "winograd", "group", "channels", "m"),
    "scan": lambda: [*zip_words(), *pickle_words(), *scan_words()],
    "script": script_words,
    "spec": spec_words,
    "image": lambda: [b"\x89PNG\r\n\x1a\n", b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP", b"gAMA",
                        *(b"\xff" + bytes([marker]) for marker in (
                            0xc0, 0xc1, 0xc2, 0xc4, 0xd8, 0xd9, 0xda, 0xdb, 0xdd, 0xd0, 0xe0, 0xee)),
                        b"JFIF\0", b"Adobe\0"],
}


def write_all(folder):
    for target, make in TARGETS.items():
        corpus = folder / target
        corpus.mkdir(parents=True, exist_ok=True)
        for name, data in make().items():
            (corpus / name).write_bytes(data)
        words = ("".join(f"\\x{byte:02x}" for byte in word) for word in DICTIONARIES[target]())
        (folder / f"{target}.dict").write_text("".join(f'"{word}"\n' for word in words))


def replay(target, program):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for seed, data in TARGETS[target]().items():
            (folder / seed).write_bytes(data)
        return subprocess.run([program, name]).returncode


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--replay":
        sys.exit(replay(*sys.argv[2:]))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_all(pathlib.Path(sys.argv[1]))
