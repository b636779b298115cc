"""Rebuild data/emoji.npz from two npm packages with the pictures of Noto Emoji and of Twemoji.

    python -m data.rebuild_emoji [FOLDER] [--check]

FOLDER (default: node_modules) holds `emoji-datasource-google` and `emoji-datasource-twitter`
(built from 16.0.0). Needs Pillow; the same packages always give the same arrays.
"""

import json
import sys
from pathlib import Path

import numpy as np

from data.rebuild import choose, command_line, occurring_once, splits

OUTPUT = Path(__file__).resolve().parent / "emoji.npz"
SEED = 2016
SIDE = 24
STYLES = ("google", "twitter")
CLASSES = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Objects",
    "Symbols",
)
JOINER = "200D"  # in the code of combined emoji: a profession for each gender, a family
SIZES = {"train": 1_120, "val": 336, "test": 336}


def read(folder):
    """Return the emoji as `(images, labels)`, one style beside the other.

    images: uint8, shape (n, 2, 24, 24, 3), on white; labels: uint8, shape (n,).
    """
    packages = [folder / f"emoji-datasource-{style}" for style in STYLES]
    emoji = json.loads((packages[0] / "emoji.json").read_text(encoding="utf-8"))
    emoji = [one for one in emoji if is_used(one)]
    images = [
        [
            picture(package / "img" / style / "64" / one["image"])
            for package, style in zip(packages, STYLES, strict=True)
        ]
        for one in emoji
    ]
    labels = [CLASSES.index(one["category"]) for one in emoji]
    return np.array(images, np.uint8), np.array(labels, np.uint8)


def is_used(emoji):
    """Return whether an entry of emoji.json is drawn in both styles, of a class, not combined."""
    drawn = all(emoji[f"has_img_{style}"] for style in STYLES)
    return drawn and emoji["category"] in CLASSES and JOINER not in emoji["unified"]


def picture(path):
    """Return a PNG on white, its pixels averaged down to 24 × 24."""
    from PIL import Image

    drawing = Image.open(path).convert("RGBA")
    white = Image.new("RGBA", drawing.size, "white")
    white.alpha_composite(drawing)
    return np.asarray(white.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))


def build(images, labels):
    """Return the shipped arrays by name.

    Both pictures of an emoji are in one split: in its first half in one style, drawn by lot, in
    its second half in the other. So no emoji of a split is in another, and none is twice in a half.
    """
    rng = np.random.default_rng(SEED)
    once = occurring_once(images.reshape(-1, *images.shape[2:])).reshape(len(images), -1).all(1)
    chosen = choose(labels, once, sum(SIZES.values()) // 2, rng)
    rows, start = [], 0
    for size in SIZES.values():
        part = chosen[start : start + size // 2]
        style = rng.integers(0, 2, len(part))
        rows += [2 * part + style, 2 * part + 1 - style]
        start += len(part)
    pictures = images.reshape(-1, *images.shape[2:])
    return splits(pictures, labels.repeat(2), np.concatenate(rows), SIZES)


if __name__ == "__main__":
    sys.exit(command_line(OUTPUT, lambda folder: build(*read(folder or Path("node_modules")))))
