"""Every set that ships has the same form, is what its card says, and nothing else is accepted."""

import hashlib
import inspect
import re
import subprocess
import sys

import numpy as np
import pytest

from data import rebuild
from utils.datasets import NAMES, _load, _stored, load, load_fashion_mnist
from utils.datasets._sets import SETS, in_unit_interval, standardized_logs

SMALL = [name for name in NAMES if name != "fashion_mnist"]
ARRAYS = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")


def stored(name):
    """The arrays of a shipped file, as they are stored."""
    with np.load(_stored.DATA / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def rows(examples):
    """Each example's bytes."""
    return [example.tobytes() for example in examples]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty folder that the loader takes for data/."""
    monkeypatch.setattr(_load, "DATA", tmp_path)
    return tmp_path


# What ships


def test_the_small_sets_are_small():
    assert sum((_stored.DATA / f"{name}.npz").stat().st_size for name in SMALL) < 2_000_000


@pytest.mark.parametrize("name", SMALL)
def test_the_card_shows_the_shipped_arrays(name):
    card = (_stored.DATA / "README.md").read_text(encoding="utf-8")
    section = next(part for part in card.split("\n## ") if f"`{name}.npz`" in part.split("\n")[2])
    table = re.findall(r"^\| `(\w+)` \| (\w+) \| (\(.*\)) \| `(\w+)` \|$", section, re.MULTILINE)
    assert table == [
        (array, str(x.dtype), str(x.shape), hashlib.sha256(x).hexdigest())
        for array, x in stored(name).items()
    ]
    assert {array: sha for array, _, _, sha in table} == SETS[name].sha256
    for label, class_name in enumerate(SETS[name].class_names):
        assert re.search(rf"\| {label} \| {re.escape(class_name)} \|", section)


@pytest.mark.parametrize("name", SMALL)
def test_no_example_is_in_two_splits(name):
    arrays = stored(name)
    assert rebuild.occurring_once(
        np.concatenate([arrays[f"x_{split}"] for split in SETS[name].sizes])
    ).all()
    index = np.concatenate([arrays[f"index_{split}"] for split in SETS[name].sizes])
    assert len(set(index)) == len(index)


def test_both_pictures_of_an_emoji_are_in_one_split_and_in_different_halves():
    arrays = stored("emoji")
    seen = set()
    for split in SETS["emoji"].sizes:
        first, second = np.split(arrays[f"index_{split}"] // 2, 2)
        assert first.tolist() == second.tolist()
        assert len(set(first)) == len(first)
        assert not seen & set(first)
        seen |= set(first)


@pytest.mark.parametrize("name", NAMES)
def test_every_few_examples_hold_each_class_once(name):
    arrays, classes = stored(name), len(SETS[name].class_names)
    for split in SETS[name].sizes:
        blocks = np.sort(arrays[f"y_{split}"].reshape(-1, classes), axis=1)
        assert (blocks == np.arange(classes)).all()


# One form


@pytest.mark.parametrize("name", NAMES)
def test_every_set_has_one_form(name):
    data, kept = load(name), SETS[name]
    assert len(data.y_train) == kept.usual
    assert set(data.y_train) == set(range(len(data.class_names)))
    for split in ("train", "val", "test"):
        x, y = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        assert x.shape == (len(y), *kept.shape)
        assert y.dtype == np.int64
        assert x.dtype == (np.int32 if name == "austen" else np.float32)
        assert not x.flags.writeable
        assert not y.flags.writeable
    assert load(name, seed=np.int64(3)).x_val is not None


def test_fashion_mnist_is_what_it_always_was():
    for arguments in ((), (100,)):
        data, same = load("fashion_mnist", *arguments), load_fashion_mnist(*arguments)
        assert all(np.array_equal(getattr(data, x), getattr(same, x)) for x in ARRAYS)
    seeded, same = load("fashion_mnist", 50, seed=7), load_fashion_mnist(50, seed=7)
    assert np.array_equal(seeded.x_train, same.x_train)
    signature = "(train_size: 'int' = 2000, *, seed: 'int | None' = None, full: 'bool' = False)"
    assert str(inspect.signature(load_fashion_mnist)).startswith(signature)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("seed", [None, 0, 12345])
def test_a_smaller_training_set_is_the_beginning_of_a_larger_one(name, seed):
    classes = len(SETS[name].class_names)
    small, whole = load(name, 3 * classes, seed=seed), load(name, seed=seed)
    assert np.bincount(small.y_train).tolist() == [3] * classes
    assert np.array_equal(small.x_train, whole.x_train[: 3 * classes])
    assert np.array_equal(small.y_train, whole.y_train[: 3 * classes])


@pytest.mark.parametrize("name", SMALL)
def test_seed_draws_other_examples_with_their_own_labels(name):
    half = SETS[name].sizes["train"] // 2
    half -= half % len(SETS[name].class_names)
    first, second = load(name, half, seed=0), load(name, half, seed=1)
    shared = set(rows(first.x_train)) & set(rows(second.x_train))
    assert 0.3 * half < len(shared) < 0.7 * half  # half is expected
    whole = load(name)
    label_of = dict(zip(rows(whole.x_train), whole.y_train, strict=True))
    assert [label_of[row] for row in rows(first.x_train)] == first.y_train.tolist()
    assert np.array_equal(first.x_test, second.x_test)


def test_images_are_divided_by_their_largest_value():
    for name, largest in (("digits", 16), ("emoji", 255)):
        data = load(name)
        assert (data.x_train.min(), data.x_train.max()) == (0, 1)
        assert np.array_equal(np.round(data.x_val * largest), stored(name)["x_val"])
    assert in_unit_interval(4)(np.array([1, 4], np.uint8), None).tolist() == [0.25, 1]


def test_spam_is_standardized_by_the_whole_training_set():
    assert np.allclose(load("spam").x_train.mean(0), 0, atol=1e-5)
    assert np.allclose(load("spam").x_train.std(0), 1, atol=1e-5)
    assert np.array_equal(load("spam", 100).x_val, load("spam").x_val)
    train = np.expm1([[0.0], [2.0]])  # their logarithms: mean 1, standard deviation 1
    assert np.allclose(standardized_logs(np.expm1([[4.0]]), train), [[3]])


def test_austen_holds_word_ids_padded_behind():
    data = load("austen")
    assert len(data.words) == len(set(data.words)) == 2_000
    assert data.words[:4] == ("", "?", "the", "to")
    assert {"elinor", "darcy", "fanny", "emma", "catherine", "anne"} < set(data.words)
    for x in (data.x_train, data.x_val, data.x_test):
        assert x.max() < 2_000
        assert ((x > 0).sum(axis=1) >= 30).all()
        assert (np.diff((x > 0).astype(int), axis=1) <= 0).all()  # no word behind a 0
    assert load("digits").words == ()


def test_repr_says_what_the_examples_are():
    assert repr(load("emoji")) == "Dataset(1,120 training, 336 validation, 336 test images)"
    assert repr(load("spam", 20)) == "Dataset(20 training, 700 validation, 800 test examples)"


def test_needs_numpy_only():
    # A stand-in for `utils`, whose own __init__ starts TensorFlow.
    code = (
        "import sys, types; utils = types.ModuleType('utils'); utils.__path__ = ['utils'];"
        "sys.modules['utils'] = utils; from utils.datasets import NAMES, flip_labels, load;"
        "[flip_labels(load(name).y_train, 0.2, seed=0) for name in NAMES];"
        "sys.exit(bool({'keras', 'tensorflow', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    root = _stored.DATA.parent
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0


# Wrong arguments


@pytest.mark.parametrize("name", ["mnist", "cifar10", "Digits", "digits.npz", "", "../digits"])
def test_an_unknown_name_names_the_known_ones(name):
    with pytest.raises(ValueError, match=r"name is .* give one of 'fashion_mnist', .*'emoji'"):
        load(name)


@pytest.mark.parametrize("name", [None, 3, ["digits"], b"digits"])
def test_a_name_of_another_type(name):
    with pytest.raises(TypeError, match=r"name is .* give one of 'fashion_mnist', 'digits'"):
        load(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_size_that_no_set_has(name):
    classes, most = len(SETS[name].class_names), SETS[name].sizes["train"]
    for size in (0, -classes, classes + 1, most + classes, 60_000):
        with pytest.raises(ValueError, match=rf"train_size .* to {most:,} .* not {size:,}; "):
            load(name, size)


def test_a_larger_size_says_what_there_is():
    with pytest.raises(ValueError, match=r"10 to 1,000 .*not 1,010; it ships no more"):
        load("digits", 1_010)
    with pytest.raises(ValueError, match=r"e-mails of each class.*not 1,602"):
        load("spam", 1_602)


@pytest.mark.parametrize("size", [True, 100.0, "100", [10]])
def test_a_size_of_another_type(size):
    with pytest.raises(TypeError, match="train_size must be a whole number"):
        load("digits", size)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError)])
def test_wrong_seed(seed, error):
    with pytest.raises(error, match="seed must be"):
        load("emoji", seed=seed)


@pytest.mark.parametrize("name", SMALL)
def test_only_fashion_mnist_can_be_had_in_full(name):
    with pytest.raises(ValueError, match=f"full=True is for 'fashion_mnist' only: '{name}'"):
        load(name, full=True)


# A data file that is not the one that ships


@pytest.mark.parametrize("name", SMALL)
def test_missing_file(folder, name):
    with pytest.raises(FileNotFoundError, match=rf"{name}\.npz is missing.*-- data/{name}\.npz"):
        load(name)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("array", ["x_val", "y_train", "index_test"])
def test_altered_file(folder, name, array):
    arrays = stored(name)
    arrays[array] = np.roll(arrays[array], 1, axis=-1)
    np.savez(folder / f"{name}.npz", **arrays)
    with pytest.raises(ValueError, match=rf"'{array}' is not the one .*-- data/{name}\.npz"):
        load(name)


def test_altered_words(folder):
    arrays = stored("austen")
    arrays["words"] = arrays["words"][:-1]
    np.savez(folder / "austen.npz", **arrays)
    with pytest.raises(ValueError, match=r"'words' is uint8 \(\d+,\) instead of"):
        load("austen")


@pytest.mark.parametrize("name", SMALL)
def test_truncated_or_missing_arrays(folder, name):
    whole = (_stored.DATA / f"{name}.npz").read_bytes()
    (folder / f"{name}.npz").write_bytes(whole[:-100])
    with pytest.raises(ValueError, match=rf"{name}\.npz is damaged .*git checkout"):
        load(name)
    arrays = stored(name)
    del arrays["y_test"]
    np.savez(folder / f"{name}.npz", **arrays)
    with pytest.raises(ValueError, match="'y_test' is not in it"):
        load(name)
    np.savez(folder / f"{name}.npz", **arrays, y_test=np.array([None], object))
    with pytest.raises(ValueError, match=r"'y_test' cannot be read .*pickle"):
        load(name)


def test_one_set_in_the_place_of_another(folder):
    (folder / "digits.npz").write_bytes((_stored.DATA / "emoji.npz").read_bytes())
    with pytest.raises(ValueError, match=r"'x_train' is uint8 .* instead of uint8 \(1000, 8, 8\)"):
        load("digits")
