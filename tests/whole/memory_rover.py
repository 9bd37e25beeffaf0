"""The whole rover in one process, on a clock that the test holds.

The loop and its drivers are the real ones, the devices the simulated ones; only the two ends
that people touch, the link and the gamepad, are stood in for.
"""

import itertools
from collections import deque
from collections.abc import Callable

from msgspec import structs

from rover.bus_messages import BusAsk, BusLoan
from rover.clock import Clock, ManualClock
from rover.config import Config
from rover.ends import Pad
from rover.errors import DeviceError
from rover.gamepad import GamepadUpdate
from rover.gamepad.lending import LendablePad
from rover.hardware import Hardware
from rover.hardware.bus.lines import EndpointFactory
from rover.hardware.gpio import GpioPanel
from rover.hardware.ina260 import Ina260Monitor
from rover.hardware.pca9685 import Pca9685Steering
from rover.hardware.roboclaw import RoboclawDrive
from rover.link import (
    Inbox,
    ReceivedBusAsk,
    ReceivedPadAsk,
    ReceivedRequest,
    RefusedDrive,
)
from rover.loop import ControlLoop
from rover.messages import (
    Answer,
    Arc,
    ArmState,
    DriveCommand,
    MaintenanceOrder,
    Motion,
    Order,
    Request,
    RequestKind,
    Rest,
    Source,
    Telemetry,
)
from rover.pacing import Pacer, Waiter
from rover.pad_messages import PadAsk, PadLoan
from rover.sim.devices import SimulatedDevices
from rover.sim.memory import MemorySerialLine, SimulatedRover
from rover.sim.truth import Truth
from tests.builders import osr_config

# A wheel slower than this stands: a millimetre a second at the rim.
STANDING_RAD_S = 0.015
# Of the session that calibrates.
TOKEN = "a token"


class Port:
    """The serial port as the system gives it away: to one at a time, until that lets go of it."""

    def __init__(self, simulated: SimulatedRover, clock: Clock) -> None:
        self._simulated = simulated
        self._clock = clock
        self.line: MemorySerialLine | None = None
        self.opened = 0

    def open(self) -> MemorySerialLine:
        if self.line is not None:
            raise DeviceError("cannot open the port: another program uses it")
        self.line = _OpenLine(self)
        self.opened += 1
        return self.line

    def let_go(self, line: MemorySerialLine) -> None:
        if self.line is line:
            self.line = None

    def is_let_go_of(self) -> None:
        """Have whoever has it be killed."""
        self.line = None

    def wire(self) -> tuple[SimulatedDevices, Clock]:
        return self._simulated.devices, self._clock


class _OpenLine(MemorySerialLine):
    def __init__(self, port: Port) -> None:
        super().__init__(*port.wire())
        self._port = port

    def close(self) -> None:
        self._port.let_go(self)


class FakeLink:
    """What clients send, and what they are sent."""

    def __init__(self) -> None:
        self.drive: deque[DriveCommand] = deque()
        self.refused: deque[RefusedDrive] = deque()
        self.requests: deque[ReceivedRequest] = deque()
        self.orders: deque[MaintenanceOrder] = deque()
        self.answers: list[Answer] = []
        self.pad_asks: deque[ReceivedPadAsk] = deque()
        self.loans: list[PadLoan] = []
        self.bus_asks: deque[ReceivedBusAsk] = deque()
        self.bus_loans: list[BusLoan] = []
        self.published: deque[Telemetry] = deque(maxlen=50)

    def receive(self) -> Inbox:
        inbox = Inbox(
            tuple(self.drive),
            tuple(self.refused),
            tuple(self.requests),
            tuple(self.pad_asks),
            tuple(self.orders),
            tuple(self.bus_asks),
        )
        self.bus_asks.clear()
        self.pad_asks.clear()
        self.orders.clear()
        self.drive.clear()
        self.refused.clear()
        self.requests.clear()
        return inbox

    def answer(self, received: ReceivedRequest, answer: Answer) -> None:
        self.answers.append(answer)

    def answer_pad_ask(self, received: ReceivedPadAsk, loan: PadLoan) -> None:
        self.loans.append(loan)

    def answer_bus_ask(self, received: ReceivedBusAsk, loan: BusLoan) -> None:
        self.bus_loans.append(loan)

    def publish(self, telemetry: Telemetry) -> None:
        self.published.append(telemetry)


class FakePad:
    """A gamepad whose next update the test sets; it has none by itself."""

    def __init__(self) -> None:
        self.update = GamepadUpdate()
        self.shown: tuple[bool, bool] | None = None

    def filenos(self) -> tuple[int, ...]:
        return ()

    def poll(self, now_s: float) -> GamepadUpdate:
        update, self.update = self.update, structs.replace(self.update, requests=())
        return update

    def show(self, *, armed: bool, fault: bool) -> None:
        self.shown = (armed, fault)

    def close(self) -> None:
        pass


