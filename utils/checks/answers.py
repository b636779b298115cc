"""Runs an answer so that whatever it does ends in a sentence: an error, an endless loop, NaN."""

import contextlib
import ctypes
import io
import threading
import traceback
import warnings

import keras
import numpy as np

LONGEST = 300  # letters of a line


class NotYet(Exception):
    """An answer is not right yet; the message says what is wrong with it."""


class TooLong(BaseException):
    """Thrown into a thread that does not end; not an Exception, so that few answers catch it."""


def within(seconds, function):
    """Call `function()` in a helper thread; return None, or the error that it raised.

    After `seconds` the thread is stopped, and the error is a `NotYet`. (A thread deep in native
    code ends only when that returns; it is left behind, and does not keep Python from closing.)
    Whatever the answer prints or warns of is dropped. Needs no signals: works on Windows too.
    """
    errors = []

    def work():
        try:
            with np.errstate(all="ignore"):
                function()
        except TooLong:
            pass
        except BaseException as error:  # an answer may call exit()
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    dropped = io.StringIO()
    with (
        contextlib.redirect_stdout(dropped),
        contextlib.redirect_stderr(dropped),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        thread.start()
        try:
            thread.join(seconds)
            in_time = not thread.is_alive()
        finally:  # also when the kernel is interrupted
            stop(thread)
    if not in_time:
        return NotYet(f"It is not done after {seconds} s: is there a loop that never ends?")
    return errors[0] if errors else None


def stop(thread, tries=20):
    """Throw `TooLong` into the thread until it ends, for two seconds at most."""
    for _ in range(tries):
        if not thread.is_alive():
            return
        error = ctypes.py_object(TooLong)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), error)
        thread.join(0.1)


def run(answer, *arguments):
    """Call the answer on copies of `arguments`, and return its result.

    Raises NotYet if it is no function, raises an error, or changes an argument.
    """
    if not callable(answer) or isinstance(answer, keras.Model):
        raise NotYet(
            f"It is {kind(answer)}; give the function itself, by its name without parentheses."
        )
    given = [np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments]
    try:
        result = answer(*given)
    except TooLong:
        raise
    except BaseException as error:
        raise NotYet(f"It raises {described(error)}{place(answer, error)}.") from None
    for argument, now in zip(arguments, given, strict=True):
        if isinstance(argument, np.ndarray) and not np.array_equal(argument, now):
            raise NotYet("It changes the array that it is given: compute a new one.")
    return result


def described(error):
    try:
        text = " ".join(str(error).split()).rstrip(".")[:120]
    except Exception:  # an error class of one's own may fail to describe itself
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place(answer, error):
    """' in line 2 of your function', where that is known."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return ""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code is code]
    return f", in line {lines[-1] - code.co_firstlineno + 1} of your function" if lines else ""


def kind(value):
    """What a value is, in few words."""
    if value is None:
        return "None"
    if isinstance(value, str | bool | int | float):
        return repr(value)[:40]
    name = type(value).__name__.replace("ndarray", "array")
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def array(value, shape, what="The result"):
    """`value` (a list, an array, a tensor) as float64 of this shape; NotYet if it is no such."""
    if value is None:
        raise NotYet(f"{what} is None: does your function end with `return`?")
    try:
        values = np.asarray(value)
    except Exception:
        values = np.asarray("not numbers")
    if values.dtype.kind not in "fiub":
        raise NotYet(f"{what} is {kind(value)} and not numbers.")
    if values.shape != shape:
        wanted = f"shape {shape}" if shape else "a single number"
        raise NotYet(f"{what} has shape {values.shape}; it should be {wanted}.")
    if not np.isfinite(values).all():
        raise NotYet(f"{what} holds NaN or infinity: look for a division by 0, √ or log of ≤ 0.")
    return values.astype(float)


def parts(value, count, names):
    """`value` (a tuple, a list, an array) as a tuple of `count` results."""
    if len(getattr(value, "shape", ())) and value.shape[0] == count:
        value = list(np.asarray(value))
    if not isinstance(value, tuple | list) or len(value) != count:
        many = f" of length {len(value)}" if isinstance(value, tuple | list) else ""
        raise NotYet(f"It returns {kind(value)}{many}; return {names}.")
    return tuple(value)


def number(value, what):
    """`value` as a float; NotYet if it is not one finite number."""
    if value is None or value is ... or isinstance(value, bool):
        raise NotYet(f"{what} is {kind(value)}: put in a number.")
    return float(array(value, (), what))


def choices(value, right, options):
    """Check a dict of chosen words: `right` maps each question to its answer.

    `options` maps each question to {word: why it is wrong, or None}.
    """
    if not isinstance(value, dict):
        raise NotYet(f"It is {kind(value)}; keep the dict, and put a word in for each question.")
    for question, answer in right.items():
        known = options[question]
        words = " or ".join(f'"{word}"' for word in known)
        chosen = value.get(question)
        if not isinstance(chosen, str) or chosen.strip().lower() not in known:
            raise NotYet(f'"{question}": write {words}.')
        if (chosen := chosen.strip().lower()) != answer:
            raise NotYet(f'"{question}" is not "{chosen}". {known[chosen]}')


def close(a, b, rtol=1e-3, atol=1e-6):
    """Equal but for rounding: float32 will do."""
    return bool(np.allclose(a, b, rtol=rtol, atol=atol))


def expect(value, right, mistakes, otherwise, **tolerance):
    """NotYet unless `value` is `right`; `mistakes` maps messages to what each mistake gives."""
    if close(value, right, **tolerance):
        return
    for message, wrong in mistakes.items():
        if close(value, wrong, **tolerance):
            raise NotYet(message)
    raise NotYet(otherwise)
