# SPDX-License-Identifier: MIT
"""Files that run code when they are loaded, in every way that is known to deceive a scanner, and files that readers see
differently. Built after public reports; the comments name them. COMMAND is what a payload runs."""
import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib

COMMAND = "echo scanned"
MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
PROTOCOL = b"\x80\x02M\xe9\x03."


def text(value):
    value = value.encode()
    return b"X" + struct.pack("<I", len(value)) + value


def short(value):
    value = value.encode()
    return b"\x8c" + bytes([len(value)]) + value


def call(module, name, argument, protocol=b"\x80\x04"):
    """module.name(argument), by STACK_GLOBAL."""
    return protocol + short(module) + short(name) + b"\x93" + text(argument) + b"\x85R."


def system():
    return f"cposix\nsystem\n(S'{COMMAND}'\ntR".encode()


# ---- pickles: name -> bytes; each runs COMMAND or imports what it needs for it ----

def computed():
    yield "memo-order", (b"\x80\x04" + short("posix") + b"q\x02" + b"0" + short("system") + b"q\x030" + short("torch") +
                         b"q\x000" + short("LongStorage") + b"q\x010h\x02h\x03\x93" + text(COMMAND) + b"\x85R.")
    yield "memo-large-index", (b"\x80\x04" + short("posix") + b"r\x80\x96\x98\x00" + short("system") + b"r\x81\x96\x98\x00" + b"00" +
                               b"j\x80\x96\x98\x00" + b"j\x81\x96\x98\x00\x93" + text(COMMAND) + b"\x85R.")
    yield "dup-pop", b"\x80\x04" + short("posix") + short("x") + b"0" + short("system") + b"2" + b"0\x93" + text(COMMAND) + b"\x85R."
    yield "memoize", (b"\x80\x04" + short("system") + b"\x94" + short("posix") + b"\x94" + b"00" + b"h\x01h\x00\x93" +
                      text(COMMAND) + b"\x85R.")
    yield "escaped-line", b"\x80\x04V\\u0070osix\nVsyst\\u0065m\n\x93" + text(COMMAND) + b"\x85R."
    yield "string-lines", b"\x80\x04S'posix'\nS'system'\n\x93" + text(COMMAND) + b"\x85R."
    yield "joined", (b"\x80\x04" + short("_codecs") + short("decode") + b"\x93" + short("cbfvk") + short("rot13") + b"\x86R" +
                     short("system") + b"\x93" + text(COMMAND) + b"\x85R.")
    yield "unicode8", (b"\x80\x04\x8d" + struct.pack("<Q", 5) + b"posix\x8d" + struct.pack("<Q", 6) + b"system\x93" +
                       text(COMMAND) + b"\x85R.")


def by_other_opcodes():
    yield "global-0", system() + b"."
    yield "inst", f"(S'{COMMAND}'\niposix\nsystem\n.".encode()
    yield "inst-without-newline", f"(S'{COMMAND}'\niposix\nsystemX".encode()
    yield "obj", f"(cposix\nsystem\nS'{COMMAND}'\no.".encode()
    yield "newobj-ex", b"\x80\x04cmultiprocessing.process\nBaseProcess\n)}\x92."
    yield "newobj", b"\x80\x02csubprocess\nPopen\n)\x81."
    yield "python2-name", f"c__builtin__\neval\n(S'1+1'\ntR.".encode()
    yield "build-setstate", (b"\x80\x04cargparse\nNamespace\n)R}" + text("__setstate__") + b"cposix\nsystem\nsb" + text(COMMAND) + b"b.")
    yield "frames", b"\x80\x04\x95" + struct.pack("<Q", 5) + b"NNN00" + b"\x95" + struct.pack("<Q", 4) + b"N0N0" + system() + b"."
    yield "protocol-5-in-0", b"\x80\x00" + call("posix", "system", COMMAND)[2:]
    yield "protocol-inside", b"\x80\x02N0\x80\x05" + call("posix", "system", COMMAND)[2:]
    yield "defaultdict", (b"\x80\x04ccollections\ndefaultdict\ncsubprocess\nPopen\n\x85R.")
    yield "list-operands", b"\x80\x02(l" + b"0" + system() + b"."
    yield "persistent", b"\x80\x02(" + text("not a storage") + b"K\x01tQ."
    yield "persistent-line", b"Phttp://example.org/\n."
    yield "extension", b"\x80\x02\x82\x01."


