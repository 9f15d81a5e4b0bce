# SPDX-License-Identifier: MIT
"""Hostile pickles: rows 1 to 7 and 11 to 18. Each is tried in a zip archive and in a legacy stream."""
import struct

from case import Case
from writer import Pickle, legacy, members_of, net, net_pickle, values_of, zip_archive

PAYLOAD = "touch executed"


def in_both(row, name, pickle, *expects, cuts_legacy=None):
    """cuts_legacy: the message for a legacy stream whose pickle has no end."""
    values = values_of(net())
    yield Case(row, f"{name}.zip", zip_archive(members_of(pickle, values)), expects)
    yield Case(row, f"{name}.legacy", legacy(pickle, values), cuts_legacy or expects)


def beside_net(*parts):
    """A state dict with one more item, {"x": what parts push}."""
    return Pickle().state_dict(net()).op("(").text("x").op(*parts).op("u").stop()


def call(module, name, protocol):
    """module.name("touch executed"), as the protocol's pickler would write it."""
    text = PAYLOAD.encode()
    if protocol == 0:
        return f"c{module}\n{name}\n(S'{PAYLOAD}'\ntR".encode()
    if protocol < 4:
        return f"c{module}\n{name}\n".encode() + b"X" + struct.pack("<I", len(text)) + text + b"\x85R"
    return b"".join(b"\x8c" + bytes([len(t)]) + t for t in (module.encode(), name.encode())) + (
        b"\x93\x8c" + bytes([len(text)]) + text + b"\x85R")


def calls():
    """Rows 1 to 4: calls of anything, hidden or not."""
    for module, name in (("posix", "system"), ("nt", "system"), ("os", "system"), ("builtins", "eval"),
                         ("builtins", "exec"), ("__builtin__", "eval"), ("subprocess", "Popen"),
                         ("runpy", "_run_code"), ("pty", "spawn"), ("ctypes", "CDLL"), ("marshal", "loads"),
                         ("pip", "main"), ("torch.hub", "load"), ("torch.serialization", "load"),
                         ("torch", "classes"), ("os.path", "join"), ("collections", "namedtuple"),
                         ("numpy", "load"), ("torch.nn", "os")):
        reason = f" {module}.{name}, which is not tensor data"  # "refers to" or "calls"
        for protocol in (2, 3, 4):
            pickle = bytes([0x80, protocol]) + call(module, name, protocol) + b"."
            yield from in_both(1, f"call-{module}.{name}-{protocol}", pickle, "pickle: checkpoint", reason)
        yield from in_both(1, f"call-{module}.{name}-0", call(module, name, 0) + b".",
                           "pickle: protocol 0 or 1, expected 2 to 5")
    yield from in_both(1, "call-beside-the-net", beside_net(call("posix", "system", 2)),
                       "checkpoint refers to posix.system")
    yield from in_both(1, "call-newobj", b"\x80\2cposix\nsystem\n)\x81.", "refers to posix.system")

    put = Pickle().text("posix").op("q\0").text("system").op("q\1h\0h\1", b"\x93").text(PAYLOAD)
    yield from in_both(2, "name-from-memo", put.op(b"\x85R").stop(), "refers to posix.system")
    joined = Pickle().name("builtins", "str").text("posix").op(b"\x85R").text("system").op(b"\x93)R")
    yield from in_both(2, "name-from-call", joined.stop(),
                       "STACK_GLOBAL of an object and a text, expected texts")
    yield from in_both(2, "name-from-number", b"\x80\4K\1K\2\x93.",
                       "STACK_GLOBAL of an integer and an integer, expected texts")
    spliced = b"\x80\4\x8c\6posix.\x8c\6system\x93."
    yield from in_both(2, "name-with-a-dot", spliced, "refers to posix..system")

    evil = call("builtins", "eval", 2)
    values = values_of(net())
    bad = b"\x80\2" + evil + b"."
    yield Case(3, "magic-from-eval.legacy", legacy(net_pickle(), values, magic=bad),
               ("a bare pickle, not written by torch.save",))
    yield Case(3, "protocol-from-eval.legacy", legacy(net_pickle(), values, protocol=bad),
               ("refers to builtins.eval",))
    yield Case(3, "system-from-eval.legacy", legacy(net_pickle(), values, system=bad),
               ("refers to builtins.eval",))
    keys = legacy(net_pickle(), {}, keys=[])
    yield Case(3, "keys-from-eval.legacy", keys[:-len(b"\x80\2](e.")] + bad, ("refers to builtins.eval",))
    yield Case(3, "protocol-is-a-text.legacy", legacy(net_pickle(), values, protocol=b"\x80\2U\1x."),
               ("expected a stream of protocol 1001", "found another one"))
    yield Case(3, "system-is-a-list.legacy", legacy(net_pickle(), values, system=b"\x80\2]."),
               ("expected a dict about the writing system, found a list",))
    yield Case(3, "storage-in-the-header.legacy", legacy(net_pickle(), values, system=b"\x80\2(U\7storageK\1tQ."),
               ("storages in the stream's header",))

    yield from in_both(4, "call-then-broken", b"\x80\2" + call("posix", "system", 2) + b"\xff",
                       "refers to posix.system")
    yield from in_both(4, "broken-after-the-net", Pickle().state_dict(net()).op(b"\xff").stop(),
                       "pickle: unknown opcode 0xff")
    yield from in_both(4, "no-stop", Pickle().state_dict(net()).stop()[:-1] + b"N", "pickle: ",
                       cuts_legacy=("pickle: ",))


