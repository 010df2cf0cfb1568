"""The study of scenes: folders, figures of merit, normals, and a whole run on a small sample."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

STUDIES = Path(__file__).parents[2] / "docs" / "studies"
SIDE, CLASSES = 8, 4


@pytest.fixture(scope="module")
def study(modules):
    return modules("scenes")


def write(root, split, count, label="label", normals=True, side=SIDE):
    """A made sample in the layout of the papers' repositories."""
    dice = np.random.default_rng(len(split))
    for index in range(count):
        normal = dice.normal(size=(side, side, 3))
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        normal[0] = 0.0
        depth = dice.uniform(1, 3, size=(side, side, 1))
        depth[:, 0] = 0.0
        classes = dice.integers(-1, CLASSES, size=(side, side))
        classes[0, 0] = CLASSES - 1
        arrays = {"image": dice.random((side, side, 3)), label: classes, "depth": depth}
        if normals:
            arrays["normal"] = normal
        for name, values in arrays.items():
            place = root / split / name
            place.mkdir(parents=True, exist_ok=True)
            np.save(place / f"{index}.npy", values)


@pytest.fixture
def nyuv2(tmp_path):
    for split, count in {"train": 6, "val": 3}.items():
        write(tmp_path / "nyuv2", split, count)
    return tmp_path / "nyuv2"


def test_nyuv2_folders(study, nyuv2):
    folder = study.Folder(nyuv2, "train")
    assert len(folder) == 6
    assert folder.classes() == CLASSES
    scene = folder[2]
    assert scene.image.shape == (3, SIDE, SIDE)
    assert scene.label.shape == (SIDE, SIDE)
    assert scene.label.dtype == torch.int64
    assert scene.depth.shape == (1, SIDE, SIDE)
    image = np.load(nyuv2 / "train" / "image" / "2.npy")
    np.testing.assert_allclose(scene.image[:, 3, 5], image[3, 5].astype(np.float32))
    torch.testing.assert_close(scene.normal.norm(dim=0)[1:], torch.ones(SIDE - 1, SIDE))


def test_cityscapes_folders_have_two_tasks(study, tmp_path):
    for split in ("train", "val"):
        write(tmp_path, split, 2, label="label_7", normals=False)
    assert not study.Folder(tmp_path, "val").has_normals
    assert study.outputs(tmp_path) == {"segmentation": CLASSES, "depth": 1}
    single, comparison = study.run(
        tmp_path, tmp_path / "runs", seeds=1, epochs=1, batch=2, methods={"Nash": study.Bargain()}
    )
    assert comparison.metrics == single.metrics == (
        "mIoU", "pixel accuracy", "depth error", "relative depth error",
    )  # fmt: skip
    assert comparison.runs[0].tasks == ["segmentation", "depth"]


def test_folders_that_are_not_whole_are_said(study, nyuv2, tmp_path):
    with pytest.raises(SystemExit, match="found no image; preprocessed NYUv2"):
        study.Folder(tmp_path / "nothing", "train")
    (nyuv2 / "train" / "depth" / "3.npy").unlink()
    with pytest.raises(SystemExit, match="6 in image, 5 in depth, 6 in label"):
        study.Folder(nyuv2, "train")