def indirect():
    yield "getattr", b"\x80\x04cbuiltins\ngetattr\ncposix\nsystem\n" + short("__call__") + b"\x86R" + text(COMMAND) + b"\x85R."
    yield "attrgetter", b"\x80\x04coperator\nattrgetter\n" + short("system") + b"\x85R" + b"cbuiltins\n__import__\n" + short("os") + b"\x85R\x85R" + text(COMMAND) + b"\x85R."
    yield "methodcaller", b"\x80\x04c_operator\nmethodcaller\n" + short("system") + text(COMMAND) + b"\x86Rcbuiltins\n__import__\n" + short("os") + b"\x85R\x85R."
    yield "import-module", (b"\x80\x04cbuiltins\ngetattr\ncimportlib\nimport_module\n" + short("os") + b"\x85R" + short("system") + b"\x86R" +
                            text(COMMAND) + b"\x85R.")
    yield "partial", b"\x80\x04cfunctools\npartial\ncposix\nsystem\n" + text(COMMAND) + b"\x86R)R."
    yield "reduce", b"\x80\x04cfunctools\nreduce\ncbuiltins\ngetattr\n]" + short("x") + b"a\x86R."
    yield "map", b"\x80\x04cbuiltins\nlist\ncbuiltins\nmap\ncposix\nsystem\n]" + text(COMMAND) + b"a\x86R\x85R."
    yield "resolve-name", call("pkgutil", "resolve_name", "os:system")
    # protectai/modelscan #338: torch.library.torch and the like
    yield "dotted", call("torch.library", "torch.utils.collect_env.run", COMMAND)
    yield "dotted-allowed-module", call("torch.nn.modules.module", "torch.utils.collect_env.run", COMMAND)
    yield "dotted-class", call("collections", "OrderedDict.__init__.__globals__", COMMAND)
    yield "package-function", call("torchvision.models.vgg", "load_state_dict_from_url", "http://127.0.0.1:1/x")
    yield "package-module", b"\x80\x04ctorch.nn.modules.module\ntorch\n."
    yield "collect-env", call("torch.utils.collect_env", "run", COMMAND)
    yield "spawnv", b"\x80\x04cmultiprocessing.util\nspawnv_passfds\n(C\x07/bin/sh(" + short("sh") + b"t)tR."
    yield "mlflow", call("mlflow.projects.backend.local", "_run_entry_point", COMMAND)
    yield "read-csv", call("pandas.io.parsers.readers", "read_csv", "http://127.0.0.1:1/x")
    yield "runstring", call("numpy.testing._private.utils", "runstring", "1")
    yield "getlincoef", call("numpy.f2py.crackfortran", "getlincoef", "1")
    yield "timeit", call("timeit", "timeit", "1")
    yield "uuid", call("uuid", "_get_command_stdout", "true")
    yield "mailcap", call("mailcap", "findmatch", "x")
    yield "unknown", call("some_package.of_its_author", "load", "x")
    yield "main", call("__main__", "run", "x")
    # protectai/modelscan #330: attributes of numpy's functions
    yield "numpy-builtins", bytes.fromhex(
        "80049566000000000000008c056e756d70798c0473697a659394948c056e756d70798c0c5f5f6275696c74696e735f5f93949468017d7d8c"
        "0573686170656803738662680168018c046576616c86528c1d5f5f696d706f72745f5f28226f7322292e73797374656d28226964222985522e")
    # protectai/modelscan #85
    yield "numpy-attributes", (b"\x80\x05cnumpy\nprod\nN(Va\nVposix\nd\x86bN(Vb\nVsystem\nd\x86b0cnumpy\nprod.a\np0\ncnumpy\nprod.b\np1\n"
                               b"00g0\ng1\n\x93V" + COMMAND.encode() + b"\n\x85R.")
    # protectai/modelscan #331: names joined from letters
    yield "letters", (b"\x80\x04cbuiltins\ngetattr\nq\x00" + short("") + short("join") + b"\x86Rq\x01](" + short("po") + short("six") + b"e\x85R"
                      b"h\x01](" + short("sys") + short("tem") + b"e\x85R\x93" + text(COMMAND) + b"\x85R.")
    yield "changed-class", b"\x80\x04ctorch.nn.modules.linear\nLinear\nN}" + short("forward") + b"csubprocess\ncall\ns\x86b."
    yield "changed-module", b"\x80\x04ctorch.nn.modules.linear\nF\n}" + short("linear") + b"cbuiltins\neval\nsb."
    # CVE-2026-24747: items of what is no dict
    yield "tensor-items", (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") +
                           text("cpu") + b"K\x01tQK\x00K\x01\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRK\x00K\x01s.")


