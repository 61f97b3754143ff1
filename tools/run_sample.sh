#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_sample.sh - what `make run` does after the build: start the service, wait until it is ready, enlarge the
# sample picture.
# Environment: PORT (8080), ONESHOT (set: stop after the sample), BUILD (build), RESULT_DIR (result).
# It stays in the foreground until Ctrl-C, and then lets the server finish its work.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PORT:-8080}
build=${BUILD:-build}
result_dir=${RESULT_DIR:-result}
sample=docs/samples/coffee.png
result=$result_dir/coffee-x4.png
log=$result_dir/server.log
url=http://127.0.0.1:$port
server=

fail() {
    echo "make run: $*" >&2
    exit 1
}

# Ask the server to end and wait for it; kill it after a minute.
stop_server() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2> /dev/null || true
    for _ in $(seq 600); do
        kill -0 "$server" 2> /dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$server" 2> /dev/null || true
}

server_failed() {
    tail -n 10 "$log" >&2
    fail "$1"
}

wait_until_ready() {
    for _ in $(seq 600); do
        kill -0 "$server" 2> /dev/null || server_failed "the server ended before it was ready (log: $log)"
        ! curl --noproxy '*' -sf -o /dev/null --max-time 5 "$url/readyz" || return 0
        sleep 0.1
    done
    server_failed "the server was not ready within a minute (log: $log)"
}

mkdir -p "$result_dir"
! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || fail "port $port is in use; try: make run PORT=$((port + 1))"
trap stop_server EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The server gets a process group of its own, so that Ctrl-C reaches only this script, which then ends the server once.
set -m
"$build/swin2sr" serve --listen "127.0.0.1:$port" --data "$result_dir/data" > "$log" 2>&1 < /dev/null &
server=$!
set +m
wait_until_ready

read -r code seconds < <(curl --noproxy '*' -sS --max-time 300 -o "$result.part" -w '%{http_code} %{time_total}\n' \
    -F "file=@$sample" "$url/upscale" || echo "000 0")
if [ "$code" != 200 ]; then
    [ ! -s "$result.part" ] || head -c 2000 "$result.part" >&2
    server_failed "the service answered $code for $sample (log: $log)"
fi
mv "$result.part" "$result"

echo
echo "service   $url"
echo "sample    $sample"
LC_ALL=C printf "result    %s   (4x, %.2f s)\n" "$result" "$seconds"
echo "jobs      $result_dir/data"
echo "log       $log"
[ -z "${ONESHOT:-}" ] || exit 0

trap 'echo; echo "stopping"; exit 0' INT TERM HUP
echo
echo "Open $url in a browser, or:  curl -F file=@your.jpg $url/upscale -o your-x4.png"
echo "Ctrl-C ends the service."
wait "$server" || server_failed "the server ended by itself (log: $log)"
