"""Installs the rover into a real Debian, made for it by debootstrap, and looks what came of it.

    sudo python3 tools/install_test.py [bookworm] [trixie]

Needs root, debootstrap and Debian's packages, and takes a few minutes; `make install-test`. What
belongs to Raspberry Pi OS and is not in Debian is pretended: raspi-config, python3-lgpio, the boot
loader's files. Standard library alone, as the installer.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from debian_root import CHECKOUT, CMDLINE, SOURCE, Root, expect

RELEASES = ("bookworm", "trixie")
UNITS = ("rover-control.service", "rover-web.service", "rover-alarm.service", "rover.target")
# As in tests/test_systemd.py, in tenths.
MOST_EXPOSED = 20
PORT = 18080
INTERRUPTED = 130
# The systemd that can verify udev's rules.
VERIFIES_RULES = 254
# What uninstall says that it keeps.
KEPT = {"/etc/rover/rover.toml", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}
OPTIONS = ("--anyway", "--yes", "--pi", "4", "--bluetooth", "off", "--user", "pi")


def dry_run(root: Root) -> None:
    """Print all, and compare the files."""
    before = root.files()
    said = root.install("--dry-run", *OPTIONS)
    expect("changes; none made." in said, said)
    expect(root.files() == before, "a dry run changed something")


def interrupted(root: Root) -> None:
    """Press Ctrl-C when pip has begun: both get it, as in a terminal."""
    command = ["chroot", str(root.place), f"{SOURCE}/install.sh", *OPTIONS]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "-m pip install" in line:
                time.sleep(1.0)  # into the middle of it
                os.killpg(child.pid, signal.SIGINT)
                break
        said = child.stdout.read()
    expect(child.returncode == INTERRUPTED and "Stopped." in said, (child.returncode, said))
    expect(not root.at("/opt/rover").exists(), "half a version is in force")


def installed(root: Root) -> None:
    """Install, and look at what it was for."""
    said = root.install(*OPTIONS)
    expect("Installed." in said, said)
    expect("rover, version" in root.run("rover", "--version"), "no rover")
    expect("OK" in root.run("rover", "config", "check", "/etc/rover/rover.toml"), "config")
    groups = root.run("id", "--name", "--groups", "pi").split()
    expect({"rover", "dialout", "i2c", "gpio", "input"} <= set(groups), groups)
    config = root.at("/boot/firmware/config.txt").read_text()
    for line in ("enable_uart=1", "dtparam=i2c_arm=on", "dtoverlay=disable-bt"):
        expect(line in config.splitlines(), config)
    expect("serial0" not in root.at("/boot/firmware/cmdline.txt").read_text(), "console")


def nothing_to_do(root: Root) -> None:
    """Install once more."""
    before = root.files()
    said = root.install(*OPTIONS)
    steps = [line for line in said.splitlines() if line.startswith("[")]
    expect(all(line.endswith("nothing to do") for line in steps), said)
    expect(root.files() == before, "the second time changed something")


def read_by_its_systemd(root: Root) -> None:
    """Have systemd and udev of this release read what is theirs."""
    version = int(root.run("systemctl", "--version").split()[1])
    for unit in UNITS:
        said = root.run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{unit}")
        expect(not said.strip(), said)
        if unit.endswith(".service"):
            security = ("systemd-analyze", "security", "--offline=true", "--no-pager")
            said = root.run(*security, f"--threshold={MOST_EXPOSED}", f"/etc/systemd/system/{unit}")
            (told,) = (line for line in said.splitlines() if "exposure level" in line)
            print(f"      {told.encode('ascii', 'ignore').decode().strip()}")
    if version >= VERIFIES_RULES:
        root.run("udevadm", "verify", "/etc/udev/rules.d/99-rover.rules")


@contextmanager
def simulated(root: Root) -> Iterator[None]:
    """Drive the installed program's own simulator, as the user that the services have."""
    words = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp/rover-home"]
    root.at("/tmp/rover-home").mkdir(exist_ok=True)
    root.at("/tmp/rover-home").chmod(0o777)
    root.at("/tmp").chmod(0o1777)
    command = ["chroot", "--userspec=rover:rover", str(root.place), *words]
    command += ["rover", "sim", "--no-browser", "--host", "127.0.0.1", "--port", str(PORT)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            yield
        except BaseException:
            child.terminate()
            print(child.communicate()[0])
            raise
        child.terminate()
        child.communicate()
        expect(child.returncode in {0, -signal.SIGTERM, 128 + signal.SIGTERM}, child.returncode)


def page_is_there(root: Root) -> None:
    """Ask the simulated rover's page whether it lives."""
    with root.with_kernel_files(), simulated(root):
        end_s = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2) as page:
                    expect(page.read() != b"", page.status)
                    return
            except OSError as error:
                expect(time.monotonic() < end_s, error)
                time.sleep(0.2)


