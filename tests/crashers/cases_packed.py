# SPDX-License-Identifier: MIT
"""Hostile packed files: row 31. Every one has right sums, unless they are what is wrong."""
import hashlib
import json
import struct

from case import Case
from writer import INT8_SPEC, PACKED_SPEC, PAGE, READY, int8_net, packed_net

WEIGHT, BIAS = "features_0_weight", "features_0_bias"


def bad(name, expects, **changes):
    return Case(31, f"{name}.vgg", packed_net(**changes), expects if isinstance(expects, tuple) else (expects,))


def headers():
    whole = packed_net()
    for cut in (8, 63, 64, PAGE - 1, PAGE, len(whole) - 1):
        yield Case(31, f"cut-at-{cut}.vgg", whole[:cut], ("truncated: ",))
    yield Case(31, "followed-by-a-byte.vgg", whole + b"x", ("does not fit its",))
    yield Case(31, "text-mode.vgg", whole.replace(b"\r\n", b"\n"), ("not a PyTorch checkpoint",))
    yield bad("version-0", "version 0, expected 2", header={"version": 0})
    yield bad("version-1", ("version 1, expected 2", "pack the model again"), header={"version": 1})
    yield bad("version-3", "version 3, expected 2", header={"version": 3})
    yield bad("header-crc", "header: expected CRC-32 00000000", header={"crc": 0})
    for name, field, value in (("page-of-0", "page", 0), ("page-of-64k", "page", 65536), ("reserved", "zero", 1),
                               ("offset-0", "offset", 0), ("offset-inside-a-page", "offset", PAGE + 4),
                               ("offset-of-2^64", "offset", 2**64 - PAGE), ("spec-of-2^64", "spec_bytes", 2**64 - 1),
                               ("directory-of-0", "directory_bytes", 0), ("directory-of-2^64", "directory_bytes", 2**64 - 1)):
        yield bad(name, "does not fit its", header={field: value})
    yield bad("file-of-2^64", "truncated: ", header={"file_bytes": 2**64 - 1})
    yield bad("smaller-file", "does not fit its", header={"file_bytes": 100})
    yield bad("spec-crc", "description: expected CRC-32", header={"spec_crc": 1})
    yield bad("directory-crc", "directory: expected CRC-32", header={"directory_crc": 1})
    yield bad("hidden-in-the-header", "expected zeros", page=b"PK\3\4")
    yield bad("huge-directory", "limit", directory=b" " * (17 << 20))


