"""How the small sets are made from their sources: each step by hand, and whole where it can be."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from data import rebuild, rebuild_austen, rebuild_digits, rebuild_emoji, rebuild_spam
from utils.datasets._sets import SETS


def hashes(arrays):
    return {name: hashlib.sha256(array).hexdigest() for name, array in arrays.items()}


# Whole, where the source is installed


def test_digits_come_from_scikit_learn():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    assert hashes(rebuild_digits.build(*rebuild_digits.read())) == SETS["digits"].sha256


@pytest.mark.skipif(not rebuild_spam.KERNLAB.is_dir(), reason="r-cran-kernlab is not installed")
def test_spam_comes_from_kernlab():
    pytest.importorskip("rdata", reason="rdata is not installed")
    built = rebuild_spam.build(*rebuild_spam.read(rebuild_spam.KERNLAB))
    assert hashes(built) == SETS["spam"].sha256


@pytest.mark.skipif(
    not rebuild_austen.JANEAUSTENR.is_dir(), reason="r-cran-janeaustenr is not installed"
)
def test_austen_comes_from_janeaustenr():
    pytest.importorskip("rdata", reason="rdata is not installed")
    built = rebuild_austen.build(rebuild_austen.read(rebuild_austen.JANEAUSTENR))
    assert hashes(built) == SETS["austen"].sha256


# Shared


def test_choose_takes_as_many_of_each_class_for_any_number_of_classes():
    labels = np.arange(60) % 3
    chosen = rebuild.choose(labels, np.arange(60) >= 30, 30, np.random.default_rng(0))
    assert sorted(chosen) == list(range(30, 60))
    assert (np.sort(labels[chosen].reshape(-1, 3)) == [0, 1, 2]).all()


def test_choose_says_when_a_class_has_too_few():
    labels = np.array([0, 0, 0, 1, 1])
    with pytest.raises(ValueError, match="a class has 2 examples to choose from, not 3"):
        rebuild.choose(labels, np.ones(5, bool), 6, np.random.default_rng(0))


def test_splits_follow_one_another():
    x, y = np.arange(5)[:, None] * 10, np.array([0, 1, 0, 1, 0], np.uint8)
    arrays = rebuild.splits(x, y, np.array([4, 1, 3]), {"train": 2, "val": 1})
    assert arrays["x_train"].tolist() == [[40], [10]]
    assert arrays["y_val"].tolist() == [1]
    assert arrays["index_train"].tolist() == [4, 1]


@pytest.mark.parametrize("module", [rebuild_digits, rebuild_spam, rebuild_emoji, rebuild_austen])
def test_sizes_are_those_that_are_loaded(module):
    assert SETS[module.OUTPUT.stem].sizes == module.SIZES


def test_command_line_says_what_is_missing(tmp_path, capsys):
    def build(folder):
        return rebuild_emoji.build(*rebuild_emoji.read(folder))

    assert rebuild.command_line(tmp_path / "emoji.npz", build, [str(tmp_path)]) == 1
    assert "emoji-datasource-google" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# Sentences


NOVEL = """A TITLE

By Somebody

CHAPTER I

It was Mr. Darcy who spoke; she,
however, laughed. "Oh!" said Emma. What then?

Chapter 2

