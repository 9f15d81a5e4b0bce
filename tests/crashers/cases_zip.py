# SPDX-License-Identifier: MIT
"""Hostile zip archives: rows 21 to 26."""
import itertools
import struct
import zlib

from case import Case
from writer import Member, members_of, net, net_pickle, values_of, zip_archive

NAMES = ["archive/data.pkl", "archive/data/0", "archive/data/1", "archive/data/2", "archive/data/3",
         "archive/version"]


def members(changes=None, add=()):
    """The good archive's members; changes: index -> lies, or a Member."""
    good = members_of(net_pickle(), values_of(net()))
    for index, change in (changes or {}).items():
        if isinstance(change, Member):
            good[index] = change
        else:
            good[index].lies.update(change)
    return good + list(add)


def archive(row, name, expects, changes=None, add=(), **lies):
    return Case(row, name + ".zip", zip_archive(members(changes, add), **lies), expects if isinstance(expects, tuple) else (expects,))


def headers():
    """Row 21: two readers would see two archives."""
    disagree = "local header does not agree with the directory"
    sizes = "sizes in the local header do not agree with the directory"
    for index, name in ((0, "pickle"), (1, "storage"), (5, "version")):
        thing = "zip member " + NAMES[index] + ": "
        yield archive(21, f"local-name-of-{name}", thing + disagree, {index: {"local_name": b"archive/datap.kl"}})
        yield archive(21, f"local-method-of-{name}", thing + disagree, {index: {"local_method": 8}})
        # Without a descriptor the local header's sizes and CRC count.
        for field, value in (("packed", 7), ("bytes", 7), ("crc", 7)):
            yield archive(21, f"local-{field}-of-{name}", thing + sizes,
                          {index: {"descriptor": False, f"local_{field}": value}})
    yield archive(21, "same-local-header-twice", disagree, {2: {"offset": 0}})
    data = values_of(net())["0"]
    inner = zip_archive([Member("archive/data/1", data[:16])])[:-98 - 46 - 14]  # a local header inside a storage
    nested = inner + data[len(inner):]
    offset = len(zip_archive(members()[:1])) - 98 - 46 - 16 + 30 + 14
    yield archive(21, "member-inside-a-member", "overlaps another member",
                  {1: Member(NAMES[1], nested), 2: {"offset": offset}})
    yield archive(21, "member-reaches-the-next", "overlaps another member", {1: {"packed": 470, "bytes": 470}})
    yield archive(21, "member-reaches-the-directory", "does not fit the file", {5: {"packed": 100, "bytes": 100}})
    yield archive(21, "offset-in-the-directory", "does not fit the file", {5: {"offset": 1600}})
    yield archive(21, "offset-past-the-end", "does not fit the file", {5: {"offset": 0xfffffff0}})
    yield archive(21, "offset-by-one", "does not fit the file", {1: {"offset": 1}})
    yield archive(21, "two-pickles", "zip member archive/data.pkl: is given twice", add=members()[:1])
    yield archive(21, "two-pickles-in-two-folders", "expected exactly one pickle, FOLDER/data.pkl",
                  add=[Member("evil/data.pkl", b"\x80\2N.")])
    yield archive(21, "two-storages", "zip member archive/data/0: is given twice", add=[Member(NAMES[1], bytes(432))])
    for name, path in (("absolute", "/etc/passwd"), ("dot-dot", "archive/../../x"), ("only-dot-dot", ".."),
                       ("backslash", "archive\\data.pkl"), ("nul", "archive/da\0ta"), ("empty", ""),
                       ("dot-dot-at-end", "archive/..")):
        yield archive(21, f"name-{name}", "bad name in the zip directory", add=[Member(path, b"x")])
    yield archive(21, "names-equal-but-for-case", "differs from another name only in case",
                  add=[Member("archive/DATA.PKL", b"\x80\2N.")])
    yield archive(21, "stored-of-two-sizes", "stored, but with two different sizes", {1: {"bytes": 500}})


