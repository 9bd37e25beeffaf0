"""The serial bus is lent to who sets controllers up, and back before the rover can drive."""

from collections.abc import Callable

import pytest

from rover.bus_lending import KEPT_FOR_S
from rover.bus_messages import BusAsk, BusAskKind, BusLoan
from rover.errors import DeviceError
from rover.hardware.bus import framing
from rover.hardware.roboclaw_bus import RoboclawBus
from rover.link import ReceivedRequest
from rover.messages import Arc, ArmState, Request, RequestKind
from rover.sim.faults import Silence, UnplugI2c
from tests.whole.memory_rover import MemoryRover

WHO, TOKEN = "rover setup roboclaw", "0123456789"
TICK_S = 0.01
SET_TIMEOUT, READ_TIMEOUT, DUTY_M1 = 14, 15, 32


class Borrower:
    """Who has the bus, on the rover's own clock: it renews at every tick while it ``lives``."""

    def __init__(self, rover: MemoryRover, who: str = WHO, token: str = TOKEN) -> None:
        self.rover = rover
        self.who, self.token = who, token
        self.line = None
        self.power = False

    def ask(self, kind: BusAskKind) -> BusLoan:
        return self.rover.say_of_bus(BusAsk(kind, self.who, self.token, self.power))

    def begins(self) -> "Borrower":
        loan = self.ask(BusAskKind.BEGIN)
        for _ in range(10):
            assert loan.refusal == ""
            if loan.lent:
                return self
            loan = self.ask(BusAskKind.KEEP)
        raise AssertionError("never lent")

    def opens(self) -> RoboclawBus:
        self.line = self.rover.port.open()
        return RoboclawBus(self.line, 115200, 0.01, self.rover.clock)

    def keeps(self, duration_s: float = 1.0, power: bool = False) -> BusLoan:
        self.power = power
        end_s = self.rover.clock.now_s() + duration_s
        loan = BusLoan("never asked")
        while self.rover.clock.now_s() < end_s:
            loan = self.ask(BusAskKind.KEEP)
        return loan

    def lets_go(self) -> None:
        if self.line is not None:
            self.line.close()


@pytest.fixture
def rover() -> MemoryRover:
    rover = MemoryRover()
    rover.run(1.0)
    return rover


@pytest.fixture
def borrower(rover: MemoryRover) -> Borrower:
    return Borrower(rover)


def arms(rover: MemoryRover) -> None:
    answer = rover.ask(RequestKind.ARM)
    assert answer.accepted, answer.refusals


def packet(address: int, command: int, payload: bytes = b"") -> bytes:
    return framing.write_packet(address, command, payload)


def test_control_lets_go_of_the_port_with_the_motors_off(rover, borrower):
    assert rover.truth().motor_enable
    with pytest.raises(DeviceError, match="another program"):
        rover.port.open()
    borrower.begins()
    assert not rover.truth().motor_enable
    bus = borrower.opens()
    assert bus.read_version(0x80).startswith("USB Roboclaw")
    opened = rover.port.opened
    borrower.keeps(3.0)
    assert rover.port.opened == opened


def test_power_that_is_asked_for_too_early_comes_only_with_the_bus(rover, borrower):
    borrower.power = True
    loan = borrower.ask(BusAskKind.BEGIN)
    assert not loan.lent
    assert not loan.power
    rover.run(0.1)
    assert rover.port.line is None
    assert not rover.truth().motor_enable


def test_nothing_arms_and_nothing_is_calibrated_meanwhile(rover, borrower):
    borrower.begins()
    words = f"the serial bus is lent to {WHO}: end it there"
    for kind in (RequestKind.ARM, RequestKind.MAINTAIN):
        borrower.keeps(0.6)
        answer = rover.ask(kind)
        assert answer.refusals == (words,)
        assert rover.state is ArmState.DISARMED
    borrower.keeps(0.1)
    assert rover.telemetry.refusals == (words,)
    assert [condition.code for condition in rover.telemetry.conditions] == ["bus-lent"]
    assert all("lent to" in device.errors[0] for device in rover.telemetry.devices[:3])


