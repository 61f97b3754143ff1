#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the seeds of fuzz/fuzz_header.c and fuzz/fuzz_pickle.c: the smallest network of each head.

usage: tools/make_fuzz_corpus.py [FOLDER]     FOLDER/header and FOLDER/pickle; default: fuzz/corpus
"""
import json
import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "model")]
import make_network
import weight_files as w

SMALL = dict(dim=2, depths=[1], heads=1, feat=1)
NETWORKS = {
    "direct": dict(SMALL, scale=2, head="pixelshuffledirect"),
    "shuffle_x3": dict(SMALL, scale=3, head="pixelshuffle"),
    "shuffle_x8": dict(SMALL, scale=8, head="pixelshuffle"),
    "aux": dict(SMALL, scale=4, head="pixelshuffle_aux"),
    "nearest_triple": dict(SMALL, dim=4, scale=4, head="nearest+conv", triple=True),
    "jpeg_grey": dict(SMALL, scale=1, head="", channels=1, ws=7, img_range=255.0),
}
HUGGING_FACE = {  # official names to those of a pytorch_model.bin; names that match no row are equal in both
    r"^conv_first\.": "swin2sr.first_convolution.",
    r"^patch_embed\.proj\.": "swin2sr.embeddings.patch_embeddings.projection.",
    r"^patch_embed\.norm\.": "swin2sr.embeddings.patch_embeddings.layernorm.",
    r"^(norm)\.": "swin2sr.layernorm.", r"^conv_after_body\.": "swin2sr.conv_after_body.",
    r"^layers\.(\d+)\.residual_group\.blocks\.(\d+)\.": r"swin2sr.encoder.stages.\1.layers.\2.",
    r"^layers\.(\d+)\.patch_embed\.proj": r"swin2sr.encoder.stages.\1.patch_embed.projection",
    r"^layers\.(\d+)\.conv": r"swin2sr.encoder.stages.\1.conv",
    r"attn\.cpb_mlp": "attention.self.continuous_position_bias_mlp", r"attn\.proj": "attention.output.dense",
    r"attn\.(.)_bias": lambda m: "attention.self.%s.bias" % {"q": "query", "v": "value"}[m[1]],
    r"attn\.": "attention.self.", r"norm1": "layernorm_before", r"norm2": "layernorm_after",
    r"mlp\.fc1": "intermediate.dense", r"mlp\.fc2": "output.dense", r"^upsample\.0": "upsample.conv",
}
STORAGE_BYTES = 8192  # size of each storage in fuzz_pickle.c


def shapes_of(config):
    return {name: list(shape) for name, shape in make_network.tensors(config).items()}


def hugging_face(shapes):
    """The network under the names of Hugging Face, with query, key and value as separate tensors."""
    named = {}
    for name, shape in shapes.items():
        for pattern, to in HUGGING_FACE.items():
            name = re.sub(pattern, to, name)
        if name.endswith("self.qkv.weight"):
            for part in "query", "key", "value":
                named[name.replace("qkv", part)] = [shape[0] // 3, shape[1]]
        else:
            named[name] = shape
    return named


def header_seed(shapes, dtype, config=None, beside=None):
    """The layout that fuzz_header.c reads: the number of data bytes, the header, the text of a config.json."""
    network = {name: [dtype, shape, bytes(w.product(shape) * {"F32": 4, "F16": 2, "BF16": 2}[dtype])]
               for name, shape in shapes.items()}
    header = w.header_of(network, config and {"config": json.dumps(config)})
    text = json.dumps(header, separators=(",", ":")).encode()
    seed = struct.pack("<H", sum(len(data) for _, _, data in network.values())) + text
    return seed if beside is None else seed + b"\0" + json.dumps(beside).encode()


def remembered(memo, key, instructions):
    """The first time, the instructions and one that stores their value in the memo; later, one that recalls it."""
    if key in memo:
        return b"h" + bytes([memo[key]])
    memo[key] = len(memo)
    return instructions + b"q" + bytes([memo[key]])


def pickled(shapes, dtypes, is_turned=False, rebuild=w.REBUILD):
    """A state dict: every tensor at the start of one of the storages, in row-major or column-major order."""
    memo, items = {}, b""
    for i, (name, shape) in enumerate(shapes.items()):
        key = i % len(dtypes)
        storage = w.storage_id(str(key), dtypes[key], STORAGE_BYTES // (4 if dtypes[key] == "F32" else 2))
        strides = w.strides_of(shape[::-1])[::-1] if is_turned else w.strides_of(shape)
        items += w.text(name) + remembered(memo, "rebuild", rebuild) + w.pickled_tuple(
            remembered(memo, key, storage), w.integer(i % 8), remembered(memo, str(shape), w.integers(shape)),
            remembered(memo, str(shape) + str(strides), w.integers(strides)), w.FALSE,
            remembered(memo, "hooks", w.ORDERED_DICT)) + w.REDUCE
    return w.DICT + w.MARK + items + w.SETITEMS


def header_seeds():
    for name, config in NETWORKS.items():
        yield name, header_seed(shapes_of(config), "F16", config=config)
    direct = shapes_of(NETWORKS["direct"])
    table = {w.BLOCK + "attn.relative_coords_table": [1, 15, 15, 2]}
    beside = {**w.HUGGING_FACE, "embed_dim": 2, "num_heads": [1]}
    yield "hugging_face", header_seed(hugging_face(direct), "BF16", beside=beside)
    yield "table", header_seed({**direct, **table}, "F32")
    yield "triple", header_seed(hugging_face(shapes_of(NETWORKS["nearest_triple"])), "F16")


def pickle_seeds():
    for name, config in NETWORKS.items():
        yield name, w.program(pickled(shapes_of(config), ["F32"]))
    direct = shapes_of(NETWORKS["direct"])
    by_stack = w.text("torch._utils") + w.text("_rebuild_tensor_v2") + b"\x93"
    mixed = pickled(direct, ["F32", "F16", "BF16"], is_turned=True, rebuild=by_stack)
    index = w.pickled_tensor(w.storage_id("3", "I64", STORAGE_BYTES // 8), [4, 4])
    mixed += w.text(w.BLOCK + "attn.relative_position_index") + index + w.SETITEM
    epoch = w.text("epoch") + w.integer(2**40) + w.SETITEM
    yield "wrapped", w.program(w.DICT + epoch + w.text("params_ema") + mixed + w.SETITEM, 4)
    yield "prefixed", w.program(pickled({"module." + name: shape for name, shape in direct.items()}, ["BF16"]))
    yield "hugging_face", w.program(pickled(hugging_face(direct), ["F16"]), 3)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "fuzz" / "corpus"
    for target, seeds in ("header", header_seeds()), ("pickle", pickle_seeds()):
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, seed in seeds:
            (folder / target / name).write_bytes(seed)


if __name__ == "__main__":
    main()
