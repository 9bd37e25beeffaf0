"""The borrower's end of the bus: it has it no longer than control says so, and gives it back."""

import threading
from collections.abc import Callable

import pytest

from calibration.lent_bus import BorrowedBus, BusRefusedError, LentPanel
from rover.bus_messages import BusAsk, BusAskKind, BusLoan
from rover.clock import ManualClock
from rover.errors import DeviceError, LinkError

PORT = "/dev/serial0"
WITHIN_S = 10.0


class Control:
    """A control that lends after a few questions, until a test says otherwise."""

    def __init__(self) -> None:
        self.heard: list[BusAsk] = []
        self.refusal = ""
        self.silent = False
        self.powers = True
        self.lends_after = 2
        self.asked = threading.Condition()

    def ask(self, ask: BusAsk, timeout_s: float) -> BusLoan:
        with self.asked:
            self.heard.append(ask)
            self.asked.notify_all()
        if self.silent:
            raise LinkError("control did not answer")
        if self.refusal:
            return BusLoan(self.refusal)
        lent = len(self.heard) > self.lends_after
        return BusLoan("", lent, lent and ask.power and self.powers, PORT)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until it has been asked so often that ``condition`` is so."""
        with self.asked:
            assert self.asked.wait_for(condition, WITHIN_S)


class Rig:
    def __init__(self) -> None:
        self.control = Control()
        self.clock = ManualClock()
        self.told = threading.Event()
        self.times_told = 0
        self.bus = BorrowedBus(self.control.ask, "a test", self.clock, self.when_ended)

    def when_ended(self) -> None:
        self.times_told += 1
        self.told.set()


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.bus.give_back()


def test_it_asks_until_control_has_let_go_of_the_port_and_goes_on_asking(rig):
    rig.bus.begin(PORT)
    kinds = [ask.kind for ask in rig.control.heard]
    assert kinds == [BusAskKind.BEGIN, BusAskKind.KEEP, BusAskKind.KEEP]
    rig.control.until(lambda: len(rig.control.heard) > 5)
    assert len({ask.token for ask in rig.control.heard}) == 1
    rig.bus.require()


def test_another_borrower_has_another_token(rig):
    rig.bus.begin(PORT)
    other = Rig()
    other.bus.begin(PORT)
    other.bus.give_back()
    assert rig.control.heard[0].token != other.control.heard[0].token


def test_why_control_does_not_lend_it_is_told(rig):
    rig.control.refusal = "the rover is armed: disarm it first"
    with pytest.raises(BusRefusedError, match="does not lend the serial bus: the rover is armed"):
        rig.bus.begin(PORT)
    with pytest.raises(DeviceError):
        rig.bus.require()


def test_a_bus_that_control_cannot_let_go_of_is_not_waited_for_for_ever(rig):
    rig.control.lends_after = 10_000
    with pytest.raises(LinkError, match="does not let go"):
        rig.bus.begin(PORT)


def test_another_rovers_bus_is_not_meant(rig):
    with pytest.raises(BusRefusedError, match=r"controllers on /dev/serial0, this is about /tmp/x"):
        rig.bus.begin("/tmp/x")


def test_what_control_says_ends_it_once(rig):
    rig.bus.begin(PORT)
    rig.control.refusal = "the rover is estop: emergency stop by a test"
    assert rig.told.wait(WITHIN_S)
    with pytest.raises(DeviceError, match="emergency stop by a test"):
        rig.bus.require()
    rig.bus.give_back()
    assert rig.times_told == 1


def test_a_control_that_is_silent_ends_it_before_it_takes_the_bus_itself(rig):
    rig.bus.begin(PORT)
    rig.control.silent = True
    rig.clock.sleep_s(0.9)
    rig.bus.require()
    rig.clock.sleep_s(0.2)
    with pytest.raises(DeviceError, match="not answered for 1 s"):
        rig.bus.require()
    assert rig.told.wait(WITHIN_S)


def test_frozen_for_too_long_it_has_it_no_more_whatever_control_says_then(rig):
    rig.bus.begin(PORT)
    rig.clock.sleep_s(1.1)
    assert rig.bus.ended
    asked = len(rig.control.heard)
    rig.bus.power(True)
    assert len(rig.control.heard) > asked
    assert rig.bus.ended


def test_given_back_it_is_said_last_and_the_thread_is_gone(rig):
    rig.bus.begin(PORT)
    rig.bus.give_back()
    assert rig.control.heard[-1].kind is BusAskKind.DONE
    asked = len(rig.control.heard)
    assert not [thread for thread in threading.enumerate() if thread.name == "lent bus"]
    assert len(rig.control.heard) == asked
    assert rig.times_told == 0


class TestPanel:
    def test_motors_have_power_when_control_says_so(self, rig):
        rig.bus.begin(PORT)
        panel = LentPanel(rig.bus)
        panel.start()
        panel.enable_motors(True)
        assert rig.control.heard[-1].power
        asked = len(rig.control.heard)
        # Every question from now on says that they are still to have it.
        rig.control.until(lambda: len(rig.control.heard) > asked + 2)
        assert rig.control.heard[-1].power
        panel.close()
        assert not rig.control.heard[-1].power

    def test_power_that_control_does_not_give_is_an_error(self, rig):
        rig.bus.begin(PORT)
        rig.control.powers = False
        with pytest.raises(DeviceError, match="does not let the motors have power"):
            LentPanel(rig.bus).enable_motors(True)

    def test_a_loan_that_has_ended_is_as_a_stop(self, rig):
        rig.bus.begin(PORT)
        panel = LentPanel(rig.bus)
        assert not panel.stop_pressed()
        rig.control.refusal = "stopped"
        assert rig.told.wait(WITHIN_S)
        assert panel.stop_pressed()
        with pytest.raises(DeviceError, match="not lent any more"):
            panel.enable_motors(True)
        with pytest.raises(DeviceError, match="not lent any more"):
            panel.start()
        panel.close()

    def test_where_control_does_not_answer_the_motors_have_no_power(self, rig):
        rig.bus.begin(PORT)
        rig.control.silent = True
        panel = LentPanel(rig.bus)
        with pytest.raises(DeviceError, match="control's to switch"):
            panel.enable_motors(True)
        panel.close()
