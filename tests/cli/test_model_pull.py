# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_model_pull.py - swin2sr model pull against servers that cut, lie, stall, change and refuse.
# After every failure the library holds no network, and nothing but the part that came.
import hashlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

import pytest

from cli_checks import one_line
from model_server import Answer, serving

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))
import weight_files

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "goldens"
NETWORK = (FIXTURES / "lightweight_x4.safetensors").read_bytes()
HEADER_BYTES = int.from_bytes(NETWORK[:8], "little")
OTHER_HEADER = NETWORK[8:8 + HEADER_BYTES].rstrip()[:-1] + b"          }" # one byte longer or more: another file
OTHER = len(OTHER_HEADER).to_bytes(8, "little") + OTHER_HEADER + NETWORK[8 + HEADER_BYTES:]
SHA256 = hashlib.sha256(NETWORK).hexdigest()
HALF = len(NETWORK) // 2


@pytest.fixture
def library(tmp_path):
    return tmp_path / "library"


@pytest.fixture
def environment(library):
    """Of a machine without proxies."""
    return {"SWIN2SR_MODELS": str(library), "no_proxy": "*"}


@pytest.fixture
def pull(swin2sr, environment):
    def run(server, *arguments, name="mine", check=0, env=None, **others):
        return swin2sr("model", "pull", name, "--url", server.url, "--stall", "2", *arguments, check=check,
                       env={**environment, **(env or {})}, **others)
    return run


def files(library):
    return sorted(path.name for path in library.iterdir())


INSTALLED = ["mine.safetensors", "mine.safetensors.sha256"]
PARTLY = ["mine.part", "mine.part.from"]


@pytest.mark.sanitize
def test_pull_installs(pull, swin2sr, library, environment):
    with serving(Answer(NETWORK)) as server:
        result = json.loads(pull(server, "--sha256", SHA256.upper(), "--json").stdout)
    assert files(library) == INSTALLED
    assert result["name"] == "mine" and result["source"] == server.url and result["original_sha256"] == SHA256
    installed = (library / "mine.safetensors").read_bytes()
    assert result["sha256"] == hashlib.sha256(installed).hexdigest() and result["path"] == str(library / INSTALLED[0])
    assert (library / INSTALLED[1]).read_text() == f"{result['sha256']}  mine.safetensors\n"
    info = json.loads(swin2sr("model", "info", "mine", "--json", env=environment).stdout)
    assert info["name"] == "mine" and info["scale"] == 4 and info["sha256"] == result["sha256"]
    swin2sr("model", "verify", "mine", env=environment)
    assert "User-Agent" in server.asked[0][1] and "Range" not in server.asked[0][1]


@pytest.mark.sanitize
def test_pull_reads_checkpoints(pull, library):
    """A .pth that is cut off goes on like any other file, and is installed as safetensors."""
    checkpoint = weight_files.checkpoint()
    with serving(Answer(checkpoint, part=5000), Answer(checkpoint)) as server:
        pull(server, check=4)
        result = json.loads(pull(server, "--json").stdout)
    assert result["original_sha256"] == hashlib.sha256(checkpoint).hexdigest() and result["scale"] == 2
    assert files(library) == INSTALLED


def test_secrets_of_the_address_are_not_kept(swin2sr, library, environment):
    with serving(Answer(NETWORK)) as server:
        url = server.url.replace("://", "://user:secret@") + "?token=secret#x"
        result = json.loads(swin2sr("model", "pull", "mine", "--url", url, "--json", env=environment).stdout)
    assert result["source"] == server.url
    assert b"secret" not in (library / "mine.safetensors").read_bytes()


@pytest.mark.sanitize
@pytest.mark.parametrize("part", [1, HALF, len(NETWORK) - 1])
def test_a_cut_transfer_goes_on(pull, library, part):
    with serving(Answer(NETWORK, part=part), Answer(NETWORK)) as server:
        assert "again to resume" in one_line(pull(server, check=4).stderr)
        assert files(library) == PARTLY and (library / "mine.part").read_bytes() == NETWORK[:part]
        pull(server, "--sha256", SHA256)
        assert server.asked[1][1]["Range"] == f"bytes={part}-" and server.asked[1][1]["If-Range"] == '"v1"'
    assert files(library) == INSTALLED


def test_many_cuts(pull, library):
    step = len(NETWORK) // 7
    with serving(*[Answer(NETWORK, part=step)] * 7, Answer(NETWORK)) as server:
        for _ in range(7):
            pull(server, check=4)
        pull(server, "--sha256", SHA256)
        assert [asked.get("Range") for _, asked in server.asked] == [None] + [f"bytes={i * step}-" for i in range(1, 8)]


