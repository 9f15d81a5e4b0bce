#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A checkpoint that is shortened, or changed, while it is mapped: the command dies with a message, not of
SIGBUS.

    shrink.py VGG_INFER

A named pipe as the image stops the program between opening the checkpoint and using it."""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

from emulator import command_of
from writer import legacy_net, net, png, tar_archive, tar_parts, safetensors_net, zip_net
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, report  # noqa: E402

CLASSES = 4096
MESSAGE = "expected the file to keep its size, got a read error: it was shortened"


def large():
    """The usual net with a classifier of many pages, which are not read before they are used."""
    values = {"classifier_0_weight": {"shape": (CLASSES, 16), "values": struct.pack("<f", 0.5) * CLASSES * 16},
              "classifier_0_bias": {"shape": (CLASSES,), "values": struct.pack("<f", 0.5) * CLASSES}}
    return net(**values)


def run(program, path, change):
    """Lets the program open path, then calls change, then gives it the image."""
    fifo = path.parent / "image"
    os.mkfifo(fifo)
    process = subprocess.Popen([*program, "--model", path, fifo], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    with open(fifo, "wb") as image:  # waits until the program reads
        change(path)
        image.write(png(16, 16))
    out, err = process.communicate(timeout=600)
    fifo.unlink()
    return process.returncode, out, err


def check_shrink(program, folder, kind, data):
    path = folder / f"net.{kind}"
    path.write_bytes(data)
    code, out, err = run(program, path, lambda _: None)
    report(f"{kind}, left alone", None if code == 0 and "class" in out else f"exit {code}, {err!r}")
    for name, size in (("emptied", 0), ("cut to a page", 4096)):
        path.write_bytes(data)
        code, _, err = run(program, path, lambda p, size=size: os.truncate(p, size))
        good = code == 3 and err == f"vgg-infer: {path}: {MESSAGE}, or its disk fails\n"
        report(f"{kind}, {name}", None if good else f"exit {code}, {err!r}")


def check_change(program, folder, data):
    """Every byte is overwritten while the file is open: any answer but a crash."""
    path = folder / "changed.pth"
    for byte in (0, 0xff):
        path.write_bytes(data)

        def change(p, byte=byte):
            with open(p, "r+b") as file:
                file.write(bytes([byte]) * len(data))
        code, _, err = run(program, path, change)
        report(f"overwritten by {byte}", None if code in (0, 3) else f"exit {code}, {err!r}")


def main(program):
    tensors = large()
    shapes = {name: tensor["shape"] for name, tensor in tensors}
    files = {"zip": zip_net(tensors), "legacy": legacy_net(tensors), "safetensors": safetensors_net(shapes),
             "tar": tar_archive(tar_parts(tensors))}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kind, data in files.items():
            check_shrink(program, folder, kind, data)
        check_change(program, folder, files["zip"])
    return finish()


if __name__ == "__main__":
    sys.exit(main(command_of(sys.argv[1])) if len(sys.argv) == 2 else __doc__)
