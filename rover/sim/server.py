"""`rover hardware-sim`: the simulated devices behind a pseudo-terminal and Unix sockets.

One process, one thread. Pacing is by absolute deadlines: when bytes arrive, the wire is run
ahead at once to the end of what they start (a few milliseconds at most), so that a reply is
worked out while its request is still "on the wire", and only handing it over waits for the
moment its last byte would be there: asleep until shortly before, then spinning. What the
pseudo-terminal itself takes to move bytes is taken off both ways. After a reply the port is
watched for a moment without sleeping, for a host in the midst of a cycle sends its next
request at once. With nothing to do it sleeps.
"""

import contextlib
import fcntl
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from rover.config import Config
from rover.errors import ConfigError, DeviceError
from rover.sim.endpoints import Endpoint, answer_i2c, answer_lines, answer_truth
from rover.sim.miswired import build
from rover.sim.serial_port import PseudoTerminal

# How long before a deadline to stop sleeping: wake-ups are late by up to that much.
_SPIN_S = 60e-6
# How long to watch for the next request after a reply.
_WATCH_S = 150e-6
# How far the wire may run ahead of the real clock: a whole request and its reply, and not
# so far that a flood of nonsense takes the plant into the future.
_AHEAD_S = 0.005
# Sockets are not served this shortly before a reply is due: one request takes up to 0.1 ms.
_RESERVED_S = 300e-6
_TICK_MOVING_S = 0.02
_TICK_RESTING_S = 1.0
_NAMES = ("serial0", "i2c", "gpio", "truth")


class HardwareServer:
    """The simulated hardware in a directory, as a context manager.

    Raises DeviceError if the directory is in use or cannot be used, ConfigError if no
    RoboClaw can have the configured baud rate. ``wrong`` names what is built wrong in it.
    """

    def __init__(self, config: Config, directory: Path, *, paced: bool, wrong: str = "") -> None:
        with contextlib.ExitStack() as undo:
            undo.enter_context(_claimed(directory))
            try:
                self._devices = build(config, time.monotonic(), wrong, paced=paced)
            except ValueError as error:
                raise ConfigError(str(error)) from error
            self._port = PseudoTerminal(config.roboclaw.baud)
            undo.callback(self._port.close)
            self._endpoints = []
            for name, answer in (
                ("i2c", answer_i2c(self._devices)),
                ("gpio", answer_lines(self._devices)),
                ("truth", answer_truth(self._devices)),
            ):
                endpoint = Endpoint(directory / name, answer)
                undo.callback((directory / name).unlink, missing_ok=True)
                undo.callback(endpoint.close)
                self._endpoints.append(endpoint)
            self._stop_receiver, self._stop_sender = socket.socketpair()
            undo.callback(self._stop_receiver.close)
            undo.callback(self._stop_sender.close)
            # Last, for its presence tells that everything is there.
            (directory / "serial0").symlink_to(self._port.path)
            undo.callback((directory / "serial0").unlink, missing_ok=True)
            self._undo = undo.pop_all()

    def stop(self) -> None:
        """Let ``serve`` return; may be called from a signal handler or another thread."""
        self._stop_sender.send(b"x")

    def close(self) -> None:
        """Remove everything that was made."""
        self._undo.close()

    def __enter__(self) -> "HardwareServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def serve(self) -> None:
        """Answer until told to stop."""
        with _fine_timers():
            while self._turn():
                pass

    def _turn(self) -> bool:
        """Do what is next; return False when told to stop."""
        replies = self._devices.bus.replies
        if replies:
            # On its way early by as much as the pseudo-terminal takes, for a wire does not.
            due_s = replies[0].end_s - self._port.transit_s
            left_s = due_s - time.monotonic()
            if left_s <= _RESERVED_S:
                if left_s > _SPIN_S:
                    time.sleep(left_s - _SPIN_S)
                while time.monotonic() < due_s:
                    pass
                self._port.write(replies.popleft().data)
                if not replies:
                    self._watch()
                return True
        return self._wait()

    def _watch(self) -> None:
        """Wait for the next request without sleeping, a moment long."""
        until_s = time.monotonic() + _WATCH_S
        while not self._hear() and time.monotonic() < until_s:
            # The kernel moves the bytes, and may need this very core for it.
            os.sched_yield()

    def _hear(self) -> bool:
        """Put what the client has written on the wire and run the wire ahead; tell if any."""
        data = self._port.read()
        if not data:
            return False
        written_s = time.monotonic() - self._port.transit_s
        bus = self._devices.bus
        bus.set_host_baud(self._port.baud())
        bus.write(data, written_s)
        self._run_ahead(written_s)
        return True

    def _run_ahead(self, now_s: float) -> None:
        bus = self._devices.bus
        event_s = bus.next_event_s()
        while event_s is not None and event_s <= now_s + _AHEAD_S:
            bus.run_to(event_s)
            event_s = bus.next_event_s()

    def _wait(self) -> bool:
        """Sleep until there is something to do, and do it; return False when told to stop."""
        endpoints = {fd: endpoint for endpoint in self._endpoints for fd in endpoint.filenos()}
        watched = (self._port.fileno(), self._stop_receiver.fileno(), *endpoints)
        ready, _, _ = select.select(watched, (), (), self._idle_s())
        if self._stop_receiver.fileno() in ready:
            return False
        if self._port.fileno() in ready:
            self._hear()
        now_s = time.monotonic()
        self._run_ahead(now_s)
        self._devices.advance_to(now_s)
        for fd in ready:
            if fd in endpoints:
                endpoints[fd].serve(fd, time.monotonic())
        return True

    def _idle_s(self) -> float:
        """Return how long nothing needs to be done."""
        bus = self._devices.bus
        now_s = time.monotonic()
        idle_s = _TICK_RESTING_S if self._devices.plant.resting else _TICK_MOVING_S
        if bus.replies:
            idle_s = min(idle_s, bus.replies[0].end_s - now_s - _RESERVED_S)
        event_s = bus.next_event_s()
        if event_s is not None:
            idle_s = min(idle_s, event_s - now_s - _AHEAD_S)
        return max(0.0, idle_s)


