# SPDX-License-Identifier: MIT
"""Hostile storages, tensors and state dicts: rows 8 to 10, 19, 20 and 27."""
import struct

from case import Case
from writer import (NET_BN, legacy, legacy_net, members_of, net, net_pickle,
                    values_of, zip_archive, zip_net)

HUGE = 1 << 62


def in_both(row, name, tensors, *expects, args=(), beside=None):
    for kind, write in (("zip", zip_net), ("legacy", legacy_net)):
        yield Case(row, f"{name}.{kind}", write(tensors), expects, args, beside or {})


def sizes():
    """Row 8: the storage has another size than the pickle claims."""
    tensors = net()
    values = values_of(tensors)
    for name, data in (("shorter", values["0"][:-4]), ("much-shorter", b""), ("longer", values["0"] + bytes(4)),
                       ("by-one-byte", values["0"][:-1])):
        yield Case(8, f"record-{name}.zip", zip_archive(members_of(net_pickle(), {**values, "0": data})),
                   ("storage 0: expected 432 bytes (108 x Float), found " + str(len(data)),))
    for name, count in (("more", 109), ("less", 107), ("none", 0), ("negative", -1), ("huge", HUGE)):
        yield Case(8, f"header-counts-{name}.legacy", legacy(net_pickle(), values, counts={"0": count}),
                   ("storage 0: expected 108 elements, found",))
    for name, count in (("2^40", 1 << 40), ("2^61", 1 << 61)):
        tensors = net(features_0_weight={"count": count})
        yield Case(8, f"storage-of-{name}.zip", zip_net(tensors), ("storage 0: expected ", "found 432"))
        yield Case(8, f"storage-of-{name}.legacy", legacy_net(tensors), ("truncated: ",))
    shape = net(features_0_weight={"shape": (4, 3, 3, 4)})
    values = {**values_of(net())}
    yield Case(8, "tensor-larger-than-its-record.zip", zip_archive(members_of(net_pickle(shape), values)),
               ("storage 0: expected 576 bytes",))


def geometry():
    """Row 9: sizes, strides and offsets."""
    bad = ": features.0.weight: bad tensor: "
    outside = bad + "elements outside its storage of 108 elements"
    for name, fields, expects in (
            ("offset-negative", {"offset": -1}, bad + "the offset is negative"),
            ("offset-huge", {"offset": HUGE}, outside),
            ("offset-one-too-many", {"offset": 1}, outside),
            ("offset-is-a-long", {"offset": 1 << 70}, bad + "the offset is negative or not an integer"),
            ("size-negative", {"shape": (4, 3, 3, -3), "count": 108}, bad + "size 3 is negative"),
            ("size-huge", {"shape": (HUGE, 3, 3, 3), "count": 108, "stride": (0, 9, 3, 1)}, bad),
            ("size-overflows", {"shape": (1 << 32, 1 << 32, 1, 1), "count": 108, "stride": (0, 0, 0, 0)}, bad),
            ("size-of-1e9-with-stride-0", {"shape": (4, 3, 16777216, 64), "count": 108, "stride": (0, 0, 0, 0)},
             ": features.0.weight: "),
            ("size-is-a-long", {"shape": (1 << 70, 3, 3, 3), "count": 108, "stride": (0, 9, 3, 1)}, bad),
            ("stride-negative", {"stride": (27, 9, 3, -1)}, bad + "stride 3 is negative"),
            ("stride-huge", {"stride": (HUGE, 9, 3, 1)}, outside),
            ("stride-one-too-many", {"stride": (28, 9, 3, 1)}, outside),
            ("stride-overflows", {"stride": (1 << 63 - 1, 1 << 62, 3, 1)}, bad),
            ("fewer-strides", {"stride": (27, 9, 3)}, bad + "4 sizes and 3 strides"),
            ("more-strides", {"stride": (27, 9, 3, 1, 1)}, bad + "4 sizes and 5 strides"),
            ("nine-dimensions", {"shape": (1,) * 9, "count": 108}, "9 dimensions, at most 8 are supported"),
            ("ten-thousand-dimensions", {"shape": (1,) * 9000, "count": 108}, "9000 dimensions, at most 8"),
            ("empty-outside", {"shape": (0, 3, 3, 3), "count": 108, "offset": 109}, bad + "offset outside its storage")):
        values = {**values_of(net())}
        pickle = net_pickle(net(features_0_weight=fields))
        yield Case(9, f"{name}.zip", zip_archive(members_of(pickle, values)), (expects,))
        yield Case(9, f"{name}.legacy", legacy(pickle, values), (expects,))
    # Each is well inside its storage; together they would be 2 GB of weights.
    wide = net(classifier_0_weight={"shape": (1 << 20, 1024), "stride": (0, 0), "count": 80},
               classifier_0_bias={"shape": (1 << 20,), "stride": (0,), "count": 5},
               features_0_weight={"shape": (1024, 3, 3, 3), "stride": (0, 9, 3, 1), "count": 108},
               features_0_bias={"shape": (1024,), "stride": (0,), "count": 4})
    values = {**values_of(net())}
    yield Case(9, "stride-0-linear-of-4g.zip", zip_archive(members_of(net_pickle(wide), values)),
               ("classifier.0.weight",))
    yield Case(9, "stride-0-linear-of-4g.legacy", legacy(net_pickle(wide), values), ("classifier.0.weight",))


