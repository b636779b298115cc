#!/bin/sh
# Sets up an environment for the course, or adds what one lacks. Says nothing where all is there.
#
#   [PYTHON=...] [TENSORFLOW='2.20.*'] [KERAS='3.13.*'] tools/setup/environment.sh FOLDER FILE...
#
# Each FILE lists packages: requirements*.txt at the versions of constraints.txt, another file at
# the versions that it holds itself.
# FOLDER/installed is written last and holds all that was asked for. Where more is asked for, the
# environment grows; where it is something else, or an install was interrupted, it starts afresh.
set -eu
pythons='3.13 3.12 3.11'

fail() {
    echo "$*" >&2
    exit 1
}

# Prints what decides whether there is a build for the interpreter $1: 3.12 linux-x86_64-glibc.
describe() {
    "$1" -E -c 'import platform, sys
print("%d.%d" % sys.version_info[:2], end=" ")
print(sys.platform, platform.machine(), platform.libc_ver()[0], sep="-")' 2>/dev/null
}

# Succeeds if $1 can make the environment; says on standard output what is wrong with it if not.
suitable() {
    found=$(describe "$1") || {
        ! path=$(command -v "$1") || echo "  $path does not run, or not as Python 3"
        return 1
    }
    version=${found%% *} place=${found#* }
    case $place in
        linux-x86_64-glibc | linux-aarch64-glibc | darwin-arm64- | win32-AMD64-) built=$pythons ;;
        darwin-x86_64-) built='3.12 3.11' ;;
        *) built= ;;
    esac
    case " $built " in *" $version "*) ;; *) echo "  $1 is Python $version on $place" && return 1 ;; esac
    "$1" -E -c 'import ensurepip, venv' 2>/dev/null || {
        echo "  $1 is Python $version without venv (Debian, Ubuntu: apt install python$version-venv)"
        return 1
    }
}

# Sets $python to the first suitable interpreter, of those that uv has brought too.
find_python() {
    rejected=
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else
        brought=$(uv python find --managed-python '>=3.11,<3.14' 2>/dev/null) || brought=
        set -- python3.13 python3.12 python3.11 python3 python py ${brought:+"$brought"}
    fi
    for python in "$@"; do
        if reason=$(suitable "$python"); then return; fi
        rejected="$rejected${reason:+
$reason}"
    done
    uv=$(! command -v uv >/dev/null || echo ", or have uv bring one: uv python install 3.12")
    fail "\
The course needs Python 3.11, 3.12 or 3.13: older ones lack what it uses, and TensorFlow 2.21 has no
build for newer ones. It has builds for Linux with glibc (x86-64, ARM), macOS and Windows (x86-64);
for Intel Macs the last one is 2.16, for Python 3.11 and 3.12.
Looked for: $*
Found:${rejected:- none of them}
Install one of these versions$uv, or name one: make PYTHON=/path/to/python3.12 ..."
}

# Succeeds if $1 is a folder with files of somebody's, which no environment may replace.
holds_other_files() {
    case $1 in .venv*) return 1 ;; esac
    [ -d "$1" ] && [ ! -e "$1/pyvenv.cfg" ] && [ -n "$(ls -A "$1")" ]
}

# constraints.txt with the TensorFlow and Keras that were asked for; all other versions stay.
constraints() {
    case $1 in requirements*) ;; *) return ;; esac
    sed -e "${TENSORFLOW:+s|^\(tensorflow.*\)==.*|\1==$TENSORFLOW|}" \
        -e "${KERAS:+s|^keras==.*|keras==$KERAS|}" constraints.txt
}

# All that is asked for. Environments do not survive a move, so the place is part of it.
wanted() {
    echo "Python $(describe "${PYTHON:-$env_python}") in $PWD"
    constraints "$1"
    cat "$@"
}

# Sets $state to complete, to part where files are to be added, or to none.
compare() {
    state=none
    installed=$(cat "$folder/installed" 2>/dev/null) && suitable "$env_python" >/dev/null || return 0
    case $installed in "$(wanted "$@")"*) state=complete && return ;; esac
    case $(wanted "$@") in "$installed"*) state=part ;; esac
}

# Waits until no other call is setting up. The lock is a link to its owner's process id: it is made
# at once or not at all, and can be taken over where that process is gone.
take_turn() {
    until ln -s $$ "$lock" 2>/dev/null; do
        kill -0 "$(readlink "$lock")" 2>/dev/null || break
        [ -n "${waited:-}" ] || echo "Another call is setting up; waiting until it is done."
        waited=yes
        sleep 1
    done
    ln -sf $$ "$lock" 2>/dev/null || : # on Windows there may be no links, and then no turns
    trap 'rm -f "$lock"' EXIT
    trap 'exit 1' HUP INT TERM
}

# pip, told where packages come from as the caller set it up, but not where they go, nor how.
install() {
    unset $(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/\1/p' |
        grep -vE 'INDEX|LINKS|HOST|PROXY|CERT|TIMEOUT|RETRIES|CACHE|KEYRING|FEATURE|FILE')
    constraints "$1" >"$folder/constraints.txt" || return
    for file in "$@"; do # put -r before each
        set -- "$@" -r "$file"
        shift
    done
    [ -t 1 ] || set -- "$@" --quiet
    "$env_python" -I -m pip install --no-user --disable-pip-version-check \
        -c "$folder/constraints.txt" "$@"
}

cd "$(dirname "$0")/../.."
folder=${1:?names the folder of the environment}
shift
cat "${1:?names a file that lists packages}" "$@" >/dev/null # stops where one is missing
env_python=$folder/bin/python
[ "${OS:-}" != Windows_NT ] || env_python=$folder/Scripts/python
lock=build/setting-up
# Where the Makefile has Jupyter and the others keep their settings.
mkdir -p build/home 2>/dev/null && [ -w build ] ||
    fail "Cannot write to $PWD; copy the course to a folder of your own and call make there."

compare "$@"
[ $state != complete ] || exit 0
! holds_other_files "$folder" ||
    fail "$folder holds other files; name a new folder for the environment."
take_turn
compare "$@"
case $state in
    complete) exit ;;
    part) echo "Adding to $folder what it lacks of: $*" ;;
    none)
        find_python
        echo "Setting up $folder with Python $(describe "$python"):" \
            "minutes the first time, TensorFlow is large."
        ;;
esac
rm -f "$folder/installed"
[ $state = part ] || "$python" -E -m venv --clear "$folder" ||
    fail "No environment can be made in $folder: see above."
install "$@" || fail "Nothing is set up yet: see above. The next call starts afresh."
output=$("$env_python" -I -c 'import tensorflow' 2>&1) ||
    fail "$output
TensorFlow was installed but does not start: see above. The next call starts afresh."
PYTHON=
wanted "$@" >"$folder/unfinished" && mv "$folder/unfinished" "$folder/installed"