def run_server(
    config: Config, directory: Path, *, paced: bool, wrong: str, ready: Callable[[], None]
) -> None:
    """Serve the simulated hardware in ``directory`` until SIGTERM or SIGINT.

    ``ready`` is called once everything can be opened. Raises as HardwareServer does.
    """
    with HardwareServer(config, directory, paced=paced, wrong=wrong) as server:

        def stop(_signal: int, _frame: FrameType | None) -> None:
            server.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            ready()
            server.serve()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _claimed(directory: Path) -> Iterator[None]:
    """Make ``directory`` if needed and hold it for this process alone.

    What a killed server has left behind is removed; anything else of those names is not
    ours to remove. The lock is on the directory itself, so nothing stays behind.
    """
    made = not directory.exists()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DeviceError(f"cannot use {directory} ({error}): choose another --dir") from error
    try:
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DeviceError(
                f"{directory} is in use by another `rover hardware-sim`: stop that one, or "
                "choose another --dir"
            ) from error
        for name in _NAMES:
            _remove_leftover(directory / name)
        yield
    finally:
        if made:
            # Others may have put something there; then it stays.
            with contextlib.suppress(OSError):
                directory.rmdir()
        os.close(lock_fd)


def _remove_leftover(path: Path) -> None:
    if path.is_symlink() or path.is_socket():
        path.unlink()
    elif path.exists():
        raise DeviceError(f"{path} is in the way: remove it, or choose another --dir")


@contextlib.contextmanager
def _fine_timers() -> Iterator[None]:
    """Let sleeps of this thread end on time, where Linux can be asked for that."""
    slack = Path("/proc/self/timerslack_ns")
    try:
        before = slack.read_text(encoding="ascii")
        slack.write_text("1", encoding="ascii")
    except OSError:
        # Another system, or not allowed: sleeps end up to 50 us late, and spinning covers that.
        yield
        return
    try:
        yield
    finally:
        slack.write_text(before.strip(), encoding="ascii")
