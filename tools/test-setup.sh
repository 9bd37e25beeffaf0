#!/usr/bin/env bash
# Installs what the tests need from the system, if anything is missing: a browser, a font to
# measure text with, node to run the tests of the page's modules, systemd-analyze to check the units
# with, and umockdev, which shows evdev gamepads that are not there.
set -euo pipefail

missing=()
lacks() {
  missing+=("$@")
}

command -v chromium chromium-browser google-chrome >/dev/null || lacks chromium
command -v node >/dev/null || lacks nodejs
command -v systemd-analyze >/dev/null || lacks systemd
command -v udevadm >/dev/null || lacks udev
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || lacks fonts-dejavu-core
command -v umockdev-run >/dev/null || lacks umockdev
/usr/bin/python3 -c '
import gi
gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev
' 2>/dev/null || lacks gir1.2-umockdev-1.0 python3-gi
has_python=no
for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    has_python=yes
  fi
done
[ "$has_python" = yes ] || lacks python3 python3-venv

# A file system that plays a gamepad's node: only `make faults` has one.
if [ "${1:-}" = faults ]; then
  /sbin/ldconfig -p | grep 'libfuse3\?\.so' >/dev/null || lacks fuse3
fi

# A Debian of its own to install into, and to boot: only `make install-test` and `boot-test` have one.
if [ "${1:-}" = install ] || [ "${1:-}" = boot ]; then
  command -v debootstrap >/dev/null || lacks debootstrap
fi
if [ "${1:-}" = boot ]; then
  command -v qemu-system-x86_64 >/dev/null || lacks qemu-system-x86
fi

[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "The tests need what Debian calls ${missing[*]}: install it with your package manager." >&2
  exit 1
fi
install=(apt-get install --yes --no-install-recommends "${missing[@]}")
if [ "$(id -u)" -eq 0 ]; then
  as_root=(env DEBIAN_FRONTEND=noninteractive)
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
  echo "The tests need some system packages. Please run: sudo ${install[*]}" >&2
  exit 1
fi
echo "Installing ${missing[*]} ..."
"${as_root[@]}" apt-get update --quiet=2 </dev/null
"${as_root[@]}" "${install[@]}" --quiet=2 </dev/null >/dev/null
