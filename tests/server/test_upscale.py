# SPDX-License-Identifier: Apache-2.0
"""POST /upscale: pictures in, pictures with four times the width and height out."""
import http.server
import io
import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from PIL import Image, ImageCms

from service import BUILD, Background, open_image, picture

pytestmark = pytest.mark.sanitize
ROOT = Path(__file__).resolve().parents[2]


def test_plain_client_works_unchanged(server, tmp_path):
    url, p = server.url, tmp_path / "photo.png"
    p.write_bytes(picture(32, 20))

    response = requests.post(url + "/upscale", files={"file": open(p, "rb")}, timeout=60)

    assert response.status_code == 200, response.json()
    assert open_image(response.content).size == (128, 80)


def test_answer_says_what_was_done(server):
    headers = server.upscale(picture()).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == 'inline; filename="enlarged.png"'
    assert headers["X-Swin2SR-Model"] == "photo"
    assert headers["X-Swin2SR-Plan"] == "whole"
    assert headers["X-Content-Type-Options"] == "nosniff"
    stages = [stage.split(";dur=") for stage in headers["Server-Timing"].split(", ")]
    assert [name for name, _ in stages] == ["queue", "decode", "infer", "encode"]
    assert all(float(duration) >= 0 for _, duration in stages)
    assert headers["X-Request-Id"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
@pytest.mark.parametrize("answer", ["png", "jpeg", "webp", "gif", "tiff"])
def test_formats_in_and_out(server, kind, answer):
    response = server.upscale(picture(20, 12, kind), format=answer)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == f"image/{answer}"
    image = open_image(response.content)
    assert image.format == answer.upper()
    assert image.size == (80, 48)


@pytest.mark.parametrize("options, size", [
    ({"scale": "3"}, (90, 60)), ({"scale": "1"}, (30, 20)), ({"width": "100"}, (100, 67)), ({"fit": "50x50"}, (50, 33)),
    ({"width": "70", "height": "30"}, (70, 30)), ({"crop": "5,5,10,12"}, (40, 48)),
    ({"crop": "5,5,10,12", "scale": "2", "strength": "0.5"}, (20, 24))], ids=str)
def test_any_target(server, options, size):
    answer = server.upscale(picture(30, 20), **options)
    assert answer.status_code == 200, answer.text
    assert open_image(answer.content).size == size
    estimate = requests.post(f"{server.url}/v1/estimate", data=picture(30, 20), params=options).json()
    assert (estimate["output_width"], estimate["output_height"]) == size


def test_a_target_that_cannot_be(server):
    for options, code, word in (({"crop": "25,0,9,9"}, 422, "crop"), ({"scale": "2", "fit": "9x9"}, 422, "together"),
                                ({"width": "1000000", "height": "1000000"}, 413, "more pixels")):
        answer = server.upscale(picture(30, 20), **options)
        assert answer.status_code == code and word in answer.json()["detail"], answer.text


def test_animation_is_one_frame_and_says_so(server):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        response = server.upscale(out.getvalue())
        assert response.status_code == 200, response.text
        assert response.headers["X-Swin2SR-Frames"] == "2"
        assert response.headers["X-Swin2SR-Notes"] == "first-frame"
        assert open_image(response.content).convert("RGB").getpixel((9, 9))[0] > 200


@pytest.mark.parametrize("name, kind", [("PNG", "PNG"), ("jpg", "JPEG"), ("JFIF", "JPEG"), ("jpe", "JPEG"), ("tif", "TIFF")])
def test_formats_have_the_names_of_their_files(server, name, kind):
    assert open_image(server.upscale(picture(), format=name).content).format == kind


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (33, 8)])
def test_any_size_comes_out_four_times_as_large(server, size):
    assert open_image(server.upscale(picture(*size)).content).size == (size[0] * 4, size[1] * 4)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_kinds_of_pixels(server, mode):
    response = server.upscale(picture(mode=mode))
    assert response.status_code == 200, response.text
    assert open_image(response.content).size == (96, 64)


def test_sixteen_bits_stay_or_are_read_down_and_said(server):
    response = server.upscale(picture(mode="I;16"))
    assert response.status_code == 200, response.text
    assert "X-Swin2SR-Notes" not in response.headers
    assert open_image(response.content).mode == "I"  # 16 bits
    response = server.upscale(picture(mode="I;16"), format="jpeg")
    assert response.headers["X-Swin2SR-Notes"] == "reduced-16-bit"


