"""Importing the course starts TensorFlow without a word, and hides nothing that comes later."""

import os
import subprocess
import sys

import pytest

from utils._shared.quiet import stderr_held_back


def in_new_process(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment
    )


def test_importing_the_course_is_silent_and_later_messages_are_not():
    result = in_new_process(
        "import utils, keras, os, sys; keras.ops.ones(2) + 1;"
        "print('native', file=sys.stderr, flush=True); os.write(2, b'later')"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr == "native\nlater"


def test_tensorflow_alone_is_not_silent_so_the_test_above_can_fail():
    result = in_new_process("import tensorflow as tf; tf.config.list_logical_devices()")
    assert result.stderr


def test_the_first_use_of_xla_is_announced_before_the_notebook_sees_it():
    """With every level of logging on: TensorFlow 2.20 shows this line whatever the level is."""
    use = "import tensorflow as tf; tf.function(lambda: tf.ones(2), jit_compile=True)()"
    alone = in_new_process(use, TF_CPP_MIN_LOG_LEVEL="0")
    after_the_course = in_new_process(f"import utils; {use}", TF_CPP_MIN_LOG_LEVEL="0")
    assert "Compiled cluster" in alone.stderr
    assert "Compiled cluster" not in after_the_course.stderr


def test_another_backend_is_not_used(monkeypatch):
    code = "import utils, keras; print(keras.backend.backend())"
    assert in_new_process(code, KERAS_BACKEND="jax").stdout == "tensorflow\n"


def test_what_native_code_wrote_is_shown_if_the_start_fails(capfd):
    @stderr_held_back()
    def start():
        os.write(2, b"why it failed")
        raise ImportError

    with pytest.raises(ImportError):
        start()
    assert capfd.readouterr().err == "why it failed"


def test_what_native_code_wrote_is_dropped_otherwise(capfd):
    with stderr_held_back():
        os.write(2, b"noise")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
