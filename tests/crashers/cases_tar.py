# SPDX-License-Identifier: MIT
"""Hostile tar archives of PyTorch before 0.1.10: row 28."""
import struct
import tarfile

from case import Case
from writer import (Pickle, net, tar_archive, tar_parts, tar_storage, tar_tensor, values_of)


def case(name, expects, parts=None, **options):
    return Case(28, f"{name}.tar", tar_archive(parts or tar_parts(), **options),
                expects if isinstance(expects, tuple) else (expects,))


def members():
    """Names, kinds and sizes of the archive's members."""
    parts = tar_parts()
    for name, path in (("dot-dot", "../../etc/passwd"), ("absolute", "/etc/passwd"), ("nested", "a/../../x")):
        yield case(f"name-{name}", f"a tar archive that holds {path}, not a checkpoint", {**parts, path: b"x"})
        yield case(f"only-name-{name}", f"a tar archive that holds {path}, not a checkpoint", {path: b"x"})
    for name, kind in (("symlink", tarfile.SYMTYPE), ("hardlink", tarfile.LNKTYPE), ("fifo", tarfile.FIFOTYPE),
                       ("device", tarfile.CHRTYPE), ("sparse", tarfile.GNUTYPE_SPARSE), ("unknown", b"Q")):
        for member in ("pickle", "storages"):
            header = {member: {"type": kind, "linkname": "/etc/passwd"}}
            yield case(f"{member}-is-a-{name}", f"tar member {member} is a link or a special file, expected a regular one", parts, headers=header, format=tarfile.USTAR_FORMAT)
    for name in parts:
        yield case(f"no-{name}", f"tar archive without {name}, not a checkpoint", {key: value for key, value in parts.items() if key != name})
    good = tar_archive(parts)
    for name in ("pickle", "storages", "tensors", "sys_info"):
        again = tar_archive({name: parts[name]})
        yield Case(28, f"{name}-twice.tar", good[:good.index(b"sys_info\0")] + again
                   + good[good.index(b"sys_info\0"):], (f"{name}", "twice"))
    octal = "tar header: the size is not an octal number"
    for name, field in (("size-not-octal", b"9999999999\0"), ("size-of-8-gib", b"77777777777\0"), ("size-empty", b"\0" * 12),
                        ("size-negative", b"-0000000001\0"), ("size-of-2^63", b"\x80" + b"\0" * 3 + b"\x80" + b"\0" * 7),
                        ("size-binary-negative", b"\xff" * 12)):
        yield Case(28, f"{name}.tar", with_field(good, 124, field), ("truncated: " if name == "size-of-8-gib" else octal,))
    yield Case(28, "bad-checksum.tar", good[:148] + b"0000000\0" + good[156:], ("tar header: wrong checksum",))
    for name, cut in (("header", 512), ("member", 600), ("half", len(good) // 2), ("pickle", good.rindex(b"little_endian"))):
        yield Case(28, f"cut-in-{name}.tar", good[:cut], (f"truncated: {cut} of about",))
    yield Case(28, "cut-in-first-header.tar", good[:100], ("not a PyTorch checkpoint",))
    yield Case(28, "followed-by-a-zip.tar", good + b"PK\3\4" + bytes(600), ("bytes after the last tar member",))
    for name, record in (("huge", b"99999999999 path=x\n"), ("not-a-number", b"x path=y\n"), ("zero", b"0 path=y\n"),
                         ("no-equals", b"8 pathy\n"), ("no-newline", b"9 path=yy"), ("size-lie", b"20 size=99999999999\n")):
        yield Case(28, f"pax-record-{name}.tar", pax(record) + good,
                   ("truncated: " if name == "size-lie" else "tar header: bad record in an extended header",))
    yield Case(28, "pax-path.tar", pax(b"17 path=sys_info\n") + good, ("tar member sys_info is given twice",))
    yield Case(28, "pax-sparse.tar", pax(b"22 GNU.sparse.major=1\n") + good, ("tar header: a sparse file",))
    endless = b"".join(pax(b"10 path=x\n") for _ in range(2000))
    yield Case(28, "many-pax-headers.tar", endless + good, ("tar header: an extended header after another",))
    yield case("many-members", "a tar archive that holds x0, not a checkpoint", {**parts, **{f"x{i}": b"" for i in range(3000)}})


def with_field(archive, offset, field):
    """The archive with a field of its first header replaced, and the checksum put right."""
    header = bytearray(archive[:512])
    header[offset:offset + len(field)] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + archive[512:]


def pax(record):
    header = bytearray(512)
    header[:4] = b"pax\0"
    header[124:136] = b"%011o\0" % len(record)
    header[156:157] = b"x"
    header[257:265] = b"ustar\x0000"
    return with_field(bytes(header), 0, b"pax\0") + record + bytes(-len(record) % 512)


def tensors():
    """Row 28's numbers: dimensions, sizes, strides, offsets; and keys."""
    shapes = [tensor["shape"] for _, tensor in net()]

    def table(changed, count=None):
        out = Pickle().number(len(shapes) if count is None else count).stop()
        for i, shape in enumerate(shapes):
            out += changed if i == 0 else tar_tensor(1 + i, 100 + i, shape)
        return tar_parts(tensors=out)
    first = shapes[0]
    for name, ndim in (("2^31", 2**31 - 1), ("negative", -1), ("nine", 9), ("one", 1), ("five", 5)):
        yield case(f"{name}-dimensions", "pickle: " if name in ("one", "five") else "dimensions, at most 8 are supported", table(tar_tensor(1, 100, first, ndim=ndim)))
    for name, shape, stride, offset in (
            ("negative-size", (4, 3, 3, -3), None, 0), ("size-2^62", (1 << 62, 3, 3, 3), (0, 9, 3, 1), 0),
            ("size-overflows", (1 << 32, 1 << 32, 1, 1), (0, 0, 0, 0), 0), ("stride-negative", first, (27, 9, 3, -1), 0),
            ("stride-2^62", first, (1 << 62, 9, 3, 1), 0), ("offset-negative", first, None, -1), ("offset-1", first, None, 1),
            ("offset-2^62", first, None, 1 << 62)):
        yield case(name, "features.0.weight: ", table(tar_tensor(1, 100, shape, stride, offset)))
    yield case("stride-0-of-4g", "are repeated, limit is 16777216", table(tar_tensor(1, 100, (1 << 20, 1 << 12, 1, 1), (0, 0, 0, 0))))
    yield case("tensor-of-no-storage", "a tensor in a storage that is not in the archive", table(tar_tensor(1, 999, first)))
    yield case("tensor-of-another-type", "a DoubleTensor in a FloatStorage", table(tar_tensor(1, 100, first, kind="DoubleTensor")))
    yield case("tensor-key-twice", "tensor 2 is given twice", table(tar_tensor(2, 100, first)))
    misfit = "a count that does not fit"
    for name, count, expects in (("more", 5, "pickle: truncated"), ("less", 3, "bytes after its last entry"),
                              ("negative", -1, misfit), ("2^31", 2**31 - 1, misfit), ("2^62", 1 << 62, misfit)):
        yield case(f"{name}-tensors", ("tar member tensors: " if expects[0] != "p" else "") + expects, table(tar_tensor(1, 100, first), count))
    yield case("tensors-cut", "tar member tensors: ends inside a tensor", {**tar_parts(), "tensors": tar_parts()["tensors"][:-3]})
    yield case("tensors-followed-by-a-byte", "tar member tensors: bytes after its last entry", {**tar_parts(), "tensors": tar_parts()["tensors"] + b"x"})
    call = b"\x80\2cposix\nsystem\nU\x0etouch executed\x85R."
    for member in ("pickle", "tensors", "storages", "sys_info"):
        yield case(f"call-in-{member}", "posix.system", {**tar_parts(), member: call})
    missing = Pickle().op("}").text("features.0.weight").text("77").op("Qs").stop()
    yield case("id-of-no-tensor", "tensor 77 is not in the archive", tar_parts(pickle=missing))
    no_key = "a persistent id that is not the key of a tensor"
    for name, code, expects in (("number", b"K\1Q", "persistent id is an integer, expected a key"),
                             ("tuple", b")Q", "persistent id is a tuple, expected a key"), ("text", b"U\1xQ", no_key),
                             ("huge", b"U\x20" + b"9" * 32 + b"Q", no_key), ("empty", b"U\0Q", no_key),
                             ("negative", b"U\2-1Q", "tensor -1 is not in the archive")):
        yield case(f"id-is-{name}", expects, tar_parts(pickle=b"\x80\2}U\1a" + code + b"s."))


def storages():
    values = list(values_of(net()).values())

    def table(changed=None, count=None, views=b"\x80\2]."):
        out = Pickle().number(len(values) if count is None else count).stop()
        for i, data in enumerate(values):
            out += changed if changed is not None and i == 0 else tar_storage(100 + i, data)
        return tar_parts(storages=out + views)
    for name, elements in (("huge", 1 << 61), ("2^40", 1 << 40), ("negative", -1), ("one-more", 109), ("one-less", 107), ("zero", 0)):
        yield case(f"storage-of-{name}", "expected at most the" if abs(elements) > 200 or elements < 0 else "pickle: ", table(tar_storage(100, values[0], elements)))
    yield case("storage-key-twice", "storage 101 is given twice", table(tar_storage(101, values[0])))
    yield case("storage-of-unknown-type", "expected (key, location, class)", table(tar_storage(100, values[0], kind="FooStorage")))
    yield case("storage-class-is-a-call", "posix.system", table(
        b"\x80\2(K\x64U\3cpucposix\nsystem\nt." + struct.pack("<q", 108) + values[0]))
    for name, count in (("more", 5), ("less", 3), ("negative", -1), ("2^31", 2**31 - 1), ("2^62", 1 << 62)):
        yield case(f"{name}-storages", "tar member storages: ", table(count=count))

    def view(target, root, offset, count):
        return Pickle().op("](").op("(").number(target).number(root).number(offset).number(count).op("te").stop()
    for name, code in (("of-nothing", view(200, 999, 0, 1)), ("outside", view(200, 100, 100, 9)), ("negative", view(200, 100, -1, 2)),
                       ("2^62", view(200, 100, 1 << 62, 1 << 62)), ("of-itself", view(200, 200, 0, 1)),
                       ("over-a-storage", view(101, 100, 0, 4)), ("not-tuples", b"\x80\2]K\1a."), ("of-three", b"\x80\2](K\1K\2K\3te."),
                       ("a-dict", b"\x80\2}."), ("cut", b"\x80\2](")):
        yield case(f"view-{name}", "pickle: " if name in ("of-three", "cut") else "tar member storages: ", table(views=code))


def cases():
    for part in (members, tensors, storages):
        yield from part()
