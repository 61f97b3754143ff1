# SPDX-License-Identifier: Apache-2.0
"""The structs of bench/library.py lie in memory as those of the public headers."""
import ctypes
import subprocess
import sys

STRUCTS = {"swin2sr_image": "Image", "swin2sr_model_options": "ModelOptions", "swin2sr_options": "Options",
           "swin2sr_plan": "Plan", "swin2sr_error": "Error"}


def test_structs_equal_those_of_the_headers(root, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "bench"), *sys.path])
    import library

    here, lines = {}, []
    for name, mirror in STRUCTS.items():
        mirror = getattr(library, mirror)
        here[name] = ctypes.sizeof(mirror)
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field, _ in mirror._fields_:
            here[f"{name}.{field}"] = getattr(mirror, field).offset
            lines.append(f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
    source = tmp_path / "structs.c"
    source.write_text("#include <stddef.h>\n#include <stdio.h>\n#include <swin2sr/swin2sr.h>\nint main(void) {\n" +
                      "\n".join(lines) + "\n}\n")
    subprocess.run(["gcc", f"-I{root}/include", "-o", tmp_path / "structs", source], check=True)
    text = subprocess.run([tmp_path / "structs"], check=True, capture_output=True, text=True).stdout
    assert {name: int(value) for name, value in (line.split() for line in text.splitlines())} == here