def directories():
    for name, text in (("none", b""), ("no-json", b"{"), ("list", b"[]"), ("null", b"null")):
        yield bad(f"directory-{name}", "directory: ", directory=text)
    yield bad("more-in-the-directory", "expected one key", directory={"tensors": [], "more": 1})
    yield bad("no-tensors", "expected the description after the tensors", directory={"tensors": []})
    yield bad("numbers-for-tensors", "name: expected a text", directory={"tensors": [1, 2]})
    yield bad("deep-directory", "deep", directory=b'{"tensors":' + b"[" * 100000)
    yield bad("many-tensors", "limit", directory=json.dumps({"tensors": [0] * 10001}).encode())
    for name, expects, change in (
            ("unknown-key", "unknown key", {"more": 1}), ("f99", 'dtype: expected a type such as "F32"', {"dtype": "F99"}),
            ("u32", 'dtype: expected a type such as "F32"', {"dtype": "U32"}),
            ("no-dtype", "dtype: expected", {"dtype": None}), ("number-for-dtype", "dtype: expected", {"dtype": 1}),
            ("wider", "expected CRC-32", {"dtype": "F64"}), ("integers", "expected floating-point", {"dtype": "I32"}),
            ("no-layout", 'layout: expected a layout such as "rows"', {"layout": None}),
            ("number-for-layout", "layout: expected", {"layout": 1}), ("other-layout", "layout: expected", {"layout": "rows2"}),
            ("columns-of-four-sides", "not possible for a tensor of F32 in layout column-major", {"layout": "column-major"}),
            ("columns-too-large", "expected its bytes at", {"layout": "column-major", "shape": [1, 2**40]}),
            ("columns-of-2^63", "not possible for a tensor of F32 in layout column-major", {"layout": "column-major", "shape": [2**52, 2**52]}),
            ("no-shape", "shape: expected", {"shape": None}),
            ("side-of-0", "shape: expected positive", {"shape": [0, 3]}),
            ("side-of-minus-1", "shape: expected positive", {"shape": [-1, 3]}),
            ("half-a-side", "shape: expected positive", {"shape": [1.5, 3]}),
            ("nine-sides", "up to 8 sides", {"shape": [1] * 9}),
            ("overflow", "not possible for a tensor of F32 in layout rows", {"shape": [2**53, 2**53]}),
            ("too-large", "expected its bytes at", {"shape": [2**40]}),
            ("offset-0", "expected its bytes at 4096", {"offset": 0}),
            ("offset-inside-a-page", "expected its bytes at 4096", {"offset": PAGE + 4}),
            ("offset-of-2^53", "expected its bytes at 4096", {"offset": 2**53}),
            ("offset-of-minus-1", "offset: expected", {"offset": -1}), ("no-crc", "crc32: expected", {"crc32": None}),
            ("crc-of-2^32", "crc32: expected", {"crc32": 2**32}), ("wrong-crc", "expected CRC-32 00000001", {"crc32": 1}),
            ("name-of-control", "not printable UTF-8", {"name": "a\nb"}), ("number-for-name", "name: expected a text", {"name": 3})):
        yield bad(f"tensor-{name}", expects, **{WEIGHT: change})
    columns = {"layout": "column-major", "dtype": "F16"}
    yield bad("short-columns", "expected CRC-32", classifier_0_weight={**columns, "data": b"\0\x34" * 1023})
    yield bad("long-columns", "expected its bytes at", classifier_0_weight={**columns, "data": bytes(2050 + PAGE)})
    yield bad("columns-of-one-side", "not possible for a tensor of F32 in layout column-major", classifier_0_bias={"layout": "column-major"})
    yield bad("columns-of-integers", "expected floating-point",
              classifier_0_weight={"layout": "column-major", "dtype": "I16", "data": bytes(2048)})
    yield bad("nan-in-columns", "classifier", classifier_0_weight={**columns, "data": b"\xff\x7f" * 1024})
    yield bad("infinity-in-columns", "expected finite numbers",
              classifier_0_weight={**columns, "data": b"\x00\x7c" * 1024})
    yield bad("same-name", "features.0.weight", **{BIAS: {"name": "features.0.weight"}})
    yield bad("other-name", "features.0.bias", **{BIAS: {"name": "features.0.bias2"}})
    yield bad("overlap", "expected its bytes at", **{BIAS: {"offset": PAGE}})


