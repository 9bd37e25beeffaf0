"""The gamepad is lent to who calibrates it, and back before the rover can need it."""

import time
from collections.abc import Callable, Iterator

import pytest

from calibration.lent import Borrowing
from rover.clock import ManualClock
from rover.config.pads import PadButtonsConfig, PadConfig, PadStickConfig
from rover.errors import DeviceError, LinkError
from rover.gamepad.lending import LendablePad
from rover.link import ReceivedRequest
from rover.loans import KEPT_FOR_S
from rover.messages import Arc, ArmState, Request, RequestKind
from rover.pad_messages import LearnedPad, PadAsk, PadLoan
from tests.gamepad.lent_pads import Shelf
from tests.gamepad.pads import (
    ABS,
    ABS_X,
    ABS_Y,
    BTN_EAST,
    BTN_SOUTH,
    BTN_START,
    BTN_TR,
    KEY,
    PLAYSTATION,
    XBOX,
)
from tests.whole.memory_rover import MemoryRover

WEB = "phone 1"
OTHER = "/dev/input/event9"
DEADLINE_S = 20.0


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    shelf.plug(XBOX)
    yield shelf
    shelf.close()


class Rover(MemoryRover):
    """A whole rover whose gamepad can be lent."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        super().__init__(make_pad=lambda config, clock: shelf.lendable(clock, config))

    @property
    def lender(self) -> LendablePad:
        return self.pad

    def borrow(self, who: str = WEB, **more) -> PadLoan:
        """Ask for the pads, and return what is answered within the tick."""
        return self.say_of_pads(PadAsk(who, **more))

    def borrow_until(self, fits: Callable[[PadLoan], object]) -> PadLoan:
        """Go on asking until the answer is as it should be: a thread opens and reads the pads."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not fits(loan := self.borrow()):
            assert time.monotonic() < deadline_s, loan
        return loan

    @property
    def has_pad(self) -> bool:
        """Whether control hears the pad."""
        return self.telemetry.gamepad.name != ""


@pytest.fixture
def rover(shelf: Shelf) -> Rover:
    rover = Rover(shelf)
    rover.run(1.0)
    return rover


def arm(rover: Rover) -> None:
    answer = rover.ask(RequestKind.ARM)
    assert answer.accepted, answer.refusals


def test_what_a_lent_pad_sends_reaches_the_borrower_and_nobody_else(rover, shelf):
    assert rover.has_pad
    loan = rover.borrow_until(lambda loan: loan.pads)
    (pad,) = loan.pads
    assert pad.name == XBOX.name
    assert {axis.code for axis in pad.axes} == set(XBOX.axes)
    shelf.device().send((KEY, BTN_EAST, 1), (ABS, ABS_Y, -20000))
    loan = rover.borrow_until(lambda loan: loan.events)
    assert [(event.kind, event.code, event.value) for event in loan.events] == [
        (KEY, BTN_EAST, 1),
        (ABS, ABS_Y, -20000),
    ]
    assert loan.pads[0].down == (BTN_EAST,)
    rover.run(0.5)
    # The emergency stop is being calibrated, not pressed; people are told who has the pad.
    assert rover.state is ArmState.DISARMED
    assert rover.telemetry.gamepad.lent_to == WEB
    assert any("calibrates the gamepad" in event.text for event in rover.telemetry.events)


@pytest.mark.parametrize("state", [ArmState.ARMED, ArmState.ESTOP, ArmState.FAULT])
def test_only_a_disarmed_rover_lends(rover, state):
    if state is ArmState.ESTOP:
        rover.ask(RequestKind.STOP)
    else:
        arm(rover)
    if state is ArmState.FAULT:
        rover.loop.arming.fault("a test", rover.clock.now_s())
        rover.tick()
    loan = rover.borrow()
    assert state in loan.refusal
    assert loan.pads == ()
    assert rover.lender.lent_to == ""


def test_arming_takes_it_back_at_once_and_its_stop_counts(rover, shelf):
    rover.borrow_until(lambda loan: loan.pads)
    arm(rover)
    assert rover.lender.lent_to == ""
    assert "disarm" in rover.borrow().refusal
    rover.run(0.2)
    assert rover.has_pad
    shelf.device().send((KEY, BTN_EAST, 1))
    rover.tick()
    assert rover.state is ArmState.ESTOP