@pytest.mark.parametrize("second", [
    Answer(NETWORK, etag='"v2"'),                                  # changed, and says so
    Answer(NETWORK, takes_range=False),                            # does not know Range
    Answer(NETWORK, etag=None, takes_range=False)], ids=["changed", "ignores Range", "no ETag any more"])
@pytest.mark.parametrize("first", [OTHER, NETWORK], ids=["other file before", "same file before"])
def test_no_bytes_of_two_versions(pull, library, first, second):
    """What came before is thrown away unless the server proves that it is of the same file."""
    if first is NETWORK and second.etag == '"v1"' and second.takes_range:
        pytest.skip("this is plain resuming")
    with serving(Answer(first, part=1000), second) as server:
        pull(server, check=4)
        pull(server, "--sha256", SHA256)
        assert len(server.asked) == 2
    assert files(library) == INSTALLED


@pytest.mark.parametrize("liar", [
    Answer(NETWORK, etag='"v2"', takes_range="always"),            # another version, but 206
    Answer(NETWORK, takes_range="always", shift=7),                # another place than asked for
    Answer(NETWORK + b"x", takes_range="always")], ids=["other version", "other place", "other length"])
def test_a_wrong_206_starts_again(pull, library, liar):
    with serving(Answer(OTHER, part=1000), liar, Answer(NETWORK)) as server:
        pull(server, check=4)
        pull(server, "--sha256", SHA256)
        assert "Range" in server.asked[1][1] and "Range" not in server.asked[2][1]
    assert files(library) == INSTALLED


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_mark_nothing_is_resumed(pull, etag):
    with serving(Answer(NETWORK, part=HALF, etag=etag), Answer(NETWORK, etag=etag)) as server:
        pull(server, check=4)
        pull(server, "--sha256", SHA256)
        assert "Range" not in server.asked[1][1]


def test_a_date_is_a_mark(pull):
    date = "Wed, 21 Sep 2022 10:00:00 GMT"
    with serving(Answer(NETWORK, part=HALF, etag=None, modified=date), Answer(NETWORK, etag=None, modified=date)) as server:
        pull(server, check=4)
        pull(server, "--sha256", SHA256)
        assert server.asked[1][1]["Range"] == f"bytes={HALF}-" and server.asked[1][1]["If-Range"] == date


def test_another_address_is_another_file(pull, swin2sr, environment):
    with serving(Answer(OTHER, part=1000), Answer(NETWORK)) as server:
        pull(server, check=4)
        swin2sr("model", "pull", "mine", "--url", server.url + "?other", "--sha256", SHA256, env=environment)
        assert "Range" not in server.asked[1][1]


def test_a_complete_part_is_fetched_again(pull, library):
    """Killed between the last byte and the import: the server then has nothing left to send."""
    with serving(Answer(NETWORK, part=HALF), Answer(NETWORK)) as server:
        pull(server, check=4)
        (library / "mine.part").write_bytes(NETWORK)
        pull(server, "--sha256", SHA256)
        assert [asked.get("Range") for _, asked in server.asked] == [None, f"bytes={len(NETWORK)}-", None]
    assert files(library) == INSTALLED


@pytest.mark.sanitize
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"http://127.0.0.1/\n", b"x\n\"v1\"\n99999999999999999999\n" * 50])
def test_a_damaged_note_of_the_part(pull, library, content):
    library.mkdir()
    (library / "mine.part").write_bytes(b"?" * 1000)
    (library / "mine.part.from").write_bytes(content)
    with serving(Answer(NETWORK)) as server:
        pull(server, "--sha256", SHA256)
        assert "Range" not in server.asked[0][1]


@pytest.mark.parametrize("answer,says", [
    (Answer(NETWORK, length=len(NETWORK) + 1000), "again to resume"),    # says more than it sends
    (Answer(NETWORK, length=1 << 62), "--max-mib"),
    (Answer(NETWORK, length=-5), "again to retry"),
    (Answer(b"x" * (3 << 20), is_chunked=True, etag=None), "--max-mib"),   # does not say, and does not end
    (Answer(code=404), "404: there is no such file"), (Answer(code=500), "500: the server is overloaded"),
    (Answer(code=403), "403: this file is not public"), (Answer(code=204), "204: the answer is not a file"),
    (Answer(b"", code=200), "200: the answer is not a file"), (Answer(b"?", code=300), "300"),
    (Answer(code=302, location="/net.safetensors"), "more than 10 redirects"),
    (Answer(code=302, location="file:///etc/passwd"), "only http and https"),
    (Answer(code=302, location="ftp://127.0.0.1/x"), "only http and https"),
    (Answer(NETWORK, code=206), "206")])
