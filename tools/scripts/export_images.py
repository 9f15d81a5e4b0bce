#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Export test images of Fashion-MNIST (Debian package dataset-fashion-mnist) as PNG files.

    /usr/bin/python3 tools/scripts/export_images.py -o models/images     the bundled ones
    /usr/bin/python3 tools/scripts/export_images.py --all -o DIR           all 10,000, named by number

A bundled image is named by its class and its place among the test images: ankle_boot_0.png is
the first of all, which is an ankle boot.
"""
import argparse
import gzip
import os

import numpy as np
from PIL import Image

CLASSES = ["t_shirt_top", "trouser", "pullover", "dress", "coat",
           "sandal", "shirt", "sneaker", "bag", "ankle_boot"]
BUNDLED = ["ankle_boot", "pullover", "trouser", "sandal", "bag"]


def load(folder):
    """Test images as uint8 [10000, 28, 28] and their classes [10000]."""
    with gzip.open(os.path.join(folder, "t10k-images-idx3-ubyte.gz")) as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(os.path.join(folder, "t10k-labels-idx1-ubyte.gz")) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-o", "--output", metavar="DIR", default="models/images")
    args.add_argument("--data", metavar="DIR", default="/usr/share/datasets/fashion-mnist")
    args.add_argument("--all", action="store_true", help="every test image, 00000.png to 09999.png")
    args = args.parse_args()

    images, labels = load(args.data)
    os.makedirs(args.output, exist_ok=True)
    if args.all:
        names = {i: f"{i:05}.png" for i in range(len(images))}
    else:
        firsts = [int(np.argmax(labels == CLASSES.index(name))) for name in BUNDLED]
        names = {i: f"{name}_{i}.png" for name, i in zip(BUNDLED, firsts)}
    for i, name in names.items():
        Image.fromarray(images[i]).save(os.path.join(args.output, name), optimize=not args.all)
    print(f"{args.output}: {len(names)} images")


if __name__ == "__main__":
    main()
