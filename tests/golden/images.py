#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Images against the installed torchvision and Pillow: every byte after the crop, every float after
Normalize, and which damaged files are refused.

    images.py DUMP_IMAGE [--list]

DUMP_IMAGE is the built tests/golden/dump_image; --list prints each image that was compared. Every day a
quarter of the photographs and an eighth of the damaged files are enough.
Needs python3-torchvision, libjpeg-turbo-progs and the packages of photos.py."""

import io
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image
from torchvision import transforms
from torchvision.models import VGG16_Weights

from photos import photos
from quick import QUICK
from image_files import (CHANNELS, adobe_transform, chunk, cjpeg, jpeg, palette, png, without)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, report  # noqa: E402

PILLOW = tuple(int(part) for part in PIL.__version__.split(".")[:2])
SEED = 20261123

# Preset -> resize, crop, and everything from the RGB image to the tensor.
PRESETS = {
    "imagenet": (256, 224, VGG16_Weights.IMAGENET1K_V1.transforms()),
    "features": (256, 224, VGG16_Weights.IMAGENET1K_FEATURES.transforms()),
    "cifar": (32, 32, transforms.Compose([
        transforms.Resize(32), transforms.CenterCrop(32), transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])),
}


def random_for(name):
    """A generator for one image or one group of them: others before it change nothing."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


# --- the images: each function yields (name, bytes of the file) ---

def natural():
    """Photographs as they are; parts of them, in many sizes and encodings. Every day the fourth of the sizes."""
    sizes = [(500, 375), (375, 500), (333, 251), (640, 427), (256, 256), (224, 300), (257, 255)]
    for name, path in photos():
        with open(path, "rb") as file:
            yield name + ".jpg", file.read()
        photo = Image.open(path).convert("RGB")
        for i, (width, height) in enumerate(sizes):
            if QUICK and i != 3:
                continue
            stem = "%s_%dx%d" % (name, width, height)
            rng = random_for(stem)
            if i % 2 == 0:
                x = int(rng.integers(photo.width - width + 1))
                y = int(rng.integers(photo.height - height + 1))
                part = photo.crop((x, y, x + width, y + height))
            else:
                part = photo.resize((width, height), Image.Resampling.LANCZOS)
            if i % 3 == 0:
                yield stem + ".png", png(np.asarray(part), 2, 8)
            else:
                quality = int(rng.integers(30, 101))
                yield "%s_q%d.jpg" % (stem, quality), jpeg(
                    part, quality=quality, subsampling=i % 3, progressive=i % 2 == 0)


def sizes_and_shapes():
    """From 1x1 up, the sizes round the presets' own, and absurd ones."""
    small = [(w, h) for w in (1, 2, 3, 7, 16) for h in (1, 2, 5, 17)]
    near = [(s + d, 240 + d) for s in (32, 224, 256, 341, 512) for d in (-1, 0, 1)]
    absurd = [(3000, 31), (31, 3000), (1, 500), (500, 1), (1999, 2), (4000, 16), (5, 2000),
              (6000, 300), (700, 5)]
    def noise(name, width, height):
        return random_for(name).integers(0, 256, (height, width, 3), np.uint8)
    for size in small + near + absurd:
        name = "noise_%dx%d.png" % size
        yield name, png(noise(name, *size), 2, 8)
    for size in small[::2] + near[::2] + absurd[::2]:
        name = "noise_%dx%d.jpg" % size
        yield name, jpeg(Image.fromarray(noise(name, *size)))


def png_kinds():
    """Every colour type and depth PNG has, plain and interlaced."""
    for color_type, depth in [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1),
                              (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16)]:
        for width, height in [(1, 1), (7, 5), (33, 20), (301, 273)]:
            for interlaced in (False, True):
                shape = (height, width, CHANNELS[color_type])
                name = "png_type%d_%dbit_%dx%d%s.png" % (color_type, depth, width, height,
                                                         "_interlaced" * interlaced)
                rng = random_for(name)
                yield name, png(rng.integers(0, 1 << depth, shape), color_type, depth, interlaced,
                                palette(1 << depth, depth) if color_type == 3 else b"",
                                idat_bytes=int(rng.integers(50, 9000)))


