# SPDX-License-Identifier: MIT
"""A torchvision VGG in double precision, layer by layer.

Everything is PyTorch in float64 but the convolutions: with Debian's portable BLAS those take most of a
minute for one net and three images, so they run in double_conv.c. Each net's first output channels of its
last convolution are held against PyTorch's."""
import ctypes
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn
from torch.nn import functional

WORKERS = 2
STRIP, CHANNELS = 12, 4  # double_conv.c


def pointer(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


class Reference:
    def __init__(self, library):
        self.conv = ctypes.CDLL(library).double_conv
        self.pool = ThreadPoolExecutor(WORKERS)
        self.classifiers = {}

    def convolve(self, x, module):
        """[n, oc, h, w] of a 3 x 3 convolution with padding 1."""
        n, ic, h, w = x.shape
        row, oc = w + 2, module.out_channels
        count = -(-h * row // STRIP) * STRIP
        planes = torch.zeros(n, ic, count + 2 * row + 2, dtype=torch.float64)
        planes[:, :, :(h + 2) * row] = functional.pad(x, (1, 1, 1, 1)).flatten(2)
        weight, bias = module.weight.double().contiguous(), module.bias.double()
        y = torch.empty(n, oc, count, dtype=torch.float64)
        step = oc // WORKERS

        def part(task):
            i, begin = task
            self.conv(pointer(planes[i]), pointer(weight), pointer(bias), pointer(y[i]), ic, row,
                      count, begin, begin + step)

        assert oc % (WORKERS * CHANNELS) == 0
        list(self.pool.map(part, [(i, begin) for begin in range(0, oc, step) for i in range(n)]))
        return y[:, :, :h * row].unflatten(2, (h, row))[..., :w].contiguous()

    def classify(self, x, classifier):
        """Sharing its weights, nets share their conversion too."""
        key = classifier[0].weight.data_ptr()
        if key not in self.classifiers:
            self.classifiers = {key: [m.weight.double() for m in classifier
                                      if isinstance(m, nn.Linear)]}
        weights = iter(self.classifiers[key])
        for module in classifier:
            x = functional.linear(x, next(weights), module.bias.double()) \
                if isinstance(module, nn.Linear) else module(x)
        return x

    def logits(self, net, x):
        x = x.double()
        last = [m for m in net.features if isinstance(m, nn.Conv2d)][-1]
        for module in net.features:
            if isinstance(module, nn.Conv2d):
                y = self.convolve(x, module)
                if module is last:
                    few = functional.conv2d(x, module.weight[:8].double(), module.bias[:8].double(),
                                            padding=1)
                    assert (few - y[:, :8]).abs().max() <= 1e-13 * y.abs().max()
                x = y
            elif isinstance(module, nn.BatchNorm2d):
                x = functional.batch_norm(x, module.running_mean.double(),
                                          module.running_var.double(), module.weight.double(),
                                          module.bias.double(), False, 0, module.eps)
            else:
                x = module(x)
        return self.classify(net.avgpool(x).flatten(1), net.classifier).numpy()
