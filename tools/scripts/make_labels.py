#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write models/imagenet_labels.txt: ImageNet's 1000 class names in torchvision's order, one a line.

    /usr/bin/python3 tools/scripts/make_labels.py -o models/imagenet_labels.txt
"""
import argparse
import pathlib

from torchvision.models import VGG16_Weights


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-o", "--output", default="models/imagenet_labels.txt")
    args = args.parse_args()
    names = VGG16_Weights.IMAGENET1K_V1.meta["categories"]
    assert len(names) == 1000 and not any("\n" in name for name in names)
    pathlib.Path(args.output).write_text("".join(name + "\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main()
