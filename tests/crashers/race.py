#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a small checkpoint of each container and opens it again and again while race.c writes to it.

    race.py [--sanitized] RACE

Some files have a second version with the same size, between which the writer changes: the one is right, the other makes
lengths, counts or texts of the same bytes larger. With sanitizers each file is opened 500 times, else 100 times."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from emulator import command_of
from writer import (NET, PACKED_SPEC, READY, Member, int8_net, legacy_net, members_of, net, net_pickle, packed_net, safetensors,
                    safetensors_header, safetensors_net, size_of, tar_archive, tar_parts, values_of, zip_archive)

PAGE = 4096
ESCAPES = 20000


def floats(count):
    return struct.pack(f"<{count}f", *((1 + i % 7) / 8 for i in range(count)))


def replaced(data, *pairs):
    """The other version: each text is replaced once by one of the same length."""
    for old, new in pairs:
        assert len(old) == len(new) and old in data, old
        data = data.replace(old, new, 1)
    return data


def escaped():
    """A JSON text whose escapes become twice as many characters."""
    return rb"\/" * ESCAPES, b"aa" * ESCAPES


def zips():
    members = members_of(net_pickle(), values_of(net()))
    data = zip_archive(members)
    plain = zip_archive([Member(m.name, m.data, crc=0) for m in members])
    end = data.rindex(b"PK\5\6")
    directory = data.index(b"PK\1\2")
    yield "zip", data, data[:directory + 28] + b"\xff\xff\xff\xff" + data[directory + 32:end] + data[end:]
    yield "zip-without-crc", plain, replaced(plain, (b"features.0.weight", b"features.0.height"),
                                             (b"X\x11\0\0\0features.0", b"X\xff\xff\0\0features.0"[:15]))
    yield "zip-deflated", zip_archive([m.deflated() for m in members]), None


def streams():
    data = legacy_net()
    yield "legacy", data, replaced(data, (b"X\x11\0\0\0", b"X\xff\x0f\0\0"))
    data = tar_archive(tar_parts())
    name = data.index(b"storages")
    yield "tar", data, data[:name + 124] + b"77777777777" + data[name + 135:]
    count = len(data) - len(data.rstrip(b"\0"))
    yield "tar-padded", data + bytes(512 * 8), data[:-count] + b"\xff" * count + bytes(512 * 8)


def safetensors_files():
    header, size = safetensors_header()
    header["__metadata__"] = {"@": "1"}
    text = json.dumps(header).encode()
    one, two = (text.replace(b"@", key) for key in escaped())
    yield "safetensors", safetensors(one, floats(size // 4)), safetensors(two, floats(size // 4))
    # The length of the header changes, in a file that ends with a page: nothing lies behind it.
    data = safetensors_net()
    (length,) = struct.unpack("<Q", data[:8])
    text = data[8:8 + length]
    text += b" " * (PAGE - len(data) % PAGE)
    data = safetensors(text, data[8 + length:])
    yield "safetensors-length", data, struct.pack("<Q", len(text) + (1 << 20)) + data[8:]


def packed_files():
    one, two = escaped()
    spec = json.dumps({**PACKED_SPEC, "labels": ["@", "b", "c", "d", "e"]}).encode()
    data = packed_net(spec=spec.replace(b"@", one), ready=READY)
    yield "packed", data, data.replace(one, two)
    columns = {"shape": [5, 16], "layout": "column-major", "data": floats(64 * 16)}
    yield "packed-columns", packed_net({**NET, "classifier.0.weight": columns}), None
    # The key of a directory's entry is read like all others before it is refused.
    entry = {"name": "@", "dtype": "F32", "layout": "rows", "shape": [1], "offset": PAGE, "crc32": 0}
    text = json.dumps({"tensors": [entry]}).encode()
    data = packed_net(directory=text.replace(b"@", one))
    yield "packed-directory", data, data.replace(one, two)
    data = int8_net()
    at = data.index(struct.pack("<5i", *range(5)), PAGE * 5)
    yield "packed-int8", data, data[:at] + b"\xff\xff\xff\x7f" * 5 + data[at + 20:]


def main(arguments):
    opens = 500 if "--sanitized" in arguments else 100
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for files in (zips(), streams(), safetensors_files(), packed_files()):
            for name, data, other in files:
                path = pathlib.Path(folder) / f"{name}.pth"
                path.write_bytes(data)
                paths.append(path)
                paths.append("-")
                if other is not None:
                    assert len(other) == len(data), name
                    paths[-1] = path.with_suffix(".other")
                    paths[-1].write_bytes(other)
        return subprocess.run([*command_of(arguments[-1]), str(opens), *paths]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
