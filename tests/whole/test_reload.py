"""The configuration is read anew between two ticks of a disarmed rover, or not at all."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import structs

from rover import app
from rover.clock import Clock
from rover.config import Config
from rover.errors import ConfigError
from rover.gamepad import GamepadUpdate
from rover.hardware import Hardware
from rover.link import ControlClient, ReceivedRequest
from rover.messages import Answer, ArmState, Request, RequestKind, Rest, Severity, Telemetry
from tests.builders import osr_config
from tests.whole.memory_rover import TOKEN, FakePad, MemoryRover
from tests.whole.obedient_hardware import obedient_hardware
from tests.whole.real_rover import WITHIN_S, wait_for

BROKEN = ConfigError("a.toml:3: no such key\nb.toml:7: too large")


class Reader:
    """What reads the configuration: counts how often, and fails if it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.read = 0

    def __call__(self) -> str:
        self.read += 1
        if self.error is not None:
            raise self.error
        return "new"


def ask(rover: MemoryRover, *kinds: RequestKind, age_s: float = 0.0) -> None:
    """Make requests that come in with one and the same tick, and run that tick."""
    for kind in kinds:
        request = Request(kind, "a test", rover.clock.now_s() - age_s, TOKEN)
        rover.link.requests.append(ReceivedRequest(request, (b"", b"")))
    rover.tick()


def settled(rover: MemoryRover, *kinds: RequestKind, reader: Reader | None = None) -> Answer:
    """Ask in one tick, then see to it as the process does; return what is answered at last."""
    reader = reader or Reader()
    ask(rover, *kinds)
    prepared = rover.loop.reload(reader)
    answer = rover.link.answers[-1]
    assert (prepared == "new") is answer.accepted
    assert reader.read == (1 if answer.accepted or reader.error else 0)
    return answer


def up() -> MemoryRover:
    rover = MemoryRover()
    rover.run(1.0)
    return rover


def test_a_disarmed_rover_reads_it_once_and_tells_so() -> None:
    rover = up()
    before = len(rover.link.answers)
    assert settled(rover, RequestKind.RELOAD) == Answer(True)
    assert len(rover.link.answers) == before + 1
    (event,) = [e for e in rover.loop.journal.events() if e.code == "configuration"]
    assert event.severity is Severity.INFO
    assert event.text.startswith("a test has the configuration read anew")


def test_nothing_is_read_unasked() -> None:
    rover = up()
    settled(rover, RequestKind.RELOAD)
    rover.tick()
    reader = Reader()
    assert rover.loop.reload(reader) is None
    assert reader.read == 0


def test_what_two_ask_for_at_once_is_done_once_and_answered_twice() -> None:
    rover = up()
    before = len(rover.link.answers)
    settled(rover, RequestKind.RELOAD, RequestKind.RELOAD)
    assert rover.link.answers[before:] == [Answer(True), Answer(True)]


def test_a_mistake_is_a_refusal_a_line_and_all_goes_on_as_it_was() -> None:
    rover = up()
    answer = settled(rover, RequestKind.RELOAD, reader=Reader(BROKEN))
    assert answer.refusals == ("a.toml:3: no such key", "b.toml:7: too large")
    (event,) = [e for e in rover.loop.journal.events() if e.code == "refused"]
    assert "stays as it was: a.toml:3: no such key, and 1 more" in event.text
    rover.armed()


def test_nor_does_what_nobody_thought_of_end_control() -> None:
    rover = up()
    answer = settled(rover, RequestKind.RELOAD, reader=Reader(ZeroDivisionError("a wheel")))
    assert answer.refusals == ("it cannot be used: ZeroDivisionError: a wheel",)
    rover.armed()


@pytest.mark.parametrize("state", [ArmState.ARMED, ArmState.MAINTENANCE, ArmState.ESTOP])
def test_in_no_other_state(state: ArmState) -> None:
    rover = up()
    if state is ArmState.ARMED:
        rover.armed()
    elif state is ArmState.MAINTENANCE:
        assert rover.ask(RequestKind.MAINTAIN).accepted
        rover.order = Rest()
    else:
        rover.ask(RequestKind.STOP)
    rover.run(1.0)
    assert rover.state is state
    assert not settled(rover, RequestKind.RELOAD).accepted
    assert rover.state is state


@pytest.mark.parametrize("kind", [RequestKind.ARM, RequestKind.MAINTAIN, RequestKind.STOP])
def test_what_comes_after_it_in_the_same_tick_counts(kind: RequestKind) -> None:
    rover = up()
    assert not settled(rover, RequestKind.RELOAD, kind).accepted
    assert rover.state is not ArmState.DISARMED


def test_what_ends_before_it_in_the_same_tick_counts() -> None:
    rover = up().armed()
    assert settled(rover, RequestKind.DISARM, RequestKind.RELOAD).accepted


def test_one_that_waited_too_long_is_refused() -> None:
    rover = up()
    ask(rover, RequestKind.RELOAD, age_s=0.7)
    assert rover.loop.reload(Reader()) is None
    assert "0.7 s old" in rover.link.answers[-1].refusals[0]