[A note.] The end came.
THE END
Printed in 1818.""".splitlines()


def test_sentences_leave_out_titles_headings_and_notes():
    assert rebuild_austen.sentences(NOVEL) == [
        "It was Mr. Darcy who spoke; she, however, laughed.",
        '"Oh!',
        "said Emma.",
        "What then?",
        "The end came.",
    ]


def test_passages_join_sentences_as_long_as_they_fit(monkeypatch):
    monkeypatch.setattr(rebuild_austen, "SHORTEST", 3)
    monkeypatch.setattr(rebuild_austen, "LONGEST", 5)
    texts = ["A b.", "C, d e.", "F.", "G h i j k l.", "M n.", "O p q r s.", "T u."]
    assert rebuild_austen.passages(texts) == [list("abcde"), list("opqrs")]
    assert rebuild_austen.passages(["A b c."]) == [list("abc")]
    assert rebuild_austen.passages([]) == []


def test_vocabulary_is_by_frequency_and_then_by_the_alphabet():
    assert rebuild_austen.vocabulary([list("bbac"), list("ab")]) == ["", "?", "b", "a", "c"]


def test_encoded_pads_behind_and_knows_what_it_does_not_know():
    ids = rebuild_austen.encoded([["a", "don't", "x"], []], ["", "?", "a", "don't"])
    assert ids.shape == (2, 48)
    assert ids[0, :4].tolist() == [2, 3, 1, 0]
    assert not ids[1].any()
    assert rebuild_austen.words("A don’t") == ["a", "don't"]


def test_the_vocabulary_comes_from_the_training_passages_only(monkeypatch):
    monkeypatch.setattr(rebuild_austen, "SIZES", {"train": 4, "val": 2, "test": 2})
    monkeypatch.setattr(rebuild_austen, "SHORTEST", 8)
    monkeypatch.setattr(rebuild_austen, "LONGEST", 9)
    things = [f"thing{letter}" for letter in "abcdefgh"]
    novels = [
        ["Chapter 1"] + [f"It is the {thing} that we see in town." for thing in things[k : k + 4]]
        for k in (0, 4)
    ]
    arrays = rebuild_austen.build(novels)
    known = bytes(arrays["words"]).decode().split("\n")
    assert len(set(known) & set(things)) == 4
    assert (arrays["x_train"] != rebuild_austen.OTHER).all()
    assert ((arrays["x_val"] == rebuild_austen.OTHER).sum(axis=1) == 1).all()


# Emoji


def test_picture_is_on_white_and_averaged(tmp_path):
    drawing = np.zeros((48, 48, 4), np.uint8)
    drawing[:2, :2] = [255, 0, 0, 255]  # one opaque red square, one pixel of the small picture
    drawing[0, 2] = [0, 0, 0, 255]  # a quarter of the next one, rounded up twice
    Image.fromarray(drawing, "RGBA").save(tmp_path / "a.png")
    small = rebuild_emoji.picture(tmp_path / "a.png")
    assert small.shape == (24, 24, 3)
    assert small[0, 0].tolist() == [255, 0, 0]
    assert small[0, 1].tolist() == [192, 192, 192]
    assert (small[1:] == 255).all()


def emoji(**changes):
    entry = {"category": "Objects", "unified": "1F511", "image": "key.png"}
    return entry | {"has_img_google": True, "has_img_twitter": True} | changes


@pytest.mark.parametrize(
    ("entry", "used"),
    [
        (emoji(), True),
        (emoji(category="Flags"), False),
        (emoji(has_img_twitter=False), False),
        (emoji(unified="1F468-200D-1F33E"), False),
    ],
)
def test_is_used(entry, used):
    assert rebuild_emoji.is_used(entry) == used


def test_read_takes_both_styles_in_order(tmp_path):
    for style, shade in (("google", 0), ("twitter", 100)):
        package = tmp_path / f"emoji-datasource-{style}"
        (package / "img" / style / "64").mkdir(parents=True)
        entries = [emoji(), emoji(category="Flags", image="none.png")]
        (package / "emoji.json").write_text(json.dumps(entries))
        pixels = np.full((64, 64, 3), shade, np.uint8)
        Image.fromarray(pixels).save(package / "img" / style / "64" / "key.png")
    images, labels = rebuild_emoji.read(tmp_path)
    assert images.shape == (1, 2, 24, 24, 3)
    assert images[0, :, 0, 0, 0].tolist() == [0, 100]
    assert labels.tolist() == [rebuild_emoji.CLASSES.index("Objects")]
