#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Weight files that lie, each in one way, and what the refusal must say.

usage: tests/model/hostile.py FOLDER     write them all, for a look or for a fuzzer

CASES is the list; the same files every time. `says` is a regular expression; each is about the one thing that is wrong.
"""
import json
import os
import re
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

import weight_files as w

MIB = 1 << 20


@dataclass
class Case:
    name: str
    content: object  # bytes, or a function that makes them, or one that puts something at a path
    says: str
    status: str = "model"
    beside: Optional[object] = None  # a config.json: bytes, or a function of its path
    places: Callable = field(default=None, repr=False)

    def write(self, folder):
        path = Path(folder) / "weights"
        content = self.content() if callable(self.content) and not self.places else self.content
        if self.places:
            self.places(path)
        else:
            path.write_bytes(content)
        if callable(self.beside):
            self.beside(path.with_name("config.json"))
        elif self.beside is not None:
            path.with_name("config.json").write_bytes(self.beside)
        return path


CASES = []


def add(name, content, says, **others):
    CASES.append(Case(name, content, says, **others))


def short(name):
    return name.replace(w.BLOCK, "block.")


# ---- safetensors: the container ----

def one(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def add_container():
    whole = w.safetensors()
    header_bytes = struct.unpack("<Q", whole[:8])[0]
    for size in range(1, 8):
        add(f"st-cut-in-length-{size}", whole[:size], "too few")
    for size in [8, 9, 8 + header_bytes // 2, 8 + header_bytes - 1]:
        add(f"st-cut-in-header-{size}", whole[:size], "cut short: a header of")
    at = 8 + header_bytes
    for name, (_, _, data) in w.tensors().items():
        add(f"st-cut-before-{short(name)}", whole[:at], re.escape(name) + " has no valid data_offsets|no valid data_off")
        at += len(data)
    add("st-cut-last-byte", whole[:-1], r"upsample\.0\.bias has no valid data_offsets")
    add("st-byte-behind", whole + b"\0", "1 bytes after the last tensor")
    for length, says in [(0, "does not begin with {"), (1, "not valid JSON"), (2**63, "neither a PyTorch"),
                         (2**64 - 1, "neither a PyTorch"), (2**64 - 8, "neither a PyTorch"), (len(whole), "cut short: a header of"),
                         (MIB + 1, "neither a PyTorch"), (header_bytes - 1, "not valid JSON"),
                         (header_bytes + 4, "not valid JSON")]:
        add(f"st-length-{length}", w.container(w.header_of(w.tensors()), whole[8 + header_bytes:], length), says)
    giant = b"{" + b" " * (2 * MIB) + b"}"
    add("st-header-giant", w.container(giant, b""), "neither a PyTorch checkpoint nor a safetensors file with a header of at most 1 MiB")
    for name, text in [("deep-lists", b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"),
                       ("deep-objects", b'{"a":' * 100000 + b"1" + b"}" * 100000),
                       ("bad-utf8", b'{"\xff\xfe":1}'), ("overlong-utf8", b'{"\xc0\xaf":1}'),
                       ("surrogate", b'{"\\ud800":1}'), ("nul-in-name", b'{"a\\u0000b":1}'), ("open", b'{"a":1'),
                       ("comma", b'{"a":1,}'), ("trailing", b"{} {}"), ("nan", b'{"a":NaN}'),
                       ("giant-number", b'{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}'),
                       ("duplicate-key", b'{"a":1,"a":2}'), ("single-quotes", b"{'a':1}")]:
        add(f"st-json-{name}", w.container(text, b""), "header is not valid JSON at byte")
    for name, text in [("list", b"[]"), ("space-first", b" {}"), ("text", b'"a"')]:
        add(f"st-json-{name}", w.container(text, b""), "does not begin with {")
    many_lists = b'{"a":[' + b",".join([b"[]"] * 340000) + b"]}"
    add("st-json-many-lists", w.container(many_lists, b""), "tensor a has no known type")
    many = {f"t{i}": one(shape=[0], offsets=[0, 0]) for i in range(12000)}
    add("st-many-tensors", w.container(json.dumps(many, separators=(",", ":")).encode(), b""), "it has 12000 tensors; at most 10000")


def add_descriptions():
    def described(name, value, data_bytes=4, says="", key="a"):
        add(f"st-{name}", w.container({key: value}, b"\0" * data_bytes), says)
    for name, key in [("escape", "\x1b[2J"), ("space", "a b"), ("accent", "é"), ("empty", ""), ("newline", "a\nb")]:
        described(f"name-{name}", one(), key=key, says="name is not printable ASCII")
    described("name-long", one(), key="n" * 160, says="name is longer than 159 bytes")
    for name, metadata in [("list", []), ("number", {"a": 1}), ("object", {"config": {}}), ("null", None)]:
        add(f"st-metadata-{name}", w.container({"__metadata__": metadata, "a": one()}, b"\0" * 4), "__metadata__")
    for name, value in [("number", 1), ("null", None), ("list", []), ("no-dtype", {"shape": [1], "data_offsets": [0, 4]}),
                        ("f32", one("f32")), ("q4", one("Q4")), ("dtype-number", one(7)), ("f128", one("F128"))]:
        described(f"type-{name}", value, says="tensor a has no known type")
    for name, shape in [("number", 1), ("text", "1"), ("negative", [-1]), ("two-negative", [-1, -1]), ("real", [1.0]),
                        ("null", [None]), ("nested", [[1]]), ("rank-9", [1] * 9), ("overflow", [2**32, 2**32]),
                        ("overflow-3", [2**62, 2, 2]), ("giant-times-3", [2**63 - 1, 3])]:
        described(f"shape-{name}", one(shape=shape), says="tensor a has no valid shape")
    for name, shape in [("giant", [2**63 - 1]), ("bytes-overflow", [2**62 + 1]), ("two", [2]), ("none", [0]),
                        ("wrap", [2**61, 8])]:
        says = "no valid shape" if name == "wrap" else "tensor a has 4 bytes of data, which does not match its shape"
        described(f"shape-{name}", one(shape=shape), says=says)
    for name, offsets in [("one", [0]), ("three", [0, 4, 8]), ("object", {}), ("real", [0.0, 4]), ("negative", [-4, 0]),
                          ("backward", [4, 0]), ("outside", [4, 8]), ("giant", [0, 2**63 - 1]),
                          ("giant-both", [2**63 - 5, 2**63 - 1])]:
        described(f"offsets-{name}", one(offsets=offsets), says="tensor a has no valid data_offsets in 4 bytes")
    pairs = [("same", (0, 4), (0, 4), 4, "overlaps another"), ("half", (0, 8), (4, 12), 12, "overlaps another"),
             ("inside", (0, 12), (4, 8), 12, "overlaps another"), ("gap", (0, 4), (5, 9), 9, "follows a gap"),
             ("gap-first", (4, 8), (8, 12), 12, "follows a gap")]
    for name, a, b, data_bytes, says in pairs:
        header = {key: one(shape=[(o[1] - o[0]) // 4], offsets=list(o)) for key, o in (("a", a), ("b", b))}
        add(f"st-extent-{name}", w.container(header, b"\0" * data_bytes), says)


# ---- what the tensors hold, in either container ----

def changed(name, dtype="F32", shape=None, data=None):
    network = w.tensors(dtype)
    old = network[name]
    shape = old[1] if shape is None else shape
    network[name] = [old[0], shape, w.numbers(shape, dtype) if data is None else data]
    return network


def both(name, network, says):
    add(f"st-{name}", lambda: w.safetensors(network()), says)
    add(f"pt-{name}", lambda: w.checkpoint(network()), says)


def add_networks():
    poisons = {"nan": b"\0\0\xc0\x7f", "inf": b"\0\0\x80\x7f", "minus-inf": b"\0\0\x80\xff", "signalling": b"\1\0\x80\x7f"}
    for i, name in enumerate(w.SHAPES):
        shape = list(w.SHAPES[name])
        more = [shape[0] + 1] + shape[1:]
        if name == "conv_first.weight":
            says = "dim 9 is odd, or not a multiple of 2 heads"
        elif name.endswith("attn.logit_scale"):
            says = "dim 8 is odd, or not a multiple of 3 heads"
        elif name == "upsample.0.weight":
            says = r"upsample\.0\.weight: expected 12x8x3x3, found 13x8x3x3"
        elif name.endswith("mlp.fc1.weight"):
            says = r"mlp\.fc1\.bias: expected 17, found 16"
        else:
            says = re.escape(name) + ": expected " + "x".join(map(str, shape)) + ", found " + "x".join(map(str, more))
        both(f"shape-of-{short(name)}", lambda name=name, more=more: changed(name, shape=more), says)
        poison = list(poisons)[i % len(poisons)]
        data = w.numbers(shape)
        at = len(data) // 8 * 4
        both(f"{poison}-in-{short(name)}",
             lambda name=name, data=data[:at] + poisons[poison] + data[at + 4:]: changed(name, data=data),
             re.escape(name) + " holds a value that is not finite")

        def without(name=name):
            network = w.tensors()
            del network[name]
            return network
        missing = {"conv_first.weight": "not a Swin2SR network: conv_first.weight",
                   w.BLOCK + "norm1.weight": "groups 0: must be", w.BLOCK + "attn.logit_scale": "heads 0: must be",
                   w.BLOCK + "mlp.fc1.weight": "MLP width 0: must be", "upsample.0.weight": r"conv_last\.weight is missing"}
        both(f"without-{short(name)}", without, missing.get(name, re.escape(name) + " is missing"))
    for dtype, bits in [("F16", b"\0\x7c"), ("F16", b"\1\xfc"), ("BF16", b"\x80\x7f"), ("BF16", b"\xff\xff")]:
        data = bits + w.numbers((w.DIM,), dtype)[2:]
        both(f"{dtype}-{bits.hex()}", lambda dtype=dtype, data=data: changed("norm.weight", dtype, data=data),
             r"norm\.weight holds a value that is not finite")

    def extended(name, value):
        return lambda: {**w.tensors(), name: value}
    both("other-type", lambda: {**w.tensors(), "norm.weight": ["I64", [w.DIM], bytes(8 * w.DIM)]},
         r"norm\.weight is not F32, F16 or BF16")
    both("one-too-many", extended("extra.weight", ["F32", [1], bytes(4)]), r"extra\.weight is not part of")
    both("second-group", extended("layers.1.conv.weight", ["F32", [1], bytes(4)]), r"layers\.1\.conv\.weight is not part")
    both("rank", lambda: changed("norm.weight", shape=[w.DIM, 1]), r"norm\.weight: expected 8, found 8x1")
    both("other-network", lambda: {"features.0.weight": ["F32", [1], bytes(4)]}, "not a Swin2SR network")
    both("nothing", lambda: {}, "not a Swin2SR network: conv_first.weight is missing")


def add_configs():
    def own(**values):
        return json.dumps({**w.CONFIG, **values})
    wrong = {
        "scale-5": (own(scale=5), "scale 5"), "scale-4": (own(scale=4), "scale 4, the tensors say 2"),
        "scale-text": (own(scale="2"), "key scale is not a whole"), "scale-negative": (own(scale=-2), "key scale"),
        "head-unknown": (own(head="deconv"), "key head is not a known head"),
        "head-number": (own(head=3), "key head is not a text"),
        "head-other": (own(head="pixelshuffle"), 'config says head "pixelshuffle", the tensors say'),
        "dim-9": (own(dim=9), "dim 9"), "dim-0": (own(dim=0), "dim 0"), "dim-giant": (own(dim=2**40), "key dim"),
        "dim-16": (own(dim=16), "dim 16, the tensors say 8"), "dim-real": (own(dim=8.0), "key dim"),
        "depths-none": (own(depths=[]), "groups 0"), "depths-zero": (own(depths=[0]), "depth 0"),
        "depths-33": (own(depths=[1] * 33), "key depths"), "depths-deep": (own(depths=[33]), "depth 33"),
        "depths-text": (own(depths="1"), "key depths"), "depths-2": (own(depths=[2]), "2 blocks in group 0"),
        "depths-nested": (own(depths=[[1]]), "key depths"), "heads-3": (own(heads=3), "not a multiple of 3 heads"),
        "heads-0": (own(heads=0), "heads 0"), "ws-1": (own(ws=1), "window 1"), "ws-99": (own(ws=99), "window 99"),
        "ratio-negative": (own(ratio=-1), "key ratio"), "ratio-giant": (own(ratio=60000), "MLP width 65535"),
        "ratio-1": (own(ratio=1.0), "MLP width 8, the tensors say 16"), "channels-2": (own(channels=2), "channels"),
        "channels-1": (own(channels=1), "channels 1, the tensors say 3"), "range-3": (own(img_range=3), "img_range 3"),
        "range-zero": (own(img_range=0), "key img_range"), "triple": (own(triple=True), "convolutions a group 3"),
        "triple-text": (own(triple="no"), "key triple"), "unknown": (own(gated=True), "config key gated is not known"),
        "empty": ("", "config is not a JSON object"), "list": ("[]", "config is not a JSON object"),
        "cut": (own()[:-1], "config is not a JSON object"), "deep": ("[" * 50000, "config is not a JSON object"),
        "deep-value": ('{"depths":' + "[" * 5000 + "]" * 5000 + "}", "config is not a JSON object"),
        "twice": ('{"scale":2,"scale":2}', "config is not a JSON object"),
        "feat": (own(head="pixelshuffle", feat=5000), "features 5000"),
    }
    for name, (text, says) in wrong.items():
        add(f"config-{name}", w.safetensors(metadata={"config": text}), says)

    def hugging_face(**values):
        return json.dumps({**w.HUGGING_FACE, **values}).encode()
    beside = {
        "act": (hugging_face(hidden_act="relu"), "key hidden_act is not gelu"),
        "eps": (hugging_face(layer_norm_eps=1e-3), "key layer_norm_eps"),
        "patch": (hugging_face(patch_size=4), "key patch_size is not 1"),
        "absolute": (hugging_face(use_absolute_embeddings=True), "key use_absolute_embeddings"),
        "qkv": (hugging_face(qkv_bias=False), "key qkv_bias"), "window": (hugging_face(window_size=17), "window 17"),
        "heads-differ": (hugging_face(depths=[1, 1], num_heads=[2, 4]), "num_heads is not the same"),
        "heads-text": (hugging_face(num_heads="2"), "key num_heads"),
        "connection": (hugging_face(resi_connection="2conv"), "key resi_connection"),
        "channels-out": (hugging_face(num_channels_out=1), "key num_channels_out"),
        "upsampler": (hugging_face(upsampler="bilinear"), "key upsampler is not a known head"),
        "upscale": (hugging_face(upscale=3), "scale 3, the tensors say 2"),
        "embed": (hugging_face(embed_dim=180), "dim 180"), "embed-text": (hugging_face(embed_dim="8"), "key embed_dim"),
        "bad-utf8": (b'{"embed_dim":"\xff"}', "config is not a JSON object"),
        "giant": (b" " * (MIB + 1), r"config\.json beside the weights"), "empty": (b"", r"config\.json beside the weights"),
        "folder": (Path.mkdir, r"config\.json beside the weights"), "pipe": (os.mkfifo, r"config\.json beside the weights"),
    }
    for name, (config, says) in beside.items():
        add(f"beside-{name}", w.safetensors(), says, beside=config)
        add(f"beside-checkpoint-{name}", w.checkpoint(), says, beside=config)


# ---- zip ----

def add_zip():
    whole, places = w.zip_file(w.checkpoint_entries(*short_checkpoint()))
    no_end = "does not end with an end record"
    for i, place in enumerate(places[1:], 1):
        add(f"zip-cut-{i}", whole[:place], no_end)
        add(f"zip-cut-{i}-before", whole[:place - 1], no_end)
    for size in (1, 3, 4, 7, 8, 21, 22, 29, 30):
        add(f"zip-cut-head-{size}", whole[:size], no_end if size >= 8 else "too few")
    add("zip-cut-last", whole[:-1], no_end)
    add("zip-byte-behind", whole + b"\0", no_end)
    add("zip-comment", w.checkpoint(comment=b"hello"), no_end)
    add("zip-empty", w.zip_file([], has_zip64=False)[0], r"it has no data\.pkl")
    add("zip-empty-64", w.zip_file([w.Entry("a/b", b"x")])[0], r"it has no data\.pkl")
    lies = {
        "count-more": (dict(count=99), "more entries than fit"), "count-1": (dict(count=36), "fewer entries than it claims"), "count-less": (dict(count=2), "more than the entries"),
        "count-giant": (dict(count=2**63, short_count=65535), "more entries than fit"), "count-0": (dict(count=0), "more than the entries"),
        "begin-giant": (dict(directory_begin=2**63), "do not agree"),
        "begin-giant-64": (dict(directory_begin=2**63, short_begin=2**32 - 1), "does not reach"), "begin-0": (dict(directory_begin=0), "does not reach"),
        "size-giant": (dict(directory_bytes=2**64 - 1), "does not reach"), "size-0": (dict(directory_bytes=0), "not reach"),
        "end64-signature": (dict(end64_signature=b"PK\0\0"), "not where the locator says"),
        "end64-size": (dict(end64_bytes=45), "not where the locator says"),
        "end64-size-giant": (dict(end64_bytes=2**64 - 1), "not where the locator says"),
        "end64-elsewhere": (dict(end64_begin=0), "not where the locator says"),
        "end64-outside": (dict(end64_begin=2**64 - 1), "points outside of the file"), "disks": (dict(disks=2), "points outside of the file"),
        "disk64": (dict(disk64=1), "multi-disk"), "disk-count": (dict(disk_count=1), "multi-disk"),
        "short-count": (dict(short_count=3), "two end records do not agree"),
        "short-size": (dict(short_bytes=3), "two end records do not agree"),
        "short-begin": (dict(short_begin=3), "two end records do not agree"),
        "locator-signature": (dict(locator_signature=b"PK\0\0"), "does not reach"),
    }
    for name, (lie, says) in lies.items():
        add(f"zip-{name}", lambda lie=lie: w.checkpoint(**lie), says)
    for name, lie, says in [("count-more", dict(count=36), "fewer entries"), ("begin", dict(directory_begin=0), "reach"),
                            ("size", dict(directory_bytes=7), "not reach"), ("disk", dict(disk=1), "multi-disk"),
                            ("count-giant", dict(count=65535), "more entries than fit|fewer entries")]:
        add(f"zip32-{name}", lambda lie=lie: w.checkpoint(has_zip64=False, **lie), says)


def short_checkpoint():
    """A whole state dict of one tensor: pickle and storages."""
    items, storages = w.described({"a": ["F32", [2], bytes(8)]})
    return w.program(w.state_dict(items)), storages


def add_entries():
    def lied(index, **lies):
        def change(entries):
            entries[index].lies.update(lies)
        return lambda: w.checkpoint(change_entries=change)
    lies = {
        "begin-giant": (dict(begin=2**32 - 2), "begins outside"), "begin-in-directory": (dict(begin=10**6), "begins outside"),
        "begin-of-other": (dict(begin=0), "another name in its local header"),
        "local-signature": (dict(local_signature=b"PK\0\0"), "no local header"),
        "local-name": (dict(local_name=b"archive/data/X"), "another name in its local header"),
        "local-name-giant": (dict(local_name_bytes=65535), "no local header|another name"),
        "local-extra-giant": (dict(local_extra_bytes=65535), "no local header|ends outside"),
        "local-method": (dict(local_method=8), "different numbers in its local header"),
        "local-flags": (dict(local_flags=1), "different numbers in its local header"),
        "local-crc": (dict(local_crc=1), "different numbers in its local header"),
        "local-size": (dict(local_size=1), "different numbers in its local header"),
        "local-stored": (dict(local_stored=1), "different numbers in its local header"),
        "size-giant": (dict(size=2**31, stored=2**31, local_size=2**31, local_stored=2**31), "ends outside"),
        "size-differs": (dict(size=9), "two different sizes"), "stored-differs": (dict(stored=2**31), "two different sizes"),
        "size-64-missing": (dict(size=0xffffffff, stored=0xffffffff), "no zip64 numbers"),
        "size-64-short": (dict(size=0xffffffff, extra=struct.pack("<2HI", 1, 4, 7)), "no zip64 numbers"),
        "size-64-giant": (dict(size=0xffffffff, stored=0xffffffff, extra=struct.pack("<2H2Q", 1, 16, 2**63, 2**63)),
                          "ends outside"),
        "begin-64-giant": (dict(begin=0xffffffff, extra=struct.pack("<2HQ", 1, 8, 2**64 - 1)), "begins outside"),
        "begin-64-missing": (dict(begin=0xffffffff), "no zip64 numbers"),
        "extra-overrun": (dict(begin=0xffffffff, extra=struct.pack("<2H", 5, 65535)), "no zip64 numbers"),
        "signature": (dict(signature=b"PK\0\0"), "fewer entries than it claims"),
        "name-overrun": (dict(name_bytes=65535), "cut short|too long"), "comment-overrun": (dict(comment_bytes=65535), "cut"),
        "crc": (dict(crc=0x12345678), "does not match its checksum"),
    }
    for name, (lie, says) in lies.items():
        add(f"entry-{name}", lied(2, **lie), says)
    add("entry-crc-of-pickle", lied(0, crc=5), r"archive/data\.pkl does not match its checksum")

    def changing(name, change, says):
        add(f"entry-{name}", lambda: w.checkpoint(change_entries=change), says)

    def compressed(index, method):
        def change(entries):
            entries[index].method = method
        return change
    changing("deflated", compressed(1, 8), r"archive/data/0 of the zip file is compressed")
    changing("deflated-pickle", compressed(0, 8), "is compressed")
    changing("zstd", compressed(1, 93), "is compressed")
    add("entry-bomb", lambda: w.zip_file([w.Entry("archive/data.pkl", w.zlib.compress(bytes(64 * MIB), 9), 8,
                                                  size=64 * MIB)])[0], "is compressed")

    def encrypted(entries):
        entries[1].flags = 1
    changing("encrypted", encrypted, "is encrypted")
    changing("twice", lambda e: e + [w.Entry("archive/data/0", bytes(4))], r"archive/data/0 of the zip file exists twice")
    changing("name-escape", lambda e: e + [w.Entry("archive/\x1b[2J", b"")], "name is too long or not printable")
    changing("name-empty", lambda e: e + [w.Entry("", b"")], "name is too long or not printable")
    changing("name-long", lambda e: e + [w.Entry("a" * 512, b"")], "name is too long or not printable")
    changing("two-pickles", lambda e: e + [w.Entry("other/data.pkl", b"x")], r"holds two data\.pkl")
    changing("no-pickle", lambda e: e[1:], r"it has no data\.pkl")
    changing("deep-pickle", lambda e: [w.Entry("a/b/data.pkl", e[0].data)] + e[1:], r"it has no data\.pkl")
    changing("bare-pickle", lambda e: [w.Entry("data.pkl", e[0].data)] + e[1:], r"it has no data\.pkl")
    changing("big-endian", lambda e: e + [w.Entry("archive/byteorder", b"big")], "byte order is not little-endian")
    changing("byte-order-odd", lambda e: e + [w.Entry("archive/byteorder", b"little\n")], "byte order is not little-endian")
    changing("no-storage", lambda e: e[:1] + e[2:], r"conv_first\.weight has a storage that is not in the file")
    for name, data in [("short", bytes(4)), ("long", bytes(4000)), ("empty", b"")]:
        changing(f"storage-{name}", lambda e, data=data: e[:1] + [w.Entry("archive/data/0", data)] + e[2:],
                 r"conv_first\.weight has a storage of 216 numbers in %d bytes" % len(data))

    def overlapped(inner):
        """Two entries over the same bytes: the second one's header is inside the first one's data."""
        outer = w.Entry("archive/data/inner", bytes(16))
        body = inner(outer)
        entries = [w.Entry("archive/data.pkl", short_checkpoint()[0]), w.Entry("archive/data/0", body),
                   w.Entry("archive/data/inner", bytes(16), local_signature=b"PK\3\4")]
        begin = len(entries[0].local()) + len(entries[0].data) + len(entries[1].local())
        entries[2].lies["begin"] = begin
        return w.zip_file(entries)[0]
    add("entry-overlapped", lambda: overlapped(lambda e: e.local() + e.data), "archive/data/inner of the zip file overlaps")
    add("entry-overlapped-half", lambda: overlapped(lambda e: e.local() + e.data[:8]), "overlaps|another name")


# ---- pickle ----

def pickled(body, protocol=2):
    return lambda: w.checkpoint(pickle=body() if callable(body) else w.program(body, protocol))


def add_code():
    calls = {
        "os-system": b"cos\nsystem\n", "posix-system": b"cposix\nsystem\n", "eval": b"cbuiltins\neval\n",
        "exec": b"cbuiltins\nexec\n", "eval-2": b"c__builtin__\neval\n", "popen": b"csubprocess\nPopen\n",
        "import": b"cbuiltins\n__import__\n", "getattr": b"cbuiltins\ngetattr\n", "torch-load": b"ctorch\nload\n",
        "hub": b"ctorch.hub\nload\n", "old-rebuild": b"ctorch._utils\n_rebuild_tensor\n", "module": b"cmodels\nSwin2SR\n",
        "numpy": b"cnumpy.core.multiarray\nscalar\n", "counter": b"ccollections\nCounter\n",
        "script": b"c__torch__\nNet\n", "dotted": b"ctorch\n_utils._rebuild_tensor_v2\n",
        "complex": b"ctorch\nComplexFloatStorage\n", "storage-alone": b"ctorch\nStorage\n", "nothing": b"c\n\n",
        "pickle": b"c_pickle\nloads\n", "runpy": b"crunpy\n_run_code\n", "case": b"cCollections\nOrderedDict\n",
    }
    for name, call in calls.items():
        module, function = call[1:].decode().split("\n")[:2]
        says = re.escape(f"the file calls {module}.{function}, and code in a file is never run")
        add(f"code-{name}", pickled(call + w.pickled_tuple(w.text("true")) + w.REDUCE), says)
    system = b"cposix\nsystem\n" + w.pickled_tuple(w.text("true")) + w.REDUCE
    says = r"the file calls posix\.system, and code in a file is never run"
    items, _ = w.described(w.tensors())
    hidden = {
        "in-tuple": w.pickled_tuple(w.integer(1), system), "in-list": w.EMPTY_LIST + w.MARK + system + w.APPENDS,
        "in-dict": w.state_dict([(w.text("a"), system)]), "as-key": w.state_dict([(system, w.NONE)]),
        "behind-tensors": w.state_dict(items + [(w.text("z"), system)]),
        "in-params": w.state_dict([(w.text("params"), w.state_dict(items)), (w.text("other"), system)]),
        "in-state": w.state_dict(items) + w.state_dict([(w.text("_metadata"), system)]) + w.BUILD,
        "in-persistent-id": w.pickled_tuple(w.text("storage"), system) + w.PERSID,
        "stack-global": w.text("posix") + w.text("system") + b"\x93",
        "stack-global-short": b"\x8c\5posix\x8c\6system\x93", "instance": w.MARK + b"iposix\nsystem\n",
        "object": w.MARK + b"cposix\nsystem\n" + b"o", "newobj": b"cposix\nsystem\n" + w.EMPTY_TUPLE + b"\x81",
        "deep": w.MARK * 1000 + system, "as-hook": w.REBUILD + w.pickled_tuple(w.NONE, w.integer(0), system) + w.REDUCE,
        "framed": b"\x95" + struct.pack("<Q", len(system)) + system,
    }
    for name, body in hidden.items():
        add(f"code-{name}", pickled(body, 4), says)
    add("code-name-escapes", pickled(b"cposix\x1b[2J\nsys\ttem\n"), r"calls posix\.\[2J\.sys\.tem")
    add("code-name-giant", pickled(b"c" + b"m" * 100000 + b"\n" + b"n" * 100000 + b"\n"), "calls m{60}.n{60}, and")
    add("code-name-bad-utf8", pickled(b"c\xff\xfe\nf\n"), r"calls \.\.\.f, and")
    add("code-name-open", pickled(b"cposix"), "cut short in a name")
    add("code-name-open-2", pickled(b"cposix\nsystem"), "cut short in a name")


def add_machine():
    bodies = {
        "no-stop": (lambda: b"\x80\2" + w.DICT, "cut short"), "nothing": (lambda: b"", "cut short"),
        "only-protocol": (lambda: b"\x80\2", "cut short"), "only-stop": (w.program(b""), "does not end with one value"),
        "two-values": (w.program(w.NONE + w.NONE), "does not end with one value"),
        "mark-left": (w.program(w.MARK), "empty stack"), "goes-on": (lambda: w.program(w.DICT) + b"N.", "continues after"),
        "protocol-0": (lambda: b"(dp0\n.", "not of protocol"), "protocol-1": (w.program(w.DICT, 1), "not of protocol"),
        "protocol-6": (w.program(w.DICT, 6), "not of protocol"), "protocol-255": (w.program(w.DICT, 255), "not of protocol"),
        "protocol-again": (w.program(b"\x80\2" + w.DICT), r"0x80 \(PROTO\)"),
        "reduce-empty": (w.program(w.REDUCE), "empty stack"), "reduce-one": (w.program(w.EMPTY_TUPLE + w.REDUCE), "empty"),
        "reduce-no-tuple": (w.program(b"ccollections\nOrderedDict\n" + w.NONE + w.REDUCE), "without a tuple"),
        "reduce-text": (w.program(w.text("f") + w.EMPTY_TUPLE + w.REDUCE), "calls something in a way"),
        "reduce-storage": (w.program(b"ctorch\nFloatStorage\n" + w.EMPTY_TUPLE + w.REDUCE), "calls something in a way"),
        "ordered-dict-of": (w.program(b"ccollections\nOrderedDict\n" + w.pickled_tuple(w.EMPTY_LIST) + w.REDUCE), "calls"),
        "parameter-of-none": (w.program(b"ctorch._utils\n_rebuild_parameter\n" + w.pickled_tuple(w.NONE) + w.REDUCE), "calls"),
        "parameter-of": (w.program(b"ctorch._utils\n_rebuild_parameter\n" + w.EMPTY_TUPLE + w.REDUCE), "calls something"),
        "tuple-no-mark": (w.program(w.NONE + w.TUPLE), "lacks a mark"), "tuple3-short": (w.program(w.NONE + b"\x87"), "empty"),
        "tuple-over-mark": (w.program(w.NONE + w.MARK + b"\x85"), "empty stack"),
        "setitems-no-mark": (w.program(w.DICT + w.SETITEMS), "lacks a mark"),
        "setitems-odd": (w.program(w.DICT + w.MARK + w.NONE + w.SETITEMS), "items of a value that is not a dict"),
        "setitems-of-tuple": (w.program(w.EMPTY_TUPLE + w.MARK + w.NONE * 2 + w.SETITEMS), "items of a value that is not a dict"),
        "setitem-short": (w.program(w.DICT + w.NONE + w.SETITEM), "empty stack|no dict"),
        "append-to-dict": (w.program(w.DICT + w.NONE + b"a"), "appends to a value that is not a list"),
        "appends-to-none": (w.program(w.NONE + w.MARK + w.APPENDS), "appends to a value that is not a list"),
        "build-of-list": (w.program(w.EMPTY_LIST + w.DICT + w.BUILD), "sets the state"),
        "build-by-tuple": (w.program(w.DICT + w.EMPTY_TUPLE + w.BUILD), "sets the state"),
        "persistent-text": (w.program(w.text("0") + w.PERSID), "persistent id that is not a tuple"),
        "persistent-empty": (w.program(w.PERSID), "empty stack"),
        "stack-global-numbers": (w.program(w.integer(1) * 2 + b"\x93"), "by a value that is not a text"),
        "get-unknown": (w.program(b"h\5"), "never stored"), "get-giant": (w.program(b"j\xff\xff\xff\xff"), "never stored"),
        "put-nothing": (w.program(b"q\0"), "empty stack"), "memoize-nothing": (w.program(b"\x94"), "empty stack"),
        "put-giant": (w.program(w.NONE + b"r\xff\xff\xff\xff"), "stores more values"),
        "put-million": (w.program(w.NONE + b"r" + struct.pack("<I", 1 << 20)), "stores more values"),
        "text-giant": (w.program(b"X\xff\xff\xff\xff"), "cut short"), "text-8": (w.program(b"\x8d" + b"\xff" * 8), "cut short"),
        "text-8-wrap": (w.program(b"\x8d" + struct.pack("<Q", 2**64 - 1) + b"a"), "cut short"),
        "long-giant": (w.program(b"\x8b\xff\xff\xff\xff"), "cut short"), "long-short": (w.program(b"\x8a\x09abc"), "cut short"),
        "float-short": (lambda: b"\x80\2G\0\0", "cut short"), "frame-short": (lambda: b"\x80\4\x95\0", "cut short"),
        "marks": (lambda: b"\x80\2" + w.MARK * (3 * MIB) + w.STOP, "does not end with one value"),
        "deep-tuples": (lambda: w.program(w.EMPTY_TUPLE + b"\x85" * (2 * MIB)), "more values than any state dict"),
        "values": (lambda: w.program(w.MARK + w.NONE * (3 * MIB) + w.TUPLE), "more values than any state dict"),
        "giant": (lambda: b"\x80\2" + w.NONE * (5 * MIB), "bytes, more than any state dict"),
        "get-many": (lambda: w.program(w.NONE + b"q\0" + b"h\0" * (1500 * 1024)), "does not end with one value"),
        "marks-searched": (lambda: w.program(w.MARK + b"h\0" * 9 + (w.MARK + w.TUPLE) * MIB), "never stored"),
        "tuples-of-many": (lambda: w.program(w.NONE + b"q\0" + (w.MARK + b"h\0" * 500 + w.TUPLE) * 3000), "not end with one"),
    }
    for name, (body, says) in bodies.items():
        add(f"pickle-{name}", pickled(body if callable(body) else (lambda body=body: body)), says)
    for code, name in [(b"0", "POP"), (b"1", "POP_MARK"), (b"2", "DUP"), (b"F1\n", "FLOAT"), (b"I1\n", "INT"),
                       (b"L1L\n", "LONG"), (b"P0\n", "PERSID"), (b"S'a'\n", "STRING"), (b"T\1\0\0\0a", "BINSTRING"),
                       (b"U\1a", "SHORT_BINSTRING"), (b"Va\n", "UNICODE"), (b"B\1\0\0\0a", "BINBYTES"),
                       (b"C\1a", "SHORT_BINBYTES"), (b"(d", "DICT"), (b"(l", "LIST"), (b"(No", "OBJ"), (b"Np0\n", "PUT"),
                       (b"g0\n", "GET"), (b"N)\x81", "NEWOBJ"), (b"\x82\1", "EXT1"), (b"\x83\1\0", "EXT2"),
                       (b"\x84\1\0\0\0", "EXT4"), (b"\x8e" + bytes(8), "BINBYTES8"), (b"\x8f", "EMPTY_SET"),
                       (b"\x8f(\x90", "EMPTY_SET"), (b"(\x91", "FROZENSET"), (b"N)}\x92", "NEWOBJ_EX"),
                       (b"\x96" + bytes(8), "BYTEARRAY8"), (b"\x97", "NEXT_BUFFER"), (b"N\x98", "READONLY_BUFFER"),
                       (b"\xff", "an unknown one"), (b"\0", "an unknown one")]:
        add(f"pickle-code-{code[:4].hex()}", pickled(code), r"\(%s\), which no state dict needs" % name)
    # Each value refers to the one before it twice: 2^60 leaves for a reader that follows them.
    bomb = w.EMPTY_LIST + b"q\0" + b"".join(b"h%c" % i + b"h%c" % i + b"\x86q" + bytes([i + 1]) for i in range(60))
    add("pickle-bomb-tuples", pickled(w.MARK + bomb + w.TUPLE), "holds no state dict")
    lists = b"".join(w.EMPTY_LIST + b"q%c" % (i + 1) + w.MARK + (b"h%c" % i) * 10 + w.APPENDS for i in range(60))
    add("pickle-bomb-lists", pickled(w.DICT + b"q\0" + w.text("a") + w.MARK + lists + w.TUPLE + w.SETITEM),
        "a is not a tensor, and the file has no params_ema, params or state_dict")
    add("pickle-cycle", pickled(w.DICT + b"q\0" + w.text("params") + b"h\0" + w.SETITEM), "params is not a tensor")
    add("pickle-dict-in-itself", pickled(w.DICT + b"q\0" + w.text("a") + b"h\0" + w.SETITEM), "a is not a tensor")
    pickle, storages = short_checkpoint()
    for size in range(2, len(pickle)):
        add(f"pickle-cut-{size}", lambda size=size: w.zip_file(w.checkpoint_entries(pickle[:size], storages))[0],
            "cut short|empty stack|lacks a mark")


def add_tensors():
    first = w.storage_id("0", "F32", 216)

    def tensor(name, value, says, key=None):
        """The network with this in the place of its first tensor; its storage is that of conv_first.weight."""
        def body():
            items, _ = w.described(w.tensors())
            items[0] = (items[0][0] if key is None else key, value)
            return w.program(w.state_dict(items))
        add(f"tensor-{name}", pickled(body), says)
    shape = [8, 3, 3, 3]
    invalid = r"conv_first\.weight has no valid shape, strides and offset"
    outside = r"conv_first\.weight ends outside of its storage of 864 bytes"
    for name, arguments, says in [
            ("stride-negative", dict(strides=[27, 9, -3, 1]), invalid), ("side-negative", dict(shape=[-8, 3, 3, 3]), invalid),
            ("offset-negative", dict(offset=-1), invalid), ("offset-giant", dict(offset=2**63 - 1), outside),
            ("offset-2-64", dict(offset=2**64), invalid), ("offset-1", dict(offset=1), outside),
            ("offset-text", dict(offset=w.text("0")), invalid), ("stride-1-more", dict(strides=[27, 9, 3, 2]), outside),
            ("stride-giant", dict(strides=[2**62, 9, 3, 1]), outside), ("stride-overflow", dict(strides=[2**63 - 1] * 4), outside),
            ("stride-2-70", dict(strides=[2**70, 9, 3, 1]), invalid), ("sides-overflow", dict(shape=[2**62, 4, 4, 4]), invalid),
            ("side-giant", dict(shape=[2**40, 3, 3, 3], strides=[27, 9, 3, 1]), outside),
            ("side-1-more", dict(shape=[9, 3, 3, 3]), outside), ("rank-of-strides", dict(strides=[9, 3, 1]), invalid),
            ("rank-9", dict(shape=[1] * 9), invalid), ("rank-3", dict(shape=[8, 3, 9]), "expected 8x3x3x3, found 8x3x9"),
            ("sides-number", dict(shape=w.integer(216), strides=[1]), invalid),
            ("sides-list", dict(shape=w.EMPTY_LIST, strides=[]), invalid), ("strides-none", dict(strides=w.NONE), invalid),
            ("sides-real", dict(shape=w.pickled_tuple(b"G" + bytes(8), w.integer(1), w.integer(1), w.integer(1))), invalid),
            ("expanded", dict(shape=[10**6, 1000, 1000, 1000], strides=[0, 0, 0, 0]), "repeats bytes"),
            ("expanded-giant", dict(shape=[2**62, 1, 1, 1], strides=[0, 0, 0, 0]), "repeats bytes"),
            ("expanded-some", dict(shape=[8, 3, 300, 300], strides=[0, 0, 0, 0]), "repeats bytes"),
            ("empty", dict(shape=[0, 3, 3, 3]), "dim 0|conv_first"), ("scalar", dict(shape=[]), "dim 0|conv_first")]:
        value = w.pickled_tensor(first, arguments.pop("shape", shape), arguments.pop("strides", w.strides_of(shape))
                                 if "strides" in arguments or not isinstance(shape, list) else None, **arguments)
        tensor(name, value, says)
    no_storage = r"conv_first\.weight has no valid storage"
    storage_type = b"ctorch\nFloatStorage\n"
    for name, storage, says in [
            ("storage-none", w.NONE, no_storage), ("storage-text", w.text("0"), no_storage),
            ("storage-type", storage_type, no_storage), ("storage-empty", w.EMPTY_TUPLE + w.PERSID, no_storage),
            ("storage-word", w.pickled_tuple(w.text("module"), storage_type, w.text("0"), w.text("cpu"), w.integer(216))
             + w.PERSID, no_storage),
            ("storage-short", w.pickled_tuple(w.text("storage"), storage_type, w.text("0"), w.text("cpu")) + w.PERSID,
             no_storage),
            ("storage-key-number", w.pickled_tuple(w.text("storage"), storage_type, w.integer(0), w.text("cpu"),
                                                   w.integer(216)) + w.PERSID, no_storage),
            ("storage-type-text", w.pickled_tuple(w.text("storage"), w.text("FloatStorage"), w.text("0"), w.text("cpu"),
                                                  w.integer(216)) + w.PERSID, no_storage),
            ("storage-key-long", w.storage_id("k" * 65, "F32", 216), no_storage),
            ("storage-key-up", w.storage_id("../data.pkl", "F32", 216), "that is not in the file"),
            ("storage-key-empty", w.storage_id("", "F32", 216), "that is not in the file"),
            ("storage-key-other", w.storage_id("999", "F32", 216), "that is not in the file"),
            ("storage-count", w.storage_id("0", "F32", 217), "a storage of 217 numbers in 864 bytes"),
            ("storage-count-negative", w.storage_id("0", "F32", -1), "a storage of -1 numbers"),
            ("storage-count-giant", w.storage_id("0", "F32", 2**62), "a storage of 4611686018427387904 numbers"),
            ("storage-count-huge", w.storage_id("0", "F32", 2**100), no_storage),
            ("storage-double", w.storage_id("0", "DoubleStorage", 108), "ends outside of its storage"),
            ("storage-long", w.storage_id("0", "LongStorage", 108), "ends outside of its storage"),
            ("storage-half", w.storage_id("0", "HalfStorage", 432), "not finite|expected|dim")]:
        if name != "storage-half":
            tensor(name, w.pickled_tensor(storage, shape), says)
    tensor("int", w.pickled_tensor(w.storage_id("0", "IntStorage", 216), shape), "is not F32, F16 or BF16")
    tensor("arguments-none", w.REBUILD + w.EMPTY_TUPLE + w.REDUCE, no_storage)
    tensor("arguments-2", w.REBUILD + w.pickled_tuple(first, w.integer(0)) + w.REDUCE, invalid)
    for name, value in [("none", w.NONE), ("number", w.integer(1)), ("text", w.text("x")), ("tuple", w.EMPTY_TUPLE),
                        ("function", w.REBUILD), ("storage", first), ("dict", w.DICT)]:
        tensor(f"is-{name}", value, r"conv_first\.weight is not a tensor")
    good = w.pickled_tensor(first, shape)
    tensor("key-number", good, "a key that is not a text", key=w.integer(3))
    tensor("key-empty", good, "name is not printable ASCII", key=w.text(""))
    tensor("key-escape", good, "name is not printable ASCII", key=w.text("\x1b[2J"))
    tensor("key-bad-utf8", good, "name is not printable ASCII", key=w.text(b"\xff\xfe"))
    tensor("key-nul", good, "name is not printable ASCII", key=w.text("conv_first\0.weight"))
    tensor("key-long", good, "name is longer than 159 bytes", key=w.text("k" * 160))
    tensor("key-twice", good, "have the same official name", key=w.text("conv_first.bias"))
    tensor("key-two-ways", good, "have the same official name", key=w.text("swin2sr.first_convolution.bias"))
    for name, root in [("list", w.EMPTY_LIST), ("none", w.NONE), ("tuple", w.EMPTY_TUPLE), ("text", w.text("x")),
                       ("tensor", good)]:
        add(f"root-{name}", pickled(root), "holds no state dict")
    add("root-empty", pickled(w.DICT), "not a Swin2SR network")
    add("root-params-empty", pickled(w.state_dict([(w.text("params"), w.DICT)])), "not a Swin2SR network")
    add("root-params-list", pickled(w.state_dict([(w.text("params"), w.EMPTY_LIST)])), "params is not a tensor")
    add("root-model", pickled(w.state_dict([(w.text("model"), w.DICT)])), "model is not a tensor")

    def aliased():
        """A network of 1024 channels whose tensors all lie in one small storage."""
        items = [(w.text(name), w.pickled_tensor(w.storage_id("0", "F32", 216), [128 * side for side in shape],
                                                 [0] * len(shape))) for name, shape in w.SHAPES.items()]
        return w.program(w.state_dict(items))
    add("tensor-aliased", pickled(aliased), "repeats bytes: the tensors together are larger than the file")

    def many():
        return w.program(w.state_dict([(w.text(f"t{i}"), w.pickled_tensor(first, [])) for i in range(10001)]))
    add("tensor-many", pickled(many), "more than 10000 tensors")


# ---- what is no weight file at all ----

def add_others():
    add("file-empty", b"", "it is no regular file, empty or too large")
    add("file-text", b"hello, this is no weight file\n" * 3, "neither a PyTorch checkpoint nor")
    add("file-png", b"\x89PNG\r\n\x1a\n" + bytes(100), "neither a PyTorch checkpoint nor")
    add("file-gzip", b"\x1f\x8b\x08" + bytes(100), "neither a PyTorch checkpoint nor")
    add("file-zeros", bytes(1000), "does not begin with")
    add("file-ones", b"\xff" * 1000, "neither a PyTorch checkpoint nor")
    add("file-legacy", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." + bytes(100),
        r"PyTorch before 1\.6 wrote; save it again")
    add("file-bare-pickle", w.program(w.DICT + w.NONE * 20, 4), "a pickle without a zip file around it")
    add("file-tar", b"pickle".ljust(257, b"\0") + b"ustar" + bytes(300), "neither a PyTorch checkpoint nor")

    def place(name, places, says, status="model"):
        CASES.append(Case(name, None, says, status=status, places=places))

    def sparse(size):
        def make(path):
            with open(path, "wb") as file:
                file.truncate(size)
        return make

    def ring(path):
        path.symlink_to(path.with_name("other"))
        path.with_name("other").symlink_to(path)
    no_file = "it is no regular file, empty or too large"
    place("place-folder", Path.mkdir, no_file)
    place("place-pipe", os.mkfifo, no_file)
    place("place-device", lambda path: path.symlink_to("/dev/zero"), no_file)
    place("place-null", lambda path: path.symlink_to("/dev/null"), no_file)
    place("place-sparse", sparse(64 * MIB), "does not begin with")
    place("place-giant", sparse((4 << 30) + 1), no_file)
    place("place-ring", ring, "cannot open the weight file: Too many levels", status="io")
    place("place-nowhere", lambda path: path.symlink_to("nowhere"), "cannot open the weight file: No such file", status="io")
    place("place-missing", lambda path: None, "cannot open the weight file: No such file", status="io")


for add_some in (add_container, add_descriptions, add_networks, add_configs, add_zip, add_entries, add_code, add_machine,
                 add_tensors, add_others):
    add_some()


def main():
    for case in CASES:
        folder = Path(sys.argv[1]) / case.name
        folder.mkdir(parents=True)
        case.write(folder)
    print(f"{len(CASES)} files in {sys.argv[1]}")


if __name__ == "__main__":
    main()
