# SPDX-License-Identifier: MIT
"""Row 33: images that take more memory or time than their files suggest, and large ones that need not."""
import zlib

from case import Case
from jpeg import AC_TABLE, DC_TABLE, frame, scan, segment
from writer import png

SQUARE = ("--resize", "16x16")


def empty_jpeg(width, height, components, progressive, scans=()):
    """All coefficients are 0, because a decoder takes missing bits as 0. scans: further ones of components, empty too."""
    out = b"\xff\xd8" + segment(0xdb, b"\0" + bytes([4] * 64))
    out += frame(0xc2 if progressive else 0xc0, width, height, (0x11,) * components)
    out += segment(0xc4, b"\x00" + DC_TABLE + b"\x10" + AC_TABLE)
    out += scan(range(1, components + 1), 0, 0 if progressive else 63, "")
    return out + b"".join(scan([component], 1, 63, "") for component in scans) + b"\xff\xd9"


def flat_png(width, height, channels, color, **more):
    """All samples are 0."""
    return png(width, height, bytes((1 + width * channels) * height), color=color, **more)


def profile(name, kind):
    """A chunk of 300 MB of zeros, compressed."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(10 << 20)) for _ in range(30)) + packer.flush()
    head = {b"iCCP": b"sRGB\0\0", b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\1\0\0\0"}[kind]
    return Case(33, name, png(16, 16, chunks=[(kind, head + data)]), (), code=0, is_image=True)


def refused(name, data, *expects, args=()):
    return Case(33, name, data, expects, args, code=1, is_image=True)


def good(name, data, args=()):
    return Case(33, name, data, (), args, code=0, is_image=True)


def bombs():
    yield refused("coefficients.jpg", empty_jpeg(13377, 13377, 3, True, [1, 2, 3]),
                  "image of 13377 x 13377 pixels needs 10", "bytes of memory with the coefficients of all scans",
                  "limit is 536870912; raise it with --max-memory")
    # A sequential JPEG whose components come one by one is collected, too.
    yield refused("sequential.jpg", empty_jpeg(13377, 13377, 3, False).replace(
        scan([1, 2, 3], 0, 63, ""), b"".join(scan([i], 0, 63, "") for i in (1, 2, 3))),
        "with the coefficients of all scans", "--max-memory")
    yield refused("scans.jpg", empty_jpeg(1000, 1000, 1, True, [1] * 400),
                  "image of 1000 x 1000 pixels: decoding its first 17 scans takes 17",
                  "steps, limit is 16 for each of 1000000 pixels; raise it with --max-pixels",
                  args=("--max-pixels", "1000000"))
    yield refused("tall.png", flat_png(1, 40000000, 1, 0),
                  "image of 1 x 40000000 pixels: resize to 16 x 640000000, limit is 178956970 pixels", args=("--resize", "16", "--crop", "16"))
    yield refused("rows.png", flat_png(1, 20000000, 1, 0), "20000000 rows in 1 pass, limit is 10000000", args=SQUARE)
    yield refused("interlaced-rows.png", flat_png(1, 1500000, 1, 0, interlace=1),
                  "10500000 rows in 7 passes, limit is 10000000", args=SQUARE)
    yield refused("interlaced.png", flat_png(6000, 6000, 1, 0, interlace=1),
                  "image of 6000 x 6000 pixels needs", "with all rows of an interlaced PNG",
                  "limit is 33554432; raise it with --max-memory", args=("--max-memory", "32M"))
    yield refused("wide.png", flat_png(100000000, 1, 1, 0), "with the decoder's rows", "--max-memory",
                  args=("--interpolation", "nearest", "--max-memory", "50M", *SQUARE))
    yield refused("weights.png", flat_png(100000000, 1, 1, 0), "with the weights of the resize", "--max-memory", args=SQUARE)
    yield refused("widened.png", flat_png(1, 1000000, 1, 0), "image of 1 x 1000000 pixels: resizing it takes",
                  "--max-pixels", args=("--resize", "16x20000"))


def large():
    """Without anything that asks for more than a band of rows."""
    yield good("baseline.jpg", empty_jpeg(8000, 5000, 1, False))
    yield good("rows-of-gray.png", flat_png(8000, 5000, 1, 0))
    yield good("rows-of-rgb.png", flat_png(5000, 5000, 3, 2))
    for kind in (b"iCCP", b"zTXt", b"iTXt"):
        yield profile(f"{kind.decode()}.png", kind)


def cases():
    yield from bombs()
    yield from large()