def keys():
    """Row 10: storages that are spoken of in two ways."""
    values = values_of(net())
    yield from in_both(10, "one-key-two-types", net(features_0_bias={"key": "0", "type": "Double", "count": 54}),
                       "storage 0 is both 108 x Float and 54 x Double")
    yield from in_both(10, "one-key-two-counts", net(features_0_bias={"key": "0", "count": 4}),
                       "storage 0 is both", "4 x Float")
    view = "features_0_bias"
    for name, code in (("outside", b"(U\1vK\2K\3t"), ("at-the-end", b"(U\1vK\5K\0t"), ("of-2^62", b"(U\1v\x8a\x08" + struct.pack(
            "<q", HUGE) + b"K\1t"), ("overflowing", b"(U\1v\x8a\x08" + struct.pack("<q", 2**63 - 1) + b"\x8a\x08"
                                     + struct.pack("<q", 2**63 - 1) + b"t")):
        yield from in_both(10, f"view-{name}", net(**{view: {"view": code}}), "storage v: view of elements", "exceeds its 4 elements")
    for name, code in (("of-two", b"U\1vK\0\x86"), ("a-number", b"K\1"), ("negative", b"(U\1vJ\xff\xff\xff\xffK\1t"),
                       ("text-offset", b"(U\1vU\1xK\1t"), ("list", b"](U\1vK\0K\1e")):
        yield from in_both(10, f"view-{name}", net(**{view: {"view": code}}), "expected a view (key, offset, count)")
    yield from in_both(10, "tensor-outside-its-view", net(**{view: {"view": b"(U\1vK\1K\3t"}}),
                       ": features.0.bias: bad tensor: elements outside its storage of 3 elements")
    yield Case(10, "key-not-in-the-archive.zip", zip_archive(members_of(net_pickle(), {k: values[k] for k in "023"})),
               ("storage 1 is not in the archive",))
    yield Case(10, "key-not-listed.legacy", legacy(net_pickle(), {k: values[k] for k in "023"}),
               ("storage keys: expected a list of 4, found a list of 3",))
    yield Case(10, "key-listed-twice.legacy", legacy(net_pickle(), values, keys=list("0112")) + bytes(100),
               ("storage keys: 1 is listed twice",))
    yield Case(10, "key-of-no-tensor.legacy", legacy(net_pickle(), {**values, "9": bytes(4)}, keys=list("0129")) + bytes(100),
               ("storage keys: 9 belongs to no tensor",))
    yield Case(10, "one-key-too-many.legacy", legacy(net_pickle(), {**values, "9": bytes(4)}),
               ("storage keys: expected a list of 4, found a list of 5",))
    yield Case(10, "keys-are-a-dict.legacy", legacy(net_pickle(), {}, keys=[])[:-6] + b"\x80\2}.",
               ("storage keys: expected a list of 4, found a dict of 0",))
    yield Case(10, "keys-are-numbers.legacy", legacy(net_pickle(), {}, keys=[])[:-6] + b"\x80\2](K\0K\1K\2K\3e." + bytes(2000),
               ("storage keys: expected texts, found an integer",))