def test_bad_answers(pull, library, answer, says):
    with serving(answer) as server:
        done = pull(server, "--max-mib", "2", check=1 if "max-mib" in says else 4)
    assert says in one_line(done.stderr)
    assert set(files(library)) <= set(PARTLY)


def test_a_part_over_the_limit_gets_no_longer(pull, library):
    """The limit was higher when it came, and the server does not say how long the file is."""
    body, begun = NETWORK * 2, (3 << 20) // 2
    assert len(body) > begun
    answers = [Answer(body, is_chunked=True, says_total=False, part=part) for part in (begun, None)]
    with serving(*answers) as server:
        pull(server, check=4)
        assert (library / "mine.part").stat().st_size == begun
        done = pull(server, "--max-mib", "1", check=1)
        assert server.asked[1][1]["Range"] == f"bytes={begun}-"
    assert "max-mib" in one_line(done.stderr) and files(library) == []


@pytest.mark.sanitize
@pytest.mark.parametrize("answer,says", [
    (Answer(b"<html>log in first</html>", type="text/html; charset=utf-8"), "sent text, not a model"),
    (Answer(b"<html>log in first</html>"), ""),                            # calls itself a zip
    (Answer(NETWORK, length=HALF), ""),                                    # less than there is
    (Answer(NETWORK[:-1] + bytes([NETWORK[-1] ^ 1])), "sha256")])          # one bit
def test_what_is_no_network_is_thrown_away(pull, library, answer, says):
    with serving(answer) as server:
        done = pull(server, "--sha256", SHA256, check=3)
        assert says in one_line(done.stderr)
        if not says:
            one_line(pull(server, check=3).stderr)
    assert files(library) == []


def test_wrong_sha256_names_both(pull, library):
    with serving(Answer(NETWORK)) as server:
        text = one_line(pull(server, "--sha256", "0" * 64, check=3).stderr)
        assert SHA256 in text and "0" * 64 in text
        assert files(library) == []
        pull(server, "--sha256", SHA256)


@pytest.mark.parametrize("part", [0, HALF])
def test_a_stall_ends(pull, library, part):
    with serving(Answer(NETWORK, part=part, wait=True)) as server:
        assert "again to resume" in one_line(pull(server, check=4).stderr)
    assert "mine.safetensors" not in files(library)


def start(binary, environment, server):
    return subprocess.Popen([binary, "model", "pull", "mine", "--url", server.url], stderr=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, env={**os.environ, **environment})


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_leaves_the_part(binary, pull, library, environment, number, code):
    with serving(Answer(NETWORK, part=HALF, wait=True), Answer(NETWORK)) as server:
        running = start(binary, environment, server)
        assert server.is_waiting.wait(20)
        while not (library / "mine.part").exists() or (library / "mine.part").stat().st_size < HALF:
            assert running.poll() is None
        running.send_signal(number)
        assert running.wait(20) == code
        if code > 0:
            assert b"interrupted" in running.stderr.read()
        assert files(library) == PARTLY
        pull(server, "--sha256", SHA256)
        assert server.asked[1][1]["Range"] == f"bytes={HALF}-"


def test_two_at_once(binary, library, environment):
    """The second one waits, and then finds the network there."""
    with serving(Answer(NETWORK, part=HALF, wait=True)) as server:
        first = start(binary, environment, server)
        assert server.is_waiting.wait(20)
        second = start(binary, environment, server)
        assert b"waiting" in second.stderr.readline()
        server.may_go_on.set()
        assert first.wait(20) == 0
        assert second.wait(20) == 4 and b"installed already" in second.stderr.read()
        assert len(server.asked) == 1
    assert files(library) == INSTALLED


def test_waiting_can_be_interrupted(binary, library, environment):
    with serving(Answer(NETWORK, part=HALF, wait=True)) as server:
        first = start(binary, environment, server)
        assert server.is_waiting.wait(20)
        second = start(binary, environment, server)
        assert b"waiting" in second.stderr.readline()
        second.send_signal(signal.SIGINT)
        assert second.wait(20) == 130
        server.may_go_on.set()
        assert first.wait(20) == 0


@pytest.mark.parametrize("name", ["mine.part", "mine.part.from", "mine.safetensors", "mine.safetensors.new",
                                  "mine.safetensors.sha256"])