class MemoryRover:
    """A rover to drive: ``say`` what a source wants, ``run`` for a while, look at the truth."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        paced: bool = True,
        make_pad: Callable[[Config, Clock], Pad] = lambda config, clock: FakePad(),
        wrong: str = "",
        built: Config | None = None,
    ) -> None:
        """``built`` is how the rover is meant to be built, if control is told otherwise."""
        self.config = config or osr_config()
        self.clock = ManualClock()
        self.simulated = SimulatedRover(built or self.config, self.clock, paced=paced, wrong=wrong)
        self.port = Port(self.simulated, self.clock)
        self.link = FakeLink()
        self._sequence = itertools.count(1)
        # What each source goes on saying, as a page or a pad does.
        self.saying: dict[Source, Motion] = {}
        # What a session goes on ordering in maintenance.
        self.order: Order | None = None
        self.start_loop(make_pad)

    def start_loop(self, make_pad: Callable[[Config, Clock], Pad]) -> None:
        """Start a control loop of its own, with drivers that know nothing yet."""
        simulated, clock = self.simulated, self.clock
        # Of the one before, if there was one.
        self.port.is_let_go_of()
        self.hardware = Hardware(
            drive=RoboclawDrive(self.config, clock, self.port.open),
            steering=Pca9685Steering(self.config, clock, lambda: simulated.i2c),
            power=Ina260Monitor(self.config, clock, lambda: simulated.i2c),
            panel=GpioPanel(self.config, lambda: EndpointFactory(simulated.lines)),
        )
        self.pad = make_pad(self.config, clock)
        lender = self.pad if isinstance(self.pad, LendablePad) else None
        self.loop = ControlLoop(
            self.config, clock, self.hardware, self.link, self.pad, lender=lender
        )
        self._pacer = Pacer(1.0 / self.config.loop.rate_hz, clock.now_s())
        # Its rule for cutting a tick short is the real one; no input comes between ticks here.
        self._waiter = Waiter(clock, self._pacer, (), lambda: False, tuple)
        self.loop.start()

    @property
    def state(self) -> ArmState:
        return self.loop.arming.state

    def truth(self) -> Truth:
        return self.simulated.truth()

    @property
    def telemetry(self) -> Telemetry:
        return self.link.published[-1]

    def tick(self, hurry: Callable[[], bool] | None = None) -> None:
        """Wait until the next tick is due, and run it."""
        self.clock.sleep_s(self._pacer.due_s - self.clock.now_s())
        for source, motion in self.saying.items():
            command = DriveCommand(source, next(self._sequence), self.clock.now_s(), motion)
            self.link.drive.append(command)
        if self.order is not None:
            order = MaintenanceOrder(TOKEN, self.clock.now_s(), self.order)
            self.link.orders.append(order)
        self._pacer.started(self.clock.now_s())
        self.ticked(self.loop.tick(self._pacer.missed, hurry or self._waiter.hurry))

    def ticked(self, reached: bool) -> None:
        """Take note of whether a tick reached the hardware; for a test that watches it."""

    def run(self, duration_s: float) -> None:
        """Tick for ``duration_s``."""
        end_s = self.clock.now_s() + duration_s
        while self.clock.now_s() < end_s:
            self.tick()

    def say(self, motion: Motion, source: Source = Source.WEB) -> None:
        """Let ``source`` ask for ``motion`` from now on, at every tick."""
        self.saying[source] = motion

    def hush(self, source: Source = Source.WEB) -> None:
        """Let ``source`` fall silent."""
        del self.saying[source]

    def hears_slowly(self, for_s: float) -> None:
        """Have the next look at the pad take so long, as when one has just been plugged in."""
        poll = self.pad.poll

        def poll_slowly(now_s: float) -> GamepadUpdate:
            self.clock.sleep_s(for_s)
            self.pad.poll = poll
            return poll(now_s)

        self.pad.poll = poll_slowly

    def ask(self, kind: RequestKind) -> Answer:
        """Make a request, run a tick, and return its answer."""
        request = Request(kind, "a test", self.clock.now_s(), TOKEN)
        self.link.requests.append(ReceivedRequest(request, (b"", b"")))
        self.tick()
        return self.link.answers[-1]

    def say_of_pads(self, ask: PadAsk) -> PadLoan:
        """Ask for the gamepads, run a tick, and return what is answered."""
        self.link.pad_asks.append(ReceivedPadAsk(ask, (b"", b"")))
        self.tick()
        return self.link.loans.pop()

    def say_of_bus(self, ask: BusAsk) -> BusLoan:
        """Ask for the serial bus, run a tick, and return what is answered."""
        self.link.bus_asks.append(ReceivedBusAsk(ask, (b"", b"")))
        self.tick()
        return self.link.bus_loans.pop()

    def armed(self) -> "MemoryRover":
        """Come up, arm, and have the phone at neutral; return the rover, ready to drive."""
        self.run(1.0)
        answer = self.ask(RequestKind.ARM)
        assert answer.accepted, answer.refusals
        self.say(Arc(0.0, 0.0))
        # The corners need their time after arming: limp servos can be anywhere.
        self.run(1.0)
        return self

    def maintained(self) -> "MemoryRover":
        """Come up and be in maintenance, its session at rest; return the rover."""
        self.run(1.0)
        answer = self.ask(RequestKind.MAINTAIN)
        assert answer.accepted, answer.refusals
        self.order = Rest()
        self.run(0.5)
        return self

    def driving(self, motion: Motion, duration_s: float = 2.0) -> "MemoryRover":
        """Be armed and drive ``motion`` for a while; return the rover."""
        self.armed()
        self.say(motion)
        self.run(duration_s)
        assert not self.stands()
        return self

    def stands(self) -> bool:
        """Whether every wheel truly stands still."""
        return all(abs(wheel.speed_rad_s) < STANDING_RAD_S for wheel in self.truth().wheels)

    def time_to_stand_s(self, within_s: float) -> float:
        """Run until every wheel stands; return how long that took; fail after ``within_s``."""
        start_s = self.clock.now_s()
        while not self.stands():
            assert self.clock.now_s() - start_s <= within_s, "the wheels go on turning"
            self.tick()
        return self.clock.now_s() - start_s
