"""Setting controllers up in front of a person: found, read, shown, saved, changed, told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from calibration.provisioning import backup
from calibration.provisioning.bench import Bench, Person, Plan, Wishes
from calibration.provisioning.change import Holds, change
from calibration.provisioning.driving import wants_loops, with_loops
from calibration.provisioning.kept import Snapshot
from calibration.provisioning.search import search
from calibration.provisioning.shown import changes_table
from calibration.provisioning.unit import Unit
from calibration.provisioning.wanted import addresses, wanted
from rover.config import Config
from rover.errors import DeviceError


def set_up(config: Config, wishes: Wishes, bench: Bench) -> bool:
    """Set up, or put back, the controllers that are there; whether all of them are right now.

    Raises RoverError if nothing could be done.
    """
    person = bench.person
    units = _from_flash(config, bench)
    if wishes.restore is None:
        plans = _plans(config, wishes, units, person)
    else:
        plans = _restoring(wishes.restore, units)
    person.say(changes_table([(plan.name, plan.old, plan.new) for plan in plans]))
    missing = _missing(config, plans) if wishes.restore is None else ""
    if missing:
        person.say(missing)
    # A single one is set up as it was wished for; several are the rover's, and should be all.
    complete = not missing or len(plans) == 1
    drives = wishes.restore is None and wants_loops(config, wishes, plans, person)
    if not drives and not any(plan.differs for plan in plans):
        person.say("Nothing differs: nothing was written.")
        return complete
    if wishes.dry_run:
        person.say("Nothing was written: this is what would be.")
        return False
    for plan in plans:
        if drives or plan.differs:
            _require_known(plan)
    saved = None
    if drives:
        saved = _save(wishes, bench, plans)
        plans = with_loops(config, wishes, bench, plans)
        person.say(changes_table([(plan.name, plan.old, plan.new) for plan in plans]))
    to_write = [plan for plan in plans if plan.differs]
    if not to_write:
        person.say("Nothing differs: nothing was written.")
        return complete
    if not _agreed(to_write, person):
        person.say("Nothing was written.")
        return False
    if saved is None:
        _save(wishes, bench, to_write)
    return _write(to_write, bench) and complete


def _save(wishes: Wishes, bench: Bench, plans: Sequence[Plan]) -> Path:
    entries = [_saved(plan) for plan in plans]
    saved = backup.save(wishes.folder, wishes.port, entries, bench.today())
    bench.person.say(f"What was there before is in {saved}; --restore with this file puts it back.")
    return saved


def _from_flash(config: Config, bench: Bench) -> Sequence[Unit]:
    """Return who is there, each with what it keeps in its memory too.

    Control sets the serial timeout anew at each start: in memory all may be well while flash has
    nothing of it. Who answers elsewhere then is looked for again.
    """
    baud, wanted_addresses = config.roboclaw.baud, frozenset(addresses(config))
    units = search(bench.wire, baud, wanted_addresses, bench.checkpoint)
    for unit in units:
        bench.checkpoint()
        unit.load_flash()
    if all(unit.is_there() for unit in units):
        return units
    return search(bench.wire, baud, wanted_addresses, bench.checkpoint)


def _plans(config: Config, wishes: Wishes, units: Sequence[Unit], person: Person) -> list[Plan]:
    wheels = addresses(config)
    if len(units) == 1:
        unit = units[0]
        old = unit.snapshot()
        address = _chosen(wishes, wheels, unit, old, person)
        return [Plan(unit, old, wanted(old, config, address))]
    if wishes.address is not None:
        raise DeviceError(
            f"{len(units)} controllers answer, and --address is for one: leave only that one "
            "connected or powered, or plug in its USB and name it with --port"
        )
    strange = [unit for unit in units if unit.address not in wheels]
    if strange:
        raise DeviceError(
            f"{', '.join(unit.name for unit in strange)} answers, and no wheel is wired to it (the "
            f"configuration has {', '.join(f'0x{address:02X}' for address in wheels)}): leave it "
            "alone connected or powered, and give it its address with --address"
        )
    plans = []
    for unit in units:
        old = unit.snapshot()
        plans.append(Plan(unit, old, wanted(old, config, unit.address)))
    return plans


def _chosen(
    wishes: Wishes,
    wheels: Mapping[int, tuple[str, str]],
    unit: Unit,
    old: Snapshot,
    person: Person,
) -> int:
    """Return the address that the only controller there is to have."""
    if wishes.address is not None:
        if wishes.address not in wheels:
            raise DeviceError(
                f"no wheel is wired to 0x{wishes.address:02X}: the configuration has "
                f"{', '.join(f'0x{address:02X}' for address in wheels)}"
            )
        return wishes.address
    own = old.word.address if old.word.packet_serial else next(iter(wheels))
    default = own if own in wheels else next(iter(wheels))
    if wishes.dry_run or len(wheels) == 1:
        return default
    choices = {
        address: ", ".join(
            f"M{output} {name or 'nothing'}" for output, name in enumerate(outputs, 1)
        )
        for address, outputs in wheels.items()
    }
    return person.chooses(
        f"One controller answers ({unit.firmware}). Which is it?", choices, default
    )


def _restoring(path: Path, units: Sequence[Unit]) -> list[Plan]:
    saved = backup.load(path)
    plans = []
    for entry in saved:
        unit = _whose(entry, saved, units, path)
        old = unit.snapshot()
        if (unit.firmware, old.newer) != (entry.snapshot.firmware, entry.snapshot.newer):
            raise DeviceError(
                f"{unit.name} has the firmware {unit.firmware}, {path} was saved from "
                f"{entry.snapshot.firmware}: nothing was written"
            )
        new = {kept: v for kept, v in entry.snapshot.values.items() if kept in old.values}
        plans.append(Plan(unit, old, old.with_values(new)))
    return plans


def _whose(
    entry: backup.Saved, saved: Sequence[backup.Saved], units: Sequence[Unit], path: Path
) -> Unit:
    """Return the controller that a backup is of, by where it should answer now."""
    if len(saved) == len(units) == 1:
        return units[0]
    now, before = (
        [unit for unit in units if (unit.address, unit.baud) == place]
        for place in ((entry.becomes_address, entry.becomes_baud), (entry.address, entry.baud))
    )
    for unit in (*now, *before):
        return unit
    raise DeviceError(
        f"{path} is of a controller at 0x{entry.becomes_address:02X}, and none answers there; "
        "connect it alone if its address has been changed since. Nothing was written"
    )


def _missing(config: Config, plans: Sequence[Plan]) -> str:
    there = {plan.new.word.address for plan in plans}
    missing = [address for address in addresses(config) if address not in there]
    if not missing:
        return ""
    return (
        f"Not there: {', '.join(f'0x{address:02X}' for address in missing)}. Connect them one "
        "after the other and run this again for each."
    )


def _require_known(plan: Plan) -> None:
    if not plan.unit.known:
        raise DeviceError(
            f'{plan.unit.name} has the firmware "{plan.unit.firmware}", whose commands are not '
            "known here (known are RoboClaws of version 4): nothing was written; update it with "
            "the vendor's Motion Studio"
        )


def _agreed(plans: Sequence[Plan], person: Person) -> bool:
    moved = [plan for plan in plans if _moves(plan) and not plan.unit.usb]
    if moved and not person.agrees(
        "Its address changes. Is it the only controller that is connected or powered? Two at one "
        "address would both take the new one."
    ):
        return False
    several = "these controllers" if len(plans) > 1 else "this controller"
    return person.agrees(f"Write this to the flash of {several}?")


def _moves(plan: Plan) -> bool:
    return plan.unit.address != plan.new.word.address


def _saved(plan: Plan) -> backup.Saved:
    word = plan.new.word
    return backup.Saved(plan.unit.address, plan.unit.baud, word.address, word.baud, plan.old)


def _write(plans: Sequence[Plan], bench: Bench) -> bool:
    """Change one after the other; the first that fails ends it, the others are left alone."""
    left = list(plans)
    while left:
        plan = left.pop(0)
        result = change(plan.unit, plan.old, plan.new, bench.checkpoint)
        bench.person.say(f"{result.unit.name}: {result.text}.")
        if result.holds is not Holds.NEW:
            if left:
                names = ", ".join(plan.unit.name for plan in left)
                bench.person.say(f"{names}: not begun, the old settings.")
            return False
    return True
