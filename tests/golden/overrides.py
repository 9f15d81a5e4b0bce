#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Preprocessing and results as the command's options, a description and a packed file say: inputs against torchvision
bit for bit, arrays in the place of images, scores of one output and of several, built-in class names.

    overrides.py VGG_INFER"""
import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from PIL import Image
    from torch import nn
    from torchvision import transforms as T
    from torchvision.transforms import InterpolationMode as Mode
except ImportError:
    print("NumPy, Pillow, torch or torchvision is not installed: skipped")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
rng = np.random.default_rng(20270115)
torch.manual_seed(3)


def run(*words, code=0):
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, timeout=120)
    check(result.returncode == code, f"exit code of {words}: expected {code}, got {result.returncode}", result.stderr)
    return result


def expect_error(words, code, *parts):
    text = run(*words, code=code).stderr.decode()
    for part in parts:
        check(part in text, f"{words}: '{part}' on standard error", text)


class Net(nn.Module):
    """Two convolutions, a pool, one linear layer, for any size of the input."""

    def __init__(self, outputs, channels=3):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        self.avgpool = nn.AdaptiveAvgPool2d(4)
        self.classifier = nn.Sequential(nn.Linear(8 * 16, outputs))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def save_net(folder, outputs, name="net", channels=3, **keys):
    """Writes a net and its description."""
    net = Net(outputs, channels).eval()
    torch.save(net.state_dict(), folder / f"{name}.pth")
    spec = {"schema": 1, "input": 32, "layers": [8, "M", 8], "avgpool": 4, "classifier": [outputs], **keys}
    (folder / f"{name}.json").write_text(json.dumps(spec))
    return net, folder / f"{name}.pth"


def save_images(folder):
    """Noise of several sizes, as PNG."""
    for number, (width, height) in enumerate([(40, 40), (61, 33), (20, 90), (128, 100)]):
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        image.save(folder / f"image_{number}.png")
        yield image, folder / f"image_{number}.png"


def check_input(words, image, expected, folder, what):
    """The net's input that the program saves has the bits of the expected tensor."""
    saved = folder / "input.npy"
    run(*words, image, "--save-input", saved)
    array, expected = np.load(saved)[0], np.ascontiguousarray(expected.numpy())
    good = array.shape == expected.shape and (array.view(np.uint32) == expected.view(np.uint32)).all()
    check(good, what, array.shape, expected.shape)


# --- preprocessing ---

def cases():
    """Options, and torchvision's transforms. The description's preprocessing is Resize(36), CenterCrop(32), ImageNet's
    mean and std."""
    tensor, usual = T.ToTensor(), T.Normalize(MEAN, STD)
    gray3, flip = T.Grayscale(3), T.Lambda(lambda t: t[[2, 1, 0]])
    yield [], [T.Resize(36), T.CenterCrop(32), tensor, usual]
    yield ["--resize", "64x64", "--crop", "none", "--no-normalize"], [T.Resize((64, 64)), tensor]
    yield ["--resize", "64x64", "--no-normalize"], [T.Resize((64, 64)), T.CenterCrop(32), tensor]
    yield ["--preset", "cifar", "--resize", "48x80"], [T.Resize((48, 80)), tensor, T.Normalize(0.5, 0.5)]
    yield ["--resize", "20"], [T.Resize(20), T.CenterCrop(20), tensor, usual]
    yield ["--resize", "none"], [T.CenterCrop(32), tensor, usual]
    yield ["--resize", "50", "--crop", "none"], [T.Resize(50), tensor, usual]
    yield ["--crop", "24x30"], [T.Resize(36), T.CenterCrop((24, 30)), tensor, usual]
    yield ["--crop=none", "--resize=none"], [tensor, usual]
    yield ["--mean", "0.5"], [T.Resize(36), T.CenterCrop(32), tensor, T.Normalize((0.5,) * 3, STD)]
    yield ["--std", "0.1,0.2,0.3"], [T.Resize(36), T.CenterCrop(32), tensor, T.Normalize(MEAN, (0.1, 0.2, 0.3))]
    yield ["--channels", "bgr"], [T.Resize(36), T.CenterCrop(32), tensor, usual, flip]
    yield ["--channels", "gray"], [gray3, T.Resize(36), T.CenterCrop(32), tensor, usual]
    yield ["--channels", "3"], [T.Resize(36), T.CenterCrop(32), tensor, usual]
    yield ["--size", "64"], [T.Resize(72), T.CenterCrop(64), tensor, usual]
    yield ["--size", "48x64", "--resize", "50x70"], [T.Resize((50, 70)), T.CenterCrop((48, 64)), tensor, usual]
    for name in ("bicubic", "nearest", "lanczos"):
        yield ["--interpolation", name], [T.Resize(36, Mode(name)), T.CenterCrop(32), tensor, usual]