def prepacked():
    """Weights in the order of kernels, after the plain ones or instead of them."""
    direct = {"layout": "direct", "group": 8, "channels": 3, "floats": 216}
    winograd = {"layout": "winograd", "group": 8, "channels": 4, "m": 2, "floats": 16 * 8 * 4}
    none = "not possible for a tensor of F32 in layout"
    for name, expects, base, change in (
            ("no-group", "group: expected a positive", direct, {"group": None}),
            ("group-of-0", "group: expected a positive", direct, {"group": 0}),
            ("group-of-minus-1", "group: expected a positive", direct, {"group": -1}),
            ("half-a-group", "group: expected a positive", direct, {"group": 7.5}),
            ("group-of-2^31", "group: expected a positive", direct, {"group": 2**31}),
            ("group-of-2^30", none, direct, {"group": 2**30}),
            ("group-too-large", "expected its bytes at", direct, {"group": 2**28}),
            ("no-channels", "channels: expected a positive", direct, {"channels": None}),
            ("channels-of-0", "channels: expected a positive", direct, {"channels": 0}),
            ("channels-of-2^30", none, direct, {"channels": 2**30}),
            ("channels-too-large", "expected its bytes at", direct, {"channels": 2**28}),
            ("both-too-large", none, direct, {"channels": 2**28, "group": 2**28, "shape": [4, 3, 2**20, 2**20]}),
            ("direct-with-m", "m: unknown key", direct, {"m": 2}), ("unknown-key", "more: unknown key", direct, {"more": 1}),
            ("bf16", 'expected "F32", as for all', direct, {"dtype": "BF16"}),
            ("other-shape", "expected one shape", direct, {"shape": [8, 3, 3, 3]}),
            ("two-sides", none, direct, {"shape": [4, 27]}), ("no-square", none, direct, {"shape": [4, 3, 9, 1]}),
            ("wrong-crc", "expected CRC-32 00000001", direct, {"crc32": 1}),
            ("no-m", "m: expected a positive", winograd, {"m": None}), ("m-of-3", none, winograd, {"m": 3}),
            ("m-of-8", none, winograd, {"m": 8}), ("m-of-2^30", none, winograd, {"m": 2**30}),
            ("of-5x5", none, winograd, {"shape": [4, 3, 5, 5]}), ("fewer-channels", none, winograd, {"channels": 2}),
            ("another-offset", "expected its bytes at", winograd, {"offset": 4 * PAGE}),
            ("rows-with-group", "group: unknown key", {"layout": "rows", "floats": 108}, {"group": 8}),
            ("plain-twice", "the name is given twice", {"layout": "rows", "floats": 108}, {})):
        yield bad(f"ready-{name}", expects, ready=[{**base, **change}])
    yield bad("ready-of-a-bias", ("features.0.bias", "not possible for a tensor of F32 in layout direct"), **{
        BIAS: {"layout": "direct", "group": 8, "channels": 3}})
    yield bad("ready-of-a-matrix", "not possible for a tensor of F32 in layout direct", classifier_0_weight={
        "layout": "direct", "group": 8, "channels": 3})
    yield bad("ready-for-nobody", ("prepacked only for no CPU that this version knows", "--for any"), plain=False,
              ready=[{**direct, "group": 24, "floats": 648}])
    yield bad("ready-for-other-blocks", "prepacked only for no CPU", plain=False, ready=[{**direct, "channels": 5, "floats": 360}])
    yield bad("ready-as-another-form", "prepacked only for no CPU", plain=False, ready=[winograd])
    yield bad("ready-of-two-shapes", "expected one shape", **{BIAS: {
        "name": "features.0.weight", "shape": [1, 1, 1, 1], "layout": "direct", "group": 4, "channels": 1}})
    yield bad("ready-elsewhere", "the name is given twice", classifier_0_bias={
        "name": "features.0.weight", "shape": [1, 1, 1, 1], "layout": "direct", "group": 5, "channels": 1})
    yield bad("ready-then-plain", "the name is given twice", plain=False, ready=[
        *READY, {"layout": "rows", "floats": 108}])


def descriptions():
    yield bad("spec-none", "not JSON", spec=b"")
    yield bad("spec-no-json", "not JSON", spec=b"\0\1\2")
    yield bad("spec-unknown-key", "more", spec={**PACKED_SPEC, "more": 1})
    yield bad("spec-of-schema-3", "schema: expected 2", spec={**PACKED_SPEC, "schema": 3})
    yield bad("spec-of-another-net", "missing", spec={**PACKED_SPEC, "layers": [4, 4, "M"]})
    yield bad("spec-of-other-shapes", "features.0.weight: expected", spec={**PACKED_SPEC, "layers": [5, "M"]})
    yield bad("spec-of-17-mb", "limit", spec=b" " * (17 << 20))


