#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Preprocessing against the installed torchvision and Pillow, bit for bit: each interpolation on many sizes, and whole
chains of transforms as people write them.

    preprocess.py DUMP_PREPROCESS

DUMP_PREPROCESS is the built tests/golden/dump_preprocess."""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import PIL
    from PIL import Image
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode
except ImportError:
    print("NumPy, Pillow or torchvision is not installed: skipped")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

rng = np.random.default_rng(20270114)
FILTERS = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC,
           "nearest": InterpolationMode.NEAREST, "lanczos": InterpolationMode.LANCZOS}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Chain:
    """One way of preprocessing, as torchvision's transforms and as the fields of struct vgg_preprocess."""

    def __init__(self, steps, resize=0, crop=0, interpolation="bilinear", gray=0, channels=3, bgr=0, unscaled=0,
                 mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)):
        self.compose, self.channels = transforms.Compose(steps), channels
        height, width = resize if isinstance(resize, tuple) else (resize, 0)
        crop_height, crop_width = crop if isinstance(crop, tuple) else (crop, 0)
        fields = [height, width, crop_height, crop_width, interpolation, gray, channels, bgr, unscaled, *mean, *std]
        self.fields = " ".join(map(str, fields))

    def expect(self, image):
        return np.ascontiguousarray(self.compose(image).numpy())


def resampling(interpolation, size, channels=3):
    """Resize((H, W)) with one filter, or with a number Resize(N)."""
    gray = [transforms.Grayscale(1)] if channels == 1 else []
    return Chain([*gray, transforms.Resize(size, FILTERS[interpolation]), transforms.ToTensor()], resize=size,
                 interpolation=interpolation, channels=channels)


def chains():
    """What people write: TinyVGG's squash, MNIST's, a bicubic one, gray as three planes, no square, and so on."""
    T, tensor, normalize = transforms, transforms.ToTensor(), transforms.Normalize
    gray, mean3 = T.Grayscale(1), (0.1307, 0.1307, 0.1307)
    lanczos, bicubic = FILTERS["lanczos"], FILTERS["bicubic"]
    yield Chain([tensor])
    yield Chain([T.Resize((64, 64)), tensor], resize=(64, 64))
    yield Chain([T.Resize((48, 80)), tensor], resize=(48, 80))
    yield Chain([T.Resize(64), tensor], resize=64)
    yield Chain([T.Resize(256), T.CenterCrop(224), tensor, normalize(MEAN, STD)], 256, 224, mean=MEAN, std=STD)
    yield Chain([T.Resize((256, 256)), T.CenterCrop(224), tensor, normalize(MEAN, STD)], (256, 256), 224, mean=MEAN,
                std=STD)
    yield Chain([T.Resize(235, bicubic), T.CenterCrop(224), tensor, normalize(MEAN, STD)], 235, 224, "bicubic",
                mean=MEAN, std=STD)
    yield Chain([T.Resize((70, 50), lanczos), T.CenterCrop((60, 33)), tensor], (70, 50), (60, 33), "lanczos")
    yield Chain([T.CenterCrop((31, 47)), tensor], crop=(31, 47))
    yield Chain([T.Resize(20), T.CenterCrop(32), tensor], 20, 32)
    yield Chain([gray, T.Resize((28, 28)), tensor, normalize((0.1307,), (0.3081,))], (28, 28), gray=1, channels=1,
                mean=mean3, std=(0.3081, 1.0, 1.0))
    yield Chain([gray, T.Resize(28), T.CenterCrop(28), tensor, normalize((0.5,), (0.5,))], 28, 28, channels=1,
                mean=(0.5, 9.0, 9.0), std=(0.5, 0.0, 0.0))
    yield Chain([T.Grayscale(3), T.Resize((32, 32)), tensor, normalize(MEAN, STD)], (32, 32), gray=1, mean=MEAN, std=STD)
    yield Chain([gray, T.CenterCrop(50), tensor], crop=50, channels=1)
    yield Chain([T.Resize((40, 40)), tensor, T.Lambda(lambda t: t[[2, 1, 0]])], (40, 40), bgr=1)
    yield Chain([T.Resize((40, 40)), T.PILToTensor(), T.Lambda(lambda t: t.float())], (40, 40), unscaled=1)


def make_images(sizes):
    """Noise, and black and white, on which filters overshoot most."""
    for width, height in sizes:
        yield Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        yield Image.fromarray((rng.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8))


def run(program, folder, cases):
    """Yields for each (image, chain) the pixels after the crop and the tensor."""
    lines, paths = [], {}
    for image, chain in cases:
        path = paths.get(id(image))
        if path is None:
            path = paths[id(image)] = os.path.join(folder, "%d.png" % len(paths))
            image.save(path, compress_level=0)
        lines.append("%s %s\n" % (chain.fields, path))
    with tempfile.TemporaryFile() as out:
        subprocess.run([program], input="".join(lines).encode(), stdout=out, check=True)
        out.seek(0)
        for _, chain in cases:
            width, height = struct.unpack("2i", out.read(8))
            pixels = np.frombuffer(out.read(3 * width * height), np.uint8).reshape(height, width, 3)
            count = chain.channels * width * height
            yield pixels, np.frombuffer(out.read(4 * count), np.float32).reshape(chain.channels, height, width)


def compare(program, name, cases):
    with tempfile.TemporaryDirectory() as folder:
        for (image, chain), (pixels, tensor) in zip(cases, run(program, folder, cases)):
            expected = chain.expect(image)
            good = tensor.shape == expected.shape and (tensor.view(np.uint32) == expected.view(np.uint32)).all()
            good = good and (chain.channels == 3 or (pixels == pixels[..., :1]).all())
            differ = (tensor != expected).sum() if tensor.shape == expected.shape else expected.shape
            check(good, "%s of %dx%d as '%s': %s differ" % (name, *image.size, chain.fields, differ))
    print("%s: %d comparisons" % (name, len(cases)))


def resampling_cases():
    """Every filter up and down, with a side of one pixel, tall and wide, both ways of naming a size."""
    sizes = [(1, 1), (1, 7), (7, 1), (2, 3), (5, 200), (200, 5), (64, 64), (33, 100), (500, 375), (1, 1000), (1000, 1)]
    targets = [(1, 1), (1, 9), (9, 1), (2, 2), (8, 64), (64, 64), (100, 33), (224, 224), (31, 250), (600, 3)]
    for number, image in enumerate(make_images(sizes)):
        for name in FILTERS:
            for target in targets:
                yield image, resampling(name, target, 1 if number % 4 > 1 else 3)
            if min(image.size) * 40 >= max(image.size):
                yield image, resampling(name, 37)
                yield image, resampling(name, 130, 1)
    for image in make_images([tuple(map(int, rng.integers(1, 400, 2))) for _ in range(40)]):
        for name in FILTERS:
            yield image, resampling(name, tuple(map(int, rng.integers(1, 400, 2))))


def chain_cases():
    for image in make_images([(64, 64), (97, 61), (61, 97), (300, 20), (15, 15), (500, 375), (640, 427), (1, 3)]):
        for chain in chains():
            yield image, chain


def main():
    warnings.simplefilter("ignore")
    cases = {"resampling": list(resampling_cases()), "chains": list(chain_cases())}
    for name, listed in cases.items():
        compare(sys.argv[1], name, listed)
    print("Pillow %s" % PIL.__version__)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
