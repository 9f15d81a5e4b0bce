#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The bundled checkpoint on all 10,000 Fashion-MNIST test images (1000 in the everyday run), from PNG files to
classes; and on every instruction set and with weights of 16 bits on the first 2000 (scalar, which takes ten times as
long, 1000).

The command line decodes, preprocesses and classifies; PyTorch does the same. Every top-1 must be the
same, and so must the accuracy.

    fashion.py VGG_INFER MODELS_FOLDER
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/scripts"))
import train_fashion  # noqa: E402
from exact import available  # noqa: E402
from quick import QUICK  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

BOUND = 6e-6  # of max |logit|: both runs are float32, see exact.py
FEW = 2000  # images
# Weights, bits of their fraction, the minimum share of the same top-1.
HALVES = (("bf16", 8, 0.995), ("f16", 11, 0.999))


def check_halves(program, checkpoint, folder, count, expected, weights, bits, min_same):
    """Weights of 16 bits against those of 32."""
    packed, out = os.path.join(folder, f"{weights}.vgg"), os.path.join(folder, f"{weights}.npy")
    subprocess.run([program, "pack", checkpoint, "-o", packed, "--weights", weights], check=True,
                   stderr=subprocess.DEVNULL)
    subprocess.run([program, "--format", "jsonl", "--save-logits", out, packed,
                    *[os.path.join(folder, f"{i:05}.png") for i in range(count)]], check=True,
                   stdout=subprocess.DEVNULL)
    expected = expected[:count]
    delta = np.abs(np.load(out) - expected)
    same = (np.load(out).argmax(1) == expected.argmax(1)).mean()
    # Each weight is off by half a unit of its last bit at most; errors of nine layers add up, signs at random.
    bound = 9 * 2.0 ** -bits * np.abs(expected).max()
    print(f"{weights}: max |delta logit| {delta.max():.2e} (bound {bound:.2e}), mean {delta.mean():.2e}, "
          f"the same top-1 {100 * same:.2f} %")
    check(delta.max() <= bound and same >= min_same, f"a packed file with {weights}")


def check_isa(program, checkpoint, folder, count, expected, isa):
    out = os.path.join(folder, f"{isa}.npy")
    subprocess.run([program, "--format", "jsonl", "--isa", isa, "--save-logits", out, checkpoint,
                    *[os.path.join(folder, f"{i:05}.png") for i in range(count)]], check=True,
                   stdout=subprocess.DEVNULL)
    logits, expected = np.load(out), expected[:count]
    delta = (np.abs(logits - expected).max(1) / np.abs(expected).max(1)).max()
    same = (logits.argmax(1) == expected.argmax(1)).all()
    print(f"{isa}: {count} images, max |delta logit| / max |logit| = {delta:.2e}")
    check(same and delta <= BOUND, isa)


def main():
    program, models = sys.argv[1:3]
    checkpoint = os.path.join(models, "fashion_vgg8_bn.pth")
    images, labels = train_fashion.load("/usr/share/datasets/fashion-mnist", "t10k")
    if QUICK:
        images, labels = images[:1000], labels[:1000]
    net = train_fashion.build().eval()
    net.load_state_dict(torch.load(checkpoint))
    with torch.no_grad():
        expected = torch.cat([net(train_fashion.to_input(p)) for p in images.split(50)]).numpy()
    with tempfile.TemporaryDirectory() as folder:
        for i, image in enumerate(images.numpy()):
            Image.fromarray(image).save(os.path.join(folder, f"{i:05}.png"), compress_level=1)
        result = subprocess.run([program, "--format", "jsonl", "--save-logits",
                                 os.path.join(folder, "logits.npy"), checkpoint,
                                 *[os.path.join(folder, f"{i:05}.png")
                                   for i in range(len(images))]],
                                stdout=subprocess.PIPE, check=True)
        logits = np.load(os.path.join(folder, "logits.npy"))
        few = min(FEW, len(images))
        for isa in available():
            check_isa(program, checkpoint, folder, min(1000, few) if isa == "scalar" else few, expected, isa)
        for choice in HALVES:
            check_halves(program, checkpoint, folder, few, logits, *choice)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    records = [r for r in records if "top" in r]
    top1 = np.array([r["top"][0]["index"] for r in records])
    delta = (np.abs(logits - expected).max(1) / np.abs(expected).max(1)).max()
    ours, theirs = (top1 == labels.numpy()).mean(), (expected.argmax(1) == labels.numpy()).mean()
    print(f"{len(records)} images: accuracy {100 * ours:.2f} %, PyTorch {100 * theirs:.2f} %, "
          f"{(top1 != expected.argmax(1)).sum()} different top-1, "
          f"max |delta logit| / max |logit| = {delta:.2e}")
    check(len(records) == len(labels), "a result for each image")
    check((top1 == expected.argmax(1)).all(), "PyTorch's top-1")
    check(ours == theirs, "PyTorch's accuracy")
    check(theirs >= 0.925, f"accuracy of PyTorch: {theirs}")
    check(delta <= BOUND, f"logits: {delta:.2e}")
    return finish()


if __name__ == "__main__":
    sys.exit(main())