def test_lost_transparency_is_said(server):
    assert "X-Swin2SR-Notes" not in server.upscale(picture(mode="RGBA")).headers
    response = server.upscale(picture(mode="RGBA"), format="jpeg")
    assert response.headers["X-Swin2SR-Notes"] == "alpha-dropped"


def test_metadata_is_kept_or_left_out(server):
    """What the options colour, metadata and provenance reach in the worker; tests/cli/test_image_contract.py has the rest."""
    def send(**options):
        exif = Image.Exif()
        exif[0x0112], exif[0x010f] = 6, "Maker"
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        data = picture(kind="JPEG", exif=exif, comment="words", icc_profile=profile)
        response = server.upscale(data, format="jpeg", **options)
        assert response.status_code == 200, response.text
        return open_image(response.content), response.headers.get("X-Swin2SR-Notes")
    kept, notes = send()
    assert (kept.getexif()[0x0112], kept.getexif()[0x010f], notes) == (1, "Maker", "text-dropped")
    assert kept.info["icc_profile"] and 0x0131 not in kept.getexif()
    stripped, notes = send(metadata="strip", colour="srgb")
    assert (dict(stripped.getexif()), stripped.info.get("icc_profile"), notes) == ({}, None, None)
    assert "; sha256 " in send(provenance="true")[0].getexif()[0x0131]


def test_quality_counts(server):
    sizes = [len(server.upscale(picture(), format="jpeg", quality=quality).content) for quality in (10, 95)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("headers", [{"Content-Type": "image/png"}, {"Content-Type": "application/octet-stream"}, {}])
def test_bare_body(server, headers):
    response = requests.post(server.url + "/upscale?format=jpeg&quality=80", data=picture(), headers=headers)
    assert response.status_code == 200, response.text
    assert open_image(response.content).format == "JPEG"


def test_body_in_chunks(server):
    data = picture()
    pieces = (data[at:at + 100] for at in range(0, len(data), 100))
    response = requests.post(server.url + "/upscale", data=pieces, headers={"Content-Type": "image/png"})
    assert response.status_code == 200, response.text


def test_form_byte_by_byte(server):
    body = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + picture(4, 4)
            + b'\r\n--x\r\nContent-Disposition: form-data; name="format"\r\n\r\njpeg\r\n--x--\r\n')
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            connection.sendall(bytes([byte]))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 "), answer


def test_model_by_name(server):
    assert server.upscale(picture(), model="fast").status_code == 200


def test_same_input_same_bytes(server):
    assert server.upscale(picture()).content == server.upscale(picture()).content


def command_line(data, folder):
    """The output of `swin2sr upscale` for the picture."""
    (folder / "in").write_bytes(data)
    subprocess.run([BUILD / "swin2sr", "upscale", "--quiet", "--force", "-o", folder / "out.png", folder / "in"],
                   check=True)
    return (folder / "out.png").read_bytes()


def ten_pictures(kind):
    """Ten typical pictures: generated, or real ones, with which bench/designers.py measures too."""
    if kind == "made":
        return [picture(40, 30 + seed, "JPEG" if seed % 2 else "PNG", seed=seed) for seed in range(10)]
    shared = Path(os.environ.get("SWIN2SR_SHARED", ROOT.parent / "shared")) / "testdata"
    if not shared.is_dir():
        pytest.skip(f"no shared test data at {shared}")
    files = [file.read_bytes() for folder in ("set5/LR_bicubic/X4", "real") for file in sorted((shared / folder).iterdir())]
    return [data for data in files if max(open_image(data).size) <= 250][:10]  # small ones, for a quick test


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["made", "real"])
def test_ten_at_once(server, tmp_path, kind):
    """Ten different pictures at the same time: each answer is what the command line makes of that picture."""
    pictures = ten_pictures(kind)
    assert len(set(pictures)) == 10
    begin = threading.Barrier(10)

    def designer(data):
        begin.wait()
        begun = time.monotonic()
        return server.upscale(data), time.monotonic() - begun

    calls = [Background(lambda data=data: designer(data)) for data in pictures]
    seconds = []
    for call, data in zip(calls, pictures):
        response, waited = call.join()
        seconds.append(waited)
        assert response.status_code == 200, response.text
        assert response.content == command_line(data, tmp_path)
    print(f"\nten at once, {kind}: worst {max(seconds):.2f} s, median {sorted(seconds)[5]:.2f} s")


def test_connection_is_kept(server):
    with requests.Session() as session:
        for _ in range(3):
            response = session.post(server.url + "/upscale", files={"file": picture(8, 8)})
            assert response.status_code == 200
            assert "Connection" not in response.headers or response.headers["Connection"] != "close"