def png_extras():
    """Transparency, colour management and other chunks without influence on the pixels."""
    def noise(channels, depth, width=70, height=50):
        name = "noise_%dx%d_%d" % (width, height, channels)
        return random_for(name).integers(0, 1 << depth, (height, width, channels))
    trns = {0: struct.pack(">H", 3), 2: struct.pack(">HHH", 1, 2, 3), 3: bytes(range(0, 256, 17))}
    for color_type, depth in [(0, 1), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 4), (3, 8)]:
        table = palette(16) if color_type == 3 else b""
        yield "trns_type%d_%dbit.png" % (color_type, depth), png(
            noise(CHANNELS[color_type], min(depth, 4) if color_type == 3 else depth),
            color_type, depth, before=table + chunk(b"tRNS", trns[color_type]))
    extras = {
        "gama": chunk(b"gAMA", struct.pack(">I", 200000)),
        "chrm": chunk(b"cHRM", struct.pack(">8I", *range(30000, 38000, 1000))),
        "srgb": chunk(b"sRGB", b"\0"),
        "sbit": chunk(b"sBIT", b"\5\6\5"),
        "bkgd": chunk(b"bKGD", struct.pack(">HHH", 255, 0, 255)),
        "text": chunk(b"tEXt", b"Title\0an image"),
        "exif_rotated": chunk(b"eXIf", b"MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0"),
        "private": chunk(b"prVt", bytes(1000)),
        "splt_for_rgb": palette(256),
    }
    for name, extra in extras.items():
        yield "chunk_%s.png" % name, png(noise(3, 8), 2, 8, before=extra)
    yield "text_behind.png", png(noise(3, 8), 2, 8, after=chunk(b"tEXt", b"Title\0behind"))
    yield "deep_gray_low_values.png", png(noise(1, 9), 0, 16)
    wide = png(noise(3, 8, 500, 300), 2, 8, interlaced=True)
    yield "interlaced_named.jpg", wide
    if PILLOW < (10, 1):  # later Pillows show an index past PLTE as black
        yield "index_past_palette.png", png(noise(1, 8), 3, 8, before=palette(100))
        yield "index_past_palette_4bit.png", png(noise(1, 4), 3, 4, before=palette(5))


def jpeg_kinds():
    """Samplings, progressive and arithmetic coding, restarts, gray, EXIF, odd sizes."""
    sources = {}
    for (name, path), size in zip(photos(), [(431, 317), (250, 333), (97, 61), (16, 300)]):
        sources["%s_%dx%d" % ((name,) + size)] = Image.open(path).convert("RGB").resize(size)
    for name, source in sources.items():
        for sampling in ("1x1", "2x1", "2x2", "1x2", "4x1", "4x2", "1x4", "2x4", "3x1", "1x3",
                         "2x2,1x2,1x2", "1x1,2x2,1x1", "2x2,2x1,1x2"):
            yield "%s_sampling_%s.jpg" % (name, sampling), cjpeg(source, "-sample", sampling)
        for sampling in ("1x1", "2x1", "2x2", "1x2", "4x1"):
            yield "%s_progressive_%s.jpg" % (name, sampling), cjpeg(
                source, "-progressive", "-sample", sampling)
        for restart in ("1", "1B", "5B", "3"):
            yield "%s_restart_%s.jpg" % (name, restart), cjpeg(source, "-restart", restart)
        yield name + "_progressive_restart.jpg", cjpeg(source, "-progressive", "-restart", "2")
        yield name + "_arithmetic.jpg", cjpeg(source, "-arithmetic")
        yield name + "_arithmetic_progressive.jpg", cjpeg(source, "-arithmetic", "-progressive")
        yield name + "_gray.jpg", jpeg(source.convert("L"))
        yield name + "_gray_progressive.jpg", cjpeg(source, "-grayscale", "-progressive")
        yield name + "_q1.jpg", cjpeg(source, "-quality", "1")
        yield name + "_q100.jpg", cjpeg(source, "-quality", "100")
        yield name + "_smooth.jpg", cjpeg(source, "-smooth", "30", "-optimize")
        yield name + "_rgb.jpg", cjpeg(source, "-rgb")
        ycc = jpeg(source)
        yield name + "_without_jfif.jpg", without(ycc, 0xE0)
        yield name + "_adobe_rgb.jpg", adobe_transform(without(ycc, 0xE0), 0)
        yield name + "_adobe_ycc.jpg", adobe_transform(without(ycc, 0xE0), 1)
        yield name + "_named.png", ycc
        for orientation in (3, 6, 8):
            exif = Image.Exif()
            exif[0x0112] = orientation
            yield "%s_exif%d.jpg" % (name, orientation), jpeg(source, exif=exif.tobytes())
        yield name + "_icc.jpg", jpeg(source, icc_profile=bytes(3000))


