"""Start TensorFlow without its start-up noise, and leave every later message visible."""

import os
import sys
import tempfile
from contextlib import contextmanager, suppress


@contextmanager
def stderr_held_back():
    """Keep what native code writes to stderr; show it after all if the block raises."""
    sys.stderr.flush()
    real_stderr = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(real_stderr, held_back.read())
            raise
        finally:
            os.dup2(real_stderr, 2)
            os.close(real_stderr)


def start_tensorflow_quietly():
    """Import TensorFlow as Keras's backend; list devices and use XLA once, which ends the noise.

    Log lines from before TensorFlow's own logging is ready ignore `TF_CPP_MIN_LOG_LEVEL`,
    so they are held back at the file descriptor. Does nothing where TensorFlow is already imported.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with stderr_held_back():
        import tensorflow as tf

        tf.config.list_logical_devices()
        with suppress(tf.errors.OpError):
            tf.function(lambda: tf.constant(0.0), jit_compile=True, autograph=False)()
    tf.get_logger().setLevel("ERROR")