def test_options(folder):
    _, model = save_net(folder, 3, preprocess={"resize": 36, "crop": 32, "mean": MEAN, "std": STD})
    images = list(save_images(folder))
    for words, steps in cases():
        for image, path in images:
            check_input([*words, model], path, T.Compose(steps)(image), folder, f"{words} of {image.size}")


def test_descriptions(folder):
    """The keys of a description, and what a packed file keeps of them and of options."""
    squash = {"resize": [32, 32], "mean": 0, "std": 1}
    gray = {"resize": 40, "crop": 32, "interpolation": "bicubic", "channels": "gray", "mean": MEAN, "std": STD}
    caffe = {"channels": "bgr", "unscaled": True, "mean": [1, 2, 3], "std": 2, "crop": [32, 32]}
    tensor, images = T.ToTensor(), list(save_images(folder))
    bytes_of = T.Lambda(lambda image: torch.from_numpy(np.array(image)).permute(2, 0, 1).float())
    for name, keys, steps in (
            ("squash", squash, [T.Resize((32, 32)), tensor]),
            ("gray", gray, [T.Grayscale(3), T.Resize(40, Mode.BICUBIC), T.CenterCrop(32), tensor, T.Normalize(MEAN, STD)]),
            ("caffe", caffe, [T.Resize(32), T.CenterCrop(32), bytes_of, T.Normalize((1.0, 2.0, 3.0), (2.0, 2.0, 2.0)),
                              T.Lambda(lambda t: t[[2, 1, 0]])])):
        _, model = save_net(folder, 3, name, preprocess=keys, labels=["a", "b", "c"])
        packed, other = folder / f"{name}.vgg", folder / f"{name}_64.vgg"
        run("pack", model, "-o", packed)
        run("pack", model, "-o", other, "--resize", "64x48", "--crop", "none", "--interpolation", "lanczos")
        changed = [T.Resize((64, 48), Mode.LANCZOS) if isinstance(s, T.Resize) else s for s in steps
                   if not isinstance(s, T.CenterCrop)]
        for image, path in images:
            expected = T.Compose(steps)(image)
            check_input([model], path, expected, folder, f"{name} of {image.size}")
            check_input([packed], path, expected, folder, f"{name}, packed, of {image.size}")
            check_input([other], path, T.Compose(changed)(image), folder, f"{name}, packed with options, of {image.size}")


def test_reports(folder):
    _, model = save_net(folder, 3)
    image = next(save_images(folder))[1]
    words = [model, image, "--resize", "48x80", "--crop", "none", "--interpolation", "nearest", "--channels", "gray"]
    text = run(*words).stdout.decode()
    check("(resize 48x80, no crop, nearest, gray)" in text, "text: the preprocessing", text)
    found = json.loads(run(*words, "-fjson").stdout)["preprocess"]
    expected = {"name": "custom", "resize": 48, "resize_width": 80, "crop": 0, "interpolation": "nearest",
                "channels": 3, "gray": True, "bgr": False}
    check(expected.items() <= found.items(), "json: the preprocessing", found)
    info = json.loads(run("info", model, "--resize", "48x80", "-fjson").stdout)
    check((info["height"], info["width"]) == (48, 80), "info: the input's size", info["height"], info["width"])
    text = run("bench", model, "--runs=1", "--resize", "48x80").stdout.decode()
    check("random 48x80" in text or "48x80" in text or "80x48" in text, "bench: the input's size", text)