def cmyk():
    """CMYK and YCCK, with and without Adobe's marker, inverted (as Photoshop) or not."""
    for (name, path), size in zip(photos(), [(431, 317), (133, 250), (31, 17)]):
        inks = Image.open(path).convert("RGB").resize(size).convert("CMYK")
        array = np.asarray(inks).copy()
        array[..., 3] = random_for(name + "_black").integers(0, 256, array.shape[:2])
        for kind, source in [("", inks), ("_black", Image.fromarray(array, "CMYK")),
                             ("_straight", Image.fromarray(255 - array, "CMYK"))]:
            for options in ({}, {"subsampling": 2}, {"progressive": True, "quality": 95}):
                data = jpeg(source, **options)
                stem = "%s_cmyk%s_%s" % (name, kind, "_".join(options) or "plain")
                yield stem + ".jpg", data
                yield stem + "_no_adobe.jpg", adobe_transform(data, None)
                yield stem + "_ycck.jpg", adobe_transform(data, 2)


# --- damaged files ---

def damaged():
    """Small files of each kind cut at every byte, larger ones at many; single bits flipped."""
    photo = Image.open(next(photos())[1]).convert("RGB")
    small, large = photo.resize((40, 33)), photo.resize((420, 500))
    rgb = np.asarray(small)
    originals = {
        "baseline": jpeg(small),
        "progressive": jpeg(small, progressive=True),
        "restart": cjpeg(small, "-restart", "1B"),
        "arithmetic": cjpeg(small, "-arithmetic"),
        "cmyk": jpeg(small.convert("CMYK")),
        "large": jpeg(large, quality=98),  # more than one block of Pillow's 64 KiB
        "large_progressive": jpeg(large, quality=98, progressive=True),
        "png": png(rgb, 2, 8),
        "png_interlaced": png(rgb, 2, 8, interlaced=True),
        "png_palette": png(rgb[..., :1] & 15, 3, 4, before=palette(16)),
        "png_text": png(rgb, 2, 8, before=chunk(b"tEXt", b"a\0bcd"),
                        after=chunk(b"tEXt", b"key\0" + b"x" * 40)),
        "png_chunks": png(rgb, 2, 8, idat_bytes=100),
    }
    for name, data in originals.items():
        rng, cuts = random_for(name), range(len(data))
        if len(data) > 4000:
            cuts = set(rng.integers(0, len(data), 100)) | set(range(len(data) - 40, len(data)))
            cuts |= {cut for cut in (65535, 65536, 65537) if cut < len(data)}
        for cut in sorted(cuts):
            yield "%s_cut_%d" % (name, cut), data[:cut]
        for at in rng.integers(0, len(data), 150):
            flipped = bytearray(data)
            flipped[at] ^= 1 << int(rng.integers(8))
            yield "%s_flipped_%d" % (name, at), bytes(flipped)
        yield name + "_junk_behind", data + b"junk" * 10
        yield name + "_twice", data + data


