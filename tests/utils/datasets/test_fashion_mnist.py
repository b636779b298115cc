"""Fashion-MNIST: the shipped file is what its card says, and the loader accepts nothing else."""

import dataclasses
import gzip
import hashlib
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from data import rebuild
from utils.datasets import CLASS_NAMES, _load, _stored, load_fashion_mnist
from utils.datasets._sets import SETS

DATA_FILE = _stored.DATA / "fashion_mnist.npz"
SHA256, SPLITS = SETS["fashion_mnist"].sha256, SETS["fashion_mnist"].sizes

needs_originals = pytest.mark.skipif(
    not rebuild.ORIGINALS.is_dir(),
    reason="the original files are not installed (Debian package dataset-fashion-mnist)",
)


@pytest.fixture(scope="module")
def stored():
    """The arrays of the shipped file, as they are stored."""
    with np.load(DATA_FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def originals():
    return rebuild.read_originals(rebuild.ORIGINALS)


@pytest.fixture
def data_file(monkeypatch, tmp_path):
    """A path in an empty folder that the loader takes for the data file."""
    monkeypatch.setattr(_load, "DATA", tmp_path)
    return tmp_path / "fashion_mnist.npz"


# What ships


def test_file_is_small():
    assert DATA_FILE.stat().st_size <= 6_000_000


def test_hashes_are_those_of_the_stored_arrays(stored):
    assert {name: hashlib.sha256(array).hexdigest() for name, array in stored.items()} == SHA256


def test_data_card_shows_the_same_arrays(stored):
    card = (DATA_FILE.parent / "README.md").read_text(encoding="utf-8").split("\n## ")[1]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\(.*\)) \| `(\w+)` \|$", card, re.MULTILINE)
    assert rows == [
        (name, str(stored[name].dtype), str(stored[name].shape), sha)
        for name, sha in SHA256.items()
    ]
    assert f"| class | {' | '.join(CLASS_NAMES)} |" in card


def test_no_image_is_in_two_splits(stored):
    images = np.concatenate([stored[f"x_{split}"] for split in SPLITS])
    assert rebuild.occurring_once(images).all()
    assert not np.intersect1d(stored["index_train"], stored["index_val"]).size


@pytest.mark.parametrize("split", SPLITS)
def test_every_ten_images_hold_each_class_once(stored, split):
    tens = np.sort(stored[f"y_{split}"].reshape(-1, 10), axis=1)
    assert (tens == np.arange(10)).all()


@needs_originals
def test_rebuild_gives_the_shipped_arrays(originals):
    built = rebuild.build(*originals)
    assert {name: hashlib.sha256(array).hexdigest() for name, array in built.items()} == SHA256


@needs_originals
def test_index_finds_each_image_in_the_originals(stored, originals):
    x_train, y_train, x_test, y_test = originals
    for split, images, labels in (
        ("train", x_train, y_train),
        ("val", x_train, y_train),
        ("test", x_test, y_test),
    ):
        index = stored[f"index_{split}"]
        assert np.array_equal(images[index], stored[f"x_{split}"])
        assert np.array_equal(labels[index], stored[f"y_{split}"])


# The rebuild script


