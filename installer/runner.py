"""Commands, run in the system: inside of the folder that stands for it, what they say in a log."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from installer.system import Outcome

LOG = "/var/log/rover-install.log"
_NO_SUCH_COMMAND = 127
_LOOK_S = 0.2
_END_S = 20.0
# What commands need that ask nobody and speak English.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


class CommandRunner:
    """Runs commands for a System; ``waiting`` is called now and then while one runs.

    What they say goes to ``log``, of the system itself if none is named.
    """

    def __init__(self, root: Path, waiting: Callable[[], None], log: Path | None = None) -> None:
        self._root = root
        self._waiting = waiting
        self._log_file = log or root / LOG.lstrip("/")

    def __call__(self, command: Sequence[str], *, quiet: bool) -> Outcome:
        """Run it and wait."""
        words = list(command)
        environment = {**os.environ, **_ENVIRONMENT}
        # What this program is found by is not for the one that it installs.
        environment.pop("PYTHONPATH", None)
        if self._root != Path("/"):
            words = ["chroot", str(self._root), *words]
            # There is no systemd to talk to; systemctl changes links and nothing else.
            environment["SYSTEMD_OFFLINE"] = "1"
        with tempfile.TemporaryFile() as said:
            try:
                child = subprocess.Popen(  # noqa: S603 - the installer's own words
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd="/",
                )
            except OSError as error:
                return Outcome(_NO_SUCH_COMMAND, f"{command[0]}: {error.strerror}")
            code = self._wait(child, quiet=quiet)
            said.seek(0)
            output = said.read().decode(errors="replace")
        if not quiet:
            self._log(command, output)
        return Outcome(code, output)

    def _wait(self, child: subprocess.Popen[bytes], *, quiet: bool) -> int:
        """Wait for the child; on Ctrl-C, which it has got too, until it has ended."""
        try:
            while True:
                try:
                    return child.wait(_LOOK_S)
                except subprocess.TimeoutExpired:
                    if not quiet:
                        self._waiting()
        except BaseException:
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.terminate()
                child.wait()
            raise

    def _log(self, command: Sequence[str], output: str) -> None:
        try:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            with self._log_file.open("a", encoding="utf-8") as stream:
                stream.write(f"$ {' '.join(command)}\n{output}\n")
        except OSError:
            # A full disk shows in what the command says, too.
            return
