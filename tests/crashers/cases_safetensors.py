# SPDX-License-Identifier: MIT
"""Hostile safetensors files: row 29."""
import json
import struct

from case import Case
from writer import safetensors, safetensors_header, safetensors_net


def changed(name, expects, **changes):
    return Case(29, f"{name}.safetensors", safetensors_net(**changes), expects if isinstance(expects, tuple) else (expects,))


def lengths():
    header, size = safetensors_header()
    text, data = json.dumps(header).encode(), bytes(size)
    for name, length in (("2^63", 1 << 63), ("2^64", 2**64 - 1), ("0", 0), ("1", 1), ("100-mb", 100000001)):
        yield Case(29, f"header-of-{name}.safetensors", safetensors(text, data, length=length),
                   (f"safetensors header of {length} bytes, expected 2 to 100000000",))
    for name, length, expects in (("past-the-end", len(text) + size + 1, "truncated: "), ("one-too-many", len(text) + 1, "not JSON"),
                               ("one-too-few", len(text) - 1, "not JSON")):
        yield Case(29, f"header-of-{name}.safetensors", safetensors(text, data, length=length), (expects,))
    whole = safetensors(text, data, length=len(text))
    for cut in (20, len(text), len(text) + 7, len(whole) - 1):
        yield Case(29, f"cut-at-{cut}.safetensors", whole[:cut], ("truncated: ",))
    yield Case(29, "cut-at-9.safetensors", whole[:9], ("not a PyTorch checkpoint",))
    yield Case(29, "followed-by-a-byte.safetensors", safetensors(header, data + b"x"),
               ("1 bytes after the last tensor, expected the end of the file",))
    yield Case(29, "followed-by-a-zip.safetensors", safetensors(header, data + b"PK\3\4" + bytes(100)),
               ("104 bytes after the last tensor",))

    def large(path):
        many = {f"tensor.{i:08}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(300000)}
        path.write_bytes(safetensors(many, b""))
    yield Case(29, "header-of-20-mb.safetensors", large, ("header", "limit is 16777216"))

    def many(path):
        entries = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(10001)}
        path.write_bytes(safetensors(entries, b""))
    yield Case(29, "too-many-tensors.safetensors", many, ("limit",))


def json_tricks():
    header, size = safetensors_header()
    data = bytes(size)
    text = json.dumps(header)
    for name, mark in (("lists", "["), ("objects", '{"a":')):
        deep = '{"a":' + mark * 100000
        yield Case(29, f"deep-{name}.safetensors", safetensors(deep.encode(), data), ("deep",))
    closed = '{"a":' + "[" * 20000 + "]" * 20000 + "}"
    yield Case(29, "deep-and-closed.safetensors", safetensors(closed.encode(), data), ("deep",))
    yield Case(29, "name-twice.safetensors", safetensors((text[:-1] + ',"features.0.bias":' + json.dumps(
        header["features.0.bias"]) + "}").encode(), data), ("features.0.bias", "twice"))
    yield Case(29, "field-twice.safetensors", safetensors(text.replace(
        '"dtype": "F32"', '"dtype": "F32", "dtype": "F64"', 1).encode(), data), ("dtype", "twice"))
    yield Case(29, "field-escaped.safetensors", safetensors(text.replace(
        '"dtype": "F32"', '"dtype": "F32", "d\\u0074ype": "F64"', 1).encode(), data), ("dtype", "twice"))
    for name, key, expects in (("nul", "features.0\\u0000.bias", "not JSON"), ("lone-surrogate", "\\ud800", "not JSON"),
                            ("newline", "features.0\\n.bias", "not printable UTF-8"),
                            ("escape", "\\u001b[2J", "not printable UTF-8"), ("invalid-utf-8", "\udcff", "not printable UTF-8")):
        broken = text.replace("features.0.bias", key, 1).encode("utf-8", "surrogateescape")
        yield Case(29, f"name-with-{name}.safetensors", safetensors(broken, data), (expects,))
    for name, value in (("list", "[]"), ("text", '"x"'), ("null", "null"), ("number", "1")):
        yield Case(29, f"entry-is-{name}.safetensors", safetensors(
            (text[:-1] + f',"x":{value}' + "}").encode(), data), ("x: expected an object",))
        yield Case(29, f"metadata-is-{name}.safetensors", safetensors(
            (text[:-1] + f',"__metadata__":{value}' + "}").encode(), data), ("__metadata__: expected an object",))
    yield Case(29, "metadata-of-numbers.safetensors", safetensors(
        {"__metadata__": {"a": 1}, **header}, data), ("__metadata__: a: expected a text",))
    yield Case(29, "not-json.safetensors", safetensors(b'{"features' + bytes(50), data), ("not JSON",))
    yield Case(29, "two-documents.safetensors", safetensors(text.encode() + b"{}", data), ("not JSON",))
    yield Case(29, "unknown-field.safetensors", safetensors(text.replace(
        '"dtype"', '"strides": [1], "dtype"', 1).encode(), data), ("strides: unknown key",))
    yield Case(29, "no-shape.safetensors", safetensors(text.replace('"shape"', '"shapes"', 1).encode(), data),
               ("shapes: unknown key",))


