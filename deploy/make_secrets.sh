#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deploy/make_secrets.sh [NAME] - make what is missing in deploy/secrets for deploy/compose.yaml and compose.cluster.yaml: a
# certificate for NAME (localhost) that signs itself, until you put your own in its place; the first API key, which is
# printed once; the password of Grafana's admin; an address of a DingTalk robot, in which you put your token, and an empty
# file for the secret of its signatures; the keys of the store of a cluster, for its nodes and for MinIO. Needs openssl, and
# docker or podman with the image. The folder is its owner's alone; the files in it are readable, because the users of the
# containers read them.
set -eu
cd "$(dirname "$0")"
name=${1:-localhost}
image=${SWIN2SR_IMAGE:-swin2sr-cloud:$(sed -n "s/^ *version: '\(.*\)',$/\1/p" ../meson.build)}
engine=$(command -v docker || command -v podman)

mkdir -p secrets
chmod 700 secrets
umask 022
if [ ! -e secrets/server.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=$name" \
        -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" -keyout secrets/server.key -out secrets/server.crt \
        2> /dev/null
    echo "made a certificate for $name that signs itself; put your own into deploy/secrets/server.crt and server.key"
fi
if [ ! -e secrets/keys ]; then
    echo "the first API key:"
    "$engine" run --rm --entrypoint swin2sr -v "$(pwd)/secrets:/secrets" "$image" key new first --keys /secrets/keys
    chmod 644 secrets/keys
fi
[ -e secrets/grafana_password ] || openssl rand -hex 16 > secrets/grafana_password
[ -e secrets/dingtalk_url ] || echo 'https://oapi.dingtalk.com/robot/send?access_token=TOKEN' > secrets/dingtalk_url
[ -e secrets/dingtalk_secret ] || : > secrets/dingtalk_secret
if [ ! -e secrets/store_keys ]; then
    secret=$(openssl rand -hex 20)
    printf '[default]\naws_access_key_id = swin2sr\naws_secret_access_key = %s\n' "$secret" > secrets/store_keys
    printf 'MINIO_ROOT_USER=swin2sr\nMINIO_ROOT_PASSWORD=%s\n' "$secret" > secrets/minio_env
fi
chmod 644 secrets/server.key secrets/grafana_password secrets/dingtalk_url secrets/dingtalk_secret \
    secrets/store_keys secrets/minio_env