def test_messages(folder):
    _, model = save_net(folder, 3)
    image = next(save_images(folder))[1]
    expect_error([model, image, "--channels", "1"], 2, "channels '1': expected the 3 of the net's input, got 1")
    expect_error([model, image, "--std", "0"], 2, "std: expected numbers from 1e-06")
    expect_error([model, image, "--size", "3", "--crop", "3"], 2, "--size and --crop exclude each other")
    expect_error([model, image, "--no-normalize", "--mean", "1"], 2, "--no-normalize excludes")
    bare = folder / "bare.pth"
    torch.save(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4 * 32 * 32, 3)), bare)
    for option, value, words in (("eps", "1", "BatchNorm"), ("pool", "AvgPool2d(2)", "pools other than adaptive ones"),
                                 ("activation", "GELU", "activations other than PReLU"),
                                 ("padding", "2", "convolutions larger than 1x1")):
        expect_error([bare, image, f"--{option}", value], 2, f"bare.pth: {option} {value}: expected a net with {words}, found none")
    run(bare, image, "--activation", "none")
    heads = folder / "heads.pth"
    torch.save({**Net(3).state_dict(), **{f"{name}.{leaf}": torch.rand(*shape) for name in ("age", "gender")
                                          for leaf, shape in (("weight", (2, 128)), ("bias", (2,)))}}, heads)
    text = run(heads, image, code=3).stderr.decode()
    check("cannot follow" in text and "no features.N.weight" not in text, "two heads", text)
    text = run("help", "preprocessing").stdout.decode()
    check("--interpolation NAME" in text and "Resize((H, W))" in text, "help preprocessing", text)


# --- arrays ---

def test_arrays(folder):
    net, model = save_net(folder, 3)
    array = rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
    expected = net(torch.from_numpy(array)).detach().numpy()
    path, saved = folder / "x.npy", folder / "logits.npy"
    for name, data in (("[1,3,h,w]", array), ("[3,h,w]", array[0]), ("big-endian", array.astype(">f4"))):
        np.save(path, data)
        document = json.loads(run(model, path, "--save-logits", saved, "-fjson").stdout)["results"][0]
        check((document["width"], document["height"]) == (32, 32), f"{name}: the size", document)
        check(np.abs(np.load(saved) - expected).max() < 1e-5, f"{name}: the logits", np.load(saved), expected)
    # The content decides, not the name; and an image's input is the same as the image.
    path.rename(folder / "x.jpg")
    check(b"(32x32)" in run(model, folder / "x.jpg").stdout, "an array called .jpg")
    image = next(save_images(folder))[1]
    first, again = folder / "first.npy", folder / "again.npy"
    run(model, image, "--save-input", path, "--save-logits", first)
    run(model, path, "--save-logits", again)
    check(first.read_bytes() == again.read_bytes(), "the saved input gives the same logits")
    run("bench", model, path, "--runs", "1")
    run("compare", model, save_golden(folder, array, expected), folder / "x.jpg")
    for name, data, message in (
            ("size", array[:, :, :31], "expected an array of [3,32,32] or [1,3,32,32], the net's input, got [1,3,31,32]"),
            ("channels", array[:, :2], "got [1,2,32,32]"), ("several", np.repeat(array, 2, 0), "got [2,3,32,32]"),
            ("flat", array.ravel(), "got [3072]"), ("dtype", array.astype(np.float64), "expected dtype float32")):
        np.save(path, data)
        expect_error([model, path], 1, message)
    np.save(path, array[:, :, :20, :24])
    check(b"(24x20)" in run(model, path, "--crop", "none").stdout, "an array of any size where nothing is cropped")
    check(b"(24x20)" in run(model, path, "--dense").stdout, "an array of any size in a dense net")
    expect_error(["-m", path, image], 3, "expected a checkpoint, got an array")


