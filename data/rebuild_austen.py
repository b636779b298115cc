"""Rebuild data/austen.npz from the R package janeaustenr: passages from Jane Austen's six novels.

    python -m data.rebuild_austen [FOLDER] [--check]

FOLDER holds janeaustenr as R installs it; without it, Debian's package `r-cran-janeaustenr` is read
(built from 1.0.0). Needs the package `rdata`; the same file always gives the same arrays.
"""

import re
import sys
import warnings
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from data.rebuild import choose, command_line, splits

JANEAUSTENR = Path("/usr/lib/R/site-library/janeaustenr")
OUTPUT = Path(__file__).resolve().parent / "austen.npz"
SEED = 1817
NOVELS = (  # by year of publication
    "sensesensibility",
    "prideprejudice",
    "mansfieldpark",
    "emma",
    "northangerabbey",
    "persuasion",
)
SIZES = {"train": 3_000, "val": 1_200, "test": 1_500}
SHORTEST, LONGEST = 30, 48  # words in a passage
WORDS = 2_000
PADDING, OTHER = 0, 1

HEADING = re.compile(r"^(chapter|volume)\b.*$", re.IGNORECASE)
LAST = re.compile(r"^the end$|^finis$|^a note on the text$", re.IGNORECASE)
END = re.compile(r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)[\"'”’)\]]*\s+")
WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")


def read(folder):
    """Return the novels' lines, a list of strings for each of `NOVELS`."""
    import rdata

    database = folder / "data" / "Rdata"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on R's attributes that no Python type has
        index = rdata.read_rds(database.with_suffix(".rdx"))["variables"]
    raw = database.with_suffix(".rdb").read_bytes()
    return [unpacked(raw, *map(int, index[novel])) for novel in NOVELS]


def unpacked(raw, start, size):
    """Return the lines that R keeps at a place of its database: a length of 4 bytes, then zlib."""
    import rdata

    plain = zlib.decompress(raw[start + 4 : start + size])
    return [str(line) for line in rdata.conversion.convert(rdata.parser.parse_data(plain))]


def sentences(lines):
    """Return the sentences of a novel, in order, from its first heading to its last line.

    A sentence ends with . ! or ? before a space, but not behind Mr, Mrs, Dr or St; the editors'
    notes in square brackets and the headings are none.
    """
    lines = [line.strip() for line in lines]
    first = next(i for i, line in enumerate(lines) if HEADING.match(line))
    last = next((i for i, line in enumerate(lines) if LAST.match(line)), len(lines))
    text = " ".join("\n" if HEADING.match(line) else line for line in lines[first:last])
    pieces = [" ".join(piece.split()) for part in text.split("\n") for piece in END.split(part)]
    return [piece for piece in pieces if piece and "[" not in piece]


def words(text):
    """Return the text's words in lower case."""
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def passages(texts):
    """Return the words of as many sentences in a row as fit, one passage behind another.

    Passages with fewer than `SHORTEST` words are left out, and sentences with more than `LONGEST`.
    """
    found, passage = [], []
    for text in [*texts, None]:
        more = [] if text is None else words(text)
        if text is not None and len(passage) + len(more) <= LONGEST:
            passage += more
            continue
        if len(passage) >= SHORTEST:
            found.append(passage)
        passage = more if len(more) <= LONGEST else []
    return found


def vocabulary(found):
    """Return the most frequent words, the id of each being its place: 0 padding, 1 any other."""
    count = Counter(word for passage in found for word in passage)
    frequent = sorted(count, key=lambda word: (-count[word], word))[: WORDS - 2]
    return ["", "?", *frequent]


def encoded(found, known):
    """Return passages as word ids, uint16 of shape (n, 48), padded behind with 0."""
    number = {word: i for i, word in enumerate(known)}
    ids = np.full((len(found), LONGEST), PADDING, np.uint16)
    for row, passage in zip(ids, found, strict=True):
        row[: len(passage)] = [number.get(word, OTHER) for word in passage]
    return ids


def build(novels):
    """Return the shipped arrays by name; the vocabulary is that of the training passages."""
    by_novel = [passages(sentences(lines)) for lines in novels]
    labels = np.repeat(np.arange(len(novels), dtype=np.uint8), list(map(len, by_novel)))
    found = [passage for novel in by_novel for passage in novel]
    rng = np.random.default_rng(SEED)
    chosen = choose(labels, np.ones(len(found), bool), sum(SIZES.values()), rng)
    known = vocabulary([found[i] for i in chosen[: SIZES["train"]]])
    packed = np.frombuffer("\n".join(known).encode(), np.uint8)
    return {**splits(encoded(found, known), labels, chosen, SIZES), "words": packed}


if __name__ == "__main__":
    sys.exit(command_line(OUTPUT, lambda folder: build(read(folder or JANEAUSTENR))))
