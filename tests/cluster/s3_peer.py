# SPDX-License-Identifier: Apache-2.0
"""A second client of S3, in Python's standard library: what the one in C puts is looked at with it, and it makes buckets."""
import hashlib
import hmac
import http.client
import time
import xml.etree.ElementTree
from urllib.parse import quote


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def request(store, method, path, query=(), body=b"", headers=None):
    """One signed request.  returns (code, headers in lower case, body)."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    digest = hashlib.sha256(body).hexdigest()
    host = f"{store.host}:{store.port}"
    signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now, **(headers or {})}
    names = ";".join(sorted(signed))
    query = "&".join(f"{quote(name, '')}={quote(str(value), '')}" for name, value in sorted(query))
    path = quote(path)
    canonical = "\n".join([method, path, query, *(f"{name}:{signed[name]}" for name in sorted(signed)), "", names, digest])
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + store.secret).encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    signed["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={store.access}/{scope},SignedHeaders={names},"
                               f"Signature={signature}")
    connection = http.client.HTTPConnection(store.host, store.port, timeout=60)
    try:
        connection.request(method, path + ("?" + query if query else ""), body, signed)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def names(store, bucket, folder):
    """The names of all objects in a folder, without the folder."""
    found, more = [], []
    while True:
        code, _, body = request(store, "GET", f"/{bucket}", [("list-type", 2), ("prefix", f"{folder}/"), *more])
        assert code == 200, body
        items = {}
        for item in xml.etree.ElementTree.fromstring(body).iter():
            items.setdefault(item.tag.split("}")[-1], []).append(item.text)
        found += [key.removeprefix(f"{folder}/") for key in items.get("Key", ())]
        if items.get("IsTruncated") != ["true"]:
            return found
        more = [("continuation-token", items["NextContinuationToken"][0])]