def save_golden(folder, array, logits):
    golden = folder / "golden"
    golden.mkdir()
    np.save(golden / "input.npy", array)
    np.save(golden / "logits.npy", logits)
    return golden


def test_channels(folder):
    """Gray images for a net of one channel, arrays for one of twelve."""
    keys = {"schema": 2, "input": [1, 28, 20], "preprocess": {"resize": [28, 20], "mean": 0.1307, "std": 0.3081}}
    net, model = save_net(folder, 10, "gray", 1, **keys)
    steps = T.Compose([T.Grayscale(1), T.Resize((28, 20)), T.ToTensor(), T.Normalize((0.1307,), (0.3081,))])
    packed, saved = folder / "gray.vgg", folder / "logits.npy"
    run("pack", model, "-o", packed)
    for image, path in save_images(folder):
        for file in (model, packed):
            check_input([file], path, steps(image), folder, f"{file.name} of {image.size}")
            run(file, path, "--save-logits", saved)
            expected = net(steps(image)[None]).detach().numpy()
            check(np.abs(np.load(saved) - expected).max() < 1e-5, f"{file.name} of {image.size}: the logits")
    expect_error([model, path, "--channels", "rgb"], 2, "channels 'rgb': expected the 1 of the net's input, got 3")
    net, model = save_net(folder, 10, "twelve", 12, schema=2, input=[12, 28, 28])
    array = rng.standard_normal((12, 28, 28)).astype(np.float32)
    np.save(folder / "twelve.npy", array)
    run(model, folder / "twelve.npy", "--save-logits", saved)
    expected = net(torch.from_numpy(array)[None]).detach().numpy()
    check(np.abs(np.load(saved) - expected).max() < 1e-5, "twelve channels: the logits")
    expect_error([model, path], 1, "expected a .npy array: the net's input has 12 channels, which no image has")


# --- scores and labels ---

def classify(*words):
    """The classes of one image as JSON, CSV and text."""
    document = json.loads(run(*words, "-fjson").stdout)
    rows = list(csv.DictReader(io.StringIO(run(*words, "-fcsv").stdout.decode())))
    line = json.loads(run(*words, "-fjsonl").stdout)
    check(line["top"] == document["results"][0]["top"] and line["scores"] == document["scores"], f"{words}: jsonl")
    check({row["scores"] for row in rows} == {document["scores"]}, f"{words}: scores in CSV", rows)
    return document["scores"], document["results"][0]["top"], rows, run(*words).stdout.decode()


def test_scores(folder):
    net, model = save_net(folder, 3)
    image, path = next(save_images(folder))
    steps = T.Compose([T.Resize(32), T.CenterCrop(32), T.ToTensor(), T.Normalize((0.5,) * 3, (0.5,) * 3)])
    logits = net(steps(image)[None]).detach()[0].double()
    for kind, expected in (("auto", logits.softmax(0)), ("softmax", logits.softmax(0)), ("sigmoid", logits.sigmoid())):
        scores, top, _, text = classify(model, path, "--scores", kind)
        check(scores == ("softmax" if kind == "auto" else kind) and f"scores: {scores}" in text, f"{kind}: the name")
        for row in top:
            check(abs(row["probability"] - expected[row["index"]]) < 1e-5, f"{kind}: class {row['index']}", row)
    scores, top, rows, text = classify(model, path, "--scores", "none")
    check(scores == "none" and "%" not in text.split("\n\n")[1], "none: no scores in the text", text)
    check([row["probability"] for row in top] == [None] * 3 and rows[0]["probability"] == "", "none: no numbers")


