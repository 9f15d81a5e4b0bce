#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`vgg-infer eval` against the test loop one writes with PyTorch: ImageFolder, cross-entropy, top 1 and top 5.

    eval.py VGG_INFER SOURCE_ROOT

Ends with "N passed, N failed"; exit 77 (skipped) without PyTorch or torchvision."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torchvision
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/scripts"))
import train_fashion  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
MODEL = ROOT / "models" / "fashion_vgg8_bn.pth"
COUNT = 1003  # no multiple of a batch


def evaluate(*words, code=0):
    result = subprocess.run([PROGRAM, "eval", *map(str, words)], capture_output=True, text=True, timeout=600)
    check(result.returncode == code, f"exit code of {words}: expected {code}, got {result.returncode}",
          result.stderr)
    return result


def eval_json(*words, code=0):
    return json.loads(evaluate("--format", "json", *words, code=code).stdout)


def expected_of(folder):
    """The loop of every tutorial."""
    net = train_fashion.build().eval()
    net.load_state_dict(torch.load(MODEL))
    data = torchvision.datasets.ImageFolder(str(folder), transform=lambda image: torch.from_numpy(
        np.asarray(image)[..., 0].copy()))
    pixels = torch.stack([image for image, _ in data])
    classes = torch.tensor(data.targets)
    with torch.no_grad():
        logits = torch.cat([net(train_fashion.to_input(part)) for part in pixels.split(100)])
    best = logits.argsort(dim=1, descending=True)
    return {
        "loss": torch.nn.functional.cross_entropy(logits.double(), classes).item(),
        "top1": int((best[:, 0] == classes).sum()),
        "topk": int((best[:, :5] == classes[:, None]).any(1).sum()),
        "per_class": [[int((classes == c).sum()), int(((best[:, 0] == c) & (classes == c)).sum())]
                      for c in range(10)],
        "wrong": sorted((path, int(best[i, 0])) for i, (path, c) in enumerate(data.samples)
                        if best[i, 0] != c),
    }


def compare(found, expected, what):
    check(found["images"] == COUNT and found["failed"] == 0, f"{what}: images", found["images"])
    for name in ("top1", "topk"):
        check(found[name] == expected[name], f"{what}: {name}", found[name], expected[name])
    # Logits agree to 6e-6 of the largest, about 20 (exact.py); the mean of the loss is not off by more.
    check(abs(found["loss"] - expected["loss"]) < 1e-4 * expected["loss"], f"{what}: loss", found["loss"],
          expected["loss"])
    check([[c["images"], c["top1"]] for c in found["classes"]] == expected["per_class"], f"{what}: per class")