def cuts():
    """Rows 19 and 20: files that end early, and files that go on. Every byte of them is cut by
    damage.c; here are the places that matter."""
    tensors = net(NET_BN)
    for kind, data in (("zip", zip_net(tensors)), ("legacy", legacy_net(tensors))):
        for name, size in (("half", len(data) // 2), ("last-byte", len(data) - 1), ("first-100", 100),
                           ("first-10", 10), ("first-1", 1)):
            expects = "the beginning of a pickle" if kind == "legacy" and size < 17 else "truncated"
            if kind == "zip" and size == 1:
                expects = "not a PyTorch checkpoint"
            yield Case(19, f"cut-{name}.{kind}", data[:size], (expects,))
    legacy_data = legacy_net()
    yield Case(19, "cut-inside-a-storage.legacy", legacy_data[:-70], (f"truncated: {len(legacy_data) - 70} of {len(legacy_data)} bytes",))
    yield Case(19, "cut-inside-a-count.legacy", legacy_data[:-25], ("truncated: ",))
    for name, tail in (("a-byte", b"\n"), ("a-pickle", b"\x80\2cposix\nsystem\n."), ("an-archive", zip_net()),
                       ("a-stream", legacy_net()), ("a-gigabyte", None)):
        size = len(tail) if tail else 1 << 30
        for kind, data, what in (("zip", zip_net(), "zip archive's end"), ("legacy", legacy_net(), "last storage")):
            def write(path, data=data, tail=tail):
                with open(path, "wb") as file:
                    file.write(data + (tail or b""))
                    file.truncate(len(data) + (len(tail) if tail else 1 << 30))
            expects = (f"{size} bytes after the {what}",)
            if kind == "zip" and name in ("an-archive", "a-gigabyte"):
                expects = ("zip",) if name == "an-archive" else ("truncated: ",)
            yield Case(20, f"followed-by-{name}.{kind}", write, expects)
    yield Case(20, "preceded-by-a-byte.zip", b"\n" + zip_net(), ("not a PyTorch checkpoint",))
    yield Case(20, "preceded-by-a-script.zip", b"#!/bin/sh\nexit\n" + zip_net(), ("not a PyTorch checkpoint",))
    yield Case(20, "pickle-with-a-tail.zip", zip_net(pickle=net_pickle() + b"\x80\2."), ("data.pkl: 3 bytes after the pickle's end",))


def contents():
    """Row 27: the file is well formed, what it holds is not of use."""
    yield from in_both(27, "on-meta", net(features_0_weight={"location": "meta"}),
                       ": features.0.weight: a tensor on the device 'meta' has no data")
    for name, code in (("neg", b"}U\3neg\x88s"), ("conj", b"}U\4conj\x88s"), ("a-text", b"U\3neg")):
        yield from in_both(27, f"metadata-{name}", net(features_0_weight={"tail": code}),
                           "features.0.weight: a conjugated or negated view is not supported")
    for name, value in (("nan", float("nan")), ("inf", float("inf")), ("minus-inf", -float("inf"))):
        for tensor, count, at in (("features.0.weight", 108, 107), ("classifier.0.weight", 80, 79),
                                  ("features.0.bias", 4, 3), ("classifier.0.bias", 5, 0)):
            values = [0.125] * count
            values[at] = value
            fields = {tensor.replace(".", "_"): {"values": struct.pack(f"<{count}f", *values)}}
            yield from in_both(27, f"{name}-in-{tensor}", net(**fields), f"{tensor}: ")
    for name, tensor, values in (("negative-variance", "running_var", (1, 1, -1, 1)),
                                 ("nan-variance", "running_var", (1, float("nan"), 1, 1)),
                                 ("infinite-mean", "running_mean", (1, 1, 1, float("inf"))),
                                 ("nan-scale", "weight", (1, 1, 1, float("nan")))):
        fields = {f"features_1_{tensor}": {"values": struct.pack("<4f", *values)}}
        yield from in_both(27, name, net(NET_BN, **fields), f"features.1.{tensor}: ")
    for name, fields in (("no-classes", {"classifier_0_weight": {"shape": (0, 16)}, "classifier_0_bias": {"shape": (0,)}}),
                         ("no-channels", {"features_0_weight": {"shape": (0, 3, 3, 3)}, "features_0_bias": {"shape": (0,)}})):
        yield from in_both(27, name, net(**fields), "expected", "found [0,")
    labels = {"labels.txt": b"a\nb\nc\n"}
    for kind, data in (("zip", zip_net()), ("legacy", legacy_net())):
        yield Case(27, f"labels-do-not-fit.{kind}", data, ("labels", "expected 5", "found 3"), ("--labels", "labels.txt"), labels)
    twice = net() + [("features.0.bias", net()[1][1])]
    yield from in_both(27, "duplicate-key", twice, "features.0.bias: the name is given twice")
    both = net() + [("module." + name, {**tensor, "key": f"1{tensor['key']}"}) for name, tensor in net()]
    yield from in_both(27, "with-and-without-module", both, "expected one VGG, got several different ones", "choose one with --key NAME")
    module_twice = [("module." + name, tensor) for name, tensor in net()] * 2
    yield from in_both(27, "duplicate-module-key", module_twice, "classifier.0.bias: the name is given twice")
    second = net({"features.0.weight": (4, 3, 3, 3), "features.0.bias": (4,), "features.3.weight": (4, 2, 3, 3),
                  "features.3.bias": (4,), "classifier.0.weight": (5, 16), "classifier.0.bias": (5,)})
    yield from in_both(27, "wrong-in-channels", second,
                       "features.3.weight [4,2,3,3] cannot follow features.0.weight [4,3,3,3]")
    yield from in_both(27, "not-a-square", net(classifier_0_weight={"shape": (5, 20)}), "classifier.0.weight: expected")
    yield from in_both(27, "complex", net(features_0_bias={"type": "ComplexFloat"}), ": features.0.bias: ", "ComplexFloat")
    counter = net() + [("x" * 79 + ".num_batches_tracked", {"key": "9", "shape": (1,)})]  # found by fuzzing
    yield from in_both(27, "long-name-of-a-counter", counter, "x" * 79 + ".num_batches_tracked")
    many = [(f"t{i}", {"key": "0", "shape": (1,)}) for i in range(10001)]
    yield from in_both(27, "too-many-tensors", many, "more tensors than the limit of 10000")


def pools(count, channels=2, first=2):
    """A net whose input has a side of 2^(count+1) pixels, by its pools and a classifier for 2x2 pixels."""
    shapes, before = {}, 3
    for i in range(count):
        after = channels if i else first
        shapes[f"features.{3 * i}.weight"] = (after, before, 3, 3)
        shapes[f"features.{3 * i}.bias"] = (after,)
        before = after
    return net({**shapes, "classifier.0.weight": (5, 4 * channels), "classifier.0.bias": (5,)},
               features_0_weight={"values": bytes(4 * 27 * first)},
               features_3_weight={"values": bytes(4 * 9 * first * channels)})


def inputs():
    """Row 27: a small file that suggests a large input, or much for a usual one."""
    for count, first in ((10, 2), (12, 2), (14, 2), (6, 3000)):
        side = 2 << count
        expects = f"images of {side} x {side} pixels needs more memory", "give the input size with --size"
        yield from in_both(27, f"input-of-{side}", pools(count, first=first), *expects)
        if count < 13:
            # Each image has a size of its own there.
            yield Case(27, f"dense-of-{side}.zip", zip_net(pools(count, first=first)), expects, ("--dense",), code=1)
    yield from in_both(27, "input-beyond-the-largest", pools(40), "the image is too small for this net")
    yield Case(0, "input-of-256.zip", zip_net(pools(7, 8, 8)), (), code=0)
    yield Case(0, "input-of-256-dense.zip", zip_net(pools(7, 8, 8)), (), ("--dense",), code=0)


def cases():
    for part in (sizes, geometry, keys, cuts, contents, inputs):
        yield from part()

