# SPDX-License-Identifier: Apache-2.0
"""Weight files written byte by byte, so that each of their numbers can lie.

A tiny network with its tensors, the safetensors container, the zip container as PyTorch writes it (zip64 records
always), and the instructions of a pickle. Nothing here needs PyTorch.
"""
import json
import struct
import zlib

DIM, HEADS, HIDDEN, SCALE, CHANNELS, CPB = 8, 2, 16, 2, 3, 512
BLOCK = "layers.0.residual_group.blocks.0."
CONFIG = {"scale": SCALE, "head": "pixelshuffledirect", "dim": DIM, "depths": [1], "heads": HEADS, "ws": 8,
          "ratio": 2.0, "channels": CHANNELS, "img_range": 1.0}
SHAPES = {
    "conv_first.weight": (DIM, CHANNELS, 3, 3), "conv_first.bias": (DIM,),
    "patch_embed.proj.weight": (DIM, DIM, 1, 1), "patch_embed.proj.bias": (DIM,),
    "patch_embed.norm.weight": (DIM,), "patch_embed.norm.bias": (DIM,),
    BLOCK + "norm1.weight": (DIM,), BLOCK + "norm1.bias": (DIM,),
    BLOCK + "attn.logit_scale": (HEADS, 1, 1), BLOCK + "attn.q_bias": (DIM,), BLOCK + "attn.v_bias": (DIM,),
    BLOCK + "attn.cpb_mlp.0.weight": (CPB, 2), BLOCK + "attn.cpb_mlp.0.bias": (CPB,),
    BLOCK + "attn.cpb_mlp.2.weight": (HEADS, CPB),
    BLOCK + "attn.qkv.weight": (3 * DIM, DIM), BLOCK + "attn.proj.weight": (DIM, DIM), BLOCK + "attn.proj.bias": (DIM,),
    BLOCK + "norm2.weight": (DIM,), BLOCK + "norm2.bias": (DIM,),
    BLOCK + "mlp.fc1.weight": (HIDDEN, DIM), BLOCK + "mlp.fc1.bias": (HIDDEN,),
    BLOCK + "mlp.fc2.weight": (DIM, HIDDEN), BLOCK + "mlp.fc2.bias": (DIM,),
    "layers.0.patch_embed.proj.weight": (DIM, DIM, 1, 1), "layers.0.patch_embed.proj.bias": (DIM,),
    "layers.0.conv.weight": (DIM, DIM, 3, 3), "layers.0.conv.bias": (DIM,),
    "conv_after_body.weight": (DIM, DIM, 3, 3), "conv_after_body.bias": (DIM,),
    "norm.weight": (DIM,), "norm.bias": (DIM,),
    "upsample.0.weight": (CHANNELS * SCALE * SCALE, DIM, 3, 3), "upsample.0.bias": (CHANNELS * SCALE * SCALE,),
}
HUGGING_FACE = {
    "model_type": "swin2sr", "embed_dim": DIM, "depths": [1], "num_heads": [HEADS], "window_size": 8, "mlp_ratio": 2.0,
    "num_channels": CHANNELS, "upscale": SCALE, "upsampler": "pixelshuffledirect", "img_range": 1.0,
    "resi_connection": "1conv", "hidden_act": "gelu", "layer_norm_eps": 1e-5, "patch_size": 1,
}


def product(shape):
    count = 1
    for side in shape:
        count *= side
    return count


def numbers(shape, dtype="F32"):
    """Small numbers that are exact in every type, as bytes."""
    values = [(i % 63 - 31) / 64 for i in range(product(shape))]
    if dtype == "BF16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack("<%d%s" % (len(values), {"F32": "f", "F16": "e"}[dtype]), *values)


def tensors(dtype="F32"):
    """The tiny network: name -> [dtype, shape, bytes]."""
    return {name: [dtype, list(shape), numbers(shape, dtype)] for name, shape in SHAPES.items()}


# ---- safetensors ----

def header_of(network, metadata=None):
    """The header as a dict, to be changed."""
    header, at = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, data) in network.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    return header