def test_one_output(folder):
    """Sigmoid, and both sides, however many classes are asked for."""
    net, model = save_net(folder, 1)
    image, path = next(save_images(folder))
    steps = T.Compose([T.Resize(32), T.CenterCrop(32), T.ToTensor(), T.Normalize((0.5,) * 3, (0.5,) * 3)])
    logit = net(steps(image)[None]).item()
    score = 1 / (1 + np.exp(-logit))
    scores, top, _, text = classify(model, path)
    check(scores == "sigmoid" and "100.0000 %" not in text and ", 1 class," in text, "the text", text)
    by_index = {row["index"]: row for row in top}
    check(set(by_index) == {0, 1} and top[0]["probability"] >= top[1]["probability"], "both sides", top)
    check(abs(by_index[1]["probability"] - score) < 1e-5 and abs(by_index[0]["probability"] - 1 + score) < 1e-5,
          "the scores", top, score)
    check(by_index[0]["logit"] == -by_index[1]["logit"], "the logits", top)
    check(len(classify(model, path, "-k1")[1]) == 1, "-k1")
    _, top, _, text = classify(model, path, "--scores", "softmax")
    check(len(top) == 1 and top[0]["probability"] == 1, "softmax of one output", top)
    labels = folder / "labels"
    for lines, names in (("cat\ndog\n", ["cat", "dog"]), ("hot dog\n", ["not hot dog", "hot dog"])):
        labels.write_text(lines)
        top = {row["index"]: row["label"] for row in classify(model, path, "-l", labels)[1]}
        check([top[0], top[1]] == names, f"labels {lines!r}", top)
        packed = folder / "one.vgg"
        run("pack", model, "-o", packed, "-l", labels)
        top = {row["index"]: row["label"] for row in classify(packed, path)[1]}
        check([top[0], top[1]] == names, f"packed labels {lines!r}", top)
    labels.write_text("a\nb\nc\n")
    expect_error(["-l", labels, model, path], 3, "expected 1 label, the classes of")
    check_eval(folder, net, model, steps)


def check_eval(folder, net, model, steps):
    """Two folders, one for each side, and the binary cross-entropy."""
    losses, right = [], 0
    for side in (0, 1):
        (folder / "val" / str(side)).mkdir(parents=True)
        for number in range(10):
            image = Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8))
            image.save(folder / "val" / str(side) / f"{number}.png")
            logit = net(steps(image)[None]).double().item()
            losses.append(np.logaddexp(0, -logit if side else logit))
            right += (logit > 0) == bool(side)
    found = json.loads(run("eval", model, folder / "val", "-fjson").stdout)
    check(found["images"] == 20 and found["top1"] == right, "eval: images that are right", found["top1"], right)
    check(abs(found["loss"] - np.mean(losses)) < 1e-5, "eval: the loss", found["loss"], np.mean(losses))


def make_classes(folder, steps, count):
    """Ten images for each class in a folder of its own, and the tensors of all, with their classes."""
    inputs, classes = [], []
    for index in range(count):
        (folder / "val" / str(index)).mkdir(parents=True)
        for number in range(10):
            image = Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8))
            image.save(folder / "val" / str(index) / f"{number}.png")
            inputs.append(steps(image))
            classes.append(index)
    return torch.stack(inputs), torch.tensor(classes)


