# Read by the other commands of this folder: gives $ROOT, $VENV and `environment run|dev`.
# shellcheck shell=bash
#
# The Python environment is made once, in `.venv` of the checkout or in the folder that TAILRACE_VENV names, with exactly the
# packages that the constraints files pin, and again only after one of those files or pyproject.toml has changed.

set -euo pipefail

ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="${TAILRACE_VENV:-$ROOT/.venv}"
case "$VENV" in /*) ;; *) VENV="$PWD/$VENV" ;; esac

# what another environment left behind must not reach into this one
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

if [ ! -w "${XDG_CACHE_HOME:-${HOME:-/}}" ]; then export PIP_NO_CACHE_DIR=1; fi # pip would complain

say() { printf 'tailrace: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# usable PYTHON LIMIT: is it a Python from 3.11 to before 3.LIMIT that can make environments?
usable() {
  "$1" -c "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, $2))" >/dev/null 2>&1
}

# find_python: print the first usable one; a tested version is taken before a newer one
find_python() {
  local limit name
  for limit in 14 99; do
    for name in ${TAILRACE_PYTHON:-} python3 python3.13 python3.12 python3.11 python \
      /usr/bin/python3 /usr/local/bin/python3 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11; do
      if usable "$name" "$limit"; then
        "$name" -c 'import sys; print(sys.executable)'
        return
      fi
    done
  done
  fail "found no Python >= 3.11 with the modules venv and ensurepip (Debian: apt install python3-venv);" \
    "name one in TAILRACE_PYTHON"
}

make_venv() {
  if [ -x "$VENV/bin/python" ] && usable "$VENV/bin/python" 99; then
    return
  fi
  if [ -d "$VENV" ] && [ ! -f "$VENV/pyvenv.cfg" ] && [ -n "$(find "$VENV" -mindepth 1 -print -quit)" ]; then
    fail "$VENV holds something that is not a Python environment; name another folder in TAILRACE_VENV"
  fi
  local python
  python="$(find_python)"
  say "making a Python environment in $VENV with $python"
  "$python" -m venv --clear "$VENV"
}

# fingerprint: what an installed environment depends on
fingerprint() {
  { printf '%s\n' "$ROOT"; cat "$ROOT/pyproject.toml" "$ROOT"/constraints*.txt; } | cksum
}

pip_install() {
  "$VENV/bin/python" -m pip install --quiet --progress-bar off "$@" >&2
}

installed() {
  [ "$(cat "$VENV/.tailrace-$1" 2>/dev/null)" = "$(fingerprint)" ]
}

# environment run|dev: make it ready; `dev` has the tools of development too
environment() {
  if installed dev || { [ "$1" = run ] && installed run; }; then
    return
  fi
  (
    if command -v flock >/dev/null 2>&1; then # two commands at once: the second waits for the first
      exec 9<"$ROOT/pyproject.toml"
      flock 9
    fi
    if ! installed "$1"; then install "$1"; fi
  )
}

install() {
  local files=("$ROOT/constraints.txt") arguments=() file
  if [ "$1" = dev ]; then files+=("$ROOT/constraints-dev.txt"); fi
  for file in "${files[@]}"; do arguments+=(--requirement "$file"); done
  make_venv
  say "installing $(cat "${files[@]}" | grep -c ==) packages (once; about 200 MB)"
  # the files name every package, so nothing is left to resolve (and to find a newer version of)
  pip_install --require-hashes --no-deps "${arguments[@]}"
  pip_install --no-deps --no-build-isolation --editable "$ROOT"
  fingerprint >"$VENV/.tailrace-$1"
  say "the environment is ready"
}
