#!/usr/bin/env bash
# Makes .venv and installs the rover into it: tools/venv.sh [EXTRA...], extras of pyproject.toml.
# Returns at once when that has been done and pyproject.toml is still the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stamp=.venv/.installed
log=.venv/pip.log

fail() {
  echo "$1" >&2
  exit 1
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if is_new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "Python 3.11 or later is missing: install it (Debian 12 and later: sudo apt-get install python3 python3-venv), or name it with PYTHON=/path/to/python3."
}

# What the stamp must say: the place (a venv cannot be moved), what was asked for, the extras.
wanted="$PWD $(cksum <pyproject.toml)"
extras=("$@")
if [ -f "$stamp" ] && is_new_enough .venv/bin/python; then
  mapfile -t installed <"$stamp"
  if [ "${installed[0]}" = "$wanted" ]; then
    complete=yes
    for extra in "${extras[@]}"; do
      [[ " ${installed[1]:-} " == *" $extra "* ]] || complete=no
    done
    [ "$complete" = yes ] && exit 0
  fi
  # What has been installed for the tests stays up to date when only the program is asked for.
  read -ra before <<<"${installed[1]:-}"
  extras=($(printf '%s\n' "${before[@]}" "${extras[@]}" | sort -u))
fi

python=$(find_python)
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "Python's venv module is missing: sudo apt-get install python3-venv"

# On a Raspberry Pi evdev and lgpio come from apt, for pip would have to compile them. Elsewhere
# every package has a built wheel, and the system's own would only be a source of surprises.
shared=false
if [ "$(uname -s)" = Linux ] && [ "$(uname -m)" != x86_64 ]; then
  shared=true
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || ! is_new_enough .venv/bin/python ||
  ! grep -qx "include-system-site-packages = $shared" .venv/pyvenv.cfg; then
  options=(--clear)
  [ "$shared" = true ] && options+=(--system-site-packages)
  "$python" -m venv "${options[@]}" .venv ||
    fail "$python could not make .venv here: is the disk full, or the folder not yours?"
fi

what="."
[ ${#extras[@]} -gt 0 ] && what=".[$(IFS=,; echo "${extras[*]}")]"
echo "Installing into .venv (a minute or two, needs the internet once) ..."
# By the environment, since pip's own child that fetches the build's tools takes no options.
export PIP_RETRIES=2 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
if ! .venv/bin/python -m pip install --editable "$what" >"$log" 2>&1; then
  if grep -q CERTIFICATE_VERIFY_FAILED "$log"; then
    fail "pip does not trust the package index's certificate: is this computer's clock right ($(date '+%F %R'))? Details: $log."
  fi
  if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError' "$log"; then
    fail "pip could not reach the package index: connect this computer to the internet and try again. Details: $log."
  fi
  grep -E '^ *(ERROR|error)' "$log" | tail -n 5 >&2 || true
  fail "pip could not install the rover's packages. Details: $log."
fi

if [ "$(uname -s)" = Linux ] && ! .venv/bin/python -c 'import evdev' 2>/dev/null; then
  echo "Note: without evdev no gamepad will be found: sudo apt-get install python3-evdev"
fi
if [ -e /dev/gpiochip0 ] && ! .venv/bin/python -c 'import lgpio' 2>/dev/null; then
  echo "Note: without lgpio a real rover's panel cannot be used: sudo apt-get install python3-lgpio"
fi
printf '%s\n%s\n' "$wanted" "${extras[*]:-}" >"$stamp"
