#!/bin/sh
# Installs the rover on a Raspberry Pi: ./install.sh --help. All it does itself is find Python.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

if ! command -v python3 >/dev/null 2>&1; then
  echo "Python is missing. Next: sudo apt-get install python3" >&2
  exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "$(python3 --version) is too old. Next: write Raspberry Pi OS Bookworm or later to the card." >&2
  exit 1
fi
# -B: no caches that belong to root in somebody's checkout.
PYTHONPATH=$here exec python3 -B -m installer "$@"
