# SPDX-License-Identifier: MIT
"""Writes checkpoints byte by byte, right or wrong in any detail: pickles, zip archives, legacy streams,
tar archives, safetensors files; and images. Nothing here needs PyTorch."""
import io
import json
import struct
import tarfile
import zlib

MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."


# ---- pickles ----

class Pickle:
    """Opcode by opcode; every method returns self."""

    def __init__(self, protocol=2):
        self.out = bytearray(b"\x80" + bytes([protocol]))

    def op(self, *parts):
        for part in parts:
            self.out += part.encode() if isinstance(part, str) else part
        return self

    def text(self, text):
        data = text.encode() if isinstance(text, str) else text
        return self.op(b"X" + struct.pack("<I", len(data)), data)

    def number(self, value):
        if -2**31 <= value < 2**31:
            return self.op(b"J" + struct.pack("<i", value))
        data = value.to_bytes(8 if -2**63 <= value < 2**63 else 10, "little", signed=True)
        return self.op(b"\x8a" + bytes([len(data)]) + data)

    def numbers(self, values):
        self.op("(")
        for value in values:
            self.number(value)
        return self.op("t")

    def name(self, module, name):
        return self.op(f"c{module}\n{name}\n")

    def storage(self, key, count, type="Float", location="cpu", view=b"", module="torch"):
        self.op("(").text("storage").name(module, type + "Storage").text(key).text(location)
        return self.number(count).op(view, "tQ")

    def view(self, tensor):
        """storage, offset, size, stride"""
        storage = {name: tensor.get(name, default) for name, default in
                   (("type", "Float"), ("location", "cpu"), ("view", b""), ("module", "torch"))}
        self.storage(tensor["key"], tensor.get("count", size_of(tensor["shape"])), **storage)
        self.number(tensor.get("offset", 0)).numbers(tensor["shape"])
        return self.numbers(tensor.get("stride", strides_of(tensor["shape"])))

    def tensor(self, tensor):
        if "raw" in tensor:
            return self.op(tensor["raw"])
        self.name("torch._utils", "_rebuild_tensor_v2").op("(").view(tensor)
        return self.op(b"\x89").name("collections", "OrderedDict").op(")R", tensor.get("tail", b""), "tR")

    def state_dict(self, tensors):
        """The items of an OrderedDict, a thousand at a time; tensors: (name, tensor) pairs."""
        self.name("collections", "OrderedDict").op(")R")
        for i in range(0, max(len(tensors), 1), 1000):
            self.op("(")
            for name, tensor in tensors[i:i + 1000]:
                self.text(name).tensor(tensor)
            self.op("u")
        return self

    def stop(self):
        return bytes(self.out + b".")


def size_of(shape):
    size = 1
    for side in shape:
        size *= side
    return size


def strides_of(shape):
    strides, step = [], 1
    for side in reversed(shape):
        strides.insert(0, step)
        step *= side
    return strides


# ---- the net that every case is a variation of: one convolution, one linear layer, 5 classes ----

NET = {"features.0.weight": (4, 3, 3, 3), "features.0.bias": (4,),
       "classifier.0.weight": (5, 16), "classifier.0.bias": (5,)}
NET_BN = {"features.0.weight": (4, 3, 3, 3), "features.0.bias": (4,), "features.1.weight": (4,),
          "features.1.bias": (4,), "features.1.running_mean": (4,), "features.1.running_var": (4,),
          "classifier.0.weight": (5, 16), "classifier.0.bias": (5,)}


def net(shapes=NET, **changes):
    """(name, tensor) pairs in the file's order; changes: underscores for dots -> fields to change."""
    tensors = []
    for i, (name, shape) in enumerate(shapes.items()):
        fields = changes.pop(name.replace(".", "_"), {})
        tensors.append((name, {"key": str(i), "shape": shape, **fields}))
    assert not changes, changes
    return tensors