def wrong_types():
    """Rows 5 to 7: operations on what they are not made for."""
    layer = Pickle().name("torch.nn.modules.linear", "Linear").op(b")\x81}").text("__setstate__")
    layer.name("posix", "system").op("sb")
    yield from in_both(5, "setstate-is-a-call", layer.stop(), "refers to posix.system")
    yield from in_both(5, "build-on-a-class", b"\x80\2ctorch\nFloatTensor\n}b.", "BUILD on a global")
    yield from in_both(5, "build-on-a-text", b"\x80\2U\1x}b.", "BUILD on a text")
    yield from in_both(5, "build-twice", b"\x80\2ctorch\nFloatTensor\n)R}b}b.",
                       "BUILD on an object that is already built")
    yield from in_both(5, "tensor-built-from-a-dict", beside_net("ctorch\nFloatTensor\n)R}b"),
                       ": x: ", "a tensor class without its state")
    yield from in_both(5, "tensor-built-from-three", beside_net("ctorch\nFloatTensor\n)RK\1K\2K\3", b"\x87b"),
                       ": x: ", "3 arguments, expected 4")
    yield from in_both(5, "call-of-a-text", b"\x80\2U\1x)R.",
                       "a text applied to a tuple, expected a global and a tuple")
    yield from in_both(5, "call-with-a-list", b"\x80\2ccollections\nOrderedDict\n]R.",
                       "a global applied to a list, expected a global and a tuple")
    yield from in_both(5, "ordered-dict-of-a-number", b"\x80\2ccollections\nOrderedDict\nK\1\x85R.",
                       "OrderedDict made of an integer, expected a list of pairs")
    yield from in_both(5, "ordered-dict-of-triples", b"\x80\2ccollections\nOrderedDict\n](K\1K\2K\3\x87e\x85R.",
                       "OrderedDict item 0 is not a pair")
    yield from in_both(5, "rebuild-of-a-rebuild", beside_net(
        "ctorch._utils\n_rebuild_tensor\n(ctorch._utils\n_rebuild_tensor\n)RK\0))tR"), ": x: ", "expected a storage")

    tensor = Pickle().tensor(net()[0][1])
    targets = {"a-tensor": (bytes(tensor.out[2:]), "an object"), "a-tuple": (b")", "a tuple"),
               "a-text": (b"U\1x", "a text"), "a-number": (b"K\1", "an integer"),
               "a-class": (b"ctorch\nFloatTensor\n", "a global"), "none": (b"N", "None")}
    for name, (push, kind) in targets.items():
        for operation, code, what in (("setitem", b"K\1K\2s", "a dict"), ("setitems", b"(K\1K\2u", "a dict"),
                                      ("append", b"K\1a", "a list"), ("appends", b"(K\1e", "a list"),
                                      ("additems", b"(K\1\x90", "a set")):
            yield from in_both(6, f"{operation}-on-{name}", b"\x80\4" + push + code + b".",
                               f"items added to {kind}, expected {what}")
    yield from in_both(6, "append-on-a-dict", b"\x80\2}K\1a.", "items added to a dict, expected a list")
    yield from in_both(6, "setitem-on-a-list", b"\x80\2]K\1K\2s.", "items added to a list, expected a dict")

    for module, name in (("torch", "FloatTensor"), ("torch", "Tensor"), ("torch.nn.parameter", "Parameter"),
                         ("torch", "HalfTensor"), ("torch._utils", "_rebuild_tensor_v2"),
                         ("torch._utils", "_rebuild_parameter")):
        for code in (b"\x81", b"R"):
            yield from in_both(7, f"{'newobj' if code != b'R' else 'reduce'}-{module}.{name}",
                               beside_net(f"c{module}\n{name}\n)", code), ": x: ")