def test_a_stop_by_anybody_takes_it_back_at_once(rover):
    rover.borrow_until(lambda loan: loan.pads)
    rover.ask(RequestKind.STOP)
    assert rover.lender.lent_to == ""


def test_while_it_is_lent_the_configuration_stays(rover):
    """Another loop would not know of the loan, and take the pad from under the calibration."""
    rover.borrow_until(lambda loan: loan.pads)
    assert rover.state is ArmState.DISARMED
    request = Request(RequestKind.RELOAD, "a test", rover.clock.now_s())
    rover.link.requests.append(ReceivedRequest(request, (b"", b"")))
    rover.borrow()
    assert rover.loop.reload(lambda: "new") is None
    assert rover.link.answers[-1].refusals == (f"{WEB} calibrates the gamepad: end that first",)
    rover.borrow(done=True)
    rover.link.requests.append(ReceivedRequest(request, (b"", b"")))
    rover.tick()
    assert rover.loop.reload(lambda: "new") == "new"


def test_who_falls_silent_has_it_no_more(rover):
    rover.borrow_until(lambda loan: loan.pads)
    rover.run(KEPT_FOR_S - 0.1)
    assert rover.lender.lent_to == WEB
    rover.run(0.2)
    assert rover.lender.lent_to == ""
    rover.run(0.1)
    assert rover.has_pad
    assert any("the rover's again" in event.text for event in rover.telemetry.events)


def test_one_has_it_at_a_time(rover):
    rover.borrow()
    assert WEB in rover.borrow("phone 2").refusal
    # Neither can the other one give it back.
    rover.borrow("phone 2", done=True)
    assert rover.lender.lent_to == WEB
    rover.borrow(done=True)
    assert rover.borrow("phone 2").refusal == ""


def test_nobody_has_no_name(rover):
    assert "who" in rover.borrow("").refusal
    assert rover.has_pad


def test_a_pad_that_comes_back_starts_from_rest(rover, shelf):
    """Held over and driven while it was lent, it drives only when let go of and pressed anew."""
    rover.borrow_until(lambda loan: loan.pads)
    rover.borrow(done=True)
    device = shelf.device()
    device.send((KEY, BTN_TR, 1), (ABS, ABS_Y, -32768))
    rover.run(0.1)
    assert not rover.ask(RequestKind.ARM).accepted
    device.send((KEY, BTN_TR, 0), (ABS, ABS_Y, 0))
    rover.run(0.1)
    arm(rover)
    device.send((ABS, ABS_Y, -32768))
    device.send((KEY, BTN_TR, 1))
    rover.run(2.0)
    assert rover.stands()
    device.send((KEY, BTN_TR, 0), (ABS, ABS_Y, 0))
    rover.run(0.2)
    device.send((KEY, BTN_TR, 1))
    rover.run(0.2)
    device.send((ABS, ABS_Y, -32768))
    rover.run(1.0)
    assert not rover.stands()


def test_what_was_learned_counts_at_once(rover, shelf):
    """The pad's dead-man is another button from now on."""
    rover.borrow_until(lambda loan: loan.pads)
    learned = PadConfig(
        left_stick_y=PadStickConfig("ABS_Y", -32768, 0, 32767),
        right_stick_x=PadStickConfig("ABS_RX", -32768, 0, 32767),
        buttons=PadButtonsConfig(right_shoulder="BTN_SOUTH"),
    )
    rover.borrow(done=True, learned=LearnedPad("1234:5678", learned))
    rover.run(0.2)
    arm(rover)
    device = shelf.device()
    device.send((KEY, BTN_TR, 1))
    rover.run(0.2)
    device.send((ABS, ABS_Y, -32768))
    rover.run(1.0)
    assert rover.stands()
    device.send((KEY, BTN_TR, 0), (ABS, ABS_Y, 0))
    rover.run(0.2)
    device.send((KEY, BTN_SOUTH, 1))
    rover.run(0.2)
    device.send((ABS, ABS_Y, -32768))
    rover.run(1.0)
    assert not rover.stands()