def idx(array):
    """The bytes of an IDX file that holds `array`."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_read_idx(tmp_path, suffix, pack):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / f"images{suffix}").write_bytes(pack(idx(array)))
    assert np.array_equal(rebuild.read_idx(tmp_path, "images", (2, 3, 4)), array)


GOOD = idx(np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labels", GOOD[:-1], "not an IDX file"),
        ("labels", GOOD + b"\0", "not an IDX file"),
        ("labels", b"\0\0\x0d\x02" + GOOD[4:], "not an IDX file"),
        ("labels", idx(np.zeros((3, 2), np.uint8)), "not an IDX file"),
        ("labels", b"", "not an IDX file"),
        ("labels.gz", GOOD, "damaged"),
        ("labels.gz", gzip.compress(GOOD)[:-9], "damaged"),
    ],
    ids=["short", "long", "other type", "other shape", "empty", "not gzip", "truncated gzip"],
)
def test_read_idx_refuses_other_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is {message}"):
        rebuild.read_idx(tmp_path, "labels", (2, 3))


def test_copies_are_left_out():
    images = np.zeros((4, 2, 2), np.uint8)
    images[1, 0, 0], images[3, 0, 0] = 1, 2
    assert rebuild.occurring_once(images).tolist() == [False, True, False, True]
    labels = np.arange(100) % 10
    allowed = labels != np.arange(100)
    chosen = rebuild.choose(labels, allowed, 90, np.random.default_rng(0))
    assert sorted(chosen) == list(range(10, 100))


def test_build_keeps_copies_out_and_splits_apart(monkeypatch):
    for name, size in (("TRAIN_SIZE", 20), ("VAL_SIZE", 10), ("TEST_SIZE", 20)):
        monkeypatch.setattr(rebuild, name, size)
    images = np.arange(80, dtype=np.uint8).reshape(80, 1, 1)
    labels = np.arange(80, dtype=np.uint8) % 10
    images[50:60] = images[:10]  # the first ten test images are in the training set too
    arrays = rebuild.build(images[:50], labels[:50], images[50:], labels[50:])
    shown = np.concatenate([arrays[f"x_{split}"].ravel() for split in ("train", "val", "test")])
    assert len(set(shown)) == 50
    assert shown.min() == 10


def test_write_is_deterministic_and_all_or_nothing(monkeypatch, tmp_path):
    path = tmp_path / "some.npz"
    rebuild.write({"a": np.arange(3)}, path)
    first = path.read_bytes()
    rebuild.write({"a": np.arange(3)}, path)
    assert path.read_bytes() == first

    def fill_the_disk(file, **arrays):
        file.write(first[:10])
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fill_the_disk)
    with pytest.raises(OSError, match="disk full"):
        rebuild.write({"a": np.arange(5)}, path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ({"a": np.arange(3), "b": np.zeros(2)}, []),
        ({"a": np.arange(3), "b": np.ones(2)}, ["b"]),
        ({"a": np.arange(3.0), "b": np.zeros(2)}, ["a"]),
        ({"a": np.arange(3)}, ["b"]),
        ({"a": np.arange(3), "b": np.zeros(2), "c": np.zeros(1)}, ["c"]),
    ],
)
def test_differences(tmp_path, other, names):
    rebuild.write(other, tmp_path / "other.npz")
    arrays = {"a": np.arange(3), "b": np.zeros(2)}
    assert rebuild.differences(arrays, tmp_path / "other.npz") == names
    assert rebuild.differences(arrays, tmp_path / "missing.npz") == ["a", "b"]


def test_command_line(monkeypatch, tmp_path, capsys):
    output = tmp_path / "out.npz"
    monkeypatch.setattr(rebuild, "OUTPUT", output)
    monkeypatch.setattr(rebuild, "read_originals", lambda folder: ())
    monkeypatch.setattr(rebuild, "build", lambda: {"a": np.arange(3)})
    assert rebuild.main(["--check"]) == 1
    assert "differs in a" in capsys.readouterr().err
    assert not output.exists()
    assert rebuild.main([]) == 0
    assert rebuild.main(["--check"]) == 0


def test_command_line_without_originals(tmp_path, capsys):
    assert rebuild.main([str(tmp_path)]) == 1
    assert f"{tmp_path} holds neither train-images" in capsys.readouterr().err


# Loading


def test_default(stored):
    data = load_fashion_mnist()
    for split, size in (("train", 2_000), ("val", 2_000), ("test", 3_000)):
        images, labels = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        assert (images.shape, images.dtype) == ((size, 28, 28), np.float32)
        assert (labels.shape, labels.dtype) == ((size,), np.int64)
        assert (images.min(), images.max()) == (0, 1)
        assert np.array_equal(np.round(images * 255), stored[f"x_{split}"][:size])
        assert np.array_equal(labels, stored[f"y_{split}"][:size])
    assert data.class_names == CLASS_NAMES


@pytest.mark.parametrize("seed", [None, 0, 12345])
@pytest.mark.parametrize("size", [10, 130, 6_000])
def test_training_subsets_are_balanced_and_nested(size, seed):
    data = load_fashion_mnist(size, seed=seed)
    assert np.bincount(data.y_train).tolist() == [size // 10] * 10
    everything = load_fashion_mnist(6_000, seed=seed)
    assert np.array_equal(data.x_train, everything.x_train[:size])
    assert np.array_equal(data.y_train, everything.y_train[:size])


def test_seed_draws_another_subset_of_the_same_images():
    own, first, second = (load_fashion_mnist(2_000, seed=seed) for seed in (None, 0, 1))
    images = [{image.tobytes() for image in data.x_train} for data in (own, first, second)]
    assert all(len(subset) == 2_000 for subset in images)
    assert len(images[0] & images[1]) < 1_000  # a third is expected
    assert len(images[1] & images[2]) < 1_000
    label_of = {image.tobytes(): y for image, y in pairs(load_fashion_mnist(6_000))}
    assert all(label_of[image.tobytes()] == y for image, y in pairs(first))
    assert np.array_equal(first.x_val, own.x_val)
    assert np.array_equal(first.x_train, load_fashion_mnist(2_000, seed=0).x_train)


def pairs(data):
    return zip(data.x_train, data.y_train, strict=True)


@pytest.mark.parametrize("seed", [None, 3])
def test_nothing_in_the_record_can_be_changed(seed):
    data = load_fashion_mnist(100, seed=seed)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x_train = data.x_val
    for name in ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(data, name)[0] = 0


def test_the_record_keeps_copies_and_leaves_your_arrays_alone():
    data, mine = load_fashion_mnist(100), np.zeros(200, dtype="int64")
    changed = dataclasses.replace(data, y_train=mine[:100])
    mine[0] = 7
    assert changed.y_train[0] == 0


def test_one_label_for_each_image():
    data = load_fashion_mnist(100)
    with pytest.raises(ValueError, match="y_train has 50 labels, x_train 100 images"):
        dataclasses.replace(data, y_train=data.y_train[:50])


def test_repr_is_one_line_without_an_address():
    expected = "Dataset(2,000 training, 2,000 validation, 3,000 test images)"
    assert repr(load_fashion_mnist()) == expected


def test_found_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    _stored.shipped.cache_clear()
    assert len(load_fashion_mnist(10).x_train) == 10


@pytest.mark.parametrize("size", [0, -10, 5, 2_005, 6_010, 60_000])
def test_train_size_out_of_range(size):
    with pytest.raises(ValueError, match=rf"train_size .* from 10 to 6,000 .* not {size:,}; for"):
        load_fashion_mnist(size)


@pytest.mark.parametrize("size", [True, 2_000.0, "2000", None, [10]])
def test_train_size_of_another_type(size):
    with pytest.raises(TypeError, match="train_size must be a whole number"):
        load_fashion_mnist(size)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError)])
def test_wrong_seed(seed, error):
    with pytest.raises(error, match="seed must be"):
        load_fashion_mnist(seed=seed)


def test_numpy_integers_are_whole_numbers():
    assert len(load_fashion_mnist(np.int64(20), seed=np.uint8(1)).x_train) == 20


# A data file that is not the one that ships


def test_missing_file(data_file):
    with pytest.raises(FileNotFoundError, match=r"fashion_mnist\.npz is missing.*git checkout --"):
        load_fashion_mnist()


def change_pixel(arrays):
    arrays["x_val"][7, 14, 14] ^= 1


def change_label(arrays):
    arrays["y_train"][0] = (arrays["y_train"][0] + 1) % 10


def swap_two_images(arrays):
    arrays["x_test"][[0, 1]] = arrays["x_test"][[1, 0]]


def flatten(arrays):
    arrays["x_train"] = arrays["x_train"].reshape(6_000, 784)


def sign(arrays):
    arrays["y_val"] = arrays["y_val"].view(np.int8)


def drop(arrays):
    del arrays["index_val"]


def pickle(arrays):
    arrays["y_test"] = arrays["y_test"].astype(object)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_pixel, "'x_val' is not the one that ships"),
        (change_label, "'y_train' is not the one that ships"),
        (swap_two_images, "'x_test' is not the one that ships"),
        (flatten, r"'x_train' is uint8 \(6000, 784\) instead of uint8 \(6000, 28, 28\)"),
        (sign, r"'y_val' is int8 \(2000,\) instead of uint8"),
        (drop, "'index_val' is not in it"),
        (pickle, "'y_test' cannot be read .*pickle"),
    ],
)
def test_altered_file(stored, data_file, change, message):
    arrays = {name: array.copy() for name, array in stored.items()}
    change(arrays)
    np.savez(data_file, **arrays)
    with pytest.raises(ValueError, match=f"array {message}.*git checkout -- data/fashion_mnist"):
        load_fashion_mnist()


def test_the_same_arrays_in_another_zip_are_fine(stored, data_file):
    np.savez(data_file, **stored)
    assert len(load_fashion_mnist(10).x_train) == 10


@pytest.mark.parametrize("keep", [0, 3, 1_000, 2_000_000, -1])
def test_truncated_file(data_file, keep):
    data_file.write_bytes(DATA_FILE.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"fashion_mnist\.npz is damaged .*git checkout --"):
        load_fashion_mnist()


def test_changed_byte_in_the_zip(data_file):
    raw = bytearray(DATA_FILE.read_bytes())
    raw[100_000] ^= 1
    data_file.write_bytes(raw)
    with pytest.raises(ValueError, match="array 'x_train' cannot be read"):
        load_fashion_mnist()


def test_a_single_array_instead_of_the_archive(data_file):
    with data_file.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="is damaged or altered"):
        load_fashion_mnist()


# The full data set, through Keras


def keras_with(load_data):
    return SimpleNamespace(
        datasets=SimpleNamespace(fashion_mnist=SimpleNamespace(load_data=load_data))
    )


@needs_originals
def test_full(monkeypatch, stored, originals):
    x_train, y_train, x_test, y_test = originals
    fake = keras_with(lambda: ((x_train, y_train), (x_test, y_test)))
    monkeypatch.setitem(sys.modules, "keras", fake)
    data = load_fashion_mnist(full=True)
    assert repr(data) == "Dataset(58,000 training, 2,000 validation, 10,000 test images)"
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int64)
    assert np.array_equal(np.round(data.x_val * 255), stored["x_val"])
    kept = np.setdiff1d(np.arange(60_000), stored["index_val"])
    assert np.array_equal(data.y_train, y_train[kept])
    assert np.array_equal(np.round(data.x_train[::99] * 255), x_train[kept[::99]])
    assert not data.x_train.flags.writeable


def test_full_without_network(monkeypatch):
    def load_data():
        raise Exception("URL fetch failure on https://example.org")

    monkeypatch.setitem(sys.modules, "keras", keras_with(load_data))
    with pytest.raises(OSError, match=r"load_data\(\) failed \(URL fetch.*leave out full=True"):
        load_fashion_mnist(full=True)


def test_full_refuses_other_arrays(monkeypatch):
    x, y = np.zeros((20, 28, 28), np.uint8), np.zeros(20, np.uint8)
    monkeypatch.setitem(sys.modules, "keras", keras_with(lambda: ((x, y), (x, y))))
    with pytest.raises(ValueError, match=r"x_train from keras.* is not the published array"):
        load_fashion_mnist(full=True)


@pytest.mark.parametrize("arguments", [{"train_size": 100}, {"seed": 0}])
def test_full_takes_neither_size_nor_seed(arguments):
    with pytest.raises(ValueError, match="leave out train_size and seed"):
        load_fashion_mnist(full=True, **arguments)