def test_without_a_power_monitor_that_is_the_only_reason_too(rover, borrower):
    """Nobody measures the battery meanwhile, which is nothing to look for."""
    rover.simulated.inject(UnplugI2c(rover.config.power.address))
    borrower.begins()
    borrower.keeps(3.0)
    codes = [condition.code for condition in rover.telemetry.conditions]
    assert codes == ["bus-lent", "power-monitor"]
    borrower.ask(BusAskKind.DONE)
    rover.run(0.5)
    assert [condition.code for condition in rover.telemetry.conditions] == ["power-monitor"]


def test_every_tick_of_it_counts_for_the_watchdog(rover, borrower):
    reached = []
    rover.ticked = reached.append
    borrower.begins()
    borrower.keeps(0.5)
    borrower.ask(BusAskKind.DONE)
    rover.run(0.5)
    assert len(reached) > 50
    assert all(reached)


def test_in_the_tick_in_which_it_is_asked_for_nobody_arms_any_more(rover, borrower):
    rover.ask(RequestKind.DISARM)
    rover.run(0.6)
    borrower.ask(BusAskKind.BEGIN)
    assert not rover.ask(RequestKind.ARM).accepted
    assert rover.state is ArmState.DISARMED


@pytest.mark.parametrize(
    ("state", "what_to_do"),
    [
        (ArmState.ARMED, "disarm it first"),
        (ArmState.MAINTENANCE, "disarm it first"),
        (ArmState.ESTOP, "clear that first"),
        (ArmState.FAULT, "clear that first"),
    ],
)
def test_only_a_disarmed_rover_lends(rover, borrower, state, what_to_do):
    if state is ArmState.MAINTENANCE:
        rover.maintained()
    elif state is ArmState.ESTOP:
        rover.ask(RequestKind.STOP)
    else:
        arms(rover)
    if state is ArmState.FAULT:
        rover.loop.arming.fault("a test", rover.clock.now_s())
        rover.tick()
    loan = borrower.ask(BusAskKind.BEGIN)
    assert loan.refusal == f"the rover is {state}: {what_to_do}"
    rover.run(0.2)
    assert rover.port.line is not None
    assert rover.state is state


def test_who_drives_notices_nothing_of_somebody_who_wants_the_bus(rover, borrower):
    rover.driving(Arc(0.8, 0.0))
    for kind in BusAskKind:
        borrower.ask(kind)
    rover.run(1.0)
    assert rover.state is ArmState.ARMED
    assert rover.truth().twist.vx_mps > 0.75


def test_given_back_its_controllers_come_up_from_nothing_and_it_arms(rover, borrower):
    borrower.begins()
    bus = borrower.opens()
    # What control must not rely on: their timeout, and how far their encoders had counted.
    for address in (0x80, 0x81, 0x82):
        bus.send(packet(address, SET_TIMEOUT, b"\x00"))
        bus.send(packet(address, 20))
    borrower.lets_go()
    borrower.ask(BusAskKind.DONE)
    rover.run(0.3)
    assert [unit.timeout_s for unit in rover.truth().controllers] == [0.3] * 3
    assert rover.truth().motor_enable
    assert rover.telemetry.conditions == ()
    rover.run(0.3)
    arms(rover)


def test_the_first_that_control_says_again_is_zero_duty(rover, borrower):
    borrower.begins()
    borrower.opens().send(packet(0x80, DUTY_M1, (9000).to_bytes(2, "big")))
    rover.port.is_let_go_of()
    written: list[bytes] = []
    write = rover.simulated.devices.bus.write
    rover.simulated.devices.bus.write = lambda data, now_s: (
        written.append(data),
        write(data, now_s),
    )
    borrower.ask(BusAskKind.DONE)
    rover.run(0.3)
    assert sorted(written[:3]) == [packet(0x80 + n, 34, bytes(4)) for n in range(3)]