def test_nothing_named_lies_in_the_spool(server):
    server.upscale(picture())
    assert list(server.spool.iterdir()) == []


def post_form(server, headers=b"", boundary=b"b1", disposition=b'name="file"; filename="a.png"', path=b"/upscale"):
    """Send a form that no library would send. Returns the whole answer."""
    body = (b"--b1\r\nContent-Disposition: form-data; " + disposition + b"\r\nContent-Type: image/png\r\n\r\n" +
            picture(8, 8) + b"\r\n--b1--\r\n")
    return server.raw(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                      b"Content-Type: multipart/form-data; boundary=" + boundary + b"\r\n" + headers +
                      b"Content-Length: %d\r\n\r\n" % len(body) + body)


NAME = "图".encode() * 200
CLIENTS = {
    "a long file name in two ways": {"disposition": b'name="file"; filename="' + NAME + b"\"; filename*=UTF-8''" +
                                     b"%E5%9B%BE" * 200},
    "a semicolon behind the boundary": {"boundary": b"b1;"},
    "a semicolon behind the file name": {"disposition": b'name="file"; filename="a.png";'},
    "empty parameters": {"boundary": b"b1;; charset=utf-8 ;", "disposition": b';name="file";;filename=a.png; ;'},
    "no encoding, said": {"headers": b"Content-Encoding: Identity\r\n"},
    "no encoding, said twice": {"headers": b"Content-Encoding: identity, identity\r\nContent-Encoding:\r\n"},
    "an unquoted file name with blanks": {"disposition": b"name=file; filename=my photo 1.png"},
    "an empty part": {"disposition": b'name=""\r\n\r\n\r\n--b1\r\nContent-Disposition: form-data; name="file"'},
    "empty pairs in the query": {"path": b"/upscale?&format=png&&quality=90&"},
    "a whole address": {"path": b"http://a/upscale?format=png"},
}


@pytest.mark.parametrize("client", CLIENTS)
def test_odd_but_clear_clients(server, client):
    answer = post_form(server, **CLIENTS[client])
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\n\r\n\x89PNG" in answer, answer[:500]


@pytest.mark.parametrize("boundary, named", [
    (b"*****", b"the character '*'"), (b'"a@b"', b"the character '@'"), (b'"\xff"', b"the byte 0xff"),
    (b'"a', b"an unclosed quote"), (b"", b"names no boundary"), (b"b" * 71, b"longer than 70 characters")])
def test_boundary_that_is_not_allowed(server, boundary, named):
    answer = post_form(server, boundary=boundary)
    assert answer.startswith(b"HTTP/1.1 400 ") and named in answer, answer


@pytest.mark.parametrize("headers", [
    b"Content-Encoding: gzip\r\n", b"Content-Encoding: identity, gzip\r\n", b"Content-Encoding: identityx\r\n",
    b"Content-Encoding: identity\r\ncontent-encoding: gzip\r\n"])
def test_encodings_are_refused(server, headers):
    assert post_form(server, headers=headers).startswith(b"HTTP/1.1 415 ")


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that passes /sr/... on to the service."""
    def forward(self, body=None):
        assert self.path.startswith("/sr/"), self.path
        response = requests.request(self.command, self.server.target + self.path[3:], data=body, headers={
            name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers})
        self.send_response(response.status_code)
        self.send_header("Content-Type", response.headers["Content-Type"])
        self.end_headers()
        self.wfile.write(response.content)

    def do_GET(self):
        self.forward()

    def do_POST(self):
        self.forward(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *text):
        pass


@pytest.fixture
def proxied(server):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        proxy.target = server.url
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{proxy.server_port}/sr/"
        proxy.shutdown()
        thread.join()


def links(text):
    return re.findall(r"""\b(?:action|href|src)=["']([^"']*)""", text)


def test_page_works_under_any_path(proxied):
    page = requests.get(proxied).text
    assert all(requests.get(urljoin(proxied, link)).ok for link in re.findall(r"""\b(?:href|src)=["']([^"'#]+)""", page))
    [action] = re.findall(r"""\baction=["']([^"']*)""", page)
    response = requests.post(urljoin(proxied, action), files={"file": picture(8, 8)})
    assert open_image(response.content).size == (32, 32)


@pytest.mark.parametrize("path", ["upscale", "nothing", "upscale/", "v1/nothing", "v1/jobs/7/events"])
def test_a_page_that_refuses_leads_back_under_any_path(proxied, path):
    [link] = links(requests.get(proxied + path, headers={"Accept": "text/html"}).text)
    assert urljoin(proxied + path, link) == proxied
