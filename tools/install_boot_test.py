"""Boots a Debian with the rover installed in an emulated computer: a real systemd runs it.

    sudo python3 tools/install_boot_test.py [bookworm | trixie]

Needs root, debootstrap, mkfs.ext4 and qemu-system-x86; some ten minutes. What is looked at stands
in tools/booted.py. The computer has no network, no serial port of a rover's, no I2C and no pins.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from debian_root import SOURCE, Root, expect

KERNEL = ("linux-image-cloud-amd64", "initramfs-tools")
UNIT = """\
[Unit]
After=multi-user.target
[Service]
Type=exec
Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/usr/bin/python3 {source}/tools/booted.py
[Install]
WantedBy=default.target
"""
WITHIN_S = 2400


def prepared(root: Root) -> None:
    """Make it, install the rover and a kernel, and what an upgrade needs without a network."""
    root.make()
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    root.run("apt-get", "update")
    root.run("apt-get", "install", "--yes", "--no-install-recommends", *KERNEL)
    root.install("--anyway", "--yes", "--pi", "4", "--bluetooth", "off", "--user", "pi")
    pip = ("/opt/rover/.venv/bin/python", "-m", "pip")
    root.run(*pip, "wheel", "--wheel-dir", "/var/wheels", SOURCE, "hatchling")
    root.write("/etc/systemd/system/booted.service", UNIT.format(source=SOURCE))
    root.run("systemctl", "enable", "booted.service")


def boot(root: Root, image: Path) -> str:
    """Run it until it switches itself off; return what its console said."""
    with image.open("wb") as stream:
        stream.truncate(3 * 1024**3)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(root.place), str(image)], check=True)
    folder = root.at("/boot")
    (kernel,), (initrd,) = folder.glob("vmlinuz-*"), folder.glob("initrd.img-*")
    command = ["qemu-system-x86_64", "-m", "1024", "-smp", "2", "-nographic", "-no-reboot"]
    command += ["-kernel", str(kernel), "-initrd", str(initrd), "-nic", "none"]
    command += ["-append", "root=/dev/vda rw console=ttyS0 quiet"]
    command += ["-drive", f"file={image},format=raw,if=virtio"]
    said: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            said.append(line)
            if line.startswith(("ok ", "FAIL ", "ALL WELL")):
                print(line.rstrip(), flush=True)
        child.wait(WITHIN_S)
    return "".join(said)


def main() -> None:
    """Boot one release."""
    expect(os.geteuid() == 0, "run this as root: chroot and debootstrap need it")
    release = sys.argv[1] if len(sys.argv) > 1 else "trixie"
    with tempfile.TemporaryDirectory(prefix=f"rover-{release}-") as folder:
        root = Root(Path(folder) / "root", release)
        prepared(root)
        print(f"{release} is installed; it boots ...", flush=True)
        said = boot(root, Path(folder) / "disk.img")
    expect("ALL WELL" in said, said[-6000:])


if __name__ == "__main__":
    main()
