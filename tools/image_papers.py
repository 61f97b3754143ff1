#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/image_papers.py IMAGE.tar VERSION OUT.spdx.json OUT-licences.txt

What is in a saved image (docker's format): a list of packages in SPDX 2.3, and all their licences in one file. Debian's
packages are those of var/lib/dpkg/status in the image (deploy/image_root.sh), those in the page from NOTICE.
"""
import hashlib
import json
import re
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NONE = "NOASSERTION"


def read_image(path):
    """(creation time, {name: bytes}) of the files of its layers."""
    files = {}
    with tarfile.open(path) as archive:
        manifest, = json.load(archive.extractfile("manifest.json"))
        config = json.load(archive.extractfile(manifest["Config"]))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=archive.extractfile(layer)) as tree:
                for member in tree:
                    if member.isfile():
                        files[member.name.removeprefix("./")] = tree.extractfile(member).read()
    return config["config"]["Labels"]["org.opencontainers.image.created"], files


def debian_packages(files):
    """[(name, version, architecture)]"""
    found = []
    for entry in files["var/lib/dpkg/status"].decode().strip().split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Architecture): (.*)$", entry, re.M))
        found.append((fields["Package"], fields["Version"], fields["Architecture"]))
    return found


def page_packages(files):
    """[(name, version, licence)] of npm, which are part of the page's script, from NOTICE."""
    return re.findall(r"^([a-z0-9-]+) (\d[\d.]*) +(\S+) +Copyright", files["usr/share/doc/swin2sr/NOTICE"].decode(), re.M)


def entry(name, version, licence, address):
    return {"SPDXID": "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version,
            "downloadLocation": NONE, "filesAnalyzed": False, "licenseConcluded": NONE, "licenseDeclared": licence,
            "copyrightText": NONE, "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                                      "referenceLocator": address}]}


def spdx(image, version, created, files):
    own = entry("swin2sr-cloud", version, "Apache-2.0", f"pkg:generic/swin2sr-cloud@{version}")
    parts = [entry(name, number, NONE, f"pkg:deb/debian/{name}@{number.replace('+', '%2B').replace(':', '%3A')}"
                                       f"?arch={architecture}&distro=debian-12")
             for name, number, architecture in debian_packages(files)]
    parts += [entry(name, number, licence, f"pkg:npm/{name}@{number}") for name, number, licence in page_packages(files)]
    digest = hashlib.sha256(Path(image).read_bytes()).hexdigest()
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])] + [(own["SPDXID"], "CONTAINS", part["SPDXID"])
                                                                      for part in parts]
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"swin2sr-cloud-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/swin2sr-cloud-{version}-{digest}",
            "creationInfo": {"created": created, "creators": ["Tool: swin2sr-cloud-image_papers"]},
            "packages": [own, *parts],
            "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                              for one, kind, other in relations]}


def licences(files):
    texts = [("swin2sr-cloud: NOTICE", files["usr/share/doc/swin2sr/NOTICE"]),
             ("swin2sr-cloud: LICENSE", files["usr/share/doc/swin2sr/LICENSE"])]
    texts += [(f"Debian's package {name}", files[f"usr/share/doc/{name}/copyright"])
              for name, *_ in debian_packages(files)]
    prefix = "usr/share/common-licenses/"
    texts += [(f"/usr/share/common-licenses/{name.removeprefix(prefix)}", text)
              for name, text in sorted(files.items()) if name.startswith(prefix)]
    return "".join(f"{'=' * 100}\n{title}\n{'=' * 100}\n\n{text.decode(errors='replace')}\n" for title, text in texts)


def utc(time):
    """2026-11-28T16:00:00+01:00 as SPDX wants it."""
    return datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    image, version, out, out_licences = sys.argv[1:]
    created, files = read_image(image)
    Path(out).write_text(json.dumps(spdx(image, version, utc(created), files), indent=2) + "\n")
    Path(out_licences).write_text(licences(files))


if __name__ == "__main__":
    main()