def bombs():
    """Rows 11 to 13: small pickles that mean very much, or never end."""
    nested = Pickle().op("(K\1K\1tq\0")
    for i in range(1, 100):
        nested.op(bytes([ord("h"), i - 1]) * 10, "(", bytes([ord("h"), i - 1]) * 10, "tq", bytes([i]))
    yield from in_both(11, "memo-bomb-of-tuples", nested.stop(), "STOP with 1090 values")
    doubling = Pickle().op("]q\0")
    for i in range(1, 200):
        doubling.op("](", bytes([ord("h"), i - 1]) * 2, "eq", bytes([i]), b"\x85")
    yield from in_both(11, "memo-bomb-of-lists", doubling.stop(), "STOP with 200 values")
    laughs = Pickle().op("}q\0")
    for i in range(1, 100):
        laughs.op("}(").text("a").op("h", bytes([i - 1])).text("b").op("h", bytes([i - 1]), "uq", bytes([i]))
    yield from in_both(11, "memo-bomb-of-dicts", Pickle().op("]").op(laughs.out[2:], "a").stop(), "pickle: ")
    one = Pickle().op("}q\0")
    for i in range(1, 100):
        one.op("}(").text("state_dict").op("h", bytes([i - 1])).text("b").op("h", bytes([i - 1]), "uq", bytes([i]))
        one.op("r", struct.pack("<I", i), b"\x85N\x86")
    yield from in_both(11, "memo-bomb-under-state-dict", one.stop(), "pickle: ")
    yield from in_both(11, "dup-bomb", b"\x80\2]" + b"2" * 100 + b".", "opcode DUP, which a checkpoint may not use")
    pairs = Pickle().op("](U\1aU\1b", b"\x86q\0", "h\0" * 9000, "eq\1")
    pairs.op(*[b"ccollections\nOrderedDict\nh\1\x85R"] * 9000)
    yield from in_both(11, "copied-pairs-bomb", pairs.stop(), "values larger than the limit of 33554432 bytes")

    yield from in_both(12, "deep-tuples", b"\x80\2N" + b"\x85" * 400000 + b".",
                       "expected a state dict, found a tuple")
    yield from in_both(12, "too-many-tuples", b"\x80\2N" + b"\x85" * 900000 + b".",
                       "values larger than the limit of 33554432 bytes")
    yield from in_both(12, "deep-lists", b"\x80\2" + b"]" * 9000 + b"a" * 8999 + b".",
                       "expected a state dict, found a list")
    yield from in_both(12, "deep-lists-in-a-net", beside_net(b"]" * 9000 + b"a" * 8999, b"\x85" * 100000) + b"x",
                       "after the pickle's end", cuts_legacy=("pickle: unknown opcode 0x78",))
    yield from in_both(12, "too-deep-lists", b"\x80\2" + b"]" * 20000 + b"a" * 19999 + b".",
                       "stack deeper than the limit of 10000")
    yield from in_both(12, "too-many-marks", b"\x80\2" + b"(" * 20000 + b"t" * 20000 + b".",
                       "more marks than the limit of 10000")
    yield from in_both(12, "too-many-opcodes", b"\x80\2Nq\0" + b"q\0" * 1000001 + b".",
                       "more opcodes than the limit of 1000000")
    dicts = b"\x80\2" + b"}U\1a" * 4000 + b"N" + b"s" * 4000 + b"."
    yield from in_both(12, "deep-dicts", dicts, "no tensors in the checkpoint's dict")
    wrapped = Pickle().op(*[b"}X\x0a\0\0\0state_dict"] * 4000).op("}", "s" * 4000)
    yield from in_both(12, "deep-wrappers", wrapped.stop(), "no tensors in the checkpoint's dict")
    calls = b"ctorch\nSize\n" * 4000 + b")" + b"\x85R" * 4000
    yield from in_both(12, "deep-calls", b"\x80\2" + calls + b".", "holds a whole object (torch.Size)")

    yield from in_both(13, "list-in-itself", b"\x80\2]q\0h\0a.", "expected a state dict, found a list")
    yield from in_both(13, "dict-in-itself", b"\x80\2}q\0U\1ah\0s.", "no tensors in the checkpoint's dict")
    yield from in_both(13, "state-dict-in-itself", b"\x80\2}q\0X\x0a\0\0\0state_dicth\0s.",
                       "no tensors in the checkpoint's dict")
    yield from in_both(13, "parameter-of-itself", beside_net(
        "ctorch._utils\n_rebuild_parameter\n(]q\7h\7ah\7NtR"), ": x: ", "expected a tensor, found a list")
    yield from in_both(13, "size-of-itself", beside_net(
        "ctorch._utils\n_rebuild_tensor\n(", Pickle().storage("0", 108).out[2:], "K\0]q\7h\7ah\7tR"), ": x: ")


