# Read by `check` and `test`: run_checks runs each check, prints what the failing ones say, and sets $failed.
# shellcheck shell=bash

failed=0

# step NAME COMMAND...: run it; one line when it passes, its output when it fails
step() {
  local name="$1" begin=$SECONDS out
  shift
  out="$(mktemp)"
  if "$@" >"$out" 2>&1; then
    say "$name: passed ($((SECONDS - begin)) s)"
  else
    failed=1
    say "$name: FAILED"
    cat -- "$out" >&2
  fi
  rm -f -- "$out"
}

build_docs() {
  local site status=0
  site="$(mktemp -d)"
  NO_MKDOCS_2_WARNING=1 "$VENV/bin/mkdocs" build --strict --site-dir "$site" || status=$?
  rm -rf -- "$site"
  return "$status"
}

api_types() {
  if command -v node >/dev/null 2>&1; then
    step "types of the API" "$VENV/bin/python" "$ROOT/scripts/check_api_types.py"
  else
    say "types of the API: skipped, pyright needs Node.js (node on the PATH)"
  fi
}

run_checks() {
  step "ruff check" "$VENV/bin/ruff" check --output-format concise .
  step "ruff format" "$VENV/bin/ruff" format --check .
  step "mypy" "$VENV/bin/mypy"
  api_types
  step "import-linter" "$VENV/bin/lint-imports"
  step "documentation" build_docs
}
