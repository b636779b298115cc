"""The sets that ship: what each file must hold, and how its examples are prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FULL = "fashion_mnist"  # the set that can also be had whole


def in_unit_interval(largest):
    """Return the preparation of images: divided by `largest`, float32 in [0, 1]."""
    return lambda x, x_train: x.astype(np.float32) / largest


def standardized_logs(x, x_train):
    """Return log(1 + x), its columns with mean 0 and standard deviation 1 over `x_train`."""
    logs = np.log1p(x_train.astype(np.float64))
    return ((np.log1p(x.astype(np.float64)) - logs.mean(0)) / logs.std(0)).astype(np.float32)


def word_ids(x, x_train):
    """Return word ids as int32."""
    return x.astype(np.int32)


@dataclass(frozen=True, eq=False)
class ShippedSet:
    """One file of data/: what its arrays are, and what `load` makes of them.

    shape, dtype: of one stored example. sizes: examples of each split. usual: training examples
    where nothing else is said. prepare: from the stored x, and the stored training x, to x.
    sha256: over each array's bytes; data/README.md shows the same, and a test compares them.
    """

    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    sizes: dict[str, int]
    usual: int
    prepare: Callable
    sha256: dict[str, str]
    examples: str = "images"
    for_more: str = "it ships no more"
    letters: int = 0  # bytes of a text's words, one to a line

    def layout(self, name: str) -> tuple[np.dtype, tuple[int, ...]]:
        """Return the dtype and shape that the array of that name must have."""
        if name == "words":
            return np.dtype("uint8"), (self.letters,)
        kind, split = name.split("_")
        dtype, shape = {
            "x": (self.dtype, self.shape),
            "y": ("uint8", ()),
            "index": ("<i4", ()),
        }[kind]
        return np.dtype(dtype), (self.sizes[split], *shape)


SETS = {
    "fashion_mnist": ShippedSet(
        class_names=CLASS_NAMES,
        shape=(28, 28),
        dtype="uint8",
        sizes={"train": 6_000, "val": 2_000, "test": 3_000},
        usual=2_000,
        prepare=in_unit_interval(255),
        for_more="for more images use full=True",
        sha256={
            "x_train": "38537cb44005854a4174a92ac09cec7a36d2418bff5ec5135763958b50dfb0d0",
            "y_train": "bdfeb646ae1e1d5c0e025ad85c4a9b3a66146f10d79fef6c3ed990710da88567",
            "index_train": "411fe351abb46b332c1b168226a09cc9d9d457befbba2d9abd2faa1edca7f802",
            "x_val": "6aeb737b044c280f57e2e125068939753e30cd7eb66f8a9d1c5a6cec7368be40",
            "y_val": "e39a28ee9ab538cedb047b9be27b399ff09b47c27309594f9be305809c949ad0",
            "index_val": "08d3f238896e348ad8f46df135be998d2ec521384551a0388a523ac4cd72f7e4",
            "x_test": "53e9ed2fdad42d08be099654252cf1d98d30f6cae3bc89799305014d53195b1e",
            "y_test": "6565a5fb14fe6eeb0de786fe40bcd754eef4de015501449b2c6dd3ef69c15054",
            "index_test": "42b96e8ce2bfbcb469ddd38b6908393f8a55da4005e6889ff2ce196e385e2414",
        },
    ),
    "digits": ShippedSet(
        class_names=tuple("0123456789"),
        shape=(8, 8),
        dtype="uint8",
        sizes={"train": 1_000, "val": 340, "test": 400},
        usual=1_000,
        prepare=in_unit_interval(16),
        sha256={
            "x_train": "08b1a0c9893af1ea37b568399d9ded8b248044cc5012322e7749d544b9d3c1a9",
            "y_train": "276b8eab51be04cbf2a7490ebf43b456b7831c7614043b1676b2bdf528e29445",
            "index_train": "e9f3ee60728c4acc849808c57cdff535adcbd56fee836c3cf57f53be5e740864",
            "x_val": "f1ba1847940d903fe0ac961459520c3fda8ff60f995f00f71e1eb4915f1f9399",
            "y_val": "f2e8c13cd0f649ac8468e5d91d54fc946260632e64fa9fb2c90680b1fc3b8361",
            "index_val": "bb082a9fabd28e0b007b52837306a86cda66ad1401671e6d586480bebfdc288b",
            "x_test": "a2fb12a3697ae988025ab077bd77f218786aa45dad2a5a2ba35d36fc1e05b6ad",
            "y_test": "d54d16e513fc1f356e38d96d3d1f17fb286f20e9d68f557be1b1152329e54463",
            "index_test": "4e66a3bf65e6ad2db4d0ea444a8fca23861da8ac9cca1729c4a00aa78074dcb6",
        },
    ),
    "spam": ShippedSet(
        class_names=("not spam", "spam"),
        shape=(57,),
        dtype="<f4",
        sizes={"train": 1_600, "val": 700, "test": 800},
        usual=1_600,
        prepare=standardized_logs,
        examples="e-mails",
        sha256={
            "x_train": "aeecdc0f16e7780fe4f60623e3582c7f9aed7bb5a080a1d01139e70a0b817973",
            "y_train": "a033eb1f52d0d198abc131a03cd15fbfce75b32b54394c772135927aea873b24",
            "index_train": "ababac655b33328c1b0707b4026cee43e7bb7d2365b20fd1a3007d5eb3638a37",
            "x_val": "3ad869c0023090abc5748ff1ce55a2bb11415d72b6ea077fbadfdb02cf0d0965",
            "y_val": "cec7ec5d84262df02dd7f12b6671b358a9345d105f7734bf49df3b9aab69a956",
            "index_val": "ac63cdb07ac8713e4db9b45941296a45eb62c5515cf6efec141e486e27abef6a",
            "x_test": "64a6a54ecc0a260a911a69ae65165ba5ef1717f456bb37bed3c36e37c33c70ca",
            "y_test": "6c17ae0a7e50342bee3fb6f72a1c690e64bc9499e086e435ed8ec17a89b8b8b0",
            "index_test": "fab23b881ab1414ca60e813ebb6c6940cfb88bc77b3c866d56256fd7a2bf3ce5",
        },
    ),
    "austen": ShippedSet(
        class_names=(
            "Sense and Sensibility",
            "Pride and Prejudice",
            "Mansfield Park",
            "Emma",
            "Northanger Abbey",
            "Persuasion",
        ),
        shape=(48,),
        dtype="<u2",
        sizes={"train": 3_000, "val": 1_200, "test": 1_500},
        usual=3_000,
        prepare=word_ids,
        examples="passages",
        letters=14_979,
        sha256={
            "x_train": "8a8b73dcacda886680ed40ac9f9c13363d6e748561bff99c04c6e9e02bc66509",
            "y_train": "5c79a868e8bb23146144487a6ed510ad7d4128cf0f895dd0ad71d02225824c5a",
            "index_train": "86235ff0df78db136f70dd47429fcf2ef6e8ba236ef516b2cc44258b204287cf",
            "x_val": "0aa823559ccb48d424f33eca9258fcd15abea4606e2dc435e930448adbe593ce",
            "y_val": "dc43b6b250a723ed1c82f066c3f6fd8a28ecd51f03f5ccc088073f1b043c0996",
            "index_val": "32e30004038f152d8ddd7f5666c358b31795e792eaeba1c7587ba11992335039",
            "x_test": "18b721f6c56d0dc9e2cd0ae6728feeab69980d1b3c4ccb36b57e2b76546f2fa4",
            "y_test": "86a85edcbce11cbd9331d088d2dfae5a7064376a44ae4844e5ea60853f848d0b",
            "index_test": "64d082681e6ae4b2bb633ef1e71aaeb1d26fea8287edd86a8c2e8a3e05e2aac3",
            "words": "296c6f9ac1115b6b6a658af83f496a50aef944e85243acc2fe7223392914eb5d",
        },
    ),
    "emoji": ShippedSet(
        class_names=(
            "Smileys & Emotion",
            "People & Body",
            "Animals & Nature",
            "Food & Drink",
            "Travel & Places",
            "Objects",
            "Symbols",
        ),
        shape=(24, 24, 3),
        dtype="uint8",
        sizes={"train": 1_120, "val": 336, "test": 336},
        usual=1_120,
        prepare=in_unit_interval(255),
        sha256={
            "x_train": "4442ec9092c74729286bf6a0e1915957353a9af5f6d665b7fa26e3496b2862d9",
            "y_train": "35a2697bac87f7f43db8187b9e9ca1e5113ec8b165a1e52aaa4b319a2646675f",
            "index_train": "fe56c459e20da363a3977f8d98d045da2b8455e0e89307969cd36432b8bde56c",
            "x_val": "694e2f580b6471541401526d4c3d41fa052302d6ba0a57415b540e1bfccabd0b",
            "y_val": "6af8e86deff99344c4d18486b45ceda7594ab32ed72a05450ec6bd398aa54599",
            "index_val": "f824476cd59d6ab5c863fee63fa7c33e5f081a1218c0676435bd02833e3344f4",
            "x_test": "97ebc59d8db898958f64e52615c9c809dcf07cb9f00d968d9b2ae958eef87524",
            "y_test": "6d1966ec1eab5a69ff5f052e0ac920b83e86d58fc550b3805c830792a6a31f9e",
            "index_test": "d0829a7166fbb44eaaa7a1f04808b7ba7d94ec292cdaf3860f746af010cc7471",
        },
    ),
}
NAMES = tuple(SETS)

# Of the original training and test sets of Fashion-MNIST.
SHA256_FULL = {
    "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
    "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
    "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
}
