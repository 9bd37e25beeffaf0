"""What tools/install_boot_test.py has run inside of the Debian that it boots.

It is told on the console. The rover is installed there already. Standard library alone.
"""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path("/usr/src/rover")
WHEELS = "/var/wheels"
SERVICES = ("rover-control.service", "rover-web.service")
# Emulated, everything takes ten times as long.
WITHIN_S = 120.0
BROKEN = "def run_control(*_a, **_k):\n    raise RuntimeError('broken')\n\n\ndef _run_control("
DIES = (
    "def run_control(*a, **k):\n    import os, threading\n"
    "    threading.Timer(3.0, lambda: os._exit(3)).start()\n    return _run_control(*a, **k)\n\n\n"
    "def _run_control("
)


def ask(*command: str) -> str:
    """Return what a command says, whatever its exit code."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def runs() -> bool:
    """Whether control and page run, and the page answers."""
    if any(ask("systemctl", "is-active", unit) != "active" for unit in SERVICES):
        return False
    try:
        with urllib.request.urlopen("http://127.0.0.1:8080/healthz", timeout=10) as page:
            return b'"ok"' in page.read()
    except OSError:
        return False


def come_up() -> None:
    """Wait until it runs."""
    end_s = time.monotonic() + WITHIN_S
    while not runs():
        assert time.monotonic() < end_s, ask("systemctl", "status", "--no-pager", *SERVICES)
        time.sleep(1.0)


def in_force() -> str:
    """Return the version in force."""
    return os.readlink("/opt/rover")


def upgrade() -> subprocess.Popen[str]:
    """Begin an upgrade without a network."""
    command = [str(CHECKOUT / "install.sh"), "upgrade", "--anyway", "--yes", "--wheels", WHEELS]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def edit(name: str, old: str, new: str) -> None:
    """Change the checkout."""
    path = CHECKOUT / name
    text = path.read_text()
    assert old in text, (name, old)
    path.write_text(text.replace(old, new, 1))


def goes_back(change: str) -> None:
    """Upgrade to a control that does not live, and look that the one before does."""
    before, good = in_force(), (CHECKOUT / "rover/app.py").read_text()
    edit("rover/app.py", "def run_control(", change)
    with upgrade() as child:
        said = child.communicate()[0]
    (CHECKOUT / "rover/app.py").write_text(good)
    assert child.returncode == 1, said
    assert "rover-control.service does not come up" in said, said
    assert "The version that ran before is in force again." in said, said
    assert in_force() == before, in_force()
    come_up()


def booted() -> None:
    """Look that it has come up by itself, and that a disarmed rover is what runs."""
    come_up()
    for path, mode in (("/run/rover", 0o750), ("/var/lib/rover", 0o2775)):
        assert os.stat(path).st_mode & 0o7777 == mode, path
    assert ask("systemctl", "is-active", "rover.target") == "active"


def up_to_date() -> None:
    """Install the same again: it runs on."""
    before = ask("systemctl", "show", "--property=MainPID", *SERVICES)
    with upgrade() as child:
        said = child.communicate()[0]
    assert child.returncode == 0, said
    assert ask("systemctl", "show", "--property=MainPID", *SERVICES) == before


def upgraded() -> None:
    """Install a higher number."""
    before = in_force()
    edit("pyproject.toml", 'version = "', 'version = "9.')
    with upgrade() as child:
        said = child.communicate()[0]
    assert child.returncode == 0, said
    assert in_force() != before
    come_up()


def hung_up() -> None:
    """Lose the connection while pip runs."""
    before = in_force()
    edit("pyproject.toml", 'version = "9.', 'version = "8.')
    with upgrade() as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "-m pip install" in line:
                time.sleep(2.0)
                child.send_signal(signal.SIGHUP)
                break
        said = child.stdout.read()
    assert child.wait() == 130, said  # noqa: PLR2004 - as after Ctrl-C
    assert in_force() == before
    come_up()


def uninstalled() -> None:
    """Take it away while it runs."""
    said = ask(str(CHECKOUT / "install.sh"), "uninstall", "--anyway", "--yes")
    assert "Kept: " in said, said
    for unit in SERVICES:
        assert ask("systemctl", "is-active", unit) == "inactive", unit
    assert not Path("/opt/rover").exists()


def main() -> None:
    """Do all of it, say it, switch the computer off."""
    stages: tuple[tuple[str, Callable[[], None]], ...] = (
        ("comes up at boot", booted),
        ("the same again: it runs on", up_to_date),
        ("upgrade, without a network", upgraded),
        ("back from a control that does not start", lambda: goes_back(BROKEN)),
        ("back from a control that dies after a while", lambda: goes_back(DIES)),
        ("back when the connection is lost", hung_up),
        ("uninstall of a running rover", uninstalled),
    )
    with open("/dev/ttyS0", "w", encoding="utf-8") as console:
        for name, stage in stages:
            began_s = time.monotonic()
            try:
                stage()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                console.write(f"\nFAIL {name}: {error!r}\n")
                console.write(ask("journalctl", "--unit=rover-*", "--lines=30", "--no-pager"))
                break
            # Behind the login's prompt.
            console.write(f"\nok   {name} ({time.monotonic() - began_s:.0f} s)\n")
            console.flush()
        else:
            console.write("ALL WELL\n")
    subprocess.run(["systemctl", "poweroff", "--force", "--force"], check=False)


if __name__ == "__main__":
    main()