# The process around it.


class Shop:
    """Hands out drivers and pads in place of the real ones, and remembers them."""

    def __init__(self) -> None:
        self.hardware: list[Hardware] = []
        self.pads: list[ClosingPad] = []

    def open_hardware(self, config: Config, clock: Clock) -> Hardware:
        if config.rover.name == "impossible":
            raise ConfigError("no drivers for this one")
        self.hardware.append(obedient_hardware(config, clock))
        return self.hardware[-1]

    def pad(self, _config: Config, _clock: Clock) -> "ClosingPad":
        self.pads.append(ClosingPad())
        return self.pads[-1]


class ClosingPad(FakePad):
    """A gamepad that nobody borrows, and that knows whether it has been let go of."""

    lent_to = ""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def keep(self, state: ArmState, now_s: float) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = Shop()
    monkeypatch.setattr(app, "open_hardware", shop.open_hardware)
    monkeypatch.setattr(app, "LendablePad", shop.pad)
    yield shop
    assert all(pad.closed for pad in shop.pads)


def named(name: str) -> Config:
    config = osr_config()
    return structs.replace(
        config,
        rover=structs.replace(config.rover, name=name),
        loop=structs.replace(config.loop, realtime_priority=0),
    )


class Control:
    """`rover control` in a thread, with the shop's devices, and a client of it."""

    def __init__(self, directory: Path) -> None:
        self.files = named("old")
        self.when_read: Callable[[], None] = lambda: None
        self._ending = threading.Event()
        self._thread = threading.Thread(
            target=app.run_control, args=(self.files, directory, self._ending.is_set, self._load)
        )
        self._thread.start()
        self.client, self.other = ControlClient(directory), ControlClient(directory)
        wait_for(lambda: self.telemetry().refusals == (), "it never came up")

    def _load(self) -> Config:
        self.when_read()
        return self.files

    def telemetry(self) -> Telemetry:
        telemetry = self.client.telemetry(WITHIN_S)
        assert telemetry is not None, "no telemetry"
        return telemetry

    def reload(self, name: str) -> Answer:
        self.files = named(name)
        return self.client.request(RequestKind.RELOAD, "a test", WITHIN_S)

    def wait_for_name(self, name: str) -> Telemetry:
        wait_for(lambda: self.telemetry().rover == name, f"it never became {name}")
        return self.telemetry()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self.client.close()
        self.other.close()


@pytest.fixture
def control(shop: Shop, tmp_path: Path) -> Iterator[Control]:
    control = Control(tmp_path)
    yield control
    control.close()


def test_another_loop_goes_on_with_the_new_one(control: Control, shop: Shop) -> None:
    before = control.telemetry()
    assert control.reload("new").accepted
    after = control.wait_for_name("new")
    assert after.state is ArmState.DISARMED
    old, new = shop.hardware
    assert (old.panel.enabled, new.panel.enabled) == (False, True)
    assert [pad.closed for pad in shop.pads] == [True, False]
    # The page follows the numbers.
    numbers = [event.number for event in after.events]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert set(before.events) <= set(after.events)
    assert "configuration" in [event.code for event in after.events]
    assert control.client.request(RequestKind.ARM, "a test", WITHIN_S).accepted


def test_what_no_loop_can_be_made_of_changes_nothing(control: Control, shop: Shop) -> None:
    answer = control.reload("impossible")
    assert answer.refusals == ("no drivers for this one",)
    assert control.telemetry().rover == "old"
    assert len(shop.hardware) == 1
    assert shop.hardware[0].panel.enabled
    assert control.client.request(RequestKind.ARM, "a test", WITHIN_S).accepted


def test_a_stop_asked_meanwhile_is_heard_by_the_next_loop(control: Control) -> None:
    with ThreadPoolExecutor(1) as others:
        stopped: list[Future[Answer]] = []

        def stop() -> None:
            asked = others.submit(control.other.request, RequestKind.STOP, "somebody", WITHIN_S)
            stopped.append(asked)

        control.when_read = stop
        assert control.reload("new").accepted
        assert stopped[0].result().accepted
    assert control.wait_for_name("new").state is ArmState.ESTOP


def test_a_stop_on_the_gamepad_meanwhile_stops_the_next_loop(control: Control, shop: Shop) -> None:
    def press() -> None:
        shop.pads[0].update = GamepadUpdate(requests=(RequestKind.STOP,), connected=True)

    control.when_read = press
    assert control.reload("new").accepted
    after = control.wait_for_name("new")
    assert after.state is ArmState.ESTOP
    assert not shop.hardware[1].panel.enabled


def test_it_ends_after_a_reload_as_ever(control: Control, shop: Shop) -> None:
    for name in ("second", "third", "fourth"):
        assert control.reload(name).accepted
        control.wait_for_name(name)
    control.close()
    assert not any(hardware.panel.enabled for hardware in shop.hardware)
    assert all(pad.closed for pad in shop.pads)
