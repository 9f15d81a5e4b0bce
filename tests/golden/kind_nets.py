# SPDX-License-Identifier: MIT
"""The nets of kinds.py: small ones, of the structure of nets that people save."""
import collections

import torch
from torch import nn
from torch.nn import functional as F


FUNCTIONS = {"relu": F.relu, "flat": lambda x: x.flatten(1), "pool": lambda x: F.max_pool2d(x, 2),
             "average": lambda x: F.avg_pool2d(x, 2), "channels_last": lambda x: x.permute(0, 2, 3, 1).flatten(1),
             "softmax": lambda x: F.softmax(x, 1), "normalize": F.normalize, "temperature": lambda x: x / 1.5}


class Net(nn.Module):
    """Modules by name, and the order in which forward runs them and functions: convs/0 is one of a ModuleList or a
    Sequential, block+x has a skip connection."""

    def __init__(self, order, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self.order = order.split()

    def forward(self, x):
        for step in self.order:
            name, _, index = step.split("+")[0].partition("/")
            if step in FUNCTIONS:
                x = FUNCTIONS[step](x)
            else:
                module = getattr(self, name)
                y = module[int(index)](x) if index else module(x)
                x = y + x if "+" in step else y
        return x


def conv(ic, oc, k=3, **more):
    return nn.Conv2d(ic, oc, k, **{"padding": k // 2, **more})


def pool(*arguments, **more):
    return nn.MaxPool2d(*arguments or (2,), **more)


def layers(*entries, ic=3, norm=False, act=nn.ReLU, **more):
    """A Sequential: numbers are convolutions with BatchNorm and activation."""
    modules = []
    for entry in entries:
        if isinstance(entry, nn.Module):
            modules.append(entry)
            continue
        modules += [conv(ic, entry, **more), *([nn.BatchNorm2d(entry)] if norm else []), *([act()] if act else [])]
        ic = entry
    return nn.Sequential(*modules)


def vgg(features, *head):
    """features and classifier."""
    return Net("features flat classifier", features=features, classifier=head[0] if len(head) == 1 else nn.Sequential(*head))


def ending(order):
    """A small VGG with other functions between its features and the scores."""
    return Net(order, features=layers(6, pool(), 8, pool()), classifier=nn.Sequential(linear(8)))


def linear(channels, side=8, classes=5):
    return nn.Linear(channels * side * side, classes)


def small(*head, **more):
    return vgg(layers(6, pool(), 8, pool(), **more), *head or (linear(8),))


def tiny(padding, side, channels=3):
    """A course's TinyVGG."""
    first, second = (layers(5, 5, pool(), ic=ic, padding=padding) for ic in (channels, 5))
    return Net("conv_block_1 conv_block_2 classifier", conv_block_1=first, conv_block_2=second,
               classifier=nn.Sequential(nn.Flatten(), linear(5, side, 3)))


def named(**modules):
    return nn.Sequential(collections.OrderedDict(modules))


def mmpretrain():
    """Its convolution, norm and activation are one module with names; its pools and linear layers have numbers."""
    def unit(ic, oc):
        return named(conv=conv(ic, oc, bias=False), bn=nn.BatchNorm2d(oc), activate=nn.ReLU())
    features = nn.Sequential(unit(3, 6), unit(6, 6), pool(), unit(6, 8), unit(8, 8), pool())
    return Net("backbone", backbone=vgg(features, linear(8, 8, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 5)))


def prepared():
    """For training with simulated quantisation."""
    net = small()
    net.qconfig = torch.ao.quantization.get_default_qat_qconfig("fbgemm")
    return torch.ao.quantization.prepare_qat(net.train())


def norm_after_relu():
    """Blocks of modules with names, which do not show their order."""
    def unit(ic, oc):
        return named(conv=conv(ic, oc), activation=nn.ReLU(), bn=nn.BatchNorm2d(oc))
    return Net("block1 pool block2 pool flat fc", block1=nn.Sequential(unit(3, 6), unit(6, 6)),
               block2=nn.Sequential(unit(6, 8), unit(8, 8)), fc=linear(8))


def listed(*modules):
    """features of these modules for each of two layers."""
    return vgg(nn.Sequential(*(make(ic, oc) for ic, oc in ((3, 6), (6, 8)) for make in modules)), linear(8))


def make_norm(_, channels):
    return nn.BatchNorm2d(channels)


def resnet9():
    def unit(ic, oc, *more):
        return nn.Sequential(conv(ic, oc), nn.BatchNorm2d(oc), nn.ReLU(), *more)
    return Net("conv1 conv2 res1+x conv3 conv4 res2+x classifier", conv1=unit(3, 6), conv2=unit(6, 8, pool()),
               res1=nn.Sequential(unit(8, 8), unit(8, 8)), conv3=unit(8, 8, pool()), conv4=unit(8, 8, pool()),
               res2=nn.Sequential(unit(8, 8), unit(8, 8)),
               classifier=nn.Sequential(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(8, 10)))


def embedding():
    """A layer on top of a net whose last layer was taken off, as for images and texts."""
    head = nn.Dropout(), linear(8, 8, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 12), nn.ReLU()
    return Net("cnn fc", cnn=small(*head), fc=nn.Linear(12, 4))


def functional_pools():
    """One Sequential of convolutions and activations; forward pools between them."""
    order = " ".join(f"features/{i}" + " pool" * (i in (3, 7)) for i in range(8))
    return Net(order + " flat classifier", features=layers(6, 6, 8, 8), classifier=linear(8))


def slices():
    """Parts of one Sequential, whose modules keep their numbers."""
    whole = layers(6, 6, pool(), 8, 8, pool())
    return Net("conv1 conv2 flat fc", conv1=whole[0:5], conv2=whole[5:], fc=linear(8))


def module_lists():
    return Net("convs/0 bns/0 relu pool convs/1 bns/1 relu pool flat fcs/0 relu fcs/1",
               convs=nn.ModuleList([conv(3, 6), conv(6, 8)]), bns=nn.ModuleList([nn.BatchNorm2d(6), nn.BatchNorm2d(8)]),
               fcs=nn.ModuleList([linear(8, 8, 7), nn.Linear(7, 5)]))


def fully_convolutional():
    head = nn.Conv2d(6, 12, 7), nn.ReLU(), nn.Dropout(), nn.Conv2d(12, 12, 1), nn.ReLU(), nn.Dropout(), nn.Conv2d(12, 6, 1)
    features = layers(4, pool(), 4, pool(), 6, pool(), 6, pool(), 6, pool())
    return Net("features classifier flat", features=features, classifier=nn.Sequential(*head))


def partly_normed():
    return vgg(nn.Sequential(conv(3, 6), nn.BatchNorm2d(6), nn.ReLU(), pool(), *layers(8, pool(), ic=6)), linear(8))


def with_5x5():
    return vgg(nn.Sequential(conv(3, 6, 5), nn.ReLU(), pool(), *layers(8, pool(), ic=6)), linear(8))


def sobel():
    """DeepCluster's: a filter in front, which is registered behind the net."""
    net = Net("sobel features flat classifier", features=layers(6, pool(), 8, pool(), ic=2), classifier=linear(8))
    net.sobel = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Conv2d(1, 2, 3, padding=1))
    return net


def transposed(groups=1):
    return vgg(layers(6, nn.ConvTranspose2d(6, 6, 3, padding=1, groups=groups), nn.ReLU(), pool(), 8, pool()), linear(8))


def with_pools(make):
    return vgg(layers(6, make(), 8, 8, make()), linear(8))


def with_strides():
    return vgg(nn.Sequential(*layers(6), *layers(8, ic=6, stride=2), *layers(8, ic=8), *layers(8, ic=8, stride=2)), linear(8))


def without_affine(_, channels):
    return nn.BatchNorm2d(channels, affine=False)


def named_pools():
    return vgg(named(conv1=conv(3, 6), relu1=nn.ReLU(), pool1=pool(), conv2=conv(6, 8), relu2=nn.ReLU(), pool2=pool()), linear(8))


def unnamed_skip():
    return Net("a b+x c flat fc", a=layers(6, pool()), b=layers(6, ic=6), c=layers(6, pool(), ic=6), fc=linear(6))


def attention():
    return Net("features attention classifier", features=layers(6, pool()), attention=conv(6, 6, 1),
               classifier=nn.Sequential(nn.Flatten(), linear(6, 16)))


def functional_average():
    return Net("feature average flat classifier", feature=layers(6, pool(), 8, pool(), 8, 8, norm=True), classifier=linear(8, 4))


def global_average():
    return Net("features avgpool flat classifier", features=layers(4, pool(), 4, pool(), 6, pool(), norm=True),
               avgpool=nn.AdaptiveAvgPool2d(1), classifier=nn.Linear(6, 4))


def listed_head():
    return Net("features flat fcs/0 relu fcs/1", features=layers(6, pool(), 8, pool()),
               fcs=nn.ModuleList([linear(8, 8, 7), nn.Linear(7, 5)]))


def wide():
    """For 48x80 pixels."""
    return vgg(layers(6, pool(), 8, pool(), 8, pool()), nn.Linear(480, 5))


class ConcatPool(nn.Module):
    """fastai's AdaptiveConcatPool2d."""

    def __init__(self):
        super().__init__()
        self.ap, self.mp = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)

    def forward(self, x):
        return torch.cat([self.mp(x), self.ap(x)], 1)


def fastai():
    return nn.Sequential(nn.Sequential(layers(4, pool(), 4, pool(), 6, pool(), norm=True)), nn.Sequential(
        ConcatPool(), nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(), nn.Linear(12, 7, bias=False), nn.ReLU(), nn.BatchNorm1d(7),
        nn.Dropout(), nn.Linear(7, 4, bias=False)))


def without_numbers(order):
    return Net(order, entry=conv(3, 6), middle=conv(6, 6), exit=conv(6, 6), head=linear(6))


def randomise(net):
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.3)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.02, 0.5)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.3)
    return net.eval()
