"""Print, also where the output cannot show every sign: a pipe on Windows knows no ✓."""

from __future__ import annotations

import codecs
import sys

PLAIN = {
    **{"✓": "[holds]", "✗": "[x]", "☑": "[right]", "☐": "[not yet]", "→": "->", "−": "-", "–": "-"},
    **{"×": "x", "·": "-", "±": "+/-", "…": "...", "“": '"', "”": '"', "’": "'", "≤": "<="},
}


def in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    """What an encoding cannot show, in signs that all can."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(PLAIN.get(sign, "?") for sign in lost), error.end


codecs.register_error("course.plain", in_plain_signs)


def say(line: str) -> None:
    """Print `line`, in plain signs where the output cannot show it as it is."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "course.plain").decode(encoding))


def let_output_show_all() -> None:
    """Let every later `print` use plain signs where it would raise an error now."""
    if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="course.plain")