def test_a_borrower_that_dies_leaves_the_bus_to_the_rover(rover, borrower):
    borrower.begins()
    borrower.opens()
    rover.port.is_let_go_of()
    rover.run(KEPT_FOR_S - 0.05)
    assert rover.port.line is None
    rover.run(0.05 + 0.3)
    assert rover.port.line is not None
    assert rover.telemetry.conditions == ()
    assert any("nothing was heard of it" in event.text for event in rover.telemetry.events)
    rover.run(0.3)
    arms(rover)


def test_a_wheel_that_it_left_turning_stops_by_its_controllers_own_timeout(rover, borrower):
    borrower.begins()
    bus = borrower.opens()
    bus.send(packet(0x80, SET_TIMEOUT, b"\x05"))
    assert bus.read(framing.read_request(0x80, READ_TIMEOUT), 1) == b"\x05"
    borrower.keeps(0.1, power=True)
    assert rover.truth().motor_enable
    bus.send(packet(0x80, DUTY_M1, (9000).to_bytes(2, "big")))
    for _ in range(40):
        borrower.ask(BusAskKind.KEEP)
        bus.read_version(0x80)
    assert not rover.stands()
    rover.port.is_let_go_of()
    # Its own timeout, and what the motor needs to run down.
    assert rover.time_to_stand_s(1.0) <= 0.5 + 0.3
    rover.run(KEPT_FOR_S)
    assert rover.stands()


def test_a_stop_lowers_the_line_at_once_latches_and_asks_for_the_bus_back(rover, borrower):
    borrower.begins()
    borrower.opens()
    borrower.keeps(0.1, power=True)
    assert rover.truth().motor_enable
    rover.ask(RequestKind.STOP)
    assert not rover.truth().motor_enable
    assert rover.state is ArmState.ESTOP
    loan = borrower.ask(BusAskKind.KEEP)
    assert "emergency stop by a test" in loan.refusal
    assert not loan.power
    # Not before the borrower has let go of it, cleared or not.
    rover.run(0.6)
    rover.ask(RequestKind.CLEAR)
    rover.run(3.0)
    assert not rover.truth().motor_enable
    refusals = rover.ask(RequestKind.ARM).refusals
    assert len(refusals) == 1
    assert refusals[0].startswith(f"the serial bus is not back from {WHO} yet: cannot open")
    borrower.lets_go()
    rover.run(0.6)
    assert rover.truth().motor_enable
    arms(rover)


def test_a_loan_that_has_ended_is_not_gone_on_with(rover, borrower):
    borrower.begins()
    rover.run(KEPT_FOR_S + 0.1)
    assert "nothing was heard" in borrower.ask(BusAskKind.KEEP).refusal
    rover.run(0.5)
    assert "nothing was heard" in borrower.ask(BusAskKind.KEEP).refusal
    assert rover.port.line is not None


def test_one_has_it_at_a_time_by_name_and_token(rover, borrower):
    borrower.begins()
    others = [
        Borrower(rover, "rover doctor"),
        Borrower(rover, WHO, "another token"),
    ]
    for other in others:
        assert other.ask(BusAskKind.BEGIN).refusal.startswith(f"the serial bus is lent to {WHO}")
        assert other.ask(BusAskKind.KEEP).refusal
        other.ask(BusAskKind.DONE)
    assert borrower.keeps(0.1).lent
    borrower.ask(BusAskKind.DONE)
    rover.run(0.5)
    assert others[0].begins().keeps(0.1).lent


def test_who_has_not_let_go_of_the_port_keeps_others_out(rover, borrower):
    borrower.begins()
    borrower.opens()
    borrower.ask(BusAskKind.DONE)
    rover.run(0.3)
    assert "not back from" in Borrower(rover, "rover doctor").ask(BusAskKind.BEGIN).refusal


def test_a_control_that_starts_while_it_is_lent_waits_and_ends_the_loan(rover, borrower):
    borrower.begins()
    line = rover.port.open()
    rover.port.is_let_go_of = lambda: None
    rover.start_loop(lambda config, clock: rover.pad)
    assert "started anew" in borrower.ask(BusAskKind.KEEP).refusal
    rover.run(1.5)
    assert not rover.ask(RequestKind.ARM).accepted
    line.close()
    rover.run(2.0)
    arms(rover)


