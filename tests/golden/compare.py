#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Golden comparison: agreement where there is agreement, and planted faults named by their node.

    compare.py VGG_INFER SOURCE_ROOT

Runs on the bundled checkpoint. Ends with "N passed, N failed"; exit 77 (skipped) without PyTorch."""
import contextlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torchvision  # noqa: F401, golden.py needs it
    from PIL import Image
except ImportError:
    print("PyTorch or torchvision is not installed: skipped")
    sys.exit(77)

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
sys.path.insert(0, str(ROOT / "tools" / "scripts"))
import golden  # noqa: E402
from exact import available  # noqa: E402
from nets import randomise  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

MODEL = ROOT / "models" / "fashion_vgg8_bn.pth"
IMAGES = sorted((ROOT / "models" / "images").glob("*.png"))
torch.set_num_threads(1)



def write_golden(folder, *options, model=MODEL, images=IMAGES):
    """What tools/scripts/golden.py writes, without another process, which would load PyTorch again."""
    words, sys.argv = sys.argv, ["golden.py", *map(str, [model, *images, "-o", folder, *options])]
    with contextlib.redirect_stdout(io.StringIO()):
        golden.main()
    sys.argv = words


def compare(folder, *options, code, model=MODEL):
    """The JSON that compare writes; its exit code is checked, and the text has the same verdict."""
    words = [PROGRAM, "compare", *options, str(model), str(folder)]
    text = subprocess.run(words, capture_output=True, text=True)
    result = subprocess.run([*words, "--format", "json"], capture_output=True, text=True)
    check(result.returncode == code and text.returncode == code,
          f"{options}: exit code {code}, got {result.returncode}", result.stderr)
    if not result.stdout:
        return {"stderr": result.stderr}
    document = json.loads(result.stdout)
    verdict = text.stdout.splitlines()[-1]
    check(verdict.startswith("agrees" if document["agrees"] else "differs"), "verdict", verdict)
    return {**document, "text": text.stdout, "stderr": result.stderr}


def expect_first(folder, name, *options, model=MODEL):
    document = compare(folder, *options, code=1, model=model)
    first = document.get("first_past_tolerance")
    check(first == name, f"{options}: first past the tolerance is {name}, got {first}",
          document.get("text", document["stderr"]))
    return document


def plant_in_model(folder, change):
    """A copy of the checkpoint with changed tensors."""
    state = golden.load_state(str(MODEL))
    change(state)
    path = folder / "planted.pth"
    torch.save(state, path)
    shutil.copy(MODEL.with_suffix(".json"), path.with_suffix(".json"))
    return path


def plant_in_net(good, folder, change):
    """A golden run of a net that was changed after loading, on the input of a good run."""
    net = golden.build(str(MODEL), golden.load_state(str(MODEL)))[0]
    change(net)
    folder.mkdir()
    tensors = torch.from_numpy(np.load(good / "input.npy"))
    np.save(folder / "input.npy", tensors.numpy())
    for name, array in golden.run(net, tensors, True).items():
        np.save(folder / (name + ".npy"), array)


def copy(good, folder, *names):
    folder.mkdir()
    for name in names or [path.name for path in good.iterdir()]:
        shutil.copy(good / name, folder)
    return folder


# --- agreement ---

def test_agrees(good, folder):
    document = compare(good, "--nodes", "--images", code=0)
    names = [node["name"] for node in document["nodes"]]
    written = json.loads((good / "golden.json").read_text())["nodes"]
    check(names == [*written, "logits"], "every node is compared, in order", names)
    check(document["input"]["unequal"] == 0, "own preprocessing: not one float differs")
    check(document["skipped"] == [] and document["unused"] == [], "nothing left out")
    check(all(node["max_relative"] < 5e-6 for node in document["nodes"]), "how near",
          document["text"])
    check([n["name"] for n in compare(good, code=0)["nodes"]] == ["logits"], "without --nodes")
    for options in (["-t1"], ["-t2"], *(["--isa", isa] for isa in available())):
        compare(good, "--nodes", *options, code=0)
    a, b = (compare(good, "--nodes", "-t", n, code=0)["nodes"] for n in "13")
    check(a == b, "the number of threads changes nothing")


def test_measures(good, folder):
    """The report's numbers are NumPy's."""
    saved = folder / "logits.npy"
    subprocess.run([PROGRAM, "--save-logits", saved, MODEL, *IMAGES], check=True,
                   stdout=subprocess.DEVNULL)
    ours, theirs = np.load(saved).astype(float), np.load(good / "logits.npy").astype(float)
    node = compare(good, code=0)["nodes"][0]
    delta = np.abs(ours - theirs)
    check(np.isclose(node["max_abs"], delta.max()), "max", node)
    check(np.isclose(node["mean_abs"], delta.mean()), "mean", node)
    check(np.isclose(node["max_relative"], delta.max() / np.abs(theirs).max()), "relative", node)
    check(node["unequal"] == np.count_nonzero(delta), "unequal", node)
    worst = tuple(node["worst"]["index"])
    check(delta[worst] == delta.max() and np.isclose(node["worst"]["expected"], theirs[worst])
          and np.isclose(node["worst"]["got"], ours[worst]), "the worst element", node)


def test_tolerance(good, folder):
    expect_first(good, "logits", "--rtol", "0")
    compare(good, "--rtol", "1", code=0)


# --- planted faults ---

def test_swapped_weights(good, folder):
    def swap_channels(state):
        weight = state["features.10.weight"]
        weight[[3, 5]] = weight[[5, 3]]

    def swap_two(state):
        flat = state["classifier.3.weight"].view(-1)
        far = int((flat - flat[0]).abs().argmax())
        flat[[0, far]] = flat[[far, 0]]

    model = plant_in_model(folder, swap_channels)
    expect_first(good, "features.10", "--nodes", model=model)
    expect_first(good, "logits", model=model)
    expect_first(good, "classifier.3", "--nodes", model=plant_in_model(folder, swap_two))


def test_wrong_statistics(good, folder):
    def shift_mean(state):
        state["features.15.running_mean"][7] += 0.5

    document = expect_first(good, "features.15", "--nodes",
                            model=plant_in_model(folder, shift_mean))
    node = next(n for n in document["nodes"] if n["name"] == "features.15")
    check(node["worst"]["index"][1] == 7, "the worst element is in the changed channel", node)


def test_wrong_eps(good, folder):
    def widen(net):
        net.features[8].eps = 1e-3

    plant_in_net(good, folder / "eps", widen)
    expect_first(folder / "eps", "features.8", "--nodes")


def test_other_pool(good, folder):
    def shift(net):
        net.features[6].register_forward_hook(lambda _m, _i, out: out.roll(1, 3))

    plant_in_net(good, folder / "pool", shift)
    expect_first(folder / "pool", "features.6", "--nodes")


def test_shifted_pixel(good, folder):
    moved = folder / "moved.png"
    pixels = np.asarray(Image.open(IMAGES[0])).copy()
    Image.fromarray(np.roll(pixels, 1, axis=1)).save(moved)
    write_golden(folder / "moved", "--no-nodes", images=[moved])
    compare(folder / "moved", code=0)
    compare(folder / "moved", "--images", code=0)
    words = [PROGRAM, "compare", str(MODEL), str(folder / "moved"), str(IMAGES[0]), "-fjson"]
    result = subprocess.run(words, capture_output=True, text=True)
    document = json.loads(result.stdout)
    check(result.returncode == 1 and document["first_past_tolerance"] == "input",
          "another image than the golden run's", result.stdout)
    check(document["input"]["unequal"] > 100, "how many floats differ", document["input"])


def test_not_a_number(good, folder):
    broken = copy(good, folder / "nan")
    array = np.load(broken / "features.12.npy")
    array[2, 5, 3, 1] = np.nan
    np.save(broken / "features.12.npy", array)
    document = expect_first(broken, "features.12", "--nodes")
    node = next(n for n in document["nodes"] if n["name"] == "features.12")
    check(node["worst"]["index"] == [2, 5, 3, 1] and node["max_abs"] is None, "where", node)


# --- folders that are not whole ---

def test_missing_files(good, folder):
    smallest = copy(good, folder / "smallest", "input.npy", "logits.npy")
    document = compare(smallest, "--nodes", code=0)
    check(len(document["nodes"]) == 1 and len(document["skipped"]) == 29, "skipped nodes",
          document["skipped"])
    document = compare(smallest, "--images", code=1)
    check("names none" in document["stderr"], "--images without names", document["stderr"])
    for name in ("input.npy", "logits.npy"):
        part = copy(good, folder / ("no-" + name))
        (part / name).unlink()
        message = compare(part, code=1)["stderr"]
        check(name in message and "No such file" in message, f"without {name}", message)
    message = compare(folder / "nowhere", code=1)["stderr"]
    check("No such file" in message, "no folder", message)


def test_wrong_files(good, folder):
    wrong = copy(good, folder / "wrong")
    (wrong / "golden.json").write_text('{"net": "vgg16"}')
    np.save(wrong / "features.3.npy", np.load(wrong / "features.3.npy")[:, :, 1:])
    np.save(wrong / "features.99.npy", np.zeros((5, 1), np.float32))
    document = expect_first(wrong, "features.3", "--nodes")
    check("expected shape [5,64,14,14], got" in document["text"] or
          "expected shape [5," in document["text"], "the shapes", document["text"])
    check(document["unused"] == ["features.99.npy"], "a file of no node", document["unused"])
    check("golden.json: expected net" in document["stderr"], "golden.json of another net")
    np.save(wrong / "logits.npy", np.zeros((5, 11), np.float32))
    message = compare(wrong, code=1)["stderr"]
    check("expected shape [5,10], got [5,11]" in message, "logits of another shape", message)
    np.save(wrong / "logits.npy", np.zeros((5, 10)))
    message = compare(wrong, code=1)["stderr"]
    check("float32" in message and "<f8" in message, "logits of another type", message)
    np.save(wrong / "input.npy", np.zeros((5, 1, 28, 28), np.float32))
    message = compare(wrong, code=1)["stderr"]
    check("expected shape [images, 3, height, width]" in message, "input of another shape", message)
    (wrong / "golden.json").write_text("[")
    check("golden.json" in compare(wrong, code=1)["stderr"], "a broken golden.json")


def test_recognition(good, folder):
    """golden.py and vgg-infer find the same net in a checkpoint without description."""
    from torchvision.models import vgg11_bn
    torch.manual_seed(7)
    net = vgg11_bn(num_classes=3)
    net.classifier = torch.nn.Sequential(*net.classifier[:6], torch.nn.Linear(4096, 3))
    path = folder / "three.pth"
    torch.save(net.state_dict(), path)
    write_golden(folder / "three", "--no-nodes", model=path, images=IMAGES[:1])
    document = compare(folder / "three", "--images", code=0, model=path)
    check(document["model"]["name"] == document["expected"]["net"] == "vgg11_bn", "the net")


def test_described_net(good, folder):
    """Every kind of entry that a description can have, node by node."""
    layers = [{"conv": 12, "kernel": 5, "stride": 2, "bias": False, "batch_norm": True},
              {"lrn": 5, "alpha": 0.1, "k": 2}, {"max_pool": 3, "stride": 2}, "D",
              {"conv": 20, "kernel": 1, "padding": 1}, 24, "M"]
    for name, classifier in (("list", [{"linear": 16, "index": 1}, 9, {"linear": 5, "bias": False}]),
                             ("single", {"linear": 5})):
        description = {"schema": 1, "name": "all kinds", "layers": layers, "avgpool": 3,
                       "classifier": classifier, "dropout": False}
        for kind, more in (("own", {}), ("given", {"input": 64, "preprocess": {"mean": 0.5, "std": 0.25}})):
            path = folder / f"{name}-{kind}.pth"
            path.with_suffix(".json").write_text(json.dumps({**description, **more}))
            net = golden.build_described({**description, **more})
            torch.manual_seed(5)
            randomise(net)
            torch.save(net.state_dict(), path)
            write_golden(folder / path.stem, model=path)
            document = compare(folder / path.stem, "--nodes", "--images", code=0, model=path)
            check(document["input"]["unequal"] == 0, f"{path.stem}: the input", document["text"])
            check(not document["skipped"] and not document["unused"], f"{path.stem}: all nodes", document["text"])


def main():
    with tempfile.TemporaryDirectory() as top:
        good = pathlib.Path(top) / "good"
        subprocess.run(["/usr/bin/python3", ROOT / "tools" / "scripts" / "golden.py", MODEL, *IMAGES, "-o", good], check=True,
                       stdout=subprocess.DEVNULL)
        for name, test in [item for item in globals().items() if item[0].startswith("test_")]:
            folder = pathlib.Path(top) / name
            folder.mkdir()
            test(good, folder)
            shutil.rmtree(folder)
    sys.exit(finish())


main()
