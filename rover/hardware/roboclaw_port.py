"""The port that all RoboClaws share: opened when it can be, let go of when it is gone.

Whoever fails on it is told so and comes last; who answers is heard. Nothing here knows what a
controller is asked for.
"""

import logging
import math
from collections.abc import Callable, Sequence

from rover.clock import Clock
from rover.config import Config
from rover.errors import BadReplyError, DeviceError, DeviceTimeoutError
from rover.hardware.bus.serial_line import SerialLine
from rover.hardware.roboclaw_bus import RoboclawBus
from rover.hardware.roboclaw_controller import RoboclawController
from rover.hardware.roboclaw_reading import Transaction

_log = logging.getLogger(__name__)

_STOP_ATTEMPTS = 2
_REOPEN_EVERY_S = 1.0


class RoboclawPort:
    """Transactions with ``controllers`` on the serial port that ``open_line`` opens."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        open_line: Callable[[], SerialLine],
        controllers: tuple[RoboclawController, ...],
    ) -> None:
        self._config = config.roboclaw
        self._silence_s = config.deadlines.controller_s
        self._clock = clock
        self._open_line = open_line
        self._controllers = controllers
        # Whoever failed last comes last, so that nobody else waits for its deadline.
        self._order = list(controllers)
        self._bus: RoboclawBus | None = None
        self._opened_s = -math.inf
        # Why there is no port, if there is none.
        self.trouble = ""

    @property
    def is_open(self) -> bool:
        """Whether the port can be used, as far as is known."""
        return self._bus is not None

    @property
    def order(self) -> tuple[RoboclawController, ...]:
        """The controllers, those last that have failed last."""
        return tuple(self._order)

    def open(self) -> None:
        """Open the port, if it is not open, and say zero duty to every controller first of all.

        Wheels that somebody who was killed has left turning would be kept turning by whatever
        valid packet comes before. Raises DeviceError if the port cannot be opened; it is tried
        again after a second at the earliest.
        """
        if self._bus is not None:
            return
        now_s = self._clock.now_s()
        if now_s - self._opened_s < _REOPEN_EVERY_S:
            raise DeviceError(self.trouble)
        self._opened_s = now_s
        try:
            line = self._open_line()
        except DeviceError as error:
            self.hang_up(str(error))
            raise
        self._bus = RoboclawBus(line, self._config.baud, self._config.reply_margin_s, self._clock)
        self.stop()

    def send(self, controller: RoboclawController, packet: bytes) -> bool:
        """Whether ``controller`` has acknowledged ``packet``; why not is in its health."""
        undo = b"" if packet == controller.zero_duty else controller.zero_duty
        return self.attempt(controller, lambda bus: bus.send(packet, undo))

    def attempt(self, controller: RoboclawController, transaction: Transaction) -> bool:
        """Whether ``transaction`` succeeded; why not is in the controller's health."""
        bus = self._bus
        if bus is None:
            return False
        try:
            transaction(bus)
        except DeviceError as error:
            self._note(controller, error)
            return False
        controller.heard(self._clock.now_s())
        return True

    def stop(self) -> None:
        """Command zero duty on every controller, lost ones too; a silent one is tried twice."""
        left = self.order
        for _ in range(_STOP_ATTEMPTS):
            left = tuple(unit for unit in left if not self._stopped(unit))

    def close(self) -> None:
        """Let go of the port; it may be opened again at once."""
        self.hang_up("the port has been closed")
        self._opened_s = -math.inf

    def hang_up(self, reason: str) -> None:
        """Let go of a port that is gone; ``open`` opens it again."""
        self.trouble = reason
        for controller in self._controllers:
            controller.disconnected(reason)
        if self._bus is not None:
            bus, self._bus = self._bus, None
            bus.close()

    def complaint(self, missing: Sequence[RoboclawController]) -> str:
        """Say who does not answer, and the likeliest cause."""
        names = ", ".join(f"0x{controller.address:02X}" for controller in missing)
        where = f"{self._config.port} at {self._config.baud} baud"
        why = "; ".join(sorted({controller.failure for controller in missing}))
        if all(controller.identified and not controller.lost for controller in missing):
            return f"RoboClaw {names} answers on {where}, but is not as it must be: {why}"
        if len(missing) == len(self._controllers):
            return (
                f"no RoboClaw answers on {where} (asked {names}: {why}): check their power, TX and "
                "RX, that they are set to packet serial at this speed, and that neither Bluetooth "
                "nor a login console holds the UART"
            )
        return (
            f"RoboClaw {names} does not answer as it should on {where}, others do ({why}): check "
            "its power and plug, its address, and that multi-unit mode is on in every controller"
        )

    def _stopped(self, controller: RoboclawController) -> bool:
        try:
            return self.send(controller, controller.zero_duty)
        except Exception:  # noqa: BLE001 - whatever is wrong with one, the others must stop too
            _log.exception("stopping %s", controller.name)
            return False

    def _note(self, controller: RoboclawController, error: DeviceError) -> None:
        if isinstance(error, DeviceTimeoutError | BadReplyError):
            controller.failed(error, self._clock.now_s(), self._silence_s)
            self._order.remove(controller)
            self._order.append(controller)
        else:
            self.hang_up(str(error))
