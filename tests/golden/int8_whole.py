#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An int8 net at full size: vgg16 with Kaiming weights, calibrated with some photographs and run on others. Checks
the noise of its logits against PyTorch's, and that weights stay in the mapped file.

    int8_whole.py VGG_INFER
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
    import torchvision  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

from exact import available
from nets import build, imagenet_input
from photos import photos
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, show  # noqa: E402

CALIBRATION = 7  # photographs; the rest is for the comparison
MIN_SNR_DB = 30
# 138.4 million parameters, a page or two for each of the 48 small tensors, the class names.
MOST_FILE_BYTES = 138.4e6 + 48 * 2 * 4096
MOST_PRIVATE_BYTES = 12e6  # 4 of them activations


def main():
    program = sys.argv[1]
    paths = [path for _, path in photos()]
    net = build("vgg16", seed=7)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, packed = os.path.join(folder, "net.pth"), os.path.join(folder, "net.vgg")
        logits = os.path.join(folder, "logits.npy")
        torch.save(net.state_dict(), checkpoint)
        os.mkdir(folder + "/images")
        for i, path in enumerate(paths[:CALIBRATION]):
            os.symlink(path, f"{folder}/images/{i}.jpg")
        result = subprocess.run(
            [program, "pack", checkpoint, "-o", packed, "--weights", "int8", "--calibrate",
             folder + "/images", "--format", "json"], stdout=subprocess.PIPE, check=True)
        calibration = json.loads(result.stdout)["calibration"]
        reported = calibration["logits_snr_db"]
        show(calibration["images"] == CALIBRATION and len(calibration["layers"]) == 16,
              "the report has every layer")
        show(reported >= MIN_SNR_DB, f"{reported:.1f} dB on the images of the calibration")
        subprocess.run([program, "--save-logits", logits, packed, *paths[CALIBRATION:]],
                       stdout=subprocess.DEVNULL, check=True)
        got = np.load(logits)
        for isa in available():
            subprocess.run([program, "--isa", isa, "--save-logits", logits, packed, paths[CALIBRATION]],
                           stdout=subprocess.DEVNULL, check=True)
            show((np.load(logits)[0] == got[0]).all(), f"the same bits on {isa}")
        got = got.astype(float)
        Image.new("RGB", (300, 260)).save(folder + "/small.png")
        run = subprocess.run([program, "--format", "json", "--time", "-t", "2", packed,
                              folder + "/small.png"], stdout=subprocess.PIPE, check=True)
        answer, size = json.loads(run.stdout), os.path.getsize(packed)
    with torch.no_grad():
        expected = net(torch.stack([imagenet_input(path) for path in paths[CALIBRATION:]])).numpy()
    snr = 10 * np.log10((expected.astype(float) ** 2).sum() / ((got - expected) ** 2).sum())
    show(snr >= MIN_SNR_DB, f"{snr:.1f} dB on other images")
    show(abs(snr - reported) < 2, "the report has about the same noise")
    show((got.argmax(1) == expected.argmax(1)).mean() >= 0.8, "the same top 1")
    show(size < MOST_FILE_BYTES, f"{size} bytes")
    private = answer["time"]["peak_private_bytes"]
    show(private < MOST_PRIVATE_BYTES, f"{private / 1e6:.0f} MB private")
    show(answer["model"]["int8"], "int8 is reported")
    return finish()


if __name__ == "__main__":
    sys.exit(main())
