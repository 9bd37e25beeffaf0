"""A Debian in a folder, made by debootstrap, with what Raspberry Pi OS has besides."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# Where the checkout is in it.
SOURCE = "/usr/src/rover"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
PACKAGES = "systemd,systemd-sysv,udev,dbus,python3,ca-certificates,sudo,passwd"
CONFIG_TXT = "dtparam=audio=on\n\n[all]\n"
CMDLINE = "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootwait\n"
# Writes what the real one does where this installer asks it to.
RASPI_CONFIG = r"""#!/bin/sh
config=/boot/firmware/config.txt
case "$2 $3" in
  "do_serial_cons 1") sed -i 's/console=serial0,115200 //' /boot/firmware/cmdline.txt ;;
  "do_serial_cons 0") sed -i 's/^/console=serial0,115200 /' /boot/firmware/cmdline.txt ;;
  "do_serial_hw 0") echo enable_uart=1 >>$config ;;
  "do_serial_hw 1") sed -i 's/^enable_uart=.*/enable_uart=0/' $config ;;
  "do_i2c 0") echo dtparam=i2c_arm=on >>$config ;;
  "do_i2c 1") sed -i 's/^dtparam=i2c_arm=.*/dtparam=i2c_arm=off/' $config ;;
  *) exit 1 ;;
esac
"""
LGPIO = """Package: python3-lgpio
Version: 0.2.2-1
Architecture: all
Maintainer: nobody <nobody@localhost>
Description: stands for Raspberry Pi OS's own
"""
# What commands write whoever calls them.
NOT_OURS = ("/var/lib/", "/var/cache/", "/var/log/", "/etc/ssl/", "/usr/", "/run/", "/tmp/")


def expect(condition: bool, told: object) -> None:
    """Raise SystemExit unless something is so."""
    if not condition:
        raise SystemExit(f"FAILED: {told}")


class Root:
    """A Debian in a folder."""

    def __init__(self, place: Path, release: str) -> None:
        self.place = place
        self.release = release

    def make(self) -> None:
        """Have debootstrap make it, and what Raspberry Pi OS has besides."""
        done = subprocess.run(
            [
                *("debootstrap", "--variant=minbase", f"--include={PACKAGES}"),
                *(self.release, str(self.place), MIRROR),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        expect(done.returncode == 0, done.stdout[-2000:] + done.stderr)
        for variable in ("PIP_CERT", "SSL_CERT_FILE"):
            # Where a network has a certificate of its own.
            if file := os.environ.get(variable):
                shutil.copyfile(file, self.at(file))
        for file in ("/etc/pip.conf", "/etc/resolv.conf"):
            if Path(file).exists():
                shutil.copyfile(file, self.at(file))
        self.write("/boot/firmware/config.txt", CONFIG_TXT)
        self.write("/boot/firmware/cmdline.txt", CMDLINE)
        self.write("/usr/bin/raspi-config", RASPI_CONFIG)
        self.at("/usr/bin/raspi-config").chmod(0o755)
        self.write("/usr/src/lgpio/DEBIAN/control", LGPIO)
        self.run("dpkg-deb", "--build", "/usr/src/lgpio", "/usr/src/lgpio.deb")
        self.run("dpkg", "--install", "/usr/src/lgpio.deb")
        self.run("useradd", "--create-home", "pi")
        files = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for name in files:
            place = self.at(f"{SOURCE}/{name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, place)

    def at(self, path: str) -> Path:
        """Return where the file of this absolute name is."""
        return self.place / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        """Write a file, and its folder."""
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).write_text(text, encoding="utf-8")

    def tried(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it; return how that ended."""
        return subprocess.run(
            ["chroot", str(self.place), *command],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *command: str) -> str:
        """Run a command in it that must succeed; return all that it says."""
        done = self.tried(*command)
        expect(done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout + done.stderr

    def install(self, *arguments: str) -> str:
        """Run its install.sh, which must succeed; return all that it says."""
        return self.run(f"{SOURCE}/install.sh", *arguments)

    def files(self) -> dict[str, bytes]:
        """Return all files and links but those that others write, with what is in them."""
        found = {}
        for folder, _, names in os.walk(self.place):
            for name in names:
                path = Path(folder) / name
                key = "/" + str(path.relative_to(self.place))
                if path.is_symlink():
                    found[key] = os.fsencode(path.readlink())
                elif path.is_file() and not key.startswith(NOT_OURS):
                    found[key] = path.read_bytes()
        return found

    def in_force(self) -> str:
        """Return the name of the version in force."""
        return self.at("/opt/rover").readlink().name

    @contextmanager
    def with_kernel_files(self) -> Iterator[None]:
        """Mount what programs want of the kernel: processes and pseudo-terminals."""
        mounts = ("/proc", "/dev", "/dev/pts")
        for path in mounts:
            subprocess.run(["mount", "--bind", path, str(self.at(path))], check=True)
        try:
            yield
        finally:
            for path in reversed(mounts):
                subprocess.run(["umount", str(self.at(path))], check=True)
