#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files that packages write round a VGG: compared with PyTorch in float64 as in package_nets.py, and images with the
package's own preprocessing.

    package_files.py VGG_INFER BUILD_FOLDER

  * timm: the folder that it makes for a hub, with preprocessing and class names in config.json
  * transformers: TimmWrapperForImageClassification, in one file, and in shards with their index
  * fastai: the head of vision_learner, saved with and without the optimiser, and as an exported Learner
  * OmegaConf: a Lightning checkpoint whose hyperparameters are a DictConfig"""
import json
import shutil
import sys

from package_nets import (REFUSED, check, exact_logits, expect_right, narrow, nn, noise, np, randomise, run, run_tests, save_file,
                          seed, timm, torch, torchvision)

import timm.data
import timm.models._hub
from PIL import Image

from photos import photos

PHOTO = next(path for _, path in photos())
NAMES = ["dog, hound", "cat", "wolf", "fox", "hare"]


def expect_preprocessed(title, folder, net, prepare, path, *options):
    """An image by the program and by the package: the same input to the bit, and the right logits of it."""
    x = prepare(Image.open(PHOTO).convert("RGB"))[None].numpy()
    expect_right(title, folder, exact_logits(net, x), path, PHOTO, *options)
    saved = folder / "input.npy"
    done = run("--save-input", saved, "-fjson", *options, path, PHOTO)
    if check(done.returncode == 0, title, done.stderr):
        check(np.array_equal(np.load(saved), x), f"{title}: the input", done.stdout)
    return json.loads(done.stdout)


def expect_names(title, document):
    found = [entry["label"] for entry in sorted(document["results"][0]["top"], key=lambda entry: entry["index"])]
    check(found == NAMES, f"{title}: the names of classes", found)


# --- timm ---

def timm_net(variant, **overlay):
    """What create_model makes, with narrow convolutions."""
    norm = {"norm_layer": nn.BatchNorm2d} if variant.endswith("_bn") else {}
    net = timm.models.build_model_with_cfg(
        timm.models.vgg.VGG, variant, False, model_cfg=narrow(int(variant[3:5])), num_classes=len(NAMES), mlp_ratio=0.02,
        pretrained_cfg_overlay={"label_names": NAMES, "num_classes": len(NAMES), **overlay}, **norm)
    seed(variant)
    return randomise(net).eval()


CONFIGS = {
    "its own": {},
    "bicubic": {"interpolation": "bicubic", "crop_pct": 0.9, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.3)},
    "squash": {"crop_mode": "squash", "crop_pct": 0.95},
    "the whole image": {"crop_pct": 1.0, "interpolation": "bicubic"},
    "larger": {"input_size": (3, 256, 256), "crop_pct": 0.94},
}


def test_timm(folder):
    for i, (title, overlay) in enumerate(CONFIGS.items()):
        net = timm_net(("vgg11", "vgg13_bn")[i % 2], **overlay)
        prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(net), is_training=False)
        where = folder / title
        timm.models._hub.save_for_hf(net, where, model_config={"label_names": NAMES}, safe_serialization="both")
        for name in ("model.safetensors", "pytorch_model.bin"):
            document = expect_preprocessed(f"timm, {title}, {name}", folder, net, prepare, where / name)
            expect_names(f"timm, {title}, {name}", document)


# --- transformers ---

def transformers_net():
    from transformers import TimmWrapperConfig, TimmWrapperForImageClassification
    pretrained = {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "mean": [0.5, 0.4, 0.3],
                  "std": [0.2, 0.25, 0.3]}
    config = TimmWrapperConfig.from_dict({"architecture": "vgg11", "num_classes": len(NAMES), "label_names": NAMES,
                                          "pretrained_cfg": pretrained})
    seed("transformers")
    return randomise(TimmWrapperForImageClassification(config)).eval(), pretrained


def test_transformers(folder):
    net, pretrained = transformers_net()
    prepare = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=pretrained), is_training=False)
    net.save_pretrained(folder / "one")
    document = expect_preprocessed("transformers", folder, net.timm_model, prepare, folder / "one" / "model.safetensors")
    expect_names("transformers", document)
    shutil.rmtree(folder / "one")
    x = noise(64)
    expected = exact_logits(net.timm_model, x)
    np.save(folder / "input.npy", x)
    for title, options in (("shards", {}), ("pickled shards", {"safe_serialization": False})):  # since 5 the same
        where = folder / title
        net.save_pretrained(where, max_shard_size="50MB", **options)
        index = list(where.glob("*.index.json"))
        if not check(len(index) == 1, f"transformers, {title}: one index", sorted(where.iterdir())):
            continue
        for path in (index[0], sorted(where.glob("*-of-*"))[1]):
            expect_right(f"transformers, {title}, {path.name}", folder, expected, path, folder / "input.npy", "--size", 64)
        shutil.rmtree(where)


# --- fastai ---

def fastai_learner(folder, batch_norm):
    from fastai.vision.all import ImageDataLoaders, Resize, vision_learner
    images = folder / "images"
    for i, name in enumerate(NAMES):
        (images / name).mkdir(parents=True, exist_ok=True)
        for j in range(3):
            Image.fromarray(np.full((64, 64, 3), 40 * i + j, np.uint8)).save(images / name / f"{j}.png")
    loaders = ImageDataLoaders.from_folder(images, valid_pct=0.4, seed=1, item_tfms=Resize(64), bs=4, num_workers=0)
    arch = torchvision.models.vgg11_bn if batch_norm else torchvision.models.vgg11
    learner = vision_learner(loaders, arch, pretrained=False, normalize=False, path=folder)
    seed("fastai")
    randomise(learner.model).eval()
    return learner


def test_fastai(folder):
    for batch_norm in (False, True):
        learner = fastai_learner(folder, batch_norm)
        x = noise(64)
        expected = exact_logits(learner.model, x)
        np.save(folder / "input.npy", x)
        learner.create_opt()
        learner.save("with_opt")
        learner.save("without_opt", with_opt=False)
        torch.save(learner.model, folder / "models" / "whole.pth")
        save_file({name: tensor.contiguous() for name, tensor in learner.model.state_dict().items()},
                  folder / "models" / "model.safetensors")
        learner.export(folder / "models" / "export.pkl")
        done = run(folder / "models" / "export.pkl", folder / "input.npy")
        check(done.returncode == REFUSED and "fastai's learn.export()" in done.stderr, "fastai: an exported Learner", done.stderr)
        for name in ("with_opt.pth", "without_opt.pth", "whole.pth", "model.safetensors"):
            expect_right(f"fastai, {'BatchNorm, ' * batch_norm}{name}", folder, expected, folder / "models" / name,
                         folder / "input.npy", "--size", 64)


# --- OmegaConf ---

def test_omegaconf(folder):
    from omegaconf import OmegaConf
    seed("omegaconf")
    features = torchvision.models.vgg.make_layers(narrow(11), True)
    net = torchvision.models.VGG(features, len(NAMES), init_weights=False)
    net.classifier = nn.Sequential(nn.Linear(64 * 49, 30), nn.ReLU(), nn.Dropout(), nn.Linear(30, len(NAMES)))
    randomise(net).eval()
    x = noise(224)
    expected = exact_logits(net, x)
    np.save(folder / "input.npy", x)
    parameters = OmegaConf.create({
        "lr": 0.1, "epochs": 3, "name": "vgg11_bn", "nested": {"list": [1, 2.5, None, "x"], "flag": True},
        "reference": "${lr}", "missing": "???", "empty": {}, "data": {"path": "${oc.env:HOME,none}"}})
    for title, part in (("DictConfig", parameters), ("ListConfig", parameters.nested.list), ("within a dict", {"cfg": parameters})):
        for protocol in (2, 4):
            path = folder / "lightning.ckpt"
            torch.save({"epoch": 1, "global_step": 10, "pytorch-lightning_version": "2.6.6", "hparams_name": "cfg",
                        "state_dict": {"net." + name: tensor for name, tensor in net.state_dict().items()},
                        "hyper_parameters": part, "optimizer_states": [], "lr_schedulers": []}, path,
                       pickle_protocol=protocol)
            expect_right(f"OmegaConf, {title}, protocol {protocol}", folder, expected, path, folder / "input.npy")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
