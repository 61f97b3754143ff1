#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# train/on_gpu.sh POOL.zip OUT [MINUTES] - spend MINUTES (30) of a GPU on the networks photo, then clean.
#
# In: a pool that is small enough to carry, and networks to begin with (models/photo, models/clean):
#     train/make_pool.py images pool.zip --crop 288 --jpeg 95 --megabytes 55
# Out: OUT/photo and OUT/clean, each with model.safetensors and a card, written every five minutes and at the end, and
# the states OUT/*.pt with which the same command goes on. Two thirds of the time are photo's.
# Needs Python with numpy, Pillow and a torch that sees the GPU (PYTHON names it). Nobody has run this on a GPU yet:
# watch the first lines, and lower BATCH where memory is short.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n '3,12s/^# //p' "$0" >&2; exit 2; }
pool=$1 out=$2 minutes=${3:-30}
python=${PYTHON:-python3} device=${DEVICE:-cuda} batch=${BATCH:-32} patches=${PATCHES:-48:0.8,64:1}
mkdir -p "$out"

"$python" -c "import sys, torch; sys.exit(0 if '$device' != 'cuda' or torch.cuda.is_available() else 'torch sees no GPU')"

# step NETWORK RECIPE STEPS MINUTES: train on, in the time that is given.
step() {
    "$python" "$here/train.py" "$pool" "$out/$1.pt" --device "$device" --batch "$batch" --patches "$patches" --recipe "$2" \
        --rate 4e-4 --start "$here/../models/$1/model.safetensors" --steps "$3" --minutes "$4"
}

# How many steps fit into some minutes: a state that was made for measuring says how long its last half took.
steps_for() {
    rm -f "$out/measure.pt"
    "$python" "$here/train.py" "$pool" "$out/measure.pt" --device "$device" --batch "$batch" --patches "$patches" \
        --recipe compressed --steps 1000000 --stop "${MEASURE:-40}" > "$out/measure.log"
    "$python" - "$out/measure.pt" "$1" << 'END'
import sys, torch
state = torch.load(sys.argv[1], map_location="cpu")
print(max(200, int(0.9 * 60 * float(sys.argv[2]) * state["step"] / state["seconds"])))
END
    rm -f "$out/measure.pt"
}

# Export NETWORK whenever its state has been written, until it is killed.
export_often() {
    trap 'kill "$nap" 2> /dev/null || true; exit 0' TERM
    while true; do
        sleep 300 &
        nap=$!
        wait "$nap"
        [ ! -f "$out/$1.pt" ] || "$python" "$here/export.py" "$out/$1.pt" "$out/$1" --force || true
    done
}

# train NETWORK RECIPE MINUTES
train() {
    local steps
    if [ -f "$out/$1.steps" ]; then steps=$(cat "$out/$1.steps"); else
        steps=$(steps_for "$3")
        echo "$steps" > "$out/$1.steps" # the schedule depends on it, so a run that goes on keeps it
    fi
    echo "$1: $steps steps in $3 minutes"
    export_often "$1" &
    local exporter=$!
    trap 'kill '"$exporter"' 2> /dev/null || true' EXIT
    step "$1" "$2" "$steps" "$3"
    kill "$exporter" 2> /dev/null || true
    "$python" "$here/export.py" "$out/$1.pt" "$out/$1" --force
}

train photo compressed $((minutes * 2 / 3))
train clean clean $((minutes - minutes * 2 / 3))