def ends_inside_pixels(data):
    """Whether a PNG ends within an IDAT chunk's data. Pillow accepts such a file when only the last
    bytes of the zlib stream, its checksum among them, are missing; vgg-infer never does."""
    at = 8
    while data[:4] == b"\x89PNG" and at + 8 <= len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        if data[at + 4:at + 8] == b"IDAT" and at + 8 + length > len(data):
            return True
        at += 12 + length
    return False


# --- the comparison ---

def run(program, folder, files, presets):
    """Yields for every file and preset (crop, tensor, None), or (None, None, message)."""
    lines = []
    for number, (name, data) in enumerate(files):
        path = os.path.join(folder, "%d_%s" % (number, name))
        with open(path, "wb") as file:
            file.write(data)
        lines += ["%s %s\n" % (preset, path) for preset in presets]
    with tempfile.TemporaryFile() as out:
        subprocess.run([program], input="".join(lines).encode(), stdout=out, check=True)
        out.seek(0)
        for _ in lines:
            status, width, height = struct.unpack("3i", out.read(12))
            if status != 0:
                yield None, None, out.read(width).decode()
                continue
            size = width * height * 3
            yield (np.frombuffer(out.read(size), np.uint8).reshape(height, width, 3),
                   np.frombuffer(out.read(4 * size), np.float32).reshape(3, height, width), None)


def different(ours, theirs):
    """Number of elements that differ in any bit."""
    if ours.shape != theirs.shape:
        return max(ours.size, theirs.size)
    bits = {1: np.uint8, 4: np.uint32}[ours.itemsize]
    return int((ours.view(bits) != np.ascontiguousarray(theirs).view(bits)).sum())


def compare_image(data, results):
    """Compares one file's results, one per preset. Returns what is wrong, or None."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    for (preset, (resize, crop, to_tensor)), (pixels, tensor, message) in zip(PRESETS.items(),
                                                                              results):
        if message is not None:
            return "%s: refused: %s" % (preset, message)
        expected = np.asarray(transforms.CenterCrop(crop)(transforms.Resize(resize)(image)))
        bad = different(pixels, expected)
        if bad:
            return "%s: %d bytes differ after the crop" % (preset, bad)
        bad = different(tensor, to_tensor(image).numpy())
        if bad:
            return "%s: %d floats differ" % (preset, bad)
    return None


def compare_damaged(data, pixels, message):
    """Returns what is wrong (or None), and whether this is a known difference."""
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except Exception as error:  # Pillow raises all kinds
        return (None if message else "accepted; Pillow: %r" % error), False
    if message is not None:
        known = ends_inside_pixels(data)
        return (None if known else "Pillow accepts it; refused: " + message), known
    expected = np.asarray(transforms.CenterCrop(32)(transforms.Resize(32)(image)))
    bad = different(pixels, expected)
    return ("%d bytes differ" % bad if bad else None), False


def main():
    warnings.simplefilter("ignore")
    if not sys.argv[1:]:
        sys.exit(__doc__)
    program, listing = sys.argv[1], "--list" in sys.argv
    compared = 0
    for group in (natural, sizes_and_shapes, png_kinds, png_extras, jpeg_kinds, cmyk):
        files = list(group())
        with tempfile.TemporaryDirectory() as folder:
            results = run(program, folder, files, PRESETS)
            for name, data in files:
                problem = compare_image(data, [next(results) for _ in PRESETS])
                report(name, problem)
                if listing and not problem:
                    print(f"{name}: equal")
        print("%s: %d images x %d presets" % (group.__name__, len(files), len(PRESETS)))
        compared += len(files)

    files = list(damaged())[::8 if QUICK else 1]
    known = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for (name, data), (pixels, _, message) in zip(files, run(program, folder, files,
                                                                 ["cifar"])):
            problem, is_known = compare_damaged(data, pixels, message)
            report(name, problem)
            known += is_known
            refused += message is not None
    print("damaged: %d files, %d refused; %d PNGs that end within their pixels' last bytes are refused"
          " here only" % (len(files), refused, known))
    print("%d images, Pillow %s, seed %d" % (compared, PIL.__version__, SEED))
    return finish()


if __name__ == "__main__":
    sys.exit(main())
