#!/usr/bin/env bash
# Everything that a change has to pass: linters, types, layers, all tests, coverage. Goes on after
# a failure, so that one run tells all of them, and fails at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/test-setup.sh
tools/venv.sh test dev
export PATH="$PWD/.venv/bin:$PATH"

failed=()
stage() {
  local name=$1
  shift
  echo
  echo "== $name"
  "$@" || failed+=("$name")
}

coverage_gate() {
  coverage combine --quiet && coverage json --quiet -o .coverage.json &&
    python tools/coverage_gate.py .coverage.json
}

stage "ruff check" ruff check .
stage "ruff format" ruff format --check .
stage "mypy" mypy
stage "import-linter" lint-imports
coverage erase
stage "tests" coverage run -m pytest -n auto --maxprocesses 4
stage "coverage" coverage_gate

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf -v list '%s, ' "${failed[@]}"
  echo "Failed: ${list%, }"
  exit 1
fi
echo "All checks passed."