def test_what_no_file_could_hold_is_not_learned(rover, shelf):
    rover.borrow_until(lambda loan: loan.pads)
    nonsense = PadConfig(left_stick_y=PadStickConfig("ABS_NOWHERE", 0, 128, 255))
    loan = rover.borrow(done=True, learned=LearnedPad("1234:5678", nonsense))
    assert "ABS_NOWHERE" in loan.refusal
    assert rover.lender.lent_to == ""
    assert "1234:5678" not in shelf.made[-1].gamepad.pads
    rover.run(0.2)
    assert rover.has_pad


def test_the_web_goes_on_driving_while_the_pad_is_away(rover):
    """A phone needs no pad; arming for it takes the pad back all the same."""
    rover.borrow_until(lambda loan: loan.pads)
    rover.armed().say(Arc(0.5, 0.0))
    rover.run(1.0)
    assert not rover.stands()


def test_a_rover_that_reads_no_gamepad_lends_none():
    rover = MemoryRover()
    loan = rover.say_of_pads(PadAsk(WEB))
    assert "gamepad.enabled" in loan.refusal


class TestBorrowing:
    """The borrower's end: pads as a calibration session needs them."""

    @pytest.fixture
    def borrowing(self, rover: Rover) -> Borrowing:
        return Borrowing(rover.say_of_pads, WEB)

    def refresh_until(self, borrowing: Borrowing, fits: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not fits():
            assert time.monotonic() < deadline_s
            borrowing.refresh()

    def test_a_pad_says_what_it_sent_and_how_it_is(self, borrowing, shelf):
        self.refresh_until(borrowing, lambda: borrowing.pads)
        (pad,) = borrowing.pads
        assert pad.identity.name == XBOX.name
        assert pad.capabilities.keys == set(XBOX.keys)
        shelf.device().send((KEY, BTN_SOUTH, 1), (ABS, ABS_X, 99))
        self.refresh_until(borrowing, lambda: pad.down)
        assert pad.down == {BTN_SOUTH}
        assert pad.raws[ABS_X] == 99
        assert [event.code for event in pad.read()] == [BTN_SOUTH, ABS_X]
        assert pad.read() == []
        shelf.device().send((KEY, BTN_SOUTH, 0))
        self.refresh_until(borrowing, lambda: not pad.down)

    def test_pads_come_and_go(self, borrowing, shelf):
        self.refresh_until(borrowing, lambda: borrowing.pads)
        shelf.plug(PLAYSTATION, OTHER)
        self.refresh_until(borrowing, lambda: len(borrowing.pads) == 2)
        gone = next(pad for pad in borrowing.pads if pad.path == OTHER)
        shelf.unplug(OTHER)
        self.refresh_until(borrowing, lambda: len(borrowing.pads) == 1)
        with pytest.raises(DeviceError, match="unplugged"):
            gone.read()

    def test_a_pad_without_permission_is_told_of(self, borrowing, shelf):
        shelf.plug(PLAYSTATION, OTHER)
        shelf.errors[OTHER] = DeviceError(f"no permission to read {OTHER}: join the group")
        self.refresh_until(borrowing, lambda: borrowing.troubles and borrowing.pads)
        assert "join the group" in borrowing.troubles[0]

    def test_what_nobody_expects_is_told_of_too(self, borrowing, shelf):
        shelf.plug(PLAYSTATION, OTHER)
        shelf.errors[OTHER] = RuntimeError("the library is broken")
        self.refresh_until(borrowing, lambda: borrowing.troubles)
        assert "the library is broken" in borrowing.troubles[0]

    def test_a_refusal_is_an_error(self, borrowing, rover):
        arm(rover)
        with pytest.raises(LinkError, match="disarm"):
            borrowing.refresh()

    def test_a_storm_of_events_is_bounded(self, borrowing, rover, shelf):
        self.refresh_until(borrowing, lambda: borrowing.pads)
        (pad,) = borrowing.pads
        for _ in range(50):
            shelf.device().send(*[(ABS, ABS_X, n) for n in range(200)])
        shelf.device().send((KEY, BTN_START, 1))
        self.refresh_until(borrowing, lambda: BTN_START in pad.down)
        assert len(rover.borrow().events) <= 512


def test_closing_lets_go_of_what_is_lent(shelf):
    pad = shelf.lendable(ManualClock())
    pad.ask(PadAsk(WEB), ArmState.DISARMED, 0.0)
    pad.close()
    shelf.lent[-1].wait()
    assert pad.filenos() == ()
