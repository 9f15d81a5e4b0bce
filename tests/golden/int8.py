#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What int8 costs: the bundled checkpoint on all 10,000 Fashion-MNIST test images, every day on 1000, calibrated
with a few images of the training set; and the same bits from every instruction set.

    int8.py VGG_INFER MODELS_FOLDER [INT8_CPU...]
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image
    import torch
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/scripts"))
import train_fashion  # noqa: E402
from quick import QUICK  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

CALIBRATION = 64  # images
ISAS = ["scalar", "avx2", "avx512", "amx", "neon"]


def save(images, folder):
    os.makedirs(folder)
    paths = [os.path.join(folder, f"{i:05}.png") for i in range(len(images))]
    for image, path in zip(images, paths):
        Image.fromarray(image).save(path, compress_level=1)
    return paths


def classify(program, model, paths, logits, *options):
    subprocess.run([program, *options, "--format", "jsonl", "--save-logits", logits, model, *paths],
                   stdout=subprocess.DEVNULL, check=True)
    return np.load(logits)


def check_report(report):
    """The figures of --calibrate: plausible, and of every layer."""
    calibration = report["calibration"]
    check(report["weights"] == "int8" and calibration["images"] == CALIBRATION, "report", report)
    check(calibration["found"] == CALIBRATION and calibration["failed"] == 0, "found", calibration)
    layers = calibration["layers"]
    check([layer["name"] for layer in layers] ==
          [f"features.{i}" for i in (0, 3, 7, 10, 14, 17)] +
          [f"classifier.{i}" for i in (0, 3, 6)], "layers", layers)
    for layer in layers[:-1]:
        check(layer["method"] in ("min-max", "99.999 %", "99.99 %", "99.9 %", "mse"), "method", layer)
        check(0 < layer["scale"] * 255 <= layer["largest"] * 1.000001, "scale", layer)
        check(0 <= layer["clipped"] <= 0.001, "clipped share", layer)
        check((layer["clipped"] == 0) >= (layer["method"] == "min-max"), "min-max", layer)
        # Clipping and rounding are a part of all errors so far; they add up as if independent.
        check(30 < layer["snr_db"] < layer["rounding_snr_db"] + 0.5, "signal to noise", layer)
    check(calibration["logits_snr_db"] == layers[-1]["snr_db"] > 40, "logits", layers[-1])
    check(calibration["same_top1"] >= CALIBRATION - 1, "top 1", calibration["same_top1"])


def main():
    program, models = sys.argv[1:3]
    checkpoint = os.path.join(models, "fashion_vgg8_bn.pth")
    source = "/usr/share/datasets/fashion-mnist"
    images, labels = train_fashion.load(source, "t10k")
    if QUICK:
        images, labels = images[:1000], labels[:1000]
    labels = labels.numpy()
    with tempfile.TemporaryDirectory() as folder:
        packed, logits = os.path.join(folder, "int8.vgg"), os.path.join(folder, "logits.npy")
        save(train_fashion.load(source, "train")[0][:CALIBRATION].numpy(), folder + "/calibration/a")
        paths = save(images.numpy(), folder + "/test")
        result = subprocess.run(
            [program, "pack", checkpoint, "-o", packed, "--weights", "int8", "--calibrate",
             folder + "/calibration", "--format", "json"], stdout=subprocess.PIPE, check=True)
        check_report(json.loads(result.stdout))
        check(os.path.getsize(packed) < os.path.getsize(checkpoint) / 3, "size",
              os.path.getsize(packed))

        expected = classify(program, checkpoint, paths, logits)
        got = classify(program, packed, paths, logits)
        accuracy, int8_accuracy = ((x.argmax(1) == labels).mean() for x in (expected, got))
        same = (expected.argmax(1) == got.argmax(1)).mean()
        noise = 10 * np.log10((expected.astype(float) ** 2).sum() /
                              ((got.astype(float) - expected) ** 2).sum())
        print(f"{len(paths)} images: accuracy {100 * accuracy:.2f} %, int8 "
              f"{100 * int8_accuracy:.2f} %, the same top 1 for {100 * same:.2f} %, logits "
              f"{noise:.1f} dB, |delta logit| max {np.abs(got - expected).max():.3f}, mean "
              f"{np.abs(got - expected).mean():.4f}")
        check(accuracy - int8_accuracy <= 0.001, "accuracy", int8_accuracy)
        check(same >= 0.995, "top 1", same)
        check(noise >= 43, "signal to noise", noise)

        low = classify(program, packed, paths[:50], logits, "--low-memory")
        check((low == got[:50]).all(), "the same bits in little memory")

        converted = os.path.join(folder, "back.pth")
        reported = subprocess.run([program, "convert", packed, "-o", converted], capture_output=True,
                              text=True, check=True).stderr
        check("18 tensors" in reported and "int8 weights are dequantized" in reported, "convert reports", reported)
        back = classify(program, converted, paths[:1000], logits)
        noise = 10 * np.log10((got[:1000].astype(float) ** 2).sum() /
                              ((back.astype(float) - got[:1000]) ** 2).sum())
        check(noise >= 43, "the converted net is the int8 net but for activations", noise)
        state = torch.load(converted, weights_only=True)
        check(len(state) == 18 and all(t.dtype == torch.float32 for t in state.values()),
              "float32 tensors", state.keys())

        ran = 0
        for isa in ISAS:
            for threads in ("1", "2"):
                if subprocess.run([program, "info", "--isa", isa, packed],
                                  capture_output=True).returncode != 0:
                    continue
                other = classify(program, packed, paths[:50], logits, "--isa", isa, "-t", threads)
                check((other == got[:50]).all(), f"bits of {isa} with {threads} threads")
                ran += 1
        check(ran >= 2, "instruction sets", ran)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
