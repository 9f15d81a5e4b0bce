#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes one small checkpoint of each container and runs damage.c on them.

    damage.py [--sanitized] DAMAGE

Every value of every byte, with sanitizers and emulators, and in the everyday run, every seventh."""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

from emulator import EMULATOR, command_of
from writer import (Member, legacy_net, members_of, net_pickle, safetensors_net, tar_archive, tar_parts,
                    values_of, zip_archive, zip_net)

SHAPES = {"w": (2, 3), "b": (2,)}
TENSORS = [(name, {"key": str(i), "shape": shape}) for i, (name, shape) in enumerate(SHAPES.items())]


def files():
    members = members_of(net_pickle(TENSORS), values_of(TENSORS))
    yield "zip", zip_net(TENSORS)
    yield "deflated", zip_archive([m.deflated() for m in members], no_end64=True)
    yield "no-descriptor", zip_archive([Member(m.name, m.data, descriptor=False) for m in members])
    yield "legacy", legacy_net(TENSORS)
    yield "safetensors", safetensors_net(SHAPES)
    yield "tar", tar_archive(tar_parts(TENSORS))


def main(arguments):
    few = "--sanitized" in arguments or EMULATOR or "VGG_TEST_QUICK" in os.environ
    step = "7" if few else "1"
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, data in files():
            if name == "tar":  # zeros up to a record are no less dull for being more
                data = data[:len(data.rstrip(b"\0")) // 512 * 512 + 3 * 512]
            path = pathlib.Path(folder) / f"{name}-{hashlib.sha256(data).hexdigest()[:8]}.pth"
            path.write_bytes(data)
            paths.append(path)
        return subprocess.run([*command_of(arguments[-1]), step, *paths]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