def directories():
    """Row 22: flags, methods, disks, and lies about the directory."""
    disagree = "local header does not agree with the directory"
    for flag in (0x1, 0x20, 0x40, 0x2000, 0x8000):
        yield archive(22, f"flag-{flag:x}-local", disagree, {0: {"local_flags": 0x808 | flag}})
        yield archive(22, f"flag-{flag:x}-central", "encrypted or of an unknown kind", {0: {"central_flags": 0x808 | flag}})
        yield archive(22, f"flag-{flag:x}-both", "encrypted or of an unknown kind", {0: {"flags": 0x808 | flag}})
    for method in (1, 6, 9, 12, 14, 93, 95, 98, 99):
        yield archive(22, f"method-{method}", "compressed by a method other than deflate", {0: {"method": method}})
    yield archive(22, "on-disk-1", "on another disk", {1: {"disk": 1}})
    yield archive(22, "several-disks", "several disks", disk=1)
    yield archive(22, "counts-differ", "several disks", count_here=5)
    for name, lies in (("count-less", {"count": 5}), ("count-more", {"count": 7}), ("count-65535", {"count": 65535}),
                       ("count-0", {"count": 0})):
        yield archive(22, name, "zip directory", **lies)
        yield archive(22, name + "-32", "zip directory", no_end64=True, **lies)
    for name, lies in (("directory-longer", {"directory_bytes": 1000}), ("directory-shorter", {"directory_bytes": 10}),
                       ("directory-later", {"directory_offset": 1700}), ("directory-at-0", {"directory_offset": 0}),
                       ("directory-past-the-end", {"directory_offset": 0xfffffff0})):
        yield archive(22, name, "does not fit the file", **lies)
        yield archive(22, name + "-32", "does not fit the file", no_end64=True, **lies)
    yield archive(22, "2^32-entries", "does not fit the file", count=0xffffffff)
    yield archive(22, "2^63-entries", "bad zip64 end record", end64_count=1 << 63, count=0xffff)
    yield archive(22, "counts-of-end64-differ", "bad zip64 end record", end64_count=5)
    yield archive(22, "ends-disagree", "the zip's two end records do not agree", end64_bytes=10)
    yield archive(22, "end64-of-100", "bad zip64 end record", end64_size=100)
    yield archive(22, "end64-on-disk-1", "bad zip64 end record", end64_disk=1)
    for name, offset in (("outside", 1 << 40), ("at-2^64", 2**64 - 1), ("at-0", 0)):
        yield archive(22, f"locator-{name}", "zip64 locator points to byte", locator_offset=offset)
    yield archive(22, "comment", "a comment, or something appended", comment=b"hello")
    inner = zip_archive([Member("archive/data.pkl", b"\x80\2N.")])
    yield archive(22, "archive-in-the-comment", "after the zip archive's end", comment=inner[:-22])
    end = b"PK\5\6" + bytes(18)
    yield archive(22, "end-in-the-comment", "zip directory of", comment=end)
    full = {"bytes": 0xffffffff, "packed": 0xffffffff}
    for name, extra in (("missing", b""), ("short", struct.pack("<HHQ", 1, 8, 432)), ("cut", struct.pack("<HH", 1, 16)),
                        ("of-length-0", struct.pack("<HH", 1, 0)), ("twice", struct.pack("<HHQQ", 1, 16, 432, 432) * 2)):
        yield archive(22, f"zip64-extra-{name}", "zip member archive/data/0: ", {1: {**{f"central_{k}": v for k, v in full.items()}, "central_extra": extra}})
    yield archive(22, "zip64-extra-of-2^63", "does not fit the file", {1: {**{f"central_{k}": v for k, v in full.items()}, "central_extra": struct.pack("<HHQQ", 1, 16, 1 << 63, 1 << 63)}})
    yield archive(22, "extra-cut", "bad extra field", {1: {"central_extra": b"FB\xff\xff"}})

    # The hash of many tables (33 * hash + byte) is the same for all of these; the file is a good one.
    colliding = [b"archive/data/" + b"".join(parts)
                 for parts in itertools.islice(itertools.product((b"Ez", b"FY"), repeat=17), 99990)]
    good = members()
    yield Case(22, "99990-names-of-one-hash.zip", lambda path: path.write_bytes(
        crowded(colliding, [good[0], good[1].deflated(), *good[2:]])), (), code=0)
    yield Case(22, "100001-entries.zip", crowded([b"a/%d" % i for i in range(100001)]), ("zip archive of 100001 members, limit is 100000",))


