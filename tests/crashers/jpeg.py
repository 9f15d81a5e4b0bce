# SPDX-License-Identifier: MIT
"""Writes small JPEGs of every structure: the blocks are flat (a DC coefficient, no AC ones), which is all
that a decoder's parsing needs."""
import struct

# Code of 3 bits for DC categories 0 ... 5; for AC the end of a block as 0, one coefficient as 10.
DC_TABLE = bytes([0, 0, 6] + [0] * 13) + bytes(range(6))
AC_TABLE = bytes([1, 1] + [0] * 14) + b"\x00\x01"


def segment(marker, data=b""):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def pack(bits):
    """Bits as bytes: ones behind the end, a zero after every 255."""
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    return data.replace(b"\xff", b"\xff\0")


def block(difference, ac=True):
    size = abs(difference).bit_length()
    value = difference if difference >= 0 else difference + (1 << size) - 1
    return f"{size:03b}" + (f"{value:0{size}b}" if size else "") + ("0" if ac else "")


def frame(marker, width, height, samplings, precision=8):
    parts = b"".join(bytes([i + 1, sampling, 0]) for i, sampling in enumerate(samplings))
    return segment(marker, struct.pack(">BHHB", precision, height, width, len(samplings)) + parts)


def scan(components, first, last, bits, approximation=0):
    """components: their numbers, from 1."""
    head = bytes([len(components)]) + b"".join(bytes([c, 0]) for c in components)
    return segment(0xda, head + bytes([first, last, approximation])) + pack(bits)


def jpeg(width=24, height=16, samplings=(0x11,), progressive=False, adobe=None, restart=0, frame_marker=None,
         precision=8, tables=True, scans=1):
    """samplings: horizontal and vertical factor of each component, as one byte; scans: of the DC
    coefficients again and again."""
    count = len(samplings)
    across = 8 * max(s >> 4 for s in samplings)
    down = 8 * max(s & 15 for s in samplings)
    units = -(-width // across) * -(-height // down)
    blocks = [i for i, s in enumerate(samplings) for _ in range((s >> 4) * (s & 15))] if count > 1 else [0]
    out = b"\xff\xd8" + segment(0xe0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    if adobe is not None:
        out += segment(0xee, b"Adobe\0\x64\0\0\0\0" + bytes([adobe]))
    if tables:
        out += segment(0xdb, b"\0" + bytes([4] * 64))
    out += frame(frame_marker or (0xc2 if progressive else 0xc0), width, height, samplings, precision)
    if tables:
        out += segment(0xc4, b"\x00" + DC_TABLE + b"\x10" + AC_TABLE)
    if restart:
        out += segment(0xdd, struct.pack(">H", restart))
    components = [i + 1 for i in range(count)]
    one = ["".join(block((7 * u + 3 * c) % 31 - 15, not progressive) for c in blocks) for u in range(units)]
    if restart:
        head = scan(components, 0, 63, "")
        pieces = [pack("".join(one[i:i + restart])) for i in range(0, units, restart)]
        data = pieces[0]
        for i, piece in enumerate(pieces[1:]):
            data += b"\xff" + bytes([0xd0 + i % 8]) + piece
        out += head + data
    elif progressive:
        out += scan(components, 0, 0, "".join(one), 1) + scan(components, 0, 0, "1" * len(blocks) * units, 0x10)
        out += scan([1], 1, 63, "0" * (-(-width // 8) * -(-height // 8))) * scans
    else:
        out += scan(components, 0, 63, "".join(one))
    return out + b"\xff\xd9"


def samples():
    """Name -> a good JPEG."""
    color = (0x11, 0x11, 0x11)
    return {
        "gray": jpeg(), "color": jpeg(samplings=color), "420": jpeg(samplings=(0x22, 0x11, 0x11)),
        "422": jpeg(samplings=(0x21, 0x11, 0x11)), "odd": jpeg(17, 9, samplings=(0x22, 0x11, 0x11)),
        "rgb": jpeg(samplings=color, adobe=0), "cmyk": jpeg(samplings=color + (0x11,), adobe=0),
        "ycck": jpeg(samplings=color + (0x11,), adobe=2), "restart": jpeg(samplings=color, restart=2),
        "progressive": jpeg(progressive=True), "progressive-color": jpeg(samplings=color, progressive=True),
        "progressive-420": jpeg(samplings=(0x22, 0x11, 0x11), progressive=True),
        "extended": jpeg(frame_marker=0xc1), "exif": jpeg()[:2] + segment(0xe1, b"Exif\0\0II*\0") + jpeg()[2:],
    }
