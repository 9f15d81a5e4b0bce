# SPDX-License-Identifier: MIT
"""Rows 28 to 30: tar archives, safetensors, and what is no checkpoint at all."""
import os
import zlib

from case import Case
from writer import png, zip_net


def strangers():
    for name, data, expects in (
            ("image.pt", png(4, 4), "expected a checkpoint, got an image"),
            ("archive.7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24), "a 7z archive: unpack it first"),
            ("page.pth", b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n", "an HTML or XML page"),
            ("error.pth", b"\n\n  <?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "an HTML or XML page"),
            ("pointer.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 553433881\n",
             "git lfs pull"),
            ("packed.pth.gz", zlib.compress(zip_net(), wbits=31), "compressed with gzip: unpack it first"),
            ("packed.pth.bz2", b"BZh91AY&SY" + bytes(20), "compressed with bzip2"),
            ("packed.pth.xz", b"\xfd7zXZ\0" + bytes(20), "compressed with xz"),
            ("packed.pth.zst", b"\x28\xb5\x2f\xfd" + bytes(20), "compressed with zstd"),
            ("archive.rar", b"Rar!\x1a\7\0" + bytes(20), "a RAR archive"),
            ("keras.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file"),
            ("array.pth", b"\x93NUMPY\1\0" + bytes(64), "expected a checkpoint, got an array"),
            ("model.gguf", b"GGUF\3\0\0\0" + bytes(64), "a GGUF model"),
            ("model.onnx", b"\x08\x07\x12\x07pytorch\x1a\x052.0.1" + bytes(32), "an ONNX model"),
            ("preview.pth", b"PYTORCH1" + bytes(64), "PyTorch 1.0 preview"),
            ("program.pth", b"\x7fELF\2\1\1" + bytes(64), "a program or library"),
            ("paper.pth", b"%PDF-1.5\n", "a PDF document"),
            ("photo.pth", b"\xff\xd8\xff\xe0" + bytes(64), "expected a checkpoint, got an image"),
            ("empty.pth", b"", "the file is empty"),
            ("byte.pth", b"\x80", "the beginning of a pickle"),
            ("zeros.pth", bytes(4096), "not a PyTorch checkpoint"),
            ("text.pth", b"hello\n", "not a PyTorch checkpoint"),
            ("bare.pkl", b"\x80\2}q\0(X\1\0\0\0aK\1X\1\0\0\0bK\2u.", "pickle"),
            ("no-files.zip", b"PK\5\6" + bytes(18), "an empty zip archive")):
        yield Case(30, name, data, (expects,))
    yield Case(30, "folder.pth", lambda path: path.mkdir(), ("expected a regular file, found a folder",), ("--model", "folder.pth"))
    yield Case(30, "fifo.pth", os.mkfifo, ("expected a regular file, found a pipe or device",), ("--model", "fifo.pth"))
    yield Case(30, "missing.pth", lambda path: None, ("cannot open", "No such file"), ("--model", "missing.pth"))
    yield Case(30, "loop.pth", lambda path: path.symlink_to(path), ("cannot open",), ("--model", "loop.pth"))
    yield Case(30, "nine-gib.pth", huge, ("file has 9663676416 bytes, limit is 8589934592",))
    for device in ("zero", "null", "random"):
        yield Case(30, f"dev-{device}.pth", lambda path, device=device: path.symlink_to(f"/dev/{device}"),
                   ("expected a regular file, found a pipe or device",))
    yield Case(30, "unreadable.pth", unreadable, ("cannot open",) if os.geteuid() else ("the file is empty",))


def huge(path):
    with open(path, "wb") as file:
        file.write(b"PK\3\4")
        file.truncate(9 << 30)


def unreadable(path):
    path.touch(0)


def cases():
    yield from strangers()

