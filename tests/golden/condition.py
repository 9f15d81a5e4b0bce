# SPDX-License-Identifier: MIT
"""How far rounding alone may move a net's logits, for one input.

A float32 sum of products w x is off by a random number whose size is about u = 2^-24 times A = Σ|w x| + |b|. Let J
be the derivative of a logit with respect to that sum's result. If all errors are independent, the logit is off by
a number of standard deviation

    σ = u sqrt( Σ over all sums (J A)² )

which depends on the net and the input, and not on who computes. Over the nets and instruction sets of custom.py
the largest error of an image's logits is 0.1 to 1.2 σ, and PyTorch's float32 is 0.2 to 1.8 σ off."""

import copy

import torch
from torch import nn
from torch.nn import functional

UNIT = 2.0 ** -24
# An error of more than this many σ is a fault. A sum of K products that is rounded K times is off by 0.4 u A
# (standard deviation, normal numbers), by F(4) 0.8 u A: so this is five standard deviations, which six of ten
# million logits exceed.
FACTOR = 4
# Wider nets are not looked at: reading their weights once a logit takes seconds.
MOST_WEIGHTS = 20_000_000
PROBES = 8


def magnitude(module, x):
    """Σ|w x| + |b| of each sum of a convolution or linear layer."""
    bias = None if module.bias is None else module.bias.abs()
    if isinstance(module, nn.Conv2d):
        return functional.conv2d(x.abs(), module.weight.abs(), bias, module.stride, module.padding)
    return functional.linear(x.abs(), module.weight.abs(), bias)


def expected_error(net, x):
    """σ of the logits of one input [1, C, H, W], relative to the largest of them; None for a wide net. Up to ten
    logits: the largest σ of them. More: the root of the mean σ², estimated from random sums of the logits.

    Computed in float32, which changes σ in its sixth digit: two are needed."""
    if sum(weights.numel() for weights in net.parameters()) > MOST_WEIGHTS:
        return None
    net = copy.deepcopy(net).requires_grad_(False)
    sums = []  # an addend of zero for each sum, and its magnitude

    def probe(module, inputs, output):
        batch_norm = isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))
        size = output.detach().abs() if batch_norm else magnitude(module, inputs[0].detach())
        sums.append((torch.zeros_like(output, requires_grad=True), size))
        return output + sums[-1][0]

    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d)):
            module.register_forward_hook(probe)
    with torch.enable_grad():
        logits = net(x)[0]
    generator = torch.Generator().manual_seed(1)
    count = len(logits)
    signs = torch.randint(0, 2, (PROBES, count), generator=generator) * 2.0 - 1
    weights = torch.eye(count) if count <= 10 else signs / count ** 0.5
    variances = []
    for weight in weights:
        derivatives = torch.autograd.grad(logits, [addend for addend, _ in sums], weight, retain_graph=True)
        variances.append(sum(float(((j * size).double() ** 2).sum()) for j, (_, size) in zip(derivatives, sums)))
    variance = max(variances) if count <= 10 else sum(variances) / len(variances)
    return UNIT * variance ** 0.5 / float(logits.detach().abs().max())