def values_of(tensors):
    """Storage key -> its bytes: small positive numbers, so that a variance is one too."""
    values = {}
    for _, tensor in tensors:
        if "key" in tensor:
            count = min(size_of(tensor["shape"]), 4096)
            values[tensor["key"]] = tensor.get("values") or struct.pack(
                f"<{count}f", *((1 + i % 7) / 8 for i in range(count)))
    return values


def net_pickle(tensors=None):
    return Pickle().state_dict(tensors or net()).stop()


# ---- zip archives ----

class Member:
    """A member, and what its headers say of it; None is the truth."""

    def __init__(self, name, data, **lies):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.data = data.encode() if isinstance(data, str) else data
        self.lies = lies

    def deflated(self, **lies):
        """The same, compressed."""
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = squeeze.compress(self.data) + squeeze.flush()
        return Member(self.name, packed, method=8, bytes=lies.pop("bytes", len(self.data)),
                      crc=lies.pop("crc", zlib.crc32(self.data)), **lies)

    def get(self, field, where, default):
        return self.lies.get(f"{where}_{field}", self.lies.get(field, default))


def zip_header(member, where, **fields):
    """The part that local and central headers share, from the flags to the sizes."""
    def get(field, default):
        return member.get(field, where, default)
    zero = where == "local" and get("descriptor", True)
    packed = 0 if zero else get("packed", len(member.data))
    size = 0 if zero else get("bytes", len(member.data))
    crc = 0 if zero else get("crc", zlib.crc32(member.data))
    return struct.pack("<HHIIII", get("flags", 0x0808 if get("descriptor", True) else 0x0800),
                       get("method", 0), 0, crc, packed & 0xffffffff, size & 0xffffffff)


def zip_archive(members, **lies):
    """As torch writes it: sizes after the data, zip64 end records always.
    lies: count, directory_bytes, directory_offset, disk, comment, end64_<field>, locator_offset,
    no_end64, between (bytes before the directory), count_here."""
    out, offsets = bytearray(), []
    for m in members:
        offsets.append(len(out))
        name, extra = m.lies.get("local_name", m.name), m.lies.get("local_extra", b"")
        out += b"PK\3\4\0\0" + zip_header(m, "local")
        out += struct.pack("<HH", len(name), len(extra)) + name + extra + m.data
        if m.lies.get("descriptor", True):
            out += b"PK\7\10" + struct.pack("<III", m.lies.get("crc", zlib.crc32(m.data)), len(m.data),
                                            m.lies.get("bytes", len(m.data)) & 0xffffffff)
    out += lies.get("between", b"")
    start = len(out)
    for m, offset in zip(members, offsets):
        extra = m.lies.get("central_extra", b"")
        out += b"PK\1\2\0\0\0\0" + zip_header(m, "central")
        out += struct.pack("<HHHHHII", len(m.name), len(extra), 0, m.lies.get("disk", 0), 0, 0,
                           m.lies.get("offset", offset) & 0xffffffff) + m.name + extra
    end = len(out)
    count, size = lies.get("count", len(members)), lies.get("directory_bytes", end - start)
    start = lies.get("directory_offset", start)
    if not lies.get("no_end64"):
        out += b"PK\6\6" + struct.pack("<QHHIIQQQQ", lies.get("end64_size", 44), 0, 0,
                                       lies.get("end64_disk", 0), 0, count,
                                       lies.get("end64_count", count), lies.get("end64_bytes", size),
                                       lies.get("end64_offset", start))
        out += b"PK\6\7" + struct.pack("<IQI", 0, lies.get("locator_offset", end), 1)
    comment = lies.get("comment", b"")
    out += b"PK\5\6" + struct.pack("<HHHHIIH", lies.get("disk", 0), 0,
                                   lies.get("count_here", count) & 0xffff, count & 0xffff,
                                   size & 0xffffffff, start & 0xffffffff, len(comment)) + comment
    return bytes(out)


def members_of(pickle, values, folder="archive"):
    return [Member(f"{folder}/data.pkl", pickle),
            *(Member(f"{folder}/data/{key}", data) for key, data in values.items()),
            Member(f"{folder}/version", "3\n")]


