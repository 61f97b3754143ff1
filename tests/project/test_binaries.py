# SPDX-License-Identifier: Apache-2.0
"""What the built programs hold (tools/check_binaries.py): the server has neither codecs nor the engine in it."""
import subprocess

import check_binaries


def test_the_build_keeps_the_link_rules(build):
    assert [*check_binaries.check_server(build), *check_binaries.check_libraries(build)] == []


def compile_to(output, *arguments):
    subprocess.run(["gcc", "-o", output, *arguments], check=True)


def test_a_server_with_the_engine_in_it_is_seen(tmp_path):
    (tmp_path / "src/engine").mkdir(parents=True)
    engine, main = tmp_path / "engine.c", tmp_path / "main.c"
    engine.write_text("int swin2sr__engine_run(void) { return 0; }\n")
    main.write_text("int swin2sr__engine_run(void);\nint main(void) { return swin2sr__engine_run(); }\n")
    compile_to(tmp_path / "engine.o", "-c", engine)
    subprocess.run(["ar", "rc", tmp_path / "src/engine/libengine.a", tmp_path / "engine.o"], check=True)
    compile_to(tmp_path / "swin2sr-server", main, tmp_path / "src/engine/libengine.a")
    found = list(check_binaries.check_server(tmp_path))
    assert found == ["swin2sr-server holds swin2sr__engine_run of libengine.a"]


def test_a_server_that_needs_a_codec_is_seen(tmp_path):
    main = tmp_path / "main.c"
    main.write_text("int main(void) { return 0; }\n")
    compile_to(tmp_path / "swin2sr-server", main, "-Wl,--no-as-needed", "-lpng")
    assert any("needs libpng" in line for line in check_binaries.check_server(tmp_path))


def test_a_leaking_library_is_seen(tmp_path):
    folder = tmp_path / "include/swin2sr"
    folder.mkdir(parents=True)
    source = tmp_path / "leak.c"
    source.write_text("int leak(void) { return 0; }\nint swin2sr__inside(void) { return 0; }\n")
    compile_to(tmp_path / "leak.o", "-c", "-fPIC", source)
    subprocess.run(["ar", "rc", folder / "libswin2sr.a", tmp_path / "leak.o"], check=True)
    compile_to(folder / "libswin2sr.so", "-shared", tmp_path / "leak.o")
    found = "\n".join(check_binaries.check_libraries(tmp_path))
    assert "leak is global without the prefix" in found
    assert "exports swin2sr__inside" in found
    assert "lacks swin2sr_upscale" in found
