"""Whether the wheels are to be driven now, and what comes of it for the plans."""

from collections.abc import Sequence

from calibration.provisioning import backup
from calibration.provisioning.bench import Bench, Person, Plan, Wishes
from calibration.provisioning.drawing import Panel as Diagram
from calibration.provisioning.drawing import picture
from calibration.provisioning.kept import Kept, differing
from calibration.provisioning.loops import Driver, advice, by_output
from calibration.provisioning.plot import plot
from calibration.provisioning.wanted import wanted
from calibration.whole_file import replace_file
from rover.config import Config
from rover.errors import DeviceError
from rover.units import qpps_from_rad_s

# QPPS is what a motor does at full duty: somewhat more than its wheel is allowed.
_LEAST_QPPS, _MOST_QPPS = 0.8, 2.0


def wants_loops(config: Config, wishes: Wishes, plans: Sequence[Plan], person: Person) -> bool:
    """Whether the wheels are to be driven now: wished for, or offered and taken."""
    unset = [plan.unit.name for plan in plans if _loops_unset(config, plan)]
    if wishes.loops is False or wishes.dry_run or not (wishes.loops or unset):
        return False
    latched = [plan.unit.name for plan in plans if Kept.PINS in differing(plan.old, plan.new)]
    if latched:
        text = (
            f"The velocity loops can be measured once {', '.join(latched)} has its stop input set: "
            "write that, switch the power off and on, then run this again with --loops."
        )
        if wishes.loops:
            raise DeviceError(f"{text} Nothing was written")
        person.say(text)
        return False
    if wishes.loops is None and not person.agrees(
        f"The velocity loops of {', '.join(unset)} do not fit this rover. Measure them now, by "
        "driving each wheel in the air?"
    ):
        return False
    if person.agrees(
        "Are ALL wheels off the ground, and hands, hair and cables away from them? One after the "
        "other turns for some ten seconds, at up to 70 % duty. Any key stops it."
    ):
        return True
    if wishes.loops:
        raise DeviceError("the wheels must be off the ground: none was turned, nothing was written")
    person.say("No wheel was turned.")
    return False


def _loops_unset(config: Config, plan: Plan) -> bool:
    """Whether a loop has a QPPS that does not fit its wheel: so it comes from the factory."""
    ticks = config.roboclaw.ticks_per_wheel_turn
    for wheel in config.wheels.values():
        if wheel.motor.address == plan.new.word.address:
            asked = qpps_from_rad_s(wheel.max_speed_rad_s, ticks)
            qpps = plan.old.loop(wheel.motor.channel - 1).qpps
            if not _LEAST_QPPS * asked <= qpps <= _MOST_QPPS * asked:
                return True
    return False


def with_loops(config: Config, wishes: Wishes, bench: Bench, plans: Sequence[Plan]) -> list[Plan]:
    """Drive the wheels, show what was found, and return the plans with it."""
    person = bench.person
    with bench.dead_man() as guard:
        driver = Driver(config, bench.panel(), guard, person.say)
        found = driver.measure(
            [(plan.unit, plan.new.word.address, plan.old, plan.new) for plan in plans]
        )
    for entry in found:
        person.say(plot(entry))
    path = wishes.folder / f"{bench.today():%Y-%m-%dT%H-%M-%S}-steps.svg"
    panels = [
        Diagram(e.motor.wheel, e.after.target_qpps, e.before.trace, e.after.trace) for e in found
    ]
    replace_file(path, picture(panels, "Steps of all wheels, before and after"), backup.ADVICE)
    person.say(f"The same as a picture: {path}")
    hint = advice(found, config)
    if hint:
        person.say(hint)
    return [
        Plan(
            plan.unit,
            plan.old,
            wanted(plan.old, config, plan.new.word.address, by_output(found, plan.unit)),
        )
        for plan in plans
    ]