def container(header, data, length=None):
    """header: a dict or the bytes themselves."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def safetensors(network=None, metadata=None, header=None):
    network = tensors() if network is None else network
    return container(header or header_of(network, metadata), b"".join(data for _, _, data in network.values()))


# ---- pickle ----

STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "I64": "LongStorage"}
MARK, TUPLE, REDUCE, PERSID, STOP, DICT, SETITEMS, SETITEM = b"(", b"t", b"R", b"Q", b".", b"}", b"u", b"s"
EMPTY_TUPLE, FALSE, NONE, EMPTY_LIST, APPENDS, BUILD = b")", b"\x89", b"N", b"]", b"e", b"b"
ORDERED_DICT = b"ccollections\nOrderedDict\n" + EMPTY_TUPLE + REDUCE
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def text(string):
    data = string if isinstance(string, bytes) else string.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -2**31 <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def pickled_tuple(*elements):
    return MARK + b"".join(elements) + TUPLE


def integers(values):
    return pickled_tuple(*map(integer, values))


def storage_id(key, dtype, count):
    storage = b"ctorch\n%s\n" % STORAGES.get(dtype, dtype).encode()
    return pickled_tuple(text("storage"), storage, text(key), text("cpu"), integer(count)) + PERSID


def strides_of(shape):
    strides, step = [], 1
    for side in reversed(shape):
        strides.insert(0, step)
        step *= side
    return strides


def pickled_tensor(storage, shape, strides=None, offset=0):
    """The instructions that make a tensor; storage: instructions, shape and strides: lists or instructions."""
    strides = strides_of(shape) if strides is None else strides
    sides = shape if isinstance(shape, bytes) else integers(shape)
    steps = strides if isinstance(strides, bytes) else integers(strides)
    start = offset if isinstance(offset, bytes) else integer(offset)
    return REBUILD + pickled_tuple(storage, start, sides, steps, FALSE, ORDERED_DICT) + REDUCE


def state_dict(items):
    """items: pairs of instructions."""
    return DICT + MARK + b"".join(key + value for key, value in items) + SETITEMS


def program(body, protocol=2):
    return b"\x80" + bytes([protocol]) + body + STOP


# ---- zip ----

class Entry:
    """A file in the zip; a number that is not None replaces the true one in the header that its name says."""

    def __init__(self, name, data, method=0, flags=0, **lies):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.data, self.method, self.flags, self.lies = data, method, flags, lies

    def number(self, key, value):
        return self.lies.get(key, value)

    def local(self):
        crc, size = zlib.crc32(self.data), len(self.data)
        name = self.number("local_name", self.name)
        extra = self.number("local_extra", b"")
        return struct.pack("<4s5H3I2H", self.number("local_signature", b"PK\3\4"), 0,
                           self.number("local_flags", self.flags), self.number("local_method", self.method), 0, 0,
                           self.number("local_crc", self.number("crc", crc)), self.number("local_stored", size),
                           self.number("local_size", size), self.number("local_name_bytes", len(name)),
                           self.number("local_extra_bytes", len(extra))) + name + extra

    def central(self, begin):
        crc, size = zlib.crc32(self.data), len(self.data)
        extra = self.number("extra", b"")
        return struct.pack("<4s6H3I5H2I", self.number("signature", b"PK\1\2"), 0, 0, self.flags, self.method, 0, 0,
                           self.number("crc", crc), self.number("stored", size), self.number("size", size),
                           self.number("name_bytes", len(self.name)), len(extra), self.number("comment_bytes", 0), 0, 0,
                           0, self.number("begin", begin)) + self.name + extra


def zip_file(entries, has_zip64=True, **lies):
    """The file, and the places where its parts begin, in order."""
    out, places, central = b"", [], []
    for entry in entries:
        places.append(len(out))
        central.append(entry.central(len(out)))
        out += entry.local()
        places.append(len(out))
        out += entry.data
    begin, directory = len(out), b"".join(central)
    for header in central:
        places.append(len(out))
        out += header
    count, size = lies.get("count", len(entries)), lies.get("directory_bytes", len(directory))
    offset, end64 = lies.get("directory_begin", begin), len(out)
    if has_zip64:
        places += [end64, end64 + 56]
        out += struct.pack("<4sQ2H2I4Q", lies.get("end64_signature", b"PK\6\6"), lies.get("end64_bytes", 44), 0, 0,
                           lies.get("disk64", 0), 0, lies.get("disk_count", count), count, size, offset)
        out += struct.pack("<4sIQI", lies.get("locator_signature", b"PK\6\7"), 0, lies.get("end64_begin", end64),
                           lies.get("disks", 1))
    places.append(len(out))
    comment = lies.get("comment", b"")
    out += struct.pack("<4s4H2IH", b"PK\5\6", lies.get("disk", 0), 0, lies.get("short_count", count) & 0xffff,
                       lies.get("short_count", count) & 0xffff, lies.get("short_bytes", size) & 0xffffffff,
                       lies.get("short_begin", offset) & 0xffffffff, len(comment)) + comment
    return out, places


def checkpoint_entries(pickle, storages, folder="archive/"):
    return [Entry(folder + "data.pkl", pickle)] + \
        [Entry(f"{folder}data/{key}", data) for key, data in storages.items()] + [Entry(folder + "version", b"3\n")]


def described(network):
    """Pairs of instructions for every tensor of a network, and its storages."""
    items, storages = [], {}
    for i, (name, (dtype, shape, data)) in enumerate(network.items()):
        storages[str(i)] = data
        items.append((text(name), pickled_tensor(storage_id(str(i), dtype, product(shape)), shape)))
    return items, storages


def checkpoint(network=None, pickle=None, change_entries=None, **lies):
    """A whole file; pickle: other instructions than the network's, change_entries: a function of the entries."""
    items, storages = described(tensors() if network is None else network)
    entries = checkpoint_entries(program(state_dict(items)) if pickle is None else pickle, storages)
    if change_entries:
        entries = change_entries(entries) or entries
    return zip_file(entries, **lies)[0]