def test_motors_have_power_only_while_the_loan_lasts_and_only_if_asked(rover, borrower):
    borrower.begins()
    assert not borrower.keeps(0.1).power
    assert borrower.keeps(0.1, power=True).power
    assert rover.truth().motor_enable
    borrower.keeps(0.1)
    assert not rover.truth().motor_enable
    borrower.keeps(0.1, power=True)
    borrower.opens()
    rover.run(KEPT_FOR_S - 0.05)
    assert rover.truth().motor_enable
    rover.run(0.1)
    # The borrower is silent, and has the port still.
    assert not rover.truth().motor_enable


def test_controllers_that_do_not_answer_keep_nobody_from_setting_them_up(rover, borrower):
    for address in (0x80, 0x81, 0x82):
        rover.simulated.inject(Silence(address, True))
    rover.run(1.0)
    borrower.begins()
    borrower.opens()


def test_the_port_is_kept_until_each_controller_that_counts_has_acknowledged_its_stop(
    rover, borrower
):
    rover.simulated.inject(Silence(0x81, True))
    began_s = rover.clock.now_s()
    loan = borrower.ask(BusAskKind.BEGIN)
    while not loan.lent:
        loan = borrower.ask(BusAskKind.KEEP)
        assert loan.refusal == ""
    # Until it counts as lost: then it stops by its own timeout, if it turns at all.
    silence_s = rover.config.deadlines.controller_s
    assert silence_s - 6 * TICK_S <= rover.clock.now_s() - began_s <= silence_s + 0.1


def longest_tick_s(rover: MemoryRover, while_doing: Callable[[], object]) -> float:
    ticks = []
    ticked = rover.loop.tick

    def timed(*arguments: object) -> bool:
        began_s = rover.clock.now_s()
        reached = ticked(*arguments)
        ticks.append(rover.clock.now_s() - began_s)
        return reached

    rover.loop.tick = timed
    while_doing()
    return max(ticks)


def test_no_tick_is_held_up_by_letting_go_or_by_taking_back(rover, borrower):
    def there_and_back() -> None:
        borrower.begins()
        borrower.opens()
        borrower.keeps(0.2)
        borrower.ask(BusAskKind.DONE)
        rover.run(1.0)
        borrower.lets_go()
        rover.run(1.0)

    assert longest_tick_s(rover, there_and_back) <= TICK_S
    assert rover.telemetry.conditions == ()


def test_of_a_few_events_people_see_who_had_it_and_that_it_is_back(rover, borrower):
    rover.run(0.1)
    before = rover.telemetry.events[-1].number
    borrower.begins()
    borrower.keeps(0.2)
    borrower.ask(BusAskKind.DONE)
    rover.run(1.0)
    texts = [event.text for event in rover.telemetry.events if event.number > before]
    assert texts == [
        f"the serial bus is lent to {WHO}: end it there",
        "the serial bus is the rover's again",
        "motor controllers ready (USB Roboclaw 2x7a v4.2.4)",
        f"over: the serial bus is lent to {WHO}: end it there",
    ]


@pytest.mark.parametrize("kind", list(BusAskKind))
def test_until_it_is_back_the_configuration_stays(rover, borrower, kind):
    """Another loop would not know of the loan; asked for in the tick in which that begins, too."""
    if kind is not BusAskKind.BEGIN:
        borrower.begins()
        borrower.opens()
    request = Request(RequestKind.RELOAD, "a test", rover.clock.now_s())
    rover.link.requests.append(ReceivedRequest(request, (b"", b"")))
    borrower.ask(kind)
    assert rover.loop.reload(lambda: "new") is None
    (refusal,) = rover.link.answers[-1].refusals
    assert WHO in refusal
    borrower.lets_go()
    borrower.ask(BusAskKind.DONE)
    rover.run(1.0)
    request = Request(RequestKind.RELOAD, "a test", rover.clock.now_s())
    rover.link.requests.append(ReceivedRequest(request, (b"", b"")))
    rover.tick()
    assert rover.loop.reload(lambda: "new") == "new"
