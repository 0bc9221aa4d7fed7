#!/usr/bin/env bash
# Make .venv beside the README and install this package with its test requirements, at the versions
# that CI ran (on Python 3.10 the newest that support it). Does nothing if that was done before for the
# same requirements. PYTHON names the interpreter to build on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

WANTED=$(cat requirements/*.txt pyproject.toml | cksum)
if [ -x .venv/bin/python ] && [ "$(cat .venv/installed 2>/dev/null)" = "$WANTED" ]; then
    exit 0
fi
PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "amlfs_mm needs Python 3.10 or newer; $PYTHON is $("$PYTHON" --version). Set PYTHON." >&2
    exit 1
fi
echo "Making .venv (a few minutes: torch and its CUDA libraries are 4.7 GB) ..."
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
install() {
    if ! .venv/bin/python -m pip install "$@" >> .venv/install.log 2>&1; then
        tail -20 .venv/install.log >&2
        echo "The installation failed; the whole log is .venv/install.log" >&2
        exit 1
    fi
}
install --upgrade pip setuptools wheel
install -c requirements/constraints.txt -e '.[all,lite]'
echo "$WANTED" > .venv/installed
