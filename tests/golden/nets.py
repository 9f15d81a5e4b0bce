# SPDX-License-Identifier: MIT
"""Nets for the golden tests: torchvision's, with weights that make every part count."""

import zlib

import torch
import torchvision
from torch import nn

VARIANTS = [f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")]


def seed(name):
    """Starts a test's random numbers from its name: another test before it changes nothing."""
    torch.manual_seed(zlib.crc32(name.encode()))


def randomise(net, kaiming=True):
    """Kaiming weights, random biases, and BatchNorm statistics and affine parameters that are far from the
    identity."""
    for module in net.modules():
        if kaiming and isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.3, 3)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
        elif isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.normal_(module.bias, 0, 0.05)
    return net


def build(variant, seed=1, num_classes=1000):
    """A torchvision VGG with its own Kaiming initialisation."""
    torch.manual_seed(seed)
    net = getattr(torchvision.models, variant)(weights=None, num_classes=num_classes)
    return randomise(net, kaiming=False).eval()


def imagenet_input(path):
    """float32 [3, 224, 224] of an image file, as the classification preset makes it."""
    from PIL import Image
    from torchvision import transforms
    image = Image.open(path).convert("RGB")
    return transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])(image)