def operands():
    """Rows 14 to 18: operands, the stack, the memo, frames, and opcodes that are refused."""
    yield from in_both(14, "long1-of-255", b"\x80\2\x8a\xff" + b"\1" * 255 + b".", "integer of 255 bytes, limit is 17")
    yield from in_both(14, "long4-of-2g", b"\x80\2\x8b\xff\xff\xff\x7f\1\1.", "truncated inside LONG4")
    yield from in_both(14, "long4-negative", b"\x80\2\x8b\xff\xff\xff\xff\1\1.", "truncated inside LONG4")
    yield from in_both(14, "long4-of-300", b"\x80\2\x8b\x2c\1\0\0" + b"\1" * 300 + b".",
                       "integer of 300 bytes, limit is 17")
    yield from in_both(14, "binunicode-of-4g", b"\x80\2X\xff\xff\xff\xffx.", "truncated inside BINUNICODE")
    yield from in_both(14, "binstring-of-2g", b"\x80\2T\xff\xff\xff\x7fx.", "truncated inside BINSTRING")
    yield from in_both(14, "binbytes-of-4g", b"\x80\3B\xff\xff\xff\xffx.", "truncated inside BINBYTES")
    yield from in_both(14, "bytearray8-of-2^63", b"\x80\5\x96\0\0\0\0\0\0\0\x80x.", "truncated inside BYTEARRAY8")
    yield from in_both(14, "bytearray8-of-4g", b"\x80\5\x96\1\0\0\0\1\0\0\0x.", "truncated inside BYTEARRAY8")
    for code, name in ((b"\x8d", "BINUNICODE8"), (b"\x8e", "BINBYTES8")):
        yield from in_both(14, f"{name.lower()}-of-2^63", b"\x80\4" + code + b"\0\0\0\0\0\0\0\x80x.",
                           f"opcode {name}, which a checkpoint may not use")
    for name, key in (("invalid-utf-8", b"features\xff.0.bias"), ("overlong-utf-8", b"features\xc0\xae0.bias"),
                      ("lone-surrogate", b"features\xed\xa0\x80.0.bias"), ("nul", b"features\0.0.bias"),
                      ("newline", b"features.0.bias\nvgg-infer: all is well"), ("escape", b"\x1b[2Jfeatures"),
                      ("beyond-unicode", b"features\xf4\x90\x80\x80"), ("cut-utf-8", b"features.0.bias\xe2\x82"),
                      ("megabyte", b"a" * (1 << 20))):
        tensors = net()
        pickle = Pickle().name("collections", "OrderedDict").op(")R(")
        for i, (tensor_name, tensor) in enumerate(tensors):
            pickle.text(key if i == 1 else tensor_name).tensor(tensor)
        yield from in_both(14, f"key-with-{name}", pickle.op("u").stop(),
                           "a tensor's name is too long or not printable UTF-8")
    tensors = Pickle().op("(K\1").tensor(net()[0][1]).op("K\2").tensor(net()[1][1])
    yield from in_both(14, "key-is-a-number", Pickle().op("}").op(tensors.out[2:], "u").stop(),
                       "a tensor's name is an integer, expected a text")

    needs = {"TUPLE1": b"\x85", "TUPLE2": b"\x86", "TUPLE3": b"\x87", "APPEND": b"a", "SETITEM": b"s",
             "BINPUT": b"q\0", "LONG_BINPUT": b"r\0\0\0\0", "MEMOIZE": b"\x94", "STACK_GLOBAL": b"\x93",
             "REDUCE": b"R", "NEWOBJ": b"\x81", "BUILD": b"b", "BINPERSID": b"Q"}
    for name, code in needs.items():
        yield from in_both(15, f"underflow-{name}", b"\x80\4" + code + b".", "stack underflow: expected")
        yield from in_both(15, f"underflow-at-mark-{name}", b"\x80\4K\1K\2K\3(" + code + b".",
                           "stack underflow: expected")
    for name, code in (("TUPLE", b"t"), ("SETITEMS", b"u"), ("APPENDS", b"e"), ("ADDITEMS", b"\x90"),
                       ("FROZENSET", b"\x91")):
        yield from in_both(15, f"no-mark-{name}", b"\x80\4]" + code + b".", "no MARK on the stack")
    for name, code in (("SETITEMS", b"u"), ("APPENDS", b"e"), ("ADDITEMS", b"\x90")):
        yield from in_both(15, f"nothing-below-mark-{name}", b"\x80\4(" + code + b".", "stack underflow")
    yield from in_both(15, "odd-setitems", b"\x80\2}(K\1K\2K\3u.", "a key without a value")
    yield from in_both(15, "stop-with-a-mark", b"\x80\2N(.", "STOP with 1 values and 1 marks on the stack, expected 1 and 0")
    yield from in_both(15, "stop-with-nothing", b"\x80\2.", "STOP with 0 values")
    yield from in_both(15, "stop-with-two", b"\x80\2NN.", "STOP with 2 values")
    yield from in_both(15, "empty", b"", "truncated: no STOP", cuts_legacy=("expected a state dict, found a list",))

    yield from in_both(16, "get-missing", b"\x80\2h\7.", "memo entry 7 does not exist")
    yield from in_both(16, "get-missing-long", b"\x80\2j\xff\xff\xff\xff.", "memo entry 4294967295 does not exist")
    yield from in_both(16, "get-hole", b"\x80\2Nq\7h\6.", "memo entry 6 does not exist")
    yield from in_both(16, "put-4g", b"\x80\2Nr\xff\xff\xff\xff.", "memo entry 4294967295, limit is 100000")
    yield from in_both(16, "put-past-the-limit", b"\x80\2Nr" + struct.pack("<I", 100000) + b".",
                       "memo entry 100000, limit is 100000")
    yield from in_both(16, "memoize-past-the-limit", b"\x80\4N" + b"\x94" * 0 + b"".join(
        b"r" + struct.pack("<I", i) for i in range(0, 100000)) + b"\x94.", "memo entry 100000, limit is 100000")

    def frame(size, body):
        return b"\x80\4\x95" + struct.pack("<Q", size) + body
    yield from in_both(17, "frame-past-the-end", frame(1 << 40, b"N."), "truncated: frame of")
    yield from in_both(17, "frame-of-2^64", frame(2**64 - 1, b"N."), "truncated: frame of")
    yield from in_both(17, "frame-too-long", frame(4, b"N.") + b"\x80\2.", "STOP before the end of the frame",
                       cuts_legacy=("STOP before the end of the frame",))
    yield from in_both(17, "frame-in-a-frame", frame(11, b"\x95" + struct.pack("<Q", 1) + b"N."), "FRAME inside a frame")
    yield from in_both(17, "operand-past-the-frame", frame(2, b"X\3\0\0\0abc."), "BINUNICODE goes past the end of its frame")
    yield from in_both(17, "length-past-the-frame", frame(3, b"B\3\0\0\0abc."), "goes past the end of its frame")
    yield from in_both(17, "frame-over-a-frame", frame(10, b"N\x95" + struct.pack("<Q", 5) + b"0."), "FRAME inside a frame")
    yield from in_both(17, "frame-cut", b"\x80\4\x95\1\0", "truncated inside FRAME",
                       cuts_legacy=("truncated: frame of",))

    refused = {"EXT1": b"\x82\1", "EXT2": b"\x83\1\0", "EXT4": b"\x84\1\0\0\0", "INST": b"iposix\nsystem\n",
               "OBJ": b"o", "NEWOBJ_EX": b"\x92", "PERSID": b"P0\n", "POP": b"0", "POP_MARK": b"1", "DUP": b"2",
               "GET": b"g0\n", "PUT": b"p0\n", "LONG": b"L1L\n", "FLOAT": b"F1\n",
               "STRING": b"S'x'\n", "UNICODE": b"Vx\n", "DICT": b"d", "LIST": b"l",
               "NEXT_BUFFER": b"\x97", "READONLY_BUFFER": b"\x98"}
    for name, code in refused.items():
        yield from in_both(18, f"opcode-{name}", b"\x80\4N(" + code + b".",
                           f"opcode {name}, which a checkpoint may not use")
    for name, line in (("empty", b""), ("sign", b"-"), ("letters", b"12x"), ("condition", b"01"), ("large", b"9223372036854775808")):
        yield from in_both(18, f"int-{name}", b"\x80\2I" + line + b"\n.", "INT without an integer of 64 bits")
    yield from in_both(18, "proto-inside", b"\x80\2N\x80\2.", "PROTO inside the pickle")
    yield from in_both(18, "proto-6", b"\x80\6N.", "protocol 6, expected 2 to 5")
    yield from in_both(18, "proto-255", b"\x80\xffN.", "protocol 255, expected 2 to 5")
    for name, code, reason in (
            ("text", b"U\1xQ", "persistent id is a text, expected a tuple"),
            ("number", b"K\1Q", "persistent id is an integer, expected a tuple"),
            ("empty", b")Q", "persistent id is a tuple, expected"),
            ("wrong-tag", b"(U\1xK\1K\2K\3K\4tQ", "expected a storage ('storage', class, key, location, count)"),
            ("short", b"(U\7storageK\1tQ", "expected a storage"),
            ("long", b"(U\7storagectorch\nFloatStorage\nU\0010U\3cpuK\1NNtQ", "expected a storage"),
            ("bool-count", b"(U\7storagectorch\nFloatStorage\nU\0010U\3cpu\x88tQ", "expected a storage"),
            ("float-count", b"(U\7storagectorch\nFloatStorage\nU\0010U\3cpuG\x3f\xf0\0\0\0\0\0\0tQ", "expected a storage"),
            ("negative-count", b"(U\7storagectorch\nFloatStorage\nU\0010U\3cpuJ\xff\xff\xff\xfftQ", "expected a storage"),
            ("number-key", b"(U\7storagectorch\nFloatStorage\nK\1U\3cpuK\1tQ", "expected a storage"),
            ("no-class", b"(U\7storageU\1xU\0010U\3cpuK\1tQ", "expected a storage"),
            ("other-class", b"(U\7storageccollections\nOrderedDict\nU\0010U\3cpuK\1tQ", "expected a storage"),
            ("huge-count", b"(U\7storagectorch\nDoubleStorage\nU\0010U\3cpu\x8a\x08" + b"\xff" * 7 + b"\x7ftQ",
             "elements overflow"),
            ("of-a-class", b"(U\7storagectorch\nFloatTensor\nU\0010U\3cpuK\1tQ", "expected a storage")):
        yield from in_both(18, f"persistent-{name}", beside_net(code), reason)


def cases():
    yield from calls()
    yield from wrong_types()
    yield from bombs()
    yield from operands()

