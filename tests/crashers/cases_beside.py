# SPDX-License-Identifier: MIT
"""Row 32: hostile files beside a checkpoint: the index of shards, and config.json."""
import json

from case import Case
from writer import NET, PACKED_SPEC, packed_net, safetensors, safetensors_header, zip_net


def shard():
    header, size = safetensors_header()
    return safetensors(header, bytes(size))


def text_of(value):
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def indices():
    """A shard, whose tensors are the whole net, and an index that has more."""
    name_error = "expected the name of a file in the same folder"
    for name, more, expects in (
            ("parent", "../other.safetensors", name_error), ("absolute", "/dev/zero", name_error), ("long-name", "a" * 300, name_error),
            ("hidden", ".a", name_error), ("number", 7, name_error)):
        own = f"{name}-00001-of-00002.safetensors"
        index = {"weight_map": {**{tensor: own for tensor in NET}, "x": more}}
        yield Case(32, own, shard(), (expects,), beside={f"{name}.safetensors.index.json": text_of(index)})
    for name, more, expects in (("missing", "other.safetensors", "cannot open"), ("itself", "itself.index.json", "expected a checkpoint")):
        yield Case(32, f"{name}.index.json", text_of({"weight_map": {**{tensor: "a.st" for tensor in NET}, "x": more}}), (expects,),
                   beside={"a.st": shard()})
    for name, index, expects in (
            ("deep", '{"weight_map": ' + "[" * 100000, "deep"), ("empty", "", "not JSON"), ("list", [], "has no weight_map"),
            ("nul", '{"weight_map": {"a": "a\\u0000b"}}', "not JSON"), ("newline", '{"weight_map": {"a": "a\\nb"}}', name_error),
            ("map-twice", '{"weight_map": {}, "weight_map": {}}', "twice"), ("name-twice", '{"weight_map": {"a": "b", "a": "b"}}', "twice"),
            ("many-tensors", {"weight_map": {f"t{i}": "s" for i in range(200000)}}, "more JSON values than the limit"),
            ("many-shards", {"weight_map": {f"t{i}": f"s{i}" for i in range(9000)}}, "more shards than the limit of 256"),
            ("large", " " * (20 << 20), "larger than the limit")):
        yield Case(32, f"{name}-00001-of-00002.safetensors", shard(), (expects,),
                   beside={f"{name}.safetensors.index.json": text_of(index)})
    yield Case(32, "alone-00001-of-00002.safetensors", shard(), ("is not beside it",))
    both = {**{tensor: "a.st" for tensor in NET}, "classifier.0.bias": "b.st"}
    yield Case(32, "overlap.index.json", text_of({"weight_map": both}), ("the name is given twice",), beside={"a.st": shard(), "b.st": shard()})


def configs():
    """What is wrong with them is reported; the net can do without."""
    for name, config, expects in (
            ("deep", "[" * 100000, "deep"), ("large", " " * (2 << 20), "larger than the limit"), ("binary", "\0\1\2", "not JSON"),
            ("many", {"label_names": ["a"] * 300000}, "limit"),
            ("escape", {"label_names": ["\x1b[2J", "b", "c", "d", "e"]}, "name 0 holds a control character"),
            ("numbers", {"id2label": {str(2**53 + i): "a" for i in range(5)}}, "class names not used"),
            ("size", {"pretrained_cfg": {"input_size": [3, 65535, 65535], "crop_pct": 1}}, "not used")):
        yield Case(32, f"config-{name}.zip", zip_net(), (expects,), code=0, beside={"config.json": text_of(config)})
    for name, config in (("tiny-part", {"pretrained_cfg": {"input_size": [3, 8, 8], "crop_pct": 1e-300, "mean": [1e308] * 2}}),
                         ("null", "null"), ("nan", {"pretrained_cfg": {"crop_pct": -1, "input_size": [3, -1, 1.5]}})):
        yield Case(32, f"config-{name}.zip", zip_net(), (), code=0, beside={"config.json": text_of(config)})


def huge_inputs():
    """A description that comes with the file says how large images are: gigabytes of activations for a few bytes."""
    expects = ("needs more memory for activations than the limit of 40 MB for a size that nobody asked for", "--size")
    size = {**PACKED_SPEC, "input": 4000}
    by_resize = {**PACKED_SPEC, "preprocess": {"mean": [0, 0, 0], "std": [1, 1, 1], "resize": 4000, "crop": 0}}
    for name, spec, code in (("input", size, 3), ("resize", by_resize, 1)):
        yield Case(32, f"huge-{name}.vgg", packed_net(spec=spec), expects, code=code)
        yield Case(32, f"huge-{name}.zip", zip_net(), expects, code=code, beside={f"huge-{name}.json": text_of(spec)})


def cases():
    yield from indices()
    yield from configs()
    yield from huge_inputs()
