#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Train the bundled checkpoint, models/fashion_vgg8_bn.pth.

A small VGG with BatchNorm, built by torchvision's own VGG class and make_layers, trained on
Fashion-MNIST (Debian package dataset-fashion-mnist). Seeded: the same torch build on the same number
of threads writes the same weights. Takes about 20 minutes on two cores.

    /usr/bin/python3 tools/scripts/train_fashion.py -o models/fashion_vgg8_bn.pth

The grey images are given to the net as RGB with three equal channels, because that is what every
VGG takes; 28x28 leaves 7x7 after two pools, so torchvision's average pool is the identity.
"""
import argparse
import gzip
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.vgg import VGG, make_layers

CFG = [32, 32, "M", 64, 64, "M", 96, 96]
HIDDEN = 128
MEAN, STD = 0.2860, 0.3530


def build(num_classes=10):
    """The net: torchvision's VGG with a narrower classifier of the same form."""
    net = VGG(make_layers(CFG, batch_norm=True), num_classes=num_classes, init_weights=True)
    net.classifier = nn.Sequential(
        nn.Linear(CFG[-1] * 7 * 7, HIDDEN), nn.ReLU(True), nn.Dropout(0.4),
        nn.Linear(HIDDEN, HIDDEN), nn.ReLU(True), nn.Dropout(0.2),
        nn.Linear(HIDDEN, num_classes))
    return net


def load(folder, part):
    """Images as uint8 [n, 28, 28] and labels as int64 [n]; part is 'train' or 't10k'."""
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
        images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8)
    return torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))


def to_input(images):
    """uint8 [n, 28, 28] -> float32 [n, 3, 28, 28], as ToTensor and Normalize do it."""
    x = (images.float().div(255) - MEAN) / STD
    return x[:, None].expand(-1, 3, -1, -1)


def augment(images):
    """Mirror half of the images and shift each by up to two pixels."""
    n = len(images)
    flipped = torch.where((torch.rand(n) < 0.5)[:, None, None], images.flip(2), images)
    padded = F.pad(flipped, (2, 2, 2, 2))
    dy, dx = torch.randint(0, 5, (2, n))
    rows = (dy[:, None] + torch.arange(28))[:, :, None]
    cols = (dx[:, None] + torch.arange(28))[:, None, :]
    return padded[torch.arange(n)[:, None, None], rows, cols]


def accuracy(net, images, labels):
    net.eval()
    with torch.no_grad():
        hits = sum((net(to_input(p)).argmax(1) == y).sum().item()
                   for p, y in zip(images.split(500), labels.split(500)))
    return 100.0 * hits / len(labels)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("-o", "--output", default="models/fashion_vgg8_bn.pth")
    args.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    args.add_argument("--epochs", type=int, default=12)
    args.add_argument("--threads", type=int, default=2)
    args = args.parse_args()

    torch.manual_seed(20261123)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    train, train_labels = load(args.data, "train")
    test, test_labels = load(args.data, "t10k")
    net = build().to(memory_format=torch.channels_last)
    batch = 128
    steps = args.epochs * (len(train) // batch)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps, pct_start=0.2)

    for epoch in range(args.epochs):
        start, total = time.time(), 0.0
        net.train()
        order = torch.randperm(len(train))
        for i in range(len(train) // batch):
            pick = order[i * batch:(i + 1) * batch]
            x = to_input(augment(train[pick])).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(net(x), train_labels[pick], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            if i == 0 or i % 100 == 99:
                print(f"  step {i + 1}: loss {total / (i + 1):.4f}, {time.time() - start:.0f} s", flush=True)
        print(f"epoch {epoch + 1}: loss {total / (i + 1):.4f}, test accuracy "
              f"{accuracy(net, test, test_labels):.2f} %, {time.time() - start:.0f} s", flush=True)

    net = net.to(memory_format=torch.contiguous_format)
    print(f"final test accuracy: {accuracy(net, test, test_labels):.2f} % of {len(test)} images")
    torch.save(net.state_dict(), args.output)


if __name__ == "__main__":
    main()