def assumptions():
    """The properties that the packed file's net assumes."""
    def assume(name, expects, *entries, **more):
        return Case(31, f"assumed-{name}.vgg", packed_net(spec={**PACKED_SPEC, "assumed": list(entries)}), (expects,), **more)

    one = {"property": "padding", "value": "1"}
    for name, expects, entries in (
            ("none", "assumed: expected a list that is not empty", ()),
            ("text", "assumed[0]: expected an object", ("padding",)), ("null", "assumed[0]: expected an object", (None,)),
            ("no-value", "assumed[0].value: the key is missing", ({"property": "padding"},)),
            ("no-property", "assumed[1].property: the key is missing", (one, {"value": "1"})),
            ("number", "assumed[0].value: expected a text", ({**one, "value": 1},)),
            ("list-for-why", "assumed[0].why: expected a text", ({**one, "why": []},)),
            ("number-for-alternatives", "assumed[0].alternatives: expected a text", ({**one, "alternatives": 3},)),
            ("source", "assumed[0].source: unknown key", ({**one, "source": "user"},)),
            ("twice", "assumed[1]: the property is given twice", (one, one)),
            ("long-text", "assumed[0].why: 100000 bytes, limit is 8192", ({**one, "why": "x" * 100000},)),
            ("many", "assumed: 2001 entries, limit is 2000", ({**one, "property": str(i)} for i in range(2001))),
            ("a-million", "limit", [0] * 1000000)):
        yield assume(name, expects, *entries)
    yield bad("assumed-object", "assumed: expected a list", spec={**PACKED_SPEC, "assumed": one})
    yield bad("assumed-pool-of-1", "average_pool_assumed: expected true or false",
              spec={**PACKED_SPEC, "average_pool_assumed": 1})
    yield assume("strict", "padding 1", one, args=("--strict",))
    yield assume("unknown-strict", "no such property x", {"property": "no such property", "value": "x"}, args=("--strict",))
    full = ({"property": f"{i} {'p' * 4000}", "value": "v" * 4000} for i in range(100))
    yield assume("full-strict", "would be assumed", *full, args=("--strict",))


