"""What is left when control has failed over and over: motors off, a blinking lamp, a sentence.

systemd starts it when the restarts of control are used up. Otherwise the rover would stand there
as if it had been switched off, and nobody would know why.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.errors import DeviceError, InUseError, LinkError
from rover.hardware import Hardware, open_hardware
from rover.health import Watchdog
from rover.link import claim

_log = logging.getLogger(__name__)

# What it needs of a configuration: where the lines, the bus and the controllers on it are.
SECTIONS = ("panel", "roboclaw", "wheels")
SENTENCE = (
    "control has failed repeatedly and is not started again: the rover will not drive. Look for "
    "the reason with `journalctl -u rover-control`, mend it, then `systemctl reset-failed "
    "rover-control && systemctl start rover-control`"
)
# On and off, once a second; control's own fault lamp does not blink.
_HALF_BLINK_S = 0.5
_LOOK_EVERY_S = 0.1
_TRY_AGAIN_EVERY_S = 1.0


class Alarm:
    """Holds the motors off and blinks, as far as the hardware lets it. Nothing here raises."""

    def __init__(self, hardware: Hardware, clock: Clock) -> None:
        self._panel = hardware.panel
        self._drive = hardware.drive
        self._clock = clock
        self._began_s = clock.now_s()
        self._retry_s = self._began_s
        self._lit: bool | None = None
        self._trouble = ""

    def stop_motors(self) -> None:
        """Drop motor-enable, then give every controller that answers zero duty, once."""
        self._panel.enable_motors(False)
        self._claim_lines(self._clock.now_s())
        try:
            self._drive.start()
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the lamp must blink
            _log.warning("%s", error)
        # Zero duty again, also to those that did not answer.
        self._drive.close()

    def blink(self) -> None:
        """Set the fault lamp as it must be now; claim lines that could not be had before."""
        now_s = self._clock.now_s()
        self._claim_lines(now_s)
        lit = (now_s - self._began_s) % (2 * _HALF_BLINK_S) < _HALF_BLINK_S
        if lit is not self._lit:
            self._lit = lit
            self._panel.show(armed=False, fault=lit, link=False)

    def close(self) -> None:
        """Put the lamp out and let go of the lines; motor-enable stays low."""
        self._panel.close()

    def _claim_lines(self, now_s: float) -> None:
        missing = any(not entry.ready for entry in self._panel.health())
        if not missing or now_s < self._retry_s:
            return
        self._retry_s = now_s + _TRY_AGAIN_EVERY_S
        try:
            self._panel.start()
        except DeviceError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.error("the fault lamp cannot be lit: %s", error)


def run_alarm(
    config: Config | None,
    directory: Path,
    stopping: Callable[[], bool],
    clock: Clock | None = None,
) -> None:
    """Hold the motors off and blink until ``stopping``; without ``config`` only say why.

    Raises InUseError if a control process is running in ``directory``: then the hardware is its.
    """
    clock = clock or SystemClock()
    with closing(Watchdog(clock)) as watchdog, _alone_in(directory):
        _log.error(SENTENCE)
        watchdog.ready()
        watchdog.tell("alarm", SENTENCE)
        if config is None:
            while not stopping():
                clock.sleep_s(_LOOK_EVERY_S)
        else:
            show_alarm(open_hardware(config, clock), stopping, clock)
        watchdog.stopping("the alarm has been ended")


def show_alarm(hardware: Hardware, stopping: Callable[[], bool], clock: Clock) -> None:
    """Hold the motors of ``hardware`` off and blink until ``stopping``."""
    with closing(Alarm(hardware, clock)) as alarm:
        alarm.stop_motors()
        while not stopping():
            alarm.blink()
            clock.sleep_s(_LOOK_EVERY_S)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep control away from the hardware, where that can be: it may have failed for this."""
    try:
        lock = claim(directory)
    except InUseError:
        raise
    except LinkError as error:
        _log.warning("%s", error)
        yield
    else:
        with lock:
            yield
