#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the averaged weights of a training run as a network in half precision, with a card.

usage: train/export.py STATE.pt FOLDER [--name NAME] [--table FILE] [--force]

In: what train.py wrote; FILE is what evaluate.py printed.  Out: FOLDER/model.safetensors and FOLDER/README.md. The card
says what the run itself knows: data, recipe, steps, table; limits and pictures are for whoever has looked at them.
"""
import argparse
import json
from pathlib import Path

import torch

import degrade
import weights

CARD = """# {name}

Swin2SR, embed width {dim}, groups of {depths} blocks, {heads} heads, window {ws}, head pixelshuffledirect, scale {scale}, {parameters:,} parameters, official parameter names, half precision: `model.safetensors` (config in its metadata).

**Data**: {crops:,} crops of {crop}x{crop}, cut by `train/make_pool.py` (seed {pool_seed}) from pictures and fonts that Debian 12 ships as free software; licences in `train/DATA.md`. Crops by package: {packages}.

**Recipe**: `train/train.py{shape} --steps {steps} --batch {batch} --patches {patches} --rate {rate:g} --recipe {recipe} --seed {seed}`, {step:,} steps done, {minutes:.0f} minutes{start}. Of the inputs {blur:.0%} are blurred, {noise:.0%} noisy, {jpeg:.0%} through JPEG of quality {quality[0]} to {quality[1]} (of these {twice:.0%} twice){damage}. Charbonnier loss, Adam, half a cosine, averaged weights.

{table}
Licence of the weights: Apache-2.0, as far as we hold rights in them.
"""


def other_shape(settings):
    """The options that the network's shape needs, unless it is the default; and the teacher."""
    known = {"dim": 60, "heads": 6, "depths": (6, 6, 6, 6), "distill": "", **settings}
    words = ""
    if (known["dim"], known["heads"], tuple(known["depths"])) != (60, 6, (6, 6, 6, 6)):
        words = f" --dim {known['dim']} --heads {known['heads']} --depths {','.join(map(str, known['depths']))}"
    return words + (f" --distill {Path(known['distill']).name}" if known["distill"] else "")


def other_damage(recipe):
    """What only some recipes have."""
    words = {"webp": "of the compressions are WebP", "filters": "of the inputs are reduced by other filters",
             "aligned": "of the last compressions have blocks that begin where the windows of the network do",
             "grid": "of the inputs have a faint grid", "banded": "are banded", "flat": "are flat colours",
             "soft": "are out of focus", "hues": "have their colours exchanged"}
    found = [f"{getattr(recipe, key):.0%} {what}" for key, what in words.items() if getattr(recipe, key)]
    return "".join(f"; {words}" for words in found)


def card(name, state, table):
    settings, pool, config = state["settings"], state["pool"], state["config"]
    recipe = degrade.RECIPES[settings["recipe"]]
    packages = ", ".join(f"{package} {count}" for package, count in pool["packages"].items())
    return CARD.format(
        name=name, parameters=sum(tensor.numel() for tensor in state["average"].values()), crops=pool["crops"],
        crop=pool["crop"], pool_seed=pool["seed"], packages=packages, steps=settings["steps"], batch=settings["batch"],
        patches=",".join(f"{side}:{until:g}" for side, until in settings["patches"]), rate=settings["rate"],
        recipe=settings["recipe"], seed=settings["seed"], step=state["step"], minutes=state["seconds"] / 60,
        start=f", from {Path(settings['start']).name}" if settings["start"] else "", table=table,
        shape=other_shape(settings), damage=other_damage(recipe),
        **{key: getattr(recipe, key) for key in ("blur", "noise", "jpeg", "twice", "quality")},
        **{key: config[key] for key in ("dim", "depths", "heads", "ws", "scale")})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("state", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", help="the network's name (that of the folder)")
    parser.add_argument("--table", type=Path, help="what evaluate.py printed, for the card")
    parser.add_argument("--force", action="store_true", help="replace the files that are there")
    options = parser.parse_args()
    model, readme = options.folder / "model.safetensors", options.folder / "README.md"
    if not options.force and (model.exists() or readme.exists()):
        parser.error(f"{options.folder} holds a network already (--force)")
    state = torch.load(options.state, map_location="cpu")
    name = options.name or options.folder.resolve().name
    options.folder.mkdir(parents=True, exist_ok=True)
    weights.save(model, state["average"], {"config": json.dumps(state["config"]), "name": name,
                                           "steps": str(state["step"]), "license": "Apache-2.0", "format": "pt"})
    readme.write_text(card(name, state, options.table.read_text() if options.table else ""))
    print(f"{model}: {model.stat().st_size} bytes after {state['step']} steps")


if __name__ == "__main__":
    main()