def int8():
    def bad_int8(name, expects, code=3, args=(), spec=(), **changes):
        return Case(31, f"int8-{name}.vgg", int8_net(spec={**INT8_SPEC, "int8": {**INT8_SPEC["int8"], **dict(spec)}},
                                                     **changes), (expects,), args, code=code)

    yield Case(31, "int8-good.vgg", int8_net(), (), code=0)
    for name, expects, change in (
            ("low-of-text", "int8.low: expected", {"low": "a"}), ("two-steps", "int8.step: expected", {"step": [1, 1]}),
            ("step-of-0", "int8.step: expected a number from", {"step": [0, 1, 1]}),
            ("step-of-minus-1", "int8.step: expected a number from", {"step": [-1, 1, 1]}),
            ("low-of-1e300", "int8.low: expected a number from", {"low": [1e300, 0, 0]}),
            ("no-scales", "int8.scales: expected a list of 1", {"scales": []}),
            ("two-scales", "int8.scales: expected a list of 1", {"scales": [1, 1]}),
            ("scale-of-0", "int8.scales[0]: expected", {"scales": [0]}),
            ("scale-of-1e-40", "int8.scales[0]: expected", {"scales": [1e-40]}),
            ("scale-of-text", "int8.scales[0]: expected", {"scales": ["1"]}),
            ("more-keys", "int8.more: unknown key", {"more": 1})):
        yield bad_int8(name, expects, spec=change)
    yield Case(31, "int8-of-float32.vgg", packed_net(spec=INT8_SPEC), ("expected int8 in the layout int8-input",))
    yield Case(31, "int8-without-scales.vgg", int8_net(spec=PACKED_SPEC), ("expected floating-point numbers, got int8",))
    yield bad_int8("other-description", "have a description of their own", args=("--cfg", "4,M"))
    yield bad_int8("dense", "dense evaluation: expected float32", args=("--dense",))
    weight, bias = "features_0_weight", "features_0_bias"
    for name, expects, tensor, change in (
            ("weights-in-rows", "expected int8 in the layout int8-input", weight, {"layout": "rows", "data": bytes(4 * 27)}),
            ("weights-of-64", "expected int8 in the layout int8-input", weight, {"layout": "int8", "data": bytes(16 * 64 * 9)}),
            ("weights-too-short", "expected CRC-32", weight, {"data": bytes(16 * 9)}),
            ("input-of-5", "not possible for a tensor of I8 in layout int8-input", weight, {"shape": [4, 5, 3, 3]}),
            ("three-sides", "not possible for a tensor of I8 in layout int8-input", weight, {"shape": [4, 3, 9]}),
            ("one-side", "not possible for a tensor of I8 in layout int8", weight, {"layout": "int8", "shape": [4]}),
            ("side-of-2^50", "not possible for a tensor of I8 in layout int8", weight, {"layout": "int8", "shape": [2**50, 2**50]}),
            ("float-bias", "features.0.bias: expected int32", bias, {"dtype": "F32"}),
            ("bias-of-64-bits", "features.0.bias: expected int32", bias, {"dtype": "I64", "data": bytes(32)})):
        yield bad_int8(name, expects, **{tensor: change})
    # What only a run needs is looked at when it is made.
    for name, expects, tensor, data in (
            ("bias-of-2^30", "features.0.bias: expected integers up to", bias, struct.pack("<4i", 0, 0, 1 << 30, 0)),
            ("bias-of-minus-2^31", "features.0.bias: expected integers up to", bias, struct.pack("<4i", 0, 0, -1 << 31, 0)),
            ("sum-of-2^31", "weight_sum: expected integers up to 4608", "features_0_weight_sum", b"\xff\xff\xff\x7f" * 4),
            ("scale-of-nan", "weight_scale: expected finite", "features_0_weight_scale", struct.pack("<4f", *[float("nan")] * 4)),
            ("weight-scale-of-0", "between sums and results", "features_0_weight_scale", bytes(16)),
            ("weight-scale-of-1e38", "between sums and results", "classifier_0_weight_scale", struct.pack("<5f", *[1e38] * 5))):
        yield bad_int8(name, expects, **{tensor: {"data": data}})
    for side, expects in ((91, "sums of 33124 products could exceed 32 bits"), (200, "could exceed 32 bits")):
        spec = {**INT8_SPEC, "layers": [{"conv": 4, "kernel": side}, "M"]}
        yield Case(31, f"int8-kernel-of-{side}.vgg", int8_net(spec=spec, features_0_weight={
            "shape": [4, 3, side, side], "data": bytes(16 * 4 * side * side)}), (expects,))
    lrn = {**INT8_SPEC, "layers": [4, {"lrn": 5}, "M"]}
    yield Case(31, "int8-lrn.vgg", int8_net(spec=lrn), ("LocalResponseNorm) in an int8 net: not supported",))


def two_nets():
    """All checksums agree, but prepacked weights are not the plain ones, and sums not those of the weights."""
    winograd = {"layout": "winograd", "group": 8, "channels": 4, "m": 2, "floats": 16 * 8 * 4}
    for name, ready in (("direct", READY[:1]), ("direct-16", READY[1:2]), ("winograd", (winograd,))):
        expects = f"features.0.weight: the weights prepacked as {name.split('-')[0]} for groups of {ready[0]['group']} are not the plain ones"
        yield Case(31, f"two-nets-{name}.vgg", packed_net(ready=ready), (expects,), ("--verify",))
    yield Case(31, "two-nets-int8.vgg", int8_net(), ("features.0.weight_sum: expected", "the sum of the weights, found 0"), ("--verify",))
    alone = packed_net(ready=READY, plain=False)
    yield Case(31, f"alone-{hashlib.sha256(alone).hexdigest()[:8]}.vgg", alone,
               ("3 prepacked weights not compared: there are no plain ones",), ("--verify",), code=0)


def cases():
    for part in (headers, directories, prepacked, descriptions, assumptions, int8, two_nets):
        yield from part()