def evaluate(what, words, ranked, classes, loss):
    """Compares with PyTorch: numbers of which the largest is the best class, the classes that are right, the loss."""
    found = json.loads(run("eval", *words, "-fjson", "-k2").stdout)
    best = ranked.argsort(1, descending=True)
    expected = {"scores": words[-1], "images": len(classes), "top1": int((best[:, 0] == classes).sum()),
                "topk": int((best[:, :2] == classes[:, None]).any(1).sum())}
    check(expected.items() <= found.items(), f"eval {what}: the numbers", found, expected)
    text = run("eval", *words).stdout.decode()
    if loss is None:
        check(found["loss"] is None and found["loss_name"] is None and "loss" not in text, f"eval {what}: a loss", text)
    else:
        value, name = loss
        check(abs(found["loss"] - value.item()) < 1e-5 and found["loss_name"] == name and f"(mean {name})" in text,
              f"eval {what}: the loss", found["loss"], value, text)


def test_eval_scores(folder):
    net, model = save_net(folder, 3)
    steps = T.Compose([T.Resize(32), T.CenterCrop(32), T.ToTensor(), T.Normalize((0.5,) * 3, (0.5,) * 3)])
    inputs, classes = make_classes(folder, steps, 3)
    functional, one_hot = nn.functional, nn.functional.one_hot(classes, 3).double()
    with torch.no_grad():
        logits = net(inputs).double()
    across = functional.cross_entropy(logits, classes), "cross-entropy"
    alone = functional.binary_cross_entropy_with_logits(logits, one_hot), "binary cross-entropy"
    for kind, loss in (("softmax", across), ("sigmoid", alone), ("none", None)):
        evaluate(kind, [model, folder / "val", "--scores", kind], logits, classes, loss)
    # What the net ends in is taken without being asked for.
    whole = folder / "whole.pth"
    torch.save(nn.Sequential(*net.features, net.avgpool, nn.Flatten(), *net.classifier, nn.Sigmoid()), whole)
    words = ["--resize", "32", "--crop", "32", "--mean", "0.5", "--std", "0.5", whole, folder / "val"]
    found = json.loads(run("eval", *words, "-fjson").stdout)
    loss = functional.binary_cross_entropy(logits.sigmoid(), one_hot).item()
    check(found["scores"] == "sigmoid" and abs(found["loss"] - loss) < 1e-5, "eval: a Sigmoid at the end", found["loss"], loss)
    for kind in ("softmax", "none"):
        _, one = save_net(folder, 1, "one")
        expect_error(["eval", one, folder / "val", "--scores", kind], 2, f"--scores {kind}: one output is one class")


def test_built_in_labels(folder):
    """A built-in list needs no file, and a file of its name is read by a path."""
    _, model = save_net(folder, 10, "ten")
    image = next(save_images(folder))[1]
    (folder / "mnist").write_text("\n".join(f"own {i}" for i in range(10)))
    for name, first in (("cifar10", "airplane"), ("mnist", "0"), ("fashion-mnist", "T-shirt/top")):
        result = subprocess.run([PROGRAM, "-l", name, "-k10", "-fjson", model, image], capture_output=True, cwd=folder)
        top = json.loads(result.stdout)["results"][0]["top"]
        check({row["index"]: row["label"] for row in top}[0] == first, f"--labels {name}", top)
    result = subprocess.run([PROGRAM, "-l", "./mnist", "-k10", "-fjson", model, image], capture_output=True, cwd=folder)
    check(json.loads(result.stdout)["results"][0]["top"][0]["label"].startswith("own"), "--labels ./mnist")
    expect_error(["-l", "cifar100", model, image], 3, "cifar100: expected 10 labels, the classes of", "found 100")
    _, model = save_net(folder, 100, "hundred", labels="cifar100")
    packed = folder / "hundred.vgg"
    run("pack", model, "-o", packed)
    for path in (model, packed):
        top = json.loads(run("-k100", "-fjson", path, image).stdout)["results"][0]["top"]
        names = {row["index"]: row["label"] for row in top}
        check(names[0] == "apple" and names[53] == "orange" and names[99] == "worm", f"{path.name}: cifar100", names)


def main():
    tests = [test for name, test in globals().items() if name.startswith("test_")]
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            test(pathlib.Path(folder))
    sys.exit(finish())


main()