def nested():
    inner = system() + b"."
    yield "pickle-loads", b"\x80\x04cpickle\nloads\nC" + bytes([len(inner)]) + inner + b"\x85R."
    yield "load-from-bytes", b"\x80\x04ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(MAGIC + PROTOCOL + inner)) + MAGIC + PROTOCOL + inner + b"\x85R."
    stream = MAGIC + PROTOCOL + inner
    yield "load-from-latin1", (b"\x80\x02ctorch.storage\n_load_from_bytes\nc_codecs\nencode\n" + text(stream.decode("latin-1")) + text("latin1") +
                               b"\x86R\x85R.")
    line = stream.decode("latin-1").replace("\\", "\\u005c").replace("\n", "\\u000a").replace("\0", "\\u0000").encode("latin-1")
    yield "load-from-line", b"ctorch.storage\n_load_from_bytes\n(c_codecs\nencode\n(V" + line + b"\nVlatin1\ntRtR."
    yield "load-from-type", (b"\x80\x03ctorch._tensor\n_rebuild_from_type_v2\n(ctorch.storage\n_load_from_bytes\nctorch\nTensor\nC" + bytes([len(inner)]) +
                            inner + b"\x85}tR.")
    yield "load-from-partial", b"\x80\x03cfunctools\npartial\nctorch.storage\n_load_from_bytes\nC" + bytes([len(inner)]) + inner + b"\x86R."
    yield "load-from-computed", b"\x80\x02ctorch.storage\n_load_from_bytes\nc_codecs\nencode\n" + text("x") + text("utf-16") + b"\x86R\x85R."


def broken():
    """What stands before the error runs."""
    yield "no-stop", system()
    yield "unknown-opcode", system() + b"\xff\xff."
    yield "truncated-after", system() + b"X\xff\xff\xff\x7f"
    yield "bad-memo", system() + b"g99\n."
    yield "underflow", b"\x80\x02" + system() + b"00000."
    yield "second-pickle", b"\x80\x02N." + system() + b"."
    yield "sixth-pickle", b"\x80\x02N." * 5 + system() + b"."
    yield "legacy", MAGIC + PROTOCOL + b"\x80\x02}." + system() + b".\x80\x02]."
    yield "legacy-keys", MAGIC + PROTOCOL + b"\x80\x02}." + b"\x80\x02}." + system() + b"."
    yield "many-names", b"".join(b"cposixpath\nn%d\n0" % i for i in range(800)) + system() + b"."
    yield "deep", b"\x80\x02" + b"(" * 20000 + system() + b"."


def pickles():
    groups = computed, by_other_opcodes, indirect, nested, broken
    return {name: data for group in groups for name, data in group()}


# ---- archives ----

EVIL = b"\x80\x02" + system() + b"."
GOOD = b"\x80\x02}."