def test_no_symlink_is_followed(pull, library, tmp_path, name):
    """Another user of the folder laid a link where a file of the download belongs."""
    library.mkdir()
    other = tmp_path / "precious"
    other.write_text("precious\n")
    (library / name).symlink_to(other)
    with serving(Answer(NETWORK, part=HALF), Answer(NETWORK)) as server:
        pull(server, "--force", check=4)
        if name != "mine.part":
            pull(server, "--force", "--sha256", SHA256)
            assert files(library) == INSTALLED
            assert not any(path.is_symlink() for path in library.iterdir())
    assert other.read_text() == "precious\n"


def test_a_full_disk(pull, library):
    """The limit on file sizes stands for it: writing fails in the middle, and goes on when there is room."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, HALF))

    with serving(Answer(NETWORK)) as server:
        done = pull(server, check=4, preexec_fn=limit, restore_signals=False) # SIGXFSZ stays ignored
        assert "File too large" in one_line(done.stderr) and "mine.part" in one_line(done.stderr)
        assert (library / "mine.part").stat().st_size == HALF
        pull(server, "--sha256", SHA256)
        assert server.asked[1][1]["Range"] == f"bytes={HALF}-"


def test_a_library_that_cannot_be_written(pull, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with serving(Answer(NETWORK)) as server:
        one_line(pull(server, check=4, env={"SWIN2SR_MODELS": str(tmp_path / "file" / "library")}).stderr)
        assert server.asked == []


def test_installed_is_kept_unless_forced(pull, swin2sr, library, environment):
    with serving(Answer(NETWORK), Answer(OTHER), Answer(b"no model")) as server:
        pull(server)
        assert "--force" in one_line(pull(server, check=4).stderr) and len(server.asked) == 1
        pull(server, "--force")
        other = (library / "mine.safetensors").read_bytes()
        swin2sr("model", "verify", "mine", env=environment)
        pull(server, "--force", check=3)
        assert (library / "mine.safetensors").read_bytes() == other and files(library) == INSTALLED
        swin2sr("model", "verify", "mine", env=environment)


def test_a_proxy(swin2sr, library, environment):
    with serving(Answer(NETWORK)) as proxy:
        env = {**environment, "no_proxy": "", "http_proxy": proxy.url, "https_proxy": proxy.url}
        swin2sr("model", "pull", "mine", "--url", "http://models.invalid/a", "--sha256", SHA256, env=env)
        assert proxy.asked[0][0] == "http://models.invalid/a"
        done = swin2sr("model", "pull", "classical-x2", check=4, env=env)
        assert proxy.asked[1][0] == "CONNECT github.com:443"
        assert "502" in one_line(done.stderr)


def test_nobody_there(swin2sr, library, environment):
    with serving(Answer()) as server:
        url = server.url
    for address in (url, "http://models.invalid/a"):
        done = swin2sr("model", "pull", "mine", "--url", address, check=4, env=environment)
        assert "https_proxy" in one_line(done.stderr)
    assert files(library) == []


def test_tls(pull, library, certificate):
    trusted = {"SSL_CERT_FILE": f"{certificate}.crt"}
    with serving(Answer(NETWORK), certificate=certificate) as server:
        assert "ca-certificates" in one_line(pull(server, check=4).stderr)
        assert server.asked == []
        pull(server, "--sha256", SHA256, env=trusted)
    with serving(Answer(NETWORK)) as plain:
        with serving(Answer(code=302, location=plain.url), certificate=certificate) as server:
            assert "no redirect from https to http" in one_line(pull(server, "--force", check=4, env=trusted).stderr)
        assert plain.asked == []
    with serving(Answer(OTHER), certificate=certificate) as server:
        with serving(Answer(code=302, location=server.url)) as plain:
            pull(plain, "--force", env=trusted)


@pytest.mark.sanitize
@pytest.mark.parametrize("arguments", [
    [], ["a", "b"], ["--url", "file:///etc/passwd", "a"], ["--url", "ftp://h/a", "a"], ["--sha256", "12", "a"],
    ["--sha256", "g" * 64, "a"], ["--max-mib", "0", "a"], ["--stall", "0", "a"], ["not-in-the-catalogue"]])
def test_usage(swin2sr, environment, arguments):
    one_line(swin2sr("model", "pull", *arguments, check=2, env=environment).stderr)


@pytest.mark.parametrize("name", ["../a", "A", ".a", "a/b", "", "-a", "a" * 65, "a.safetensors", "fast",
                                  "a b", "ä"])
def test_names(swin2sr, tmp_path, library, environment, name):
    with serving(Answer(NETWORK)) as server:
        done = swin2sr("model", "pull", "--url", server.url, "--", name, check=2, env=environment)
        assert "name" in one_line(done.stderr) and server.asked == []
    assert not library.exists() and list(tmp_path.iterdir()) == []
