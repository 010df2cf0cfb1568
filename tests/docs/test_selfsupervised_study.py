"""The study of few labels: its data and tasks, and what its page says, on made pictures."""

import gzip
import sys

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def study(modules):
    return modules("selfsupervised")


@pytest.fixture
def reading(modules):
    return modules("fashion_mnist")


@pytest.fixture
def small(study, monkeypatch):
    """The study on few of everything."""
    sizes = {"TRAINED": 4, "HELD_OUT": 4, "UNLABELLED": 200, "MISLABELLED": 100}
    sizes |= {"PICTURES": 16, "STEPS": 20}
    for name, size in sizes.items():
        monkeypatch.setattr(study, name, size)
    return study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The four files, with pictures of a bright square whose place depends on the class."""
    place = tmp_path_factory.mktemp("fashion")
    rng = np.random.default_rng(0)
    for part, count in (("train", 500), ("t10k", 200)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pixels = rng.integers(0, 60, size=(count, 28, 28)).astype(np.uint8)
        for picture, label in zip(pixels, labels, strict=True):
            row, column = 2 + 14 * (label % 2), 1 + 5 * (label // 2)
            picture[row : row + 10, column : column + 5] = 255
        write_idx(place / f"{part}-images-idx3-ubyte.gz", pixels)
        write_idx(place / f"{part}-labels-idx1-ubyte.gz", labels)
    return place


def write_idx(path, array, head=(0, 0, 8)):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(gzip.compress(bytes([*head, array.ndim]) + sizes + array.tobytes()))


def test_files_are_read(reading, folder):
    training, testing = reading.load_clothes(folder)
    assert training.pixels.shape == (500, 28, 28)
    assert testing.pixels.shape == (200, 28, 28)
    assert training.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert (training.pixels[0, 2:12, 1:6] == 255).all()
    assert training.pixels[0, 12:].max() < 60


def test_axes_are_big_endian(reading, tmp_path):
    array = np.arange(3 * 300, dtype=np.uint8).reshape(3, 300)  # 300 needs two bytes
    write_idx(tmp_path / "one.gz", array)
    np.testing.assert_array_equal(reading.read_idx(tmp_path / "one.gz"), array)


def test_files_of_another_kind_are_refused(reading, tmp_path):
    array = np.zeros((2, 2), np.uint8)
    write_idx(tmp_path / "floats.gz", array, head=(0, 0, 13))
    with pytest.raises(SystemExit, match=r"expected an IDX file.*found 00 00 0d 02"):
        reading.read_idx(tmp_path / "floats.gz")
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(SystemExit, match="found nothing"):
        reading.read_idx(tmp_path / "empty.gz")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3])))
    with pytest.raises(SystemExit, match=r"expected 5 elements.*found 3"):
        reading.read_idx(tmp_path / "cut.gz")


def test_missing_data_are_one_sentence(reading, tmp_path):
    with pytest.raises(SystemExit, match=r"found no train-images.*apt-get install dataset-fashion"):
        reading.load_clothes(tmp_path)


def test_no_picture_serves_twice_and_classes_are_even(small, reading, folder):
    wardrobe = small.Wardrobe(reading.load_clothes(folder)[0])
    split = wardrobe.split(3)
    rows = torch.cat(split)
    assert len(rows.unique()) == len(rows) == 40 + 40 + 200 + 100
    for part in (split.trained, split.held_out):
        assert wardrobe.labels[part].bincount().tolist() == [4] * 10
    assert not torch.equal(wardrobe.split(4).trained, split.trained)
    assert torch.equal(wardrobe.split(3).trained, split.trained)


def test_each_task_wants_what_it_says(small, reading, folder, monkeypatch):
    wardrobe = small.Wardrobe(reading.load_clothes(folder)[0])
    split = wardrobe.split(0)
    torch.manual_seed(0)
    turned = wardrobe.example("rotation", split)
    sources = {picture.numpy().tobytes() for picture in wardrobe.pixels[split.unlabelled]}
    for picture, quarters in zip(*turned, strict=True):
        back = picture.rot90(-int(quarters), (1, 2)).contiguous()
        assert back.numpy().tobytes() in sources

    damaged, whole = wardrobe.example("repair", split)
    whole = whole.reshape(damaged.shape)
    assert (damaged != whole).any(dim=(1, 2, 3)).all()
    assert (damaged[damaged != whole] == small.BLACK).all()
    assert whole[0].numpy().tobytes() in sources

    monkeypatch.setattr(small, "moved", lambda pictures: pictures)
    known = {
        picture.numpy().tobytes(): int(label)
        for picture, label in zip(wardrobe.pixels, wardrobe.labels, strict=True)
    }
    for task, off in ((small.MAIN, 0), (small.HARMFUL, 1)):
        for picture, label in zip(*wardrobe.example(task, split), strict=True):
            assert int(label) == (known[picture.numpy().tobytes()] + off) % 10


def test_pictures_move_and_are_wiped(study):
    torch.manual_seed(0)
    picture = torch.full((40, 1, 28, 28), study.BLACK)
    picture[:, :, 10, 12] = 1.0
    moved = (study.moved(picture) == 1.0).nonzero()
    rows, columns = moved[:, 2], moved[:, 3]
    assert len(moved) == 40
    assert sorted(rows.unique().tolist()) == list(range(7, 14))
    assert sorted(columns.unique().tolist()) == list(range(9, 19))  # 9 to 15, and mirrored
    gone = study.wiped(torch.ones(40, 1, 28, 28)) == study.BLACK
    assert (gone.sum(dim=(1, 2, 3)) == study.PATCH**2).all()
    assert len({tuple(map(int, place.nonzero()[0])) for place in gone}) > 20


def test_wrong_labels_go_through_the_head_of_the_right_ones(small, reading, folder):
    wardrobe = small.Wardrobe(reading.load_clothes(folder)[0])
    torch.manual_seed(0)
    tasks = (small.MAIN, *small.AUXILIARY, small.HARMFUL)
    (batch, *_) = small.Batches(wardrobe, wardrobe.split(0), tasks)
    model = small.Network()
    found = small.losses(model, batch)
    assert tuple(found) == tasks
    head = model.heads[small.MAIN].weight
    for task, loss in found.items():
        (gradient,) = torch.autograd.grad(loss, head, retain_graph=True, allow_unused=True)
        assert (gradient is not None) is (task in (small.MAIN, small.HARMFUL))
    assert any(head is parameter for parameter in small.shared(model))


def test_harmful_labels_lose_their_say(small, reading, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(small, "bargains", lambda tasks, judge: methods(small, judge))
    clothes = reading.load_clothes(folder)
    results = small.run(clothes, seeds=1, epochs=3, folder=tmp_path)
    spoilt = results[small.SPOILT]
    shares = small.shares_of(spoilt.of(small.LEARNED))[0, -1]
    names = spoilt.of(small.LEARNED)[0].tasks
    assert shares[names.index(small.HARMFUL)] < 0.05 < shares[names.index(small.MAIN)]
    learned, _ = spoilt.mean(small.LEARNED, "accuracy")
    assert learned > spoilt.mean("LS", "accuracy")[0] + 10


def methods(study, judge):
    learned = study.Learned(study.MAIN, held_out=judge, every=2)
    return {"LS": study.Fixed(), study.LEARNED: learned}


def test_the_script_prints_its_table_and_draws(small, folder, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "selfsupervised.svg"
    command = ["selfsupervised.py", "--seeds", "1", "--epochs", "1", "--data", str(folder)]
    command += ["--folder", str(tmp_path / "runs"), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(small, "STEPS", 3)
    monkeypatch.setenv("COLUMNS", "200")
    small.main()
    printed = capsys.readouterr().out
    for source in (small.FEW, small.ALL, small.CLEAN, small.SPOILT):
        assert source in printed
    assert printed.count("Nash, equal weights") == 2
    assert printed.count(f"{small.HARMFUL} 0.1") >= 1  # of fixed weights
    assert picture.stat().st_size > 10_000