def upgraded(root: Root) -> None:
    """Install a higher number over it."""
    before = root.in_force()
    root.write("/etc/rover/rover.toml", '[rover]\nname = "Mine"\n')
    project = root.at(f"{SOURCE}/pyproject.toml")
    project.write_text(project.read_text().replace('version = "', 'version = "9.'))
    said = root.install("upgrade", "--anyway", "--yes")
    expect("Installed." in said, said)
    expect(root.in_force() != before, "the same version")
    expect("version 9." in root.run("rover", "--version"), "the old program")
    expect("Mine" in root.at("/etc/rover/rover.toml").read_text(), "the configuration is gone")
    versions = {path.name for path in root.at("/opt/rover-versions").iterdir()}
    expect(versions == {before, root.in_force()}, versions)


def broken_upgrade(root: Root) -> None:
    """Try to install a program that does not even start."""
    before, files = root.in_force(), root.files()
    cli = root.at(f"{SOURCE}/rover/cli.py")
    good = cli.read_text()
    cli.write_text("this is no program\n")
    done = root.tried(f"{SOURCE}/install.sh", "upgrade", "--anyway", "--yes")
    cli.write_text(good)
    expect(done.returncode == 1 and "Next: " in done.stderr, done.stdout + done.stderr)
    expect("Traceback" not in done.stdout, done.stdout)
    expect(root.in_force() == before, "the broken version is in force")
    root.run("rover", "--version")
    changed = {path for path, content in root.files().items() if files.get(path) != content}
    expect(all(path.startswith("/opt/rover-versions/") for path in changed), changed)


def uninstalled(root: Root, fresh: dict[str, bytes]) -> None:
    """Take it all back, and once more with everything that a person made."""
    root.install("uninstall", "--anyway", "--yes")
    after = root.files()
    # What Debian's packages brought stays, and is not looked at here.
    left = {path for path in after if path not in fresh and "rover" in path}
    expect(left <= KEPT, left)
    expect(root.at("/boot/firmware/cmdline.txt").read_text() == CMDLINE, "the console")
    expect("disable-bt" not in root.at("/boot/firmware/config.txt").read_text(), "Bluetooth")
    root.install("--anyway", "--yes", "--pi", "5")
    root.install("uninstall", "--purge", "--anyway", "--yes")
    left = {path for path in root.files() if "rover" in path}
    expect(left == set(), left)
    expect("rover" not in root.at("/etc/passwd").read_text(), "a user is left")


def from_outside(root: Root) -> None:
    """Install into the folder from this computer, as into a memory card."""
    command = [str(CHECKOUT / "install.sh"), "--root", str(root.place), "--yes", "--pi", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, done.stdout + done.stderr)
    expect("rover, version" in root.run("rover", "--version"), "no rover")
    expect("dtparam=uart0=on" in root.at("/boot/firmware/config.txt").read_text(), "UART")
    again = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=False)
    expect("Nothing is to be done." in again.stdout, again.stdout)


def check(release: str) -> None:
    """Go through all of it in one release."""
    with tempfile.TemporaryDirectory(prefix=f"rover-{release}-") as folder:
        root = Root(Path(folder) / "root", release)
        done(f"{release}: debootstrap", root.make)
        fresh = root.files()
        stages: Sequence[tuple[str, Callable[[Root], None]]] = (
            ("a dry run changes nothing", dry_run),
            ("Ctrl-C while pip runs", interrupted),
            ("install goes on from there", installed),
            ("a second time there is nothing to do", nothing_to_do),
            ("its systemd reads units and rules", read_by_its_systemd),
            ("the simulator drives, as user rover", page_is_there),
            ("upgrade", upgraded),
            ("a broken upgrade changes nothing", broken_upgrade),
            ("uninstall, and purge", lambda root: uninstalled(root, fresh)),
            ("install from outside, --root", from_outside),
        )
        for name, stage in stages:
            done(f"{release}: {name}", lambda stage=stage: stage(root))  # type: ignore[misc]


def done(name: str, stage: Callable[[], None]) -> None:
    """Do it and say how long it took; a failure ends the program."""
    began_s = time.monotonic()
    try:
        stage()
    except SystemExit:
        print(f"FAIL  {name}", flush=True)
        raise
    print(f"ok    {name} ({time.monotonic() - began_s:.0f} s)", flush=True)


def main() -> None:
    """Check the releases named, or all."""
    expect(os.geteuid() == 0, "run this as root: chroot and debootstrap need it")
    expect(shutil.which("debootstrap") is not None, "run first: apt-get install debootstrap")
    for release in sys.argv[1:] or RELEASES:
        check(release)


if __name__ == "__main__":
    main()
