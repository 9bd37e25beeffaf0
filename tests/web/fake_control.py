"""A control process's end of the link without a rover: publishes what it is told to, keeps
what it hears. The sockets and the messages are the real ones."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import zmq

from rover.gamepad.lending import LendablePad
from rover.link import ControlLink, ReceivedRequest
from rover.messages import (
    Answer,
    Arc,
    ArmState,
    DriveCommand,
    Maintained,
    MaintenanceOrder,
    Motion,
    Pose,
    PowerReading,
    Request,
    RequestKind,
    Stop,
    Telemetry,
    TurnServo,
    TurnWheel,
    Twist,
    WheelView,
)
from rover.pad_messages import PadLoan

PUBLISH_S = 0.05
# What comes at all comes long before that; a busy computer may take its time.
DEADLINE_S = 20.0
# As often as something is said again that has not been heard.
_AGAIN_S = 0.1
# As often as a real one looks for what is asked of pads.
_LENDING_S = 0.01

Found = TypeVar("Found")

_WHEELS = (
    ("left_front", 0.274, 0.177),
    ("right_front", 0.274, -0.177),
    ("left_middle", 0.0, 0.253),
    ("right_middle", 0.0, -0.253),
    ("left_rear", -0.310, 0.177),
    ("right_rear", -0.310, -0.177),
)


def still_rover() -> Telemetry:
    """The telemetry of a healthy, disarmed rover that stands still."""
    return Telemetry(
        stamp_s=time.monotonic(),
        rover="Test rover",
        state=ArmState.DISARMED,
        refusals=(),
        source=None,
        command_age_s=float("inf"),
        asked=Stop("nobody drives"),
        governed=Stop("nobody drives"),
        limited_by=(),
        max_speed_mps=1.0,
        max_curvature_per_m=2.0,
        max_yaw_rate_rad_s=1.5,
        can_crab=False,
        wheels=tuple(
            WheelView(name, x_m, y_m, 0.075, 0.0, 0.0, 0.0, 0.1, 0.0) for name, x_m, y_m in _WHEELS
        ),
        pose=Pose(0.0, 0.0, 0.0),
        twist=Twist(0.0, 0.0, 0.0),
        power=PowerReading(15.8, 0.4, time.monotonic(), "test battery"),
        conditions=(),
        devices=(),
        events=(),
        tick_ms=0.3,
        missed_ticks=0,
    )


class FakeControl:
    """Runs in a thread of its own, from ``with`` to its end.

    ``telemetry`` is what it publishes (stamped anew each time) while ``is_publishing``;
    ``refusals`` is what it answers to arming; it answers nothing while ``is_deaf``, until it
    is told to ``answer_late``.
    """

    def __init__(self, directory: Path) -> None:
        self.telemetry = still_rover()
        self.refusals: tuple[str, ...] = ()
        self.is_publishing = True
        self.is_deaf = False
        self.commands: list[DriveCommand] = []
        self.refused: list[str] = []
        self.requests: list[Request] = []
        # What calibrations have ordered, and how far each wheel has turned by that.
        self.orders: list[MaintenanceOrder] = []
        self._turned_s = 0.0
        # Set by a test that has pads to lend.
        self.lender: LendablePad | None = None
        self._owed: list[ReceivedRequest] = []
        self.directory = directory
        self._link = ControlLink(directory)
        self._changed = threading.Condition()
        self._answering_late = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake control", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()
        self._link.close()

    @property
    def motions(self) -> list[Motion]:
        """Every motion commanded so far."""
        with self._changed:
            return [command.motion for command in self.commands]

    @property
    def asked(self) -> list[RequestKind]:
        """Every kind of request so far."""
        with self._changed:
            return [request.kind for request in self.requests]

    def update(self, **changes: object) -> None:
        """Publish something else from now on."""
        # What is asked of it changes it too, in another thread.
        with self._changed:
            self.telemetry = msgspec.structs.replace(self.telemetry, **changes)

    def forget(self) -> None:
        """Forget the commands and requests heard so far."""
        with self._changed:
            self.commands.clear()
            self.requests.clear()

    def answer_late(self) -> None:
        """Answer what was asked while it was deaf, and all that is asked from now on."""
        self.is_deaf = False
        self._answering_late.set()

    def wait_until_linked(self, send: Callable[[], object]) -> None:
        """Call ``send`` until a command comes through, then forget it.

        A publishing socket drops what it sends before the subscriber has answered it; the
        page, which sends all the time, never notices.
        """
        deadline_s = time.monotonic() + DEADLINE_S
        with self._changed:
            while not self.commands:
                if time.monotonic() > deadline_s:
                    raise AssertionError("no command came through")
                send()
                self._changed.wait(0.02)
            self.commands.clear()

    def wait_for(
        self,
        look: Callable[[], Found | None],
        what: str,
        say: Callable[[], object] | None = None,
    ) -> Found:
        """Return what ``look`` finds as soon as it finds anything.

        ``say`` is done at once, and again every now and then until something is found.
        """
        deadline_s = time.monotonic() + DEADLINE_S
        say_s = 0.0
        while True:
            if say is not None and time.monotonic() >= say_s:
                say()
                say_s = time.monotonic() + _AGAIN_S
            with self._changed:
                found = look()
                if found:
                    return found
                now_s = time.monotonic()
                if now_s >= deadline_s:
                    raise AssertionError(f"waited for {what}; heard only {self.commands[-10:]}")
                self._changed.wait((deadline_s if say is None else say_s) - now_s)

    def wait_for_motion(
        self, fits: Callable[[Motion], bool], what: str, say: Callable[[], object] | None = None
    ) -> DriveCommand:
        """Return the first command not looked at yet whose motion fits, forgetting it and those
        before it; ``say`` as in ``wait_for``."""

        def look() -> DriveCommand | None:
            for i, command in enumerate(self.commands):
                if fits(command.motion):
                    del self.commands[: i + 1]
                    return command
            return None

        return self.wait_for(look, what, say)

    def wait_for_request(self, kind: RequestKind) -> Request:
        """Return the first request of this kind."""
        return self.wait_for(
            lambda: next((r for r in self.requests if r.kind is kind), None), f"request to {kind}"
        )

    def _run(self) -> None:
        poller = zmq.Poller()
        for number in self._link.filenos():
            poller.register(number, zmq.POLLIN)
        publish_s = 0.0
        while not self._ending.is_set():
            while self._link.pending():
                self._hear()
            now_s = time.monotonic()
            if now_s >= publish_s:
                publish_s = now_s + PUBLISH_S
                if self.is_publishing:
                    self._link.publish(msgspec.structs.replace(self.telemetry, stamp_s=now_s))
            if self._answering_late.is_set():
                self._answering_late.clear()
                while self._owed:
                    self._give_answer(self._owed.pop(0))
            # A test may take it away at any moment.
            lender = self.lender
            if lender is not None:
                self._hear()
                lender.keep(self.telemetry.state, now_s)
                publish_s = min(publish_s, now_s + _LENDING_S)
            poller.poll(max(1, int((publish_s - now_s) * 1000)))

    def _hear(self) -> None:
        inbox = self._link.receive()
        with self._changed:
            self.commands += inbox.drive
            for order in inbox.orders:
                self._obey(order)
            self.refused += [refused.reason for refused in inbox.refused]
            for received in inbox.requests:
                self.requests.append(received.request)
                if self.is_deaf:
                    self._owed.append(received)
                else:
                    self._give_answer(received)
            for asked in inbox.pad_asks:
                loan = PadLoan("this rover has no pads")
                lender = self.lender
                if lender is not None:
                    loan = lender.ask(asked.ask, self.telemetry.state, time.monotonic())
                self._link.answer_pad_ask(asked, loan)
            self._changed.notify_all()

    def _obey(self, order: MaintenanceOrder) -> None:
        """Turn the one wheel, or lead the one servo, that a calibration asks for: at once."""
        self.orders.append(order)
        if self.telemetry.state is not ArmState.MAINTENANCE:
            return
        now_s = time.monotonic()
        elapsed_s, self._turned_s = min(0.1, now_s - self._turned_s), now_s
        told = Maintained("a test")
        wheels = list(self.telemetry.wheels)
        match order.order:
            case TurnWheel(name, duty):
                told = Maintained("a test", name, duty=duty)
                wheels = [
                    msgspec.structs.replace(
                        wheel, position_rad=(wheel.position_rad or 0.0) + 3.0 * elapsed_s
                    )
                    if wheel.name == name
                    else wheel
                    for wheel in wheels
                ]
            case TurnServo(name, angle_rad):
                told = Maintained("a test", name, steer_rad=angle_rad)
        self.update(maintenance=told, wheels=tuple(wheels))

    def _give_answer(self, received: ReceivedRequest) -> None:
        self._link.answer(received, self._answer(received.request.kind))

    def _answer(self, kind: RequestKind) -> Answer:
        if kind in {RequestKind.ARM, RequestKind.MAINTAIN} and self.refusals:
            return Answer(False, self.refusals)
        self.update(
            state={
                RequestKind.ARM: ArmState.ARMED,
                RequestKind.DISARM: ArmState.DISARMED,
                RequestKind.STOP: ArmState.ESTOP,
                RequestKind.CLEAR: ArmState.DISARMED,
                RequestKind.MAINTAIN: ArmState.MAINTENANCE,
            }.get(kind, self.telemetry.state)
        )
        return Answer(True)


def is_stop(motion: Motion) -> bool:
    """Whether it is a Stop."""
    return isinstance(motion, Stop)


def is_driving(motion: Motion) -> bool:
    """Whether it is an Arc that moves."""
    return isinstance(motion, Arc) and motion.speed_mps != 0


def is_at_rest(motion: Motion) -> bool:
    """Whether it is an Arc that neither moves nor turns a wheel."""
    return motion == Arc(0.0, 0.0)