def test_figures_of_merit_by_hand(study):
    from scenes_folders import Scene

    label = torch.tensor([[[0, 0], [1, -1]]])
    depth = torch.tensor([[[[2.0, 4.0], [0.0, 1.0]]]])
    normal = torch.zeros(1, 3, 2, 2)
    normal[:, 2, 0] = 1.0  # two pixels look at us, two are unknown

    def network(image):
        scores = torch.zeros(1, 2, 2, 2)
        scores[0, 1, 0, 1] = 1.0  # wrong at one of the two pixels of class 0
        scores[0, 1, 1, 0] = 1.0  # right at class 1
        found = torch.zeros(1, 3, 2, 2)
        found[0, :, 0, 0] = torch.tensor([0.0, 0.0, 3.0])  # 0 degrees
        found[0, :, 0, 1] = torch.tensor([1.0, 0.0, 3**0.5])  # 30 degrees
        return {"segmentation": scores, "depth": torch.full((1, 1, 2, 2), 2.0), "normals": found}

    figures = study.evaluate(network, [Scene(torch.zeros(1, 3, 2, 2), label, depth, normal)], 2)
    assert figures["mIoU"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert figures["pixel accuracy"] == pytest.approx(2 / 3)
    assert figures["depth error"] == pytest.approx((0 + 2 + 1) / 3)
    assert figures["relative depth error"] == pytest.approx((0 + 0.5 + 1) / 3)
    assert figures["mean angle"] == pytest.approx(15.0, abs=1e-2)
    assert figures["within 22.5°"] == pytest.approx(0.5)
    losses = study.losses(network, Scene(torch.zeros(1, 3, 2, 2), label, depth, normal))
    assert float(losses["depth"]) == pytest.approx(1.0)
    assert float(losses["normals"]) == pytest.approx(1 - (1 + np.cos(np.pi / 6)) / 2)


def test_normals_of_a_slanted_plane(study):
    """A plane n·p = c seen under 45 degrees: depth c / (n·ray), exactly."""
    from scenes_rendering import normals_of

    height = 16
    focal = height / 2 / np.tan(np.pi / 8)
    y, x = np.mgrid[:height, :height]
    rays = np.stack(
        [(x + 0.5 - height / 2) / focal, (y + 0.5 - height / 2) / focal, np.ones_like(x)], axis=-1
    )
    truth = np.array([0.3, -0.5, -0.8])
    truth /= np.linalg.norm(truth)
    depth = -1.5 / (rays @ truth)
    surface = np.zeros((height, height), dtype=int)
    surface[:, 10:] = 1
    found = normals_of(depth, surface, 45.0)
    known = np.abs(found).sum(-1) > 0
    np.testing.assert_allclose(found[known], np.broadcast_to(truth, found[known].shape), atol=1e-6)
    assert not known[:, 9:11].any()  # at the edge of two surfaces
    assert known[1:-1, 1:9].all()


def test_separate_networks_share_nothing(study):
    network = study.Network({"segmentation": 3, "depth": 1}, separate=True)
    found = network(torch.rand(1, 3, 8, 8))
    found["depth"].sum().backward()
    assert len(network.trunks) == 2
    assert all(leaf.grad is None for leaf in network.trunks[0].parameters())


def test_the_script_prints_both_tables(study, nyuv2, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "scenes.svg"
    command = ["scenes.py", "--data", str(nyuv2), "--folder", str(tmp_path), "--quick"]
    monkeypatch.setattr(sys, "argv", [*command, "--batch", "3", "--picture", str(picture)])
    study.main()
    printed = capsys.readouterr().out
    for name in (study.SINGLE, *study.METHODS):
        assert f"| {name} |" in printed
    assert "Δm %" in printed
    assert picture.stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("metaworld") is None, reason="extra studies-rl is not installed"
)
def test_scenes_are_rendered_with_labels_that_fit(study, tmp_path):
    """In a process of its own: MuJoCo chooses how to draw when it is imported."""
    program = (
        f"import sys, pathlib; sys.path.insert(0, {str(STUDIES)!r}); import scenes_rendering as r; "
        f"r.render(pathlib.Path({str(tmp_path)!r}), {{'train': 6, 'val': 2}}, 32, 0, lambda: None)"
    )
    environment = {**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "osmesa")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if "no renderer" in done.stderr:
        pytest.skip("nothing to render with: apt-get install libosmesa6")
    assert done.returncode == 0, done.stderr
    train = study.Folder(tmp_path, "train")
    assert (len(train), len(study.Folder(tmp_path, "val"))) == (6, 2)
    for index in range(len(train)):
        scene = train[index]
        assert len(scene.label.unique()) > 2  # the table, the robot, …
        depth = scene.depth[0]
        assert bool((depth[scene.label > 0] > 0.1).all())
        assert not depth[scene.label == 0].any()
        facing = scene.normal[2][scene.normal.square().sum(0) > 0]
        assert len(facing) > 100
        assert float((facing < 0).float().mean()) > 0.95  # towards the camera


@pytest.mark.skipif(
    importlib.util.find_spec("metaworld") is not None, reason="it is installed here"
)
def test_a_missing_package_is_said(study, tmp_path):
    from scenes_rendering import render

    with pytest.raises(SystemExit, match="run pip install"):
        render(tmp_path, {"train": 1}, 8, 0, lambda: None)
