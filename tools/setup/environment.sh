#!/bin/sh
# Sets up an environment for the course: a Python that TensorFlow supports, and requirements.txt
# at the versions of constraints.txt. Says and does nothing when it is already there.
#
#   [PYTHON=...] [TENSORFLOW='2.20.*'] [KERAS='3.13.*'] tools/setup/environment.sh FOLDER [REQUIREMENTS]
#
# REQUIREMENTS is a file that holds exact versions itself, in place of these two.
# FOLDER/installed is written last and holds all that was asked for: an install that was
# interrupted, or that asked for something else, starts afresh.
set -eu
cd "$(dirname "$0")/../.."
folder=$1
requirements=${2:-requirements.txt}
# Where the Makefile has Jupyter and the others keep their settings.
mkdir -p build/home 2>/dev/null || {
    echo "Cannot write to $PWD; copy the course to a folder of your own and call make there." >&2
    exit 1
}

version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# Succeeds if $1 can make the environment; says on standard output what is wrong with it if not.
suitable() {
    found=$(version "$1") || {
        ! path=$(command -v "$1") || echo "  $path does not run"
        return 1
    }
    case $found in
        3.11 | 3.12 | 3.13) ;;
        *) echo "  $1 is Python $found"; return 1 ;;
    esac
    "$1" -c 'import ensurepip, venv' 2>/dev/null || {
        echo "  $1 is Python $found without venv (Debian, Ubuntu: apt install python$found-venv)"
        return 1
    }
}

# Sets $python to the first suitable interpreter.
find_python() {
    rejected=
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else
        set -- python3.13 python3.12 python3.11 python3 python py
    fi
    for python in "$@"; do
        if reason=$(suitable "$python"); then return; fi
        rejected="$rejected${reason:+
$reason}"
    done
    cat >&2 <<MESSAGE
The course needs Python 3.11, 3.12 or 3.13: TensorFlow has no build for others.
Looked for: $*
Found:${rejected:- none of them}
Install one of these versions, or name one: make PYTHON=/path/to/python3.12 ...
MESSAGE
    exit 1
}

# Succeeds if $1 is a folder with files of somebody's, which no environment may replace.
holds_other_files() {
    case $1 in .venv*) return 1 ;; esac
    [ -d "$1" ] && [ ! -e "$1/pyvenv.cfg" ] && [ -n "$(ls -A "$1")" ]
}

# constraints.txt with the TensorFlow and Keras that were asked for; all other versions stay.
constraints() {
    [ "$requirements" = requirements.txt ] || return 0
    sed -e "${TENSORFLOW:+s/^\(tensorflow.*\)==.*/\1==$TENSORFLOW/}" \
        -e "${KERAS:+s/^keras==.*/keras==$KERAS/}" constraints.txt
}

# All that goes into the environment. Environments do not survive a move, so the place is part of it.
wanted() {
    echo "Python $(version "${PYTHON:-$env_python}") in $PWD"
    cat "$requirements"
    constraints
}

env_python=$folder/bin/python
[ ! -d "$folder/Scripts" ] || env_python=$folder/Scripts/python.exe
if [ -f "$folder/installed" ] && suitable "$env_python" >/dev/null &&
    wanted | cmp -s - "$folder/installed"; then
    exit
fi

if holds_other_files "$folder"; then
    echo "$folder holds other files; name a new folder for the environment." >&2
    exit 1
fi
find_python
echo "Setting up $folder with Python $(version "$python"): minutes the first time, TensorFlow is large."
rm -f "$folder/installed"
"$python" -m venv --clear "$folder"
[ ! -d "$folder/Scripts" ] || env_python=$folder/Scripts/python.exe
constraints >"$folder/constraints.txt"
quiet=--quiet
[ ! -t 1 ] || quiet=
"$env_python" -m pip install $quiet --disable-pip-version-check \
    -r "$requirements" -c "$folder/constraints.txt" || {
    echo "Nothing is set up yet. The first call needs a network; call again, it starts afresh." >&2
    exit 1
}
PYTHON=
wanted >"$folder/installed"
