# SPDX-License-Identifier: Apache-2.0
"""The pool of crops (train/make_pool.py): detail, no near-duplicates, nothing that networks are judged by."""
import io
import json
import shutil
import zipfile
from pathlib import Path

import hashing
import make_pool
import numpy as np
import photographs
import pytest
from PIL import Image

CROP = 64


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of packages; small files count."""
    monkeypatch.setattr(make_pool, "SMALLEST_FILE", 0)
    folder = tmp_path / "images"

    def add(name, pixels, package="photos", **options):
        path = folder / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, **options)
        return path

    add.folder = folder
    return add


def make(packages, tmp_path, name="pool.zip", count=1000, seed=1, **options):
    manifest = make_pool.make(packages.folder, tmp_path / name, count, CROP, seed, **options)
    with zipfile.ZipFile(tmp_path / name) as pool:
        assert json.loads(pool.read("manifest.json")) == manifest
        crops = [np.asarray(Image.open(io.BytesIO(pool.read(n)))) for n in pool.namelist() if n != "manifest.json"]
    return manifest, crops


def test_detail_is_the_mean_step():
    assert make_pool.detail(np.full((8, 8, 3), 77, np.uint8)) == 0
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 10
    assert make_pool.detail(stripes) == 10
    checks = (np.indices((8, 8)).sum(axis=0) % 2 * 6).astype(np.uint8)[..., None].repeat(3, 2)
    assert make_pool.detail(checks) == 12


def test_crops_have_detail(packages, scene, tmp_path):
    half = scene(400, 200)
    half[:, 200:] = 90
    packages("half.png", half)
    manifest, crops = make(packages, tmp_path)
    assert manifest["crops"] == len(crops) > 5
    assert all(crop.shape == (CROP, CROP, 3) and make_pool.detail(crop) >= make_pool.DETAIL_MIN for crop in crops)


def test_flat_pictures_give_no_pool(packages, tmp_path):
    packages("flat.png", np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(SystemExit, match="nothing to cut"):
        make(packages, tmp_path)


def test_the_same_picture_again_is_left_out(packages, scene, tmp_path):
    packages("a.png", scene(300, 200))
    before, _ = make(packages, tmp_path)
    packages("b.jpg", scene(300, 200), quality=90)
    packages("c.png", np.asarray(Image.fromarray(scene(300, 200)).resize((360, 240), Image.BICUBIC)))
    assert make(packages, tmp_path)[0] == before
    packages("d.png", scene(300, 200, seed=5))
    assert make(packages, tmp_path)[0]["pictures"] == {"photos": 2}


def test_a_repeated_crop_is_taken_once(packages, scene, tmp_path):
    packages("tiles.png", np.tile(scene(32, 32), (8, 8, 1)))
    manifest, crops = make(packages, tmp_path)
    assert manifest["candidates"] == len(crops) == 1


@pytest.mark.parametrize("change", [
    lambda picture: picture,
    lambda picture: picture.transpose(Image.FLIP_LEFT_RIGHT),
    lambda picture: picture.resize((picture.width * 2, picture.height * 2), Image.LANCZOS),
    lambda picture: picture.point(lambda value: value * 0.8 + 20),
], ids=["same", "mirrored", "enlarged", "paler"])
def test_what_networks_are_judged_by_is_left_out(packages, scene, tmp_path, monkeypatch, change):
    judged = Image.fromarray(scene(240, 160, seed=3))
    hashes = tmp_path / "evaluation_hashes.txt"
    hashes.write_text(f"# judged\n{int(hashing.perceptual_hash(judged)):016x} judged.png\n")
    monkeypatch.setattr(make_pool, "EVALUATION", hashes)
    packages("free.png", scene(240, 160, seed=4))
    packages("judged.jpg", np.asarray(change(judged)), quality=90)
    manifest, _ = make(packages, tmp_path)
    assert manifest["excluded"] == ["photos/judged.jpg"] and manifest["pictures"] == {"photos": 1}


def test_the_sample_of_this_project_is_one_of_them(packages, tmp_path):
    packages.folder.joinpath("photos").mkdir(parents=True)
    sample = Path(make_pool.__file__).parents[1] / "docs/samples/coffee.png"
    shutil.copy(sample, packages.folder / "photos")
    with pytest.raises(SystemExit):
        make(packages, tmp_path)


def test_every_photograph_has_its_hash():
    """Their packages are not always here; their names are in both lists."""
    named = {line.split()[1] for line in make_pool.EVALUATION.read_text().splitlines() if line[:1] not in ("#", "")}
    assert named >= {Path(name).name for _, name in photographs.read_list()}


def test_set5_is_left_out(shared):
    hashes = hashing.read_hashes(make_pool.EVALUATION)
    pictures = sorted((shared / "testdata/set5/HR").glob("*.png"))
    assert len(pictures) == 5
    assert all(make_pool.looks_like(Image.open(path).convert("RGB"), hashes) for path in pictures)


def test_the_same_input_gives_the_same_file(packages, scene, tmp_path):
    packages("a.png", scene(300, 200))
    packages("b.png", np.dstack([scene(300, 200, seed=1), np.tile(np.uint8(range(150)).repeat(2), (200, 1))]), "other")
    for name, seed in (("one.zip", 1), ("again.zip", 1), ("other.zip", 2)):
        make(packages, tmp_path, name, count=10, seed=seed)
    one, again, other = ((tmp_path / name).read_bytes() for name in ("one.zip", "again.zip", "other.zip"))
    assert one == again and one != other


def test_no_package_is_the_whole_pool(packages, scene, tmp_path):
    for number in range(12):
        packages(f"{number}.png", scene(300, 200, seed=number), "many")
    packages("only.png", scene(300, 200, seed=99), "few")
    manifest, _ = make(packages, tmp_path, count=40)
    assert manifest["crops"] == 40 and manifest["packages"]["few"] > 40 / 13


def test_megabytes_are_an_upper_limit(packages, scene, tmp_path):
    packages("a.png", scene(400, 300))
    whole, _ = make(packages, tmp_path)
    manifest, crops = make(packages, tmp_path, "small.zip", quality=90, megabytes=0.05)
    assert 0 < len(crops) < whole["crops"]
    assert (tmp_path / "small.zip").stat().st_size < 0.05e6 + 2000  # the manifest is besides


def test_broken_pictures_are_named_and_left_out(packages, scene, tmp_path, capsys):
    packages("good.png", scene(300, 200))
    whole = packages("cut.png", scene(300, 200, seed=8)).read_bytes()
    (packages.folder / "photos/cut.png").write_bytes(whole[:len(whole) // 2])
    (packages.folder / "photos/text.jpg").write_text("no picture")
    (packages.folder / "photos/link.png").symlink_to("good.png")
    manifest, _ = make(packages, tmp_path)
    assert manifest["pictures"] == {"photos": 1}
    said = capsys.readouterr().out
    assert "cut.png" in said and "text.jpg" in said and "link.png" not in said


def test_too_many_pixels_are_refused(packages, scene, monkeypatch):
    path = packages("large.png", scene(300, 200))
    monkeypatch.setattr(make_pool, "LARGEST_PICTURE", 300 * 200 - 1)
    source = make_pool.Source("photos", path)
    with pytest.raises(ValueError, match="300x200"):
        make_pool.load(source, CROP, source.generator(1))


def test_lossy_pictures_are_reduced(packages, scene):
    for name, size in (("a.png", (300, 200)), ("a.jpg", (200, 133))):
        source = make_pool.Source("photos", packages(name, scene(300, 200)))
        assert make_pool.load(source, CROP, source.generator(1)).size == size
    small = make_pool.Source("photos", packages("small.png", scene(CROP - 1, 200)))
    assert make_pool.load(small, CROP, small.generator(1)) is None


def test_photographs_are_cut_to_their_middle(packages, scene, tmp_path, monkeypatch):
    pixels = scene(700, 300)
    packages("wide.png", pixels)
    monkeypatch.setattr(photographs, "read_list", lambda: [("photos", "wide.png")])
    monkeypatch.setattr("sys.argv", ["photographs.py", str(packages.folder), str(tmp_path / "out")])
    photographs.main()
    assert np.array_equal(Image.open(tmp_path / "out/wide.png"), pixels[:, 94:606])


def test_hashes_stay_when_a_picture_is_retouched(scene):
    picture = Image.fromarray(scene(256, 192))
    one = hashing.perceptual_hash(picture)
    near = hashing.perceptual_hash(picture.resize((128, 96), Image.BICUBIC))
    far = [hashing.perceptual_hash(Image.fromarray(scene(256, 192, seed=seed))) for seed in range(1, 9)]
    assert hashing.distances(np.array([near], np.uint64), one)[0] <= make_pool.PICTURE_BITS
    assert hashing.distances(np.array(far, np.uint64), one).min() > make_pool.EVALUATION_BITS


def test_distances_count_bits():
    hashes = np.array([0, 1, 0xFF, 2**63 | 1, 2**64 - 1], np.uint64)
    assert hashing.distances(hashes, np.uint64(1)).tolist() == [1, 0, 7, 1, 63]


def test_seen_grows():
    seen = hashing.Seen(bits=0)
    assert all(seen.add(np.uint64(number)) for number in range(3000))
    assert not seen.add(np.uint64(2999)) and seen.count == 3000
