# SPDX-License-Identifier: MIT
"""Writers of containers that the installed PyTorch cannot write: safetensors, and the tar archives of
PyTorch before 0.1.10, which it can still read."""
import io
import json
import pickle
import struct
import tarfile

import torch

SAFETENSORS_TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}


def raw_bytes(tensor):
    """The elements, row-major; NumPy has no bfloat16."""
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def safetensors(tensors, metadata=None):
    """The largest elements first, as the format's own writer orders the data; the header by name."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header, data = {}, b""
    for name in order:
        tensor = tensors[name]
        raw = raw_bytes(tensor)
        header[name] = {"dtype": SAFETENSORS_TYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    ordered = {name: header[name] for name in tensors}
    if metadata is not None:
        ordered = {"__metadata__": metadata, **ordered}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


STORAGES = {torch.float32: "Float", torch.float64: "Double", torch.float16: "Half",
            torch.int64: "Long", torch.int32: "Int", torch.int16: "Short", torch.int8: "Char",
            torch.uint8: "Byte"}


def tar(thing, views=(), key_base=94000000):
    """What torch.save(thing) wrote until 0.1.9. views: (tensor, offset, count) for tensors whose storage
    is to be listed as a view of a larger one, in elements."""
    tensors, storages = {}, {}  # key -> tensor; data_ptr -> (key, tensor)
    view_of = {id(tensor): (offset, count) for tensor, offset, count in views}

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if isinstance(item, torch.Tensor):
                key = next((k for k, t in tensors.items() if t is item), None)
                if key is None:
                    key = key_base + 16 * len(tensors)
                    tensors[key] = item
                return str(key)
            return None

    def dump(thing, out):
        pickle.dump(thing, out, protocol=2)

    members = {name: io.BytesIO() for name in ("sys_info", "pickle", "tensors", "storages")}
    dump({"protocol_version": 1000, "little_endian": True,
          "type_sizes": {"short": 2, "int": 4, "long": 4}}, members["sys_info"])
    Pickler(members["pickle"], protocol=2).dump(thing)

    out, storage_views = members["tensors"], []
    dump(len(tensors), out)
    for key, tensor in tensors.items():
        pointer = tensor.storage().data_ptr()
        if pointer not in storages:
            storages[pointer] = (key_base + 500000 + 16 * len(storages), tensor)
        storage_key, offset = storages[pointer][0], tensor.storage_offset()
        if id(tensor) in view_of:
            root, (first, count) = storage_key, view_of[id(tensor)]
            storage_key, offset = key + 8, offset - first
            storage_views.append((storage_key, root, first, count))
        dump((key, storage_key, getattr(torch, STORAGES[tensor.dtype] + "Tensor")), out)
        ndim = tensor.dim()
        out.write(struct.pack(f"<q{2 * ndim}qq", ndim, *tensor.shape, *tensor.stride(), offset))

    out = members["storages"]
    dump(len(storages), out)
    for key, tensor in storages.values():
        dump((key, "cpu", getattr(torch, STORAGES[tensor.dtype] + "Storage")), out)
        whole = torch.tensor([], dtype=tensor.dtype).set_(tensor.storage())
        out.write(struct.pack("<q", whole.numel()) + raw_bytes(whole))
    dump(storage_views, out)

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:", format=tarfile.PAX_FORMAT) as pax:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.getvalue())
            info.mtime = 1488000000.25  # a fraction of a second makes a PAX header
            pax.addfile(info, io.BytesIO(content.getvalue()))
    return archive.getvalue()