def crowded(names, first=()):
    """An archive of the first members and very many empty ones, written fast."""
    local, central = bytearray(), bytearray()
    for member in [*first, *(Member(name, b"") for name in names)]:
        name, data = member.name, member.data
        fields = struct.pack("<HHIIII", 0x800, member.lies.get("method", 0), 0, member.lies.get("crc", zlib.crc32(data)),
                             len(data), member.lies.get("bytes", len(data)))
        central += b"PK\1\2\0\0\0\0" + fields + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, len(local)) + name
        local += b"PK\3\4\0\0" + fields + struct.pack("<HH", len(name), 0) + name + data
    count = len(first) + len(names)
    start, size = len(local), len(central)
    end = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 0, 0, 0, 0, count, count, size, start)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, start + size, 1)
    return bytes(local + central + end + locator) + b"PK\5\6" + struct.pack(
        "<HHHHIIH", 0, 0, min(count, 0xffff), min(count, 0xffff), size, start, 0)


def unpacking():
    """Rows 23 and 24: checksums, and members that unpack to something else."""
    good = members()
    yield archive(23, "crc-of-the-pickle", "zip member archive/data.pkl: CRC error", {0: {"crc": 1}})
    yield archive(23, "crc-of-a-deflated-pickle", "zip member archive/data.pkl: CRC error", {0: good[0].deflated(crc=1)})
    yield archive(23, "crc-of-a-deflated-storage", "zip member archive/data/0: CRC error", {1: good[1].deflated(crc=1)})
    yield Case(23, "crc-of-a-storage-left-out.zip", zip_archive(members({1: {"crc": 0}})), ("expected a CRC-32 of all members or of none",),
               ("--verify",))
    yield Case(23, "no-crc-at-all.zip", zip_archive(members({i: {"crc": 0} for i in range(len(good))})), ("nothing to verify",), ("--verify",))
    yield Case(23, "crc-of-a-storage.zip", zip_archive(members({1: {"crc": 1}})), ("zip member archive/data/0: CRC",), ("--verify",))
    flipped = bytearray(good[1].data)
    flipped[200] ^= 1
    yield Case(23, "flipped-weight.zip", zip_archive(members({1: Member(NAMES[1], bytes(flipped), crc=zlib.crc32(good[1].data))})),
               ("zip member archive/data/0: CRC",), ("--verify",))

    zeros = Member(NAMES[1], bytes(1 << 20)).deflated()
    huge = net(features_0_weight={"count": 1 << 30})
    pickle = Member(NAMES[0], net_pickle(huge))
    yield archive(24, "storage-of-4-gib", ("storage 0: expected 4294967296 bytes", "found 4294967294"),
                  {0: pickle, 1: Member(NAMES[1], zeros.data, method=8, bytes=0xfffffffe, crc=0)})
    for name, count in (("64-mib", 1 << 24), ("1-gib", 1 << 28), ("nearly-4-gib", (1 << 30) - 1)):
        def write(path, count=count):
            squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
            piece, whole = bytes(1 << 20), 4 * count >> 20
            packed = b"".join(squeeze.compress(piece) for _ in range(min(whole, 64))) + squeeze.flush()
            if whole > 64:  # repeated blocks of zeros would take long to make; the size is a lie then
                packed += bytes(4 * count // 1000)
            tensors = net(features_0_weight={"count": count})
            path.write_bytes(zip_archive(members({0: Member(NAMES[0], net_pickle(tensors)),
                                                  1: Member(NAMES[1], packed, method=8, bytes=4 * count, crc=0)})))
        yield Case(24, f"storage-bomb-of-{name}.zip", write, ("zip member archive/data/0: ",))
    yield archive(24, "pickle-of-4-gib", "data.pkl", {0: Member(NAMES[0], zeros.data, method=8, bytes=0xfffffffe, crc=0)})

    def pickle_bomb(path):
        bomb = Member(NAMES[0], b"\x80\2" + b"N\x85" * (60 << 19) + b".").deflated()
        path.write_bytes(zip_archive(members({0: bomb})))
    yield Case(24, "pickle-bomb-of-60-mib.zip", pickle_bomb, ("zip member archive/data.pkl: ",))
    yield archive(24, "pickle-of-65-mib", "data.pkl is larger than the limit of 67108864 bytes",
                  {0: Member(NAMES[0], zeros.data, method=8, bytes=65 << 20, crc=0)})
    longer = good[1].deflated(bytes=400)
    shorter = good[1].deflated(bytes=432)
    packed = Member(NAMES[1], good[1].data[:428]).deflated(bytes=432)
    yield archive(24, "unpacks-to-more", "storage 0: expected 432 bytes", {1: longer})
    yield archive(24, "pickle-unpacks-to-more", "zip member archive/data.pkl: unpacks to more than its size",
                  {0: good[0].deflated(bytes=len(good[0].data) - 1)})
    yield archive(24, "unpacks-to-less", "zip member archive/data/0: ", {1: packed})
    yield archive(24, "pickle-unpacks-to-less", "zip member archive/data.pkl: ", {0: good[0].deflated(bytes=len(good[0].data) + 1)})
    for name, data in (("no-deflate", b"\xff" * 100), ("nothing", b""), ("cut", shorter.data[:-3]),
                       ("reserved-block", b"\7"), ("bad-distance", b"\x4b\x04\x02")):
        yield archive(24, f"storage-is-{name}", "zip member archive/data/0: ",
                      {1: Member(NAMES[1], data, method=8, bytes=432, crc=zlib.crc32(good[1].data))})


def folders():
    """Rows 25 and 26: names of members, and the small ones' contents."""
    yield archive(25, "pickle-without-a-folder", "without FOLDER/data.pkl", {0: Member("data.pkl", net_pickle())})
    yield archive(25, "pickle-two-folders-deep", "expected exactly one pickle, FOLDER/data.pkl", {0: Member("a/b/data.pkl", net_pickle())})
    yield archive(25, "pickle-called-datap.kl", "without FOLDER/data.pkl", {0: Member("archive/datap.kl", net_pickle())})
    yield archive(25, "pickle-in-capitals", "without FOLDER/data.pkl", {0: Member("archive/DATA.PKL", net_pickle())})
    yield archive(25, "pickle-in-another-folder", "storage 0 is not in the archive", {0: Member("other/data.pkl", net_pickle())})
    yield archive(25, "pickle-is-a-folder", "without FOLDER/data.pkl", {0: Member("archive/data.pkl/", net_pickle())})
    yield archive(25, "folder-without-a-name", "bad name in the zip directory", {0: Member("/data.pkl", net_pickle())})
    yield archive(25, "model-json", "TorchScript", {0: Member("archive/model.json", b"{}")})
    yield archive(25, "holds-a-checkpoint", "holds vgg16.pth: unpack it first", {0: Member("vgg16.pth", zip_archive(members()))})
    yield Case(25, "no-members.zip", zip_archive([]), ("not a PyTorch checkpoint",))
    yield archive(25, "long-folder", "expected a folder's name of at most 255 bytes", {0: Member("a" * 60000 + "/data.pkl", net_pickle())})

    for name, text in (("middle", "middle"), ("empty", ""), ("long", "little" * 100), ("nul", "little\0"), ("newline", "big\nbig"),
                       ("capitals", "LITTLE")):
        yield archive(26, f"byteorder-{name}", "byteorder: expected", add=[Member("archive/byteorder", text)])
    for name, text in (("0", "0"), ("-1", "-1"), ("huge", "1" * 15), ("empty", ""), ("word", "sixty-four"), ("long", "6" * 1000)):
        yield archive(26, f"storage-alignment-{name}", ".storage_alignment: expected", add=[Member("archive/.storage_alignment", text)])
    for name, text in (("99", "99\n"), ("0", "0\n"), ("-3", "-3"), ("word", "x"), ("empty", ""), ("long", "3" * 1000),
                       ("2^64", "18446744073709551619")):
        yield archive(26, f"version-{name}", "version", {5: Member(NAMES[5], text)})
        yield archive(26, f"data-version-{name}", "version", add=[Member("archive/.data/version", text)])


def cases():
    for part in (headers, directories, unpacking, folders):
        yield from part()