def places():
    hole = "after a hole"
    bias = "features_0_bias"
    yield changed("overlapping", ("features.0.bias: expected its data at 432, found it at 400", "inside another tensor"),
                  **{bias: {"data_offsets": [400, 416]}})
    yield changed("same-place", "inside another tensor", **{bias: {"data_offsets": [0, 16]}})
    yield changed("hole", hole, classifier_0_weight={"data_offsets": [452, 772]}, classifier_0_bias={"data_offsets": [772, 792]})
    yield changed("hole-in-front", hole, features_0_weight={"data_offsets": [4, 436]}, **{bias: {"data_offsets": [436, 452]}})
    disagree = "do not agree with its shape and dtype"
    for name, offsets in (("end-before-begin", [448, 432]), ("too-short", [432, 444]), ("too-long", [432, 452]),
                          ("empty", [432, 432])):
        yield changed(name, "features.0.bias: data_offsets " + " … ".join(map(str, offsets)) + " " + disagree,
                      **{bias: {"data_offsets": offsets}})
    for name, offsets in (("negative", [-16, 0]), ("fraction", [432.5, 448.5]), ("2^60", [1 << 60, (1 << 60) + 16]),
                          ("text", ["432", "448"]), ("null", [None, None])):
        yield changed(f"offsets-{name}", "features.0.bias: data_offsets", **{bias: {"data_offsets": offsets}})
    for name, offsets in (("one", [432]), ("three", [432, 448, 448]), ("none", []), ("object", {})):
        yield changed(f"{name}-offsets", "features.0.bias: data_offsets: expected a list of two", **{bias: {"data_offsets": offsets}})
    yield changed("offsets-past-the-file", "truncated: ", classifier_0_bias={"data_offsets": [768, 768 + 40], "shape": [10]})


def shapes():
    bias = "features_0_bias"
    for name, shape in (("overflows", [1 << 32, 1 << 32]), ("overflows-with-a-zero", [1 << 52, 1 << 52, 0]), ("huge", [1 << 53]),
                        ("of-another-size", [5]), ("empty", [])):
        yield changed(f"shape-{name}", "features.0.bias: data_offsets", **{bias: {"shape": shape}})
    for name, shape in (("negative", [-4]), ("fraction", [4.5]), ("text", ["4"]), ("2^64", [1 << 64]), ("number", 4),
                        ("nested", [[4]])):
        yield changed(f"shape-{name}", "features.0.bias: shape: expected", **{bias: {"shape": shape}})
    yield changed("nine-dimensions", "9 dimensions, at most 8 are supported", **{bias: {"shape": [1] * 8 + [4]}})
    yield changed("many-dimensions", "dimensions, at most 8 are supported", **{bias: {"shape": [1] * 30}})
    for name, dtype in (("unknown", "F33"), ("lower-case", "f32"), ("empty", "")):
        yield changed(f"dtype-{name}", "features.0.bias: unknown dtype", **{bias: {"dtype": dtype}})
    for name, dtype in (("number", 1), ("null", None), ("list", ["F32"])):
        yield changed(f"dtype-{name}", "features.0.bias: dtype: expected a text", **{bias: {"dtype": dtype}})
    yield changed("dtype-of-another-size", "features.0.bias: data_offsets", **{bias: {"dtype": "F64"}})
    yield changed("complex", "features.0.bias", **{bias: {"dtype": "C64", "shape": [2]}})
    header, size = safetensors_header()
    one = {"features.0.weight": header["features.0.weight"]}
    yield Case(29, "one-tensor.safetensors", safetensors(one, bytes(432)), ("expected a classifier",))
    yield Case(29, "no-tensors.safetensors", safetensors({}, b""), ("no tensors",))
    nan = struct.pack(f"<{size // 4}f", *([0.5] * (size // 4 - 1)), float("nan"))
    yield Case(29, "nan.safetensors", safetensors(header, nan), ("classifier.0.bias: ",))


def cases():
    for part in (lengths, json_tricks, places, shapes):
        yield from part()