def zip_net(tensors=None, pickle=None, **lies):
    tensors = tensors or net()
    return zip_archive(members_of(pickle or net_pickle(tensors), values_of(tensors)), **lies)


# ---- legacy streams ----

def keys_pickle(keys):
    out = Pickle().op("](")
    for key in keys:
        out.text(key)
    return out.op("e").stop()


def legacy(pickle, values, keys=None, counts=None, magic=MAGIC, protocol=b"\x80\x02M\xe9\x03.",
           system=b"\x80\x02}X\x0d\0\0\0little_endian\x88s."):
    """counts: storage key -> the number of elements its header tells."""
    keys = list(values) if keys is None else keys
    out = magic + protocol + system + pickle + keys_pickle(keys)
    for key in keys:
        data = values.get(key, b"")
        out += struct.pack("<q", (counts or {}).get(key, len(data) // 4)) + data
    return out


def legacy_net(tensors=None, pickle=None, **options):
    tensors = tensors or net()
    return legacy(pickle or net_pickle(tensors), values_of(tensors), **options)


# ---- tar archives of PyTorch before 0.1.10 ----

def tar_tensor(key, storage, shape, stride=None, offset=0, ndim=None, kind="FloatTensor"):
    head = Pickle().op("(").number(key).number(storage).name("torch", kind).op("t").stop()
    stride = strides_of(shape) if stride is None else stride
    return head + struct.pack("<ii", len(shape) if ndim is None else ndim, 0) + struct.pack(
        f"<{len(shape) + len(stride) + 1}q", *shape, *stride, offset)


def tar_storage(key, data, count=None, kind="FloatStorage", location="cpu"):
    head = Pickle().op("(").number(key).text(location).name("torch", kind).op("t").stop()
    return head + struct.pack("<q", len(data) // 4 if count is None else count) + data


def tar_parts(saved=None, views=b"\x80\x02].", **changes):
    """The four members of the archive, by name; changes replace them."""
    saved = saved or net()
    values = values_of(saved)
    numbers = {key: 100 + i for i, key in enumerate(values)}
    table = Pickle().number(len(saved)).stop()
    pickle = Pickle().name("collections", "OrderedDict").op(")R(")
    for i, (name, tensor) in enumerate(saved):
        table += tar_tensor(1 + i, numbers[tensor["key"]], tensor["shape"])
        pickle.text(name).text(str(1 + i)).op("Q")
    storages = Pickle().number(len(values)).stop()
    for key, data in values.items():
        storages += tar_storage(numbers[key], data)
    parts = {"storages": storages + views, "tensors": table, "pickle": pickle.op("u").stop(),
             "sys_info": Pickle().op("}(").text("protocol_version").number(1000).text("little_endian")
             .op(b"\x88u").stop()}
    return {**parts, **changes}


def tar_archive(parts, format=tarfile.PAX_FORMAT, headers=None):
    """headers: member's name -> fields of its TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in (headers or {}).get(name, {}).items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


# ---- safetensors ----

def safetensors_header(shapes=NET, dtype="F32"):
    header, offset = {}, 0
    for name, shape in shapes.items():
        end = offset + 4 * size_of(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    return header, offset


def safetensors(header, data, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8) if length is None else b""
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def safetensors_net(shapes=NET, **changes):
    """changes: underscores for dots -> fields of that tensor's entry."""
    header, size = safetensors_header(shapes)
    for name in list(header):
        header[name].update(changes.pop(name.replace(".", "_"), {}))
    assert not changes, changes
    return safetensors(header, struct.pack(f"<{size // 4}f", *((1 + i % 7) / 8 for i in range(size // 4))))


# ---- packed files ----

PACKED_SPEC = {"schema": 1, "input": 4, "layers": [4, "M"], "avgpool": 2, "classifier": [5]}
PAGE = 4096


# What every kernel can read of the first convolution, whose input is not in blocks.
READY = tuple({"layout": "direct", "group": group, "channels": 3, "floats": 27 * group} for group in (8, 16, 32))


def packed_net(tensors=NET, spec=None, header=(), directory=None, page=None, fill=0, more=b"", ready=(),
               plain=True, **changes):
    """tensors: name -> shape of float32, or fields of the entry with the bytes as "data".
    header: field -> value; directory, spec: bytes instead of JSON; fill: between tensors; page: bytes at 64.
    ready: fields of entries that follow the first weight, or stand for it (not plain); "floats": how many.
    changes: underscores for dots -> fields of that tensor's entry. All sums are right but those given."""
    body, entries = bytearray(PAGE), []

    def floats(size):
        return struct.pack(f"<{size}f", *((1 + i % 7) / 8 for i in range(size)))

    def add(fields):
        fields = {"dtype": "F32", "layout": "rows", "offset": len(body), **fields}
        data = fields.pop("data")
        entries.append({"crc32": zlib.crc32(data), **fields})
        body.extend(data + bytes([fill]) * (-len(data) % PAGE))

    for number, (name, fields) in enumerate(tensors.items()):
        if not isinstance(fields, dict):
            fields = {"shape": list(fields), "data": floats(size_of(fields))}
        if number > 0 or plain:
            add({"name": name, **fields, **changes.pop(name.replace(".", "_"), {})})
        for form in ready if number == 0 else ():
            form = dict(form)
            add({"name": name, "shape": fields["shape"], "data": floats(form.pop("floats")), **form})
    assert not changes, changes
    spec = json.dumps(spec or PACKED_SPEC).encode() if not isinstance(spec, bytes) else spec
    text = directory if isinstance(directory, bytes) else json.dumps(directory or {"tensors": entries}).encode()
    fields = {"version": 2, "page": PAGE, "file_bytes": len(body) + len(spec) + len(text) + len(more),
              "offset": len(body), "spec_bytes": len(spec), "directory_bytes": len(text),
              "spec_crc": zlib.crc32(spec), "directory_crc": zlib.crc32(text), "zero": 0, **dict(header)}
    crc = fields.pop("crc", None)
    start = b"\x89VGG\r\n\x1a\n" + struct.pack("<IIQQQQIII", *fields.values())
    body[:64] = start + struct.pack("<I", zlib.crc32(start) if crc is None else crc)
    if page is not None:
        body[64:64 + len(page)] = page
    return bytes(body) + spec + text + more


INT8_SPEC = {**PACKED_SPEC, "int8": {"low": [-2.0, -2.0, -2.0], "step": [0.02, 0.02, 0.02], "scales": [0.5]}}


def int8_layer(name, shape, layout, size):
    """The four tensors of a layer; size: bytes of its weights, filled up."""
    rows = shape[0]
    return {f"{name}.weight": {"dtype": "I8", "layout": layout, "shape": list(shape),
                               "data": bytes((i * 37) % 255 - 127 & 0xff for i in range(size))},
            f"{name}.bias": {"dtype": "I32", "shape": [rows], "data": struct.pack(f"<{rows}i", *range(rows))},
            f"{name}.weight_scale": {"shape": [rows], "data": struct.pack(f"<{rows}f", *[0.01] * rows)},
            f"{name}.weight_sum": {"dtype": "I32", "shape": [rows], "data": struct.pack(f"<{rows}i", *range(rows))}}


def int8_net(**more):
    """PACKED_SPEC's net in int8."""
    tensors = {**int8_layer("features.0", (4, 3, 3, 3), "int8-input", 16 * 9 * 4),
               **int8_layer("classifier.0", (5, 16), "int8", 16 * 64)}
    return packed_net(tensors, more.pop("spec", INT8_SPEC), **more)


# ---- images ----

def png(width, height, rows=None, depth=8, color=2, interlace=0, chunks=()):
    """rows: the filtered scanlines; None: a gradient."""
    if rows is None:
        rows = b"".join(b"\0" + bytes((x * 7 + y * 3 + c) & 0xff for x in range(width) for c in range(3))
                        for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in chunks)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