def zipped(members, method=zipfile.ZIP_STORED, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def patched(data, find, replace, which=-1):
    """Every place (which: that one) of some bytes replaced."""
    places = [i for i in range(len(data)) if data.startswith(find, i)]
    assert places, find
    out = bytearray(data)
    for place in places if which is None else [places[which]]:
        out[place:place + len(replace)] = replace
    return bytes(out)


def central(data, at, value):
    """Bytes of the first entry of the directory replaced."""
    start = data.index(b"PK\1\2")
    return data[:start + at] + value + data[start + at + len(value):]


def tarred(members, links=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def zips():
    plain = zipped([("archive/data.pkl", EVIL), ("archive/version", b"3\n")])
    yield "zip", plain
    yield "zip-deflated", zipped([("archive/data.pkl", EVIL)], zipfile.ZIP_DEFLATED)
    # CVE-2025-1889: another extension; mmaitre314/picklescan GHSA-769v-p64c-89pr
    yield "zip-other-name", zipped([("archive/data.pkl", GOOD), ("archive/config.p", EVIL)])
    yield "zip-no-extension", zipped([("archive/data.pkl", GOOD), ("archive/data/0", EVIL)])
    yield "zip-text", zipped([("archive/data.pkl", GOOD), ("archive/readme.txt", system() + b".")], zipfile.ZIP_DEFLATED)
    # CVE-2025-1944: the local header has another name than the directory
    yield "zip-local-name", patched(plain, b"archive/data.pkl", b"archive/data.txt", 0)
    yield "zip-central-name", patched(plain, b"archive/data.pkl", b"archive/data.txt", 1)
    # CVE-2025-1945: flag bits
    yield "zip-encrypted", central(plain, 8, b"\x01\x00")
    yield "zip-encrypted-twice", patched(central(plain, 8, b"\x01\x00"), b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0", 0)
    yield "zip-flag-bits", central(plain, 8, b"\x20\x20")
    # CVE-2025-10156: the CRC
    yield "zip-crc", central(plain, 16, b"\1\2\3\4")
    yield "zip-crc-both", patched(plain, struct.pack("<I", zlib.crc32(EVIL)), b"\1\2\3\4", None)
    yield "zip-method", central(plain, 10, b"\x08\x00")
    yield "zip-size", central(plain, 24, b"\1\0\0\0")
    yield "zip-before", b"#!/bin/sh\n" * 10 + plain
    yield "zip-behind", plain + b"trailing"
    yield "zip-comment", zipped([("archive/data.pkl", EVIL)], comment=b"a comment")
    with_two = io.BytesIO()
    with zipfile.ZipFile(with_two, "w") as archive:
        archive.writestr("archive/data.pkl", GOOD)
        archive.writestr("archive/data.pkx", EVIL)
    yield "zip-twice", patched(with_two.getvalue(), b"archive/data.pkx", b"archive/data.pkl", None)
    yield "zip-up", zipped([("../../data.pkl", EVIL)])
    yield "zip-in-zip", zipped([("inner.zip", plain), ("archive/data.pkl", GOOD)])
    yield "zip-in-deflated", zipped([("a/model.bin", zipped([("b/c.bin", plain)], zipfile.ZIP_DEFLATED))], zipfile.ZIP_DEFLATED)
    unlisted = plain[:plain.index(b"PK\1\2")]
    good = zipped([("archive/data.pkl", GOOD)])
    yield "zip-unlisted", unlisted + patched(good, b"PK\5\6", b"PK\5\6")
    yield "zip-no-directory", unlisted
    yield "zip-two-ends", zipped([("archive/data.pkl", GOOD)]) + plain
    yield "zip-then-zip", plain + zipped([("archive/data.pkl", GOOD)])
    # A pickle that torch's legacy path reads, in front of an archive that others read.
    yield "pickle-then-zip", MAGIC + PROTOCOL + b"\x80\x02}." + system() + b"." + zipped([("archive/data.pkl", GOOD)])
    yield "zip-npy", zipped([("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 56) +
                              b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(55) + b"\n" + EVIL)])
    # CVE-2026-24747: a storage of another size
    storage = (b"\x80\x02(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"M\xe8\x03tQ.")
    yield "zip-storage-size", zipped([("archive/data.pkl", storage), ("archive/data/0", bytes(8))])
    yield "script-files", zipped([("a/data.pkl", GOOD), ("a/constants.pkl", b"\x80\x02)."),
                                  ("a/code/__torch__.py", b"def forward(self, x):\n  return torch.from_file(\"/etc/passwd\", True, 9)\n")])


def others():
    yield "npy", (b"\x93NUMPY\x01\x00" + struct.pack("<H", 56) +
                  b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(55) + b"\n" + EVIL)
    # CVE-2025-32434: weights_only did not hold for torch's old tar archives
    yield "tar", tarred([("sys_info", b"\x80\x02}."), ("pickle", EVIL), ("tensors", b"\x80\x02K\x00."), ("storages", b"\x80\x02K\x00.")])
    yield "tar-storages", tarred([("sys_info", GOOD), ("pickle", GOOD), ("tensors", b"\x80\x02K\x00."),
                                  ("storages", b"\x80\x02K\x02.\x80\x02(" + text("0") + text("cpu") + b"ctorch\nFloatStorage\nt." +
                                   struct.pack("<Q", 3) + bytes(12) + EVIL)])
    yield "tar-zip", tarred([("a/model.bin", zipped([("archive/data.pkl", EVIL)]))])
    unnamed = bytearray(tarred([("\x01", b"x"), ("sys_info", GOOD), ("pickle", EVIL)]))
    unnamed[0] = 0
    unnamed[148:156] = b"%06o\0 " % (sum(unnamed[:148]) + 8 * ord(" ") + sum(unnamed[156:512]))
    yield "tar-unnamed", bytes(unnamed)
    yield "tar-up", tarred([("../../x", b"x")])
    yield "tar-link", tarred([("pickle", GOOD)], [("storages", "/etc/passwd")])
    yield "zip-tar", zipped([("inner.tar", tarred([("x", EVIL)]))])
    yield "gzip", gzip.compress(EVIL, mtime=0)
    yield "zlib", zlib.compress(EVIL)
    yield "gzip-tar", gzip.compress(tarred([("model.pt", EVIL)]), mtime=0)
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    safe = struct.pack("<Q", len(header)) + header + bytes(4)
    yield "safetensors-zip", safe + zipped([("archive/data.pkl", EVIL)])
    wrapper = (b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + short("shape") + b"K\x02\x85" + short("dtype") +
               b"cnumpy\ndtype\n" + short("f8") + b"\x85Ru" + b"b")
    yield "joblib-after-array", b"\x80\x04]" + wrapper[2:] + struct.pack("<2d", 1.5, 2.5) + b"a" + system() + b"a."
    yield "joblib-in-array", b"\x80\x04]" + wrapper[2:] + (system() + b".").ljust(16, b"\0") + b"a."
    objects = wrapper.replace(short("f8"), short("O8"))
    yield "joblib-objects", b"\x80\x04]" + objects[2:] + EVIL + b"a."


def archives():
    return {name: data for group in (zips, others) for name, data in group()}


def overlapping():
    """Many members that are the same bytes: the scan ends in bounded time."""
    data = zipped([("a/data.pkl", b"\x80\x02" + b"N0" * 400000 + b"N.")])
    start = data.index(b"PK\1\2")
    entry, count = data[start:data.index(b"PK\5\6")], 60000
    end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count, count, count * len(entry), start, 0)
    return data[:start] + entry * count + end


# ---- files that are not looked into: exit code 3, never 0 ----

def unread():
    import bz2
    import lzma
    return {
        "xz": lzma.compress(EVIL),
        "bzip2": bz2.compress(EVIL),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(30),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(30),
        "lz4": b"\x04\x22\x4d\x18" + bytes(30),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(30),
        "zip-of-xz": zipped([("model.bin", lzma.compress(EVIL))]),
        "zip-bzip2": zipped([("archive/data.pkl", EVIL)], zipfile.ZIP_BZIP2),
        "zip-lzma": zipped([("archive/data.pkl", EVIL)], zipfile.ZIP_LZMA),
        "truncated": pickle.dumps({"a": list(range(100))}, 2)[:-10],
        "empty": b"",
        "noise": bytes(range(255, 0, -1)) * 4,
        "text": b"Just a text.\n",
        "zip-late-payload": zipped([("a/b.dat", b"N0" * 600000 + system() + b".")], zipfile.ZIP_DEFLATED),
        "zip-late-payload-text": zipped([("a/b.dat", text("x" * (2 << 20)) + system() + b".")], zipfile.ZIP_DEFLATED),
        "gzip-two-streams": gzip.compress(EVIL[:9], mtime=0) + gzip.compress(EVIL[9:], mtime=0),
        "gzip-truncated": gzip.compress(EVIL)[:12],
        "opcodes": b"\x80\x02" + b"N0" * 600000 + b".",
        "values": b"\x80\x02" + b"N" * 900000 + b".",
    }
