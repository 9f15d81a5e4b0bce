# SPDX-License-Identifier: MIT
"""PNG and JPEG files of every kind, also those Pillow cannot write."""

import io
import shutil
import struct
import subprocess
import sys
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG colour type
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]  # x, y, step in x, step in y


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """[h, w, channels] of integers -> h byte strings."""
    height = samples.shape[0]
    flat = samples.reshape(height, -1)
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in flat]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in flat]
    bits = (flat[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.astype(np.uint8)).tobytes() for row in bits.reshape(height, -1)]


def filter_row(kind, row, above, step):
    """One of PNG's five filters; step is a pixel in bytes, at least 1."""
    x = np.frombuffer(row, np.uint8).astype(int)
    b = np.frombuffer(above, np.uint8).astype(int)
    a = np.concatenate([np.zeros(step, int), x])[:len(x)]
    c = np.concatenate([np.zeros(step, int), b])[:len(x)]
    if kind == 4:
        pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
        guess = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
    else:
        guess = (0, a, b, (a + b) // 2)[kind]
    return bytes([kind]) + ((x - guess) & 255).astype(np.uint8).tobytes()


def png(samples, color_type, depth, interlaced=False, before=b"", after=b"", idat_bytes=1 << 30):
    """A PNG of samples [h, w, channels]; rows use all five filters in turn.
    before, after: further chunks on either side of the pixels."""
    height, width = samples.shape[:2]
    step = max(1, CHANNELS[color_type] * depth // 8)
    stream = b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size == 0:
            continue
        rows = pack_rows(part, depth)
        above = bytes(len(rows[0]))
        for i, row in enumerate(rows):
            stream += filter_row(i % 5, row, above, step)
            above = row
    data = zlib.compress(stream, 6)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before +
            b"".join(chunk(b"IDAT", data[i:i + idat_bytes])
                     for i in range(0, len(data), idat_bytes)) +
            after + chunk(b"IEND", b""))


def palette(entries, seed=0):
    colors = np.random.default_rng(seed).integers(0, 256, (entries, 3), np.uint8)
    return chunk(b"PLTE", colors.tobytes())


def jpeg(image, **options):
    """Pillow's JPEG encoder (subsampling 0: 4:4:4, 1: 4:2:2, 2: 4:2:0)."""
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def cjpeg(image, *options):
    """libjpeg-turbo's own encoder, for what Pillow has no option for."""
    if shutil.which("cjpeg") is None:
        sys.exit("cjpeg is missing: apt-get install libjpeg-turbo-progs")
    source = io.BytesIO()
    image.save(source, "PPM")
    done = subprocess.run(["cjpeg", *options], input=source.getvalue(), capture_output=True)
    if done.returncode != 0:
        sys.exit("cjpeg %s: %s" % (" ".join(options), done.stderr.decode()))
    return done.stdout


def segments(data):
    """Yields (marker, start, end) of a JPEG's segments up to the first scan."""
    at = 2
    while True:
        end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        yield data[at + 1], at, end
        if data[at + 1] == 0xDA:
            return
        at = end


def adobe_transform(data, transform):
    """Sets the transform in Adobe's marker (0: none, 1: YCbCr, 2: YCCK); None removes the marker."""
    for marker, start, end in segments(data):
        if marker == 0xEE and data[start + 4:start + 9] == b"Adobe":
            if transform is None:
                return data[:start] + data[end:]
            return data[:end - 1] + bytes([transform]) + data[end:]
    adobe = b"\xff\xee" + struct.pack(">H5sHHHB", 14, b"Adobe", 100, 0, 0, transform)
    return data[:2] + adobe + data[2:]


def without(data, unwanted):
    """Drops the segments with this marker."""
    for marker, start, end in reversed(list(segments(data))):
        if marker == unwanted:
            data = data[:start] + data[end:]
    return data