def write_images(folder):
    """ImageFolder's layout, with folders whose sorted names are in the order of the classes."""
    images, labels = train_fashion.load("/usr/share/datasets/fashion-mnist", "t10k")
    rows = []
    for i in range(COUNT):
        path = folder / f"{labels[i]}_{'abcdefghij'[labels[i]]}" / f"{i:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[i].numpy()).save(path)
        rows.append((path, int(labels[i])))
    return rows


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "test"
        rows = write_images(folder)
        expected = expected_of(folder)
        by_order = eval_json(MODEL, folder)
        check(by_order["classes_from"] == "folder-order", "source", by_order["classes_from"])
        compare(by_order, expected, "by order")
        check(sorted((w["image"], w["best"]) for w in by_order["wrong"]) == expected["wrong"], "wrong images")
        for options in (["-b", "1"], ["-b", "64", "-t", "1"], ["-t", "3", "--exact"]):
            compare(eval_json(MODEL, folder, *options), expected, str(options))

        listed = pathlib.Path(temporary) / "list.txt"
        listed.write_text("".join(f"{path.relative_to(folder)} {c}\n" for path, c in rows))
        by_list = eval_json(MODEL, folder, "--labels-file", listed)
        check(by_list["classes_from"] == "list" and by_list["list"] == str(listed), "source of a list")
        compare(by_list, expected, "by a list")

        names = [label.strip().replace("/", "_")
                 for label in json.loads((ROOT / "models/fashion_vgg8_bn.json").read_text())["labels"]]
        named = pathlib.Path(temporary) / "named"
        named.mkdir()
        for c in (9, 0, 3):  # some of the classes
            (named / names[c].lower()).symlink_to(next(p.parent for p, of in rows if of == c))
        some = eval_json(MODEL, named)
        check(some["classes_from"] == "folder-names", "source of names", some["classes_from"])
        check({c["index"]: [c["images"], c["top1"]] for c in some["classes"]} ==
              {c: expected["per_class"][c] for c in (0, 3, 9)}, "some classes")

        text = evaluate(MODEL, folder).stdout
        check(f"{COUNT} images" in text and f"{expected['top1']} right" in text, "text", text)
        out = pathlib.Path(temporary) / "out.json"
        evaluate(MODEL, folder, "-f", "json", "-o", out)
        check(json.loads(out.read_text())["top1"] == expected["top1"], "--output")

        # Two that cannot be read do not count, and change nothing of the others in their batches.
        for path, _ in (rows[3], rows[500]):
            path.write_bytes(path.read_bytes()[:60])
        broken = evaluate("--format", "json", MODEL, folder, code=1)
        check(broken.stderr.count(".png") == 2, "names of broken images", broken.stderr)
        found = json.loads(broken.stdout)
        check(found["images"] == COUNT - 2 and found["failed"] == 2, "broken images")
        check(found["top1"] == expected["top1"] - sum(str(path) not in dict(expected["wrong"])
                                                      for path, _ in (rows[3], rows[500])), "the others")
        # What is no JPEG or PNG, here an image of another kind and an empty file, is reported and not judged.
        others = pathlib.Path(temporary) / "others" / "Bag"
        others.mkdir(parents=True)
        Image.new("RGB", (28, 28)).save(others / "a.gif")
        Image.new("RGB", (28, 28)).save(others / "b.png")
        (others / "empty.png").write_bytes(b"")
        found = eval_json(MODEL, others.parent)
        check((found["images"], found["failed"], found["skipped"]) == (1, 0, 2), "files of other kinds")
        check("2 files skipped: not JPEG or PNG" in evaluate(MODEL, others.parent).stdout, "files of other kinds, in text")
        (others / "b.png").unlink()
        check("none among 2 files" in evaluate(MODEL, others.parent, code=1).stderr, "no image at all")

        # A weight of NaN makes every image's answer worthless.
        state = torch.load(MODEL)
        state["classifier.0.weight"][77, 1234] = float("nan")
        torch.save(state, pathlib.Path(temporary) / "nan.pth")
        strange = evaluate("--spec", MODEL.with_suffix(".json"), pathlib.Path(temporary) / "nan.pth", folder, code=3)
        check("classifier.0.weight" in strange.stderr and strange.stdout == "", "NaN weight", strange.stderr)
        check([c["topk"] for c in eval_json("-k", "1", MODEL, named)["classes"]] ==
              [c["top1"] for c in some["classes"]], "-k 1")
        rotated = pathlib.Path(temporary) / "rotated.txt"
        rotated.write_text("".join(f"{path.relative_to(folder)} {(c + 1) % 10}\n" for path, c in rows[10:300]))
        check("no better than guessing" in evaluate(MODEL, folder, "--labels-file", rotated).stderr, "rotated classes")

        for words, code, part in (([], 2, "FOLDER"), ([MODEL], 2, "expected a folder"),
                                  ([MODEL, temporary + "/no"], 2, "cannot read the folder"),
                                  ([MODEL, folder, "x"], 2, "expected one FOLDER"),
                                  ([listed, folder], 3, "list.txt"),
                                  ([MODEL, named, "--labels-file", named], 1, "expected a regular file, found a folder")):
            check(part in evaluate(*words, code=code).stderr, f"message of {words}")
    return finish()


if __name__ == "__main__":
    sys.exit(main())
