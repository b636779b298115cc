"""Keras objects in words that can be compared and read."""

from difflib import SequenceMatcher

NOT_SETTINGS = ("name", "dtype", "batch_shape")


def is_setting(name, value):
    """Whether it says something: not a name, not empty, not what every layer is (trainable)."""
    return name not in NOT_SETTINGS and value is not None and (name, value) != ("trainable", True)


def settings(layer):
    """The settings of one layer that are not None, as name -> text."""
    try:
        config = layer.get_config()
    except NotImplementedError:
        return {}
    return {name: text_of(value) for name, value in config.items() if is_setting(name, value)}


def text_of(config):
    """A serialized Keras object as it would be written: `L2(l2=0.01)`."""
    if isinstance(config, dict) and "class_name" in config:
        inner = config.get("config")
        if not isinstance(inner, dict):
            return str(inner)
        parts = [
            f"{name}={text_of(value)}" for name, value in inner.items() if is_setting(name, value)
        ]
        return f"{config['class_name']}({', '.join(parts)})"
    return f"{config:.6g}" if isinstance(config, float) else str(config)


def layer_differences(layers, others):
    """Layers added, removed, or with other settings, a line each."""
    classes, other_classes = [name for name, _ in layers], [name for name, _ in others]
    lines = []
    for what, a, b, c, d in SequenceMatcher(None, classes, other_classes, False).get_opcodes():
        if what == "equal":
            for number, (old, new) in enumerate(zip(layers[a:b], others[c:d], strict=True), a + 1):
                lines += [f"layer {number}, {line}" for line in setting_differences(*old, new[1])]
            continue
        lines += [f"− {written(*layer)}" for layer in layers[a:b]]
        lines += [f"+ {written(*layer)} after {place(others, c)}" for layer in others[c:d]]
    return lines


def setting_differences(name, old, new):
    """Settings of a layer that changed: `Dense: kernel_regularizer none → L2(l2=0.01)`."""
    return [
        f"{name}: {key} {old.get(key, 'none')} → {new.get(key, 'none')}"
        for key in [*old, *(key for key in new if key not in old)]
        if old.get(key) != new.get(key)
    ]


def written(name, options):
    """A layer as it would be written, its first two settings only: `Dropout(rate=0.5)`."""
    return f"{name}({', '.join(f'{key}={value}' for key, value in list(options.items())[:2])})"


def place(layers, index):
    return f"layer {index} ({layers[index - 1][0]})" if index else "the input"
