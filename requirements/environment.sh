#!/bin/sh
# Builds the virtual environment: `requirements/environment.sh runtime` or `requirements/environment.sh test`.
# A second run compares one stamp and returns at once. Uses uv when it is there, else venv and pip.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-runtime}

say() { printf '%s\n' "$*" >&2; }

works() { # a Python that runs, and is new enough
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

locked() { # one of the versions the requirement files were tried on
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        if works "$PYTHON"; then echo "$PYTHON"; return; fi
        say "PYTHON=$PYTHON does not run, or is older than Python 3.11."
        exit 1
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if locked "$candidate"; then echo "$candidate"; return; fi
    done
    if works python3; then echo python3; return; fi
    say "cat-engine needs Python 3.11 or newer; here is: $(python3 --version 2>&1 || echo 'no python3 at all')."
    say "Debian and Ubuntu bring it with: apt-get install -y python3 python3-venv"
    say "Another Python can be named: make PYTHON=/path/to/python3.12 demo"
    exit 1
}

stamp_of() { # whatever must be installed again when it changes, the place included: scripts carry it
    pwd
    uname -sm
    cat pyproject.toml requirements/environment.sh requirements/runtime.txt
    if [ "$1" = test ]; then cat requirements/test.txt; fi
    .venv/bin/python -c 'import sys; print(sys.version)'
}

is_installed() {
    [ -f ".venv/installed-$1" ] || return 1
    [ "$(stamp_of "$1" 2>/dev/null | cksum)" = "$(cat ".venv/installed-$1")" ]
}

create_with_venv() {
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "This Python cannot make virtual environments. Debian and Ubuntu mend it with:"
        say "    apt-get install -y python$version-venv"
        exit 1
    fi
    "$python" -m venv .venv
}

with_uv() {
    command -v uv >/dev/null 2>&1 || return 1
    if ! works .venv/bin/python; then
        rm -rf .venv
        uv venv --quiet --seed --python "$python" .venv || return 1
    fi
    # shellcheck disable=SC2086 # the list of files is meant to be split
    uv pip install --quiet --python .venv/bin/python --require-hashes $files || return 1
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline --editable .
}

with_pip() {
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        rm -rf .venv
        create_with_venv
    fi
    pip=".venv/bin/python -m pip --disable-pip-version-check --quiet"
    # shellcheck disable=SC2086 # the same
    $pip install --require-hashes $files
    # shellcheck disable=SC2086
    $pip install --no-deps --no-build-isolation --no-index --editable .
}

case $kind in
    runtime) files="--requirement requirements/runtime.txt" ;;
    test) files="--requirement requirements/runtime.txt --requirement requirements/test.txt" ;;
    *) say "usage: requirements/environment.sh runtime|test"; exit 2 ;;
esac

export UV_PYTHON_DOWNLOADS=never
if is_installed "$kind" || { [ "$kind" = runtime ] && is_installed test; }; then exit 0; fi

python=$(choose_python)
if [ -e .venv ] && ! locked .venv/bin/python && ! [ -n "${PYTHON:-}" ]; then rm -rf .venv; fi
say "Installing the $kind requirements into .venv with $("$python" --version) (once; up to a minute or two) ..."
if ! with_uv; then with_pip; fi
stamp_of "$kind" | cksum > ".venv/installed-$kind"
