# SPDX-License-Identifier: MIT
"""Files that every hostile one is a variation of: they must be accepted, or the rest would prove
nothing."""
import struct

from case import Case
from writer import (NET_BN, READY, Member, legacy_net, members_of, net, net_pickle, packed_net,
                    safetensors_net, tar_archive, tar_parts, values_of, zip_archive, zip_net)


def cases():
    yield Case(0, "good.zip", zip_net(), (), code=0)
    yield Case(0, "good-bn.zip", zip_net(net(NET_BN)), (), code=0)
    yield Case(0, "good.legacy", legacy_net(), (), code=0)
    yield Case(0, "good.tar", tar_archive(tar_parts()), (), code=0)
    yield Case(0, "good.vgg", packed_net(), (), code=0)
    for dtype, bits in (("BF16", 0x3e80), ("F16", 0x3400), ("F64", 0)):  # all weights are 0.25 or 0
        data = struct.pack("<H", bits) * 1024 if bits else bytes(8192)
        yield Case(0, f"good-columns-{dtype}.vgg",
                   packed_net(classifier_0_weight={"layout": "column-major", "dtype": dtype, "data": data}), (), code=0)
    yield Case(0, "good-ready.vgg", packed_net(ready=READY), (), code=0)
    yield Case(0, "good-ready-alone.vgg", packed_net(ready=READY, plain=False), (), code=0)
    yield Case(0, "good.safetensors", safetensors_net(), (), code=0)
    yield Case(0, "good-no-zip64.zip", zip_net(no_end64=True), (), code=0)
    members = members_of(net_pickle(), values_of(net()))
    yield Case(0, "good-deflated.zip", zip_archive([m.deflated() for m in members]), (), code=0)
    yield Case(0, "good-no-descriptors.zip",
               zip_archive([Member(m.name, m.data, descriptor=False) for m in members]), (), code=0)
