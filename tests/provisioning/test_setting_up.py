"""Controllers out of their boxes become the rover's; whatever is in the way is said."""

import tomllib

import pytest
from msgspec import structs

from calibration.provisioning.kept import Kept
from rover.errors import ConfigError, DeviceError
from rover.sim.faults import CorruptBytes, Silence
from rover.sim.roboclaw_settings import NEWER, OLD_STATUS, Firmware, config_word
from tests.builders import osr_config
from tests.provisioning.rig import NEW_WORD, Table

ADDRESSES = (0x80, 0x81, 0x82)


def set_up_one_by_one(table: Table) -> None:
    for index, address in enumerate(ADDRESSES):
        table.only(index)
        assert table.set_up(address=address)
    table.all()


@pytest.mark.parametrize("firmware", [None, OLD_STATUS, NEWER], ids=["classic", "old", "newer"])
def test_new_controllers_are_set_up_one_by_one_and_keep_it(tmp_path, firmware) -> None:
    table = Table(tmp_path, new=True, **({"firmware": firmware} if firmware else {}))
    set_up_one_by_one(table)
    table.power_cycle()
    for unit, address in zip(table.units, ADDRESSES, strict=True):
        settings = unit.settings
        assert settings.config == config_word(address, 115200)
        assert settings.timeout == 3
        # JPL's 11.5 and 18.5 V.
        assert settings.main_limits == (115, 185)
        assert settings.pins[0] == (0x01 if firmware is NEWER else 0x02)
        assert [output.max_current for output in settings.outputs] == [700, 700]
        assert [output.encoder_mode for output in settings.outputs] == [0, 0]
        assert unit.nvm_writes == 1


def test_set_up_again_it_writes_nothing(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    set_up_one_by_one(table)
    backups = table.backups
    table.somebody.said.clear()
    table.somebody.asked.clear()
    assert table.set_up()
    assert "Nothing differs: nothing was written." in table.text
    assert table.somebody.asked == []
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 1]
    assert table.backups == backups


def test_over_usb_any_mode_will_do_and_the_address_is_asked_for(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    # Out of the box it may be in RC mode: deaf on its serial pins.
    table.units[1].settings.config = 0x0000
    table.keep()
    table.plug_usb(1)
    table.somebody.choice = 0x81
    assert table.set_up()
    assert "Which is it?" in table.somebody.asked[0]
    assert not any("only controller" in question for question in table.somebody.asked)
    table.power_cycle()
    assert table.units[1].settings.config == config_word(0x81, 115200)
    assert [unit.settings.config for unit in table.units[::2]] == [NEW_WORD, NEW_WORD]


def test_a_dry_run_shows_old_and_new_and_changes_nothing(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    table.only(2)
    before = table.units[2].settings.copy()
    assert not table.set_up(address=0x82, dry_run=True)
    assert table.units[2].settings == before
    assert table.units[2].nvm_writes == 0
    assert table.backups == []
    assert table.somebody.asked == []
    text = table.text
    for words in (
        "6 to 34 V",
        "11.5 to 18.5 V",
        "15 A",
        "7 A",
        "0x80 at 38400 baud",
        "0x82 at 115",
    ):
        assert words in text


def test_a_rover_complete_but_for_limits_is_set_up_at_once(tmp_path) -> None:
    table = Table(tmp_path, wrong="low-current")
    assert table.set_up()
    assert [o.max_current for unit in table.units for o in unit.settings.outputs] == [700] * 6
    assert len(table.backups) == 1


def test_what_it_leaves_alone_stays(tmp_path) -> None:
    table = Table(tmp_path)
    unit = table.units[0]
    unit.settings.config |= 0x2000
    unit.settings.outputs[0].encoder_mode = 0x61
    unit.settings.outputs[1].position_pid = (1, 2, 3, 4, 5, -6, 7)
    unit.settings.logic_limits = (58, 300)
    table.keep()
    loops = [output.qpps for output in unit.settings.outputs]
    assert table.set_up()
    assert unit.settings.config == config_word(0x80, 115200) | 0x2000
    # Reversed encoder and motor are how it is wired; absolute is wrong.
    assert unit.settings.outputs[0].encoder_mode == 0x60
    assert unit.settings.outputs[1].position_pid == (1, 2, 3, 4, 5, -6, 7)
    assert unit.settings.logic_limits == (58, 300)
    assert [output.qpps for output in unit.settings.outputs] == loops


def test_without_a_motor_enable_line_its_stop_input_stays_as_it_is(tmp_path) -> None:
    config = osr_config()
    config = structs.replace(config, panel=structs.replace(config.panel, motor_enable=None))
    table = Table(tmp_path, wrong="latching-stop", config=config)
    table.set_up()
    assert all(unit.settings.pins[0] == 0 for unit in table.units)


@pytest.mark.parametrize("question", ["only controller", "flash"])
def test_a_no_writes_nothing(tmp_path, question: str) -> None:
    table = Table(tmp_path, new=True)
    table.only(0)
    table.somebody.answers = {question: False}
    before = table.units[0].settings.copy()
    assert not table.set_up(address=0x81)
    assert any(question in asked for asked in table.somebody.asked)
    assert table.units[0].settings == before
    assert table.backups == []


def test_wheels_that_turn_are_stopped_before_anything_is_asked(tmp_path) -> None:
    table = Table(tmp_path)
    table.rover.lines.set_level(23, high=True)
    wire = table.rover.serial_line
    unit = table.unit()
    unit.tell(37, (1200).to_bytes(4, "big") * 2)
    written: list[bytes] = []
    write = wire.write
    wire.write = lambda data: (written.append(data), write(data))[1]
    table.set_up(dry_run=True)
    assert written[0][:6] == bytes((0x80, 34, 0, 0, 0, 0))
    assert max(abs(wheel.speed_rad_s) for wheel in table.rover.truth().wheels) == 0.0


def test_what_control_has_set_only_in_memory_is_kept_too(tmp_path) -> None:
    """It sets the serial timeout at each start; in flash it is still off."""
    table = Table(tmp_path)
    assert table.set_up()
    for unit in table.units:
        unit.settings.timeout = 0
    table.keep()
    for unit in table.units:
        unit.settings.timeout = 3
    assert table.set_up()
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 1]
    table.power_cycle()
    assert [unit.settings.timeout for unit in table.units] == [3, 3, 3]


def test_an_address_that_was_never_kept_is_looked_for_where_it_comes_back(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    table.only(1)
    # Somebody has given it an address and a rate and has not had it kept.
    table.units[1].settings.config = config_word(0x82, 115200)
    assert table.set_up(address=0x81)
    table.power_cycle()
    assert table.units[1].settings.config == config_word(0x81, 115200)


def test_nobody_answers(tmp_path) -> None:
    table = Table(tmp_path, wrong="silent-bus")
    with pytest.raises(DeviceError, match=r"no RoboClaw answers.*460800.*over its USB"):
        table.set_up()


@pytest.mark.parametrize("new", [False, True])
def test_two_at_one_address_are_told_apart_from_one(tmp_path, new: bool) -> None:
    table = Table(tmp_path, new=new, wrong="" if new else "same-address")
    with pytest.raises(DeviceError, match=r"0x80 at \d+ baud is never right.*one controller"):
        table.set_up()
    assert table.backups == []


def test_a_strange_address_among_others_is_not_guessed_at(tmp_path) -> None:
    table = Table(tmp_path, wrong="wrong-address")
    with pytest.raises(DeviceError, match=r"0x85 answers, and no wheel.*--address"):
        table.set_up()


def test_an_address_for_several_is_refused(tmp_path) -> None:
    table = Table(tmp_path)
    with pytest.raises(DeviceError, match="3 controllers answer"):
        table.set_up(address=0x81)


def test_an_address_that_is_nobodys_is_refused(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    table.only(0)
    with pytest.raises(DeviceError, match=r"no wheel is wired to 0x86.*0x80, 0x81, 0x82"):
        table.set_up(address=0x86)


def test_a_controller_at_another_rate_is_found_and_mended(tmp_path) -> None:
    table = Table(tmp_path, wrong="wrong-baud")
    assert table.set_up()
    assert [unit.settings.baud for unit in table.units] == [115200] * 3


def test_one_that_is_missing_is_named_and_the_others_are_set_up(tmp_path) -> None:
    table = Table(tmp_path, wrong="silent-controller")
    assert not table.set_up()
    assert "Not there: 0x82" in table.text
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 0]


@pytest.mark.parametrize(
    "version", ["MCP236 2x30A 60V v1.2.1", "USB Roboclaw 2x7a v3.1.4", "RoboSomething v4.2.4"]
)
def test_an_unknown_firmware_is_only_looked_at(tmp_path, version: str) -> None:
    table = Table(tmp_path, new=True, firmware=Firmware(version))
    table.only(0)
    assert not table.set_up(address=0x80, dry_run=True)
    with pytest.raises(DeviceError, match="not known here"):
        table.set_up(address=0x80)
    assert table.units[0].nvm_writes == 0
    assert table.backups == []


def test_a_noisy_wire_costs_time_and_nothing_else(tmp_path) -> None:
    table = Table(tmp_path)
    table.rover.inject(CorruptBytes(share=0.003))
    assert table.set_up()
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 1]


# Putting back.


def test_what_it_was_can_be_put_back_on_a_whole_rover(tmp_path) -> None:
    table = Table(tmp_path, wrong="low-current")
    before = [unit.settings.copy() for unit in table.units]
    assert table.set_up()
    (saved,) = table.backups
    assert tomllib.loads(saved.read_text())["controller"][0]["firmware"].endswith("v4.2.4")
    assert table.set_up(restore=saved)
    table.power_cycle()
    assert [unit.settings for unit in table.units] == before
    # And that was saved too.
    assert len(table.backups) == 2


@pytest.mark.parametrize("alone", [True, False])
def test_an_address_and_a_rate_are_put_back_too(tmp_path, alone: bool) -> None:
    table = Table(tmp_path, new=True)
    table.only(1)
    before = table.units[1].settings.copy()
    assert table.set_up(address=0x81)
    (saved,) = table.backups
    if not alone:
        # The third one has been set up meanwhile; the first is not connected.
        table.only(2)
        assert table.set_up(address=0x82)
        table.rover.inject(Silence(0x81, silent=False))
    assert table.set_up(restore=saved)
    table.power_cycle()
    assert table.units[1].settings == before


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda text: text.replace("timeout = [3]", "timeout = [300]"), r"timeout = \[300\]"),
        (lambda text: text.replace("timeout = [3]", "timeout = [3, 3]"), r"1 numbers are allowed"),
        (lambda text: text.replace("timeout = [3]\n", ""), r"lacks timeout"),
        (lambda text: text.replace("timeout", "time_out"), r"unknown values time_out"),
        (lambda text: text.replace("[controller.values]", "[controller.valves]"), r"no backup"),
        (lambda text: text.replace("address = 128", "address = true"), r"no backup"),
        (lambda text: text[:200], r"no backup"),
    ],
)
def test_a_backup_that_was_spoilt_is_refused(tmp_path, spoil, complaint: str) -> None:
    table = Table(tmp_path, wrong="low-current")
    for unit in table.units:
        unit.settings.timeout = 3
    table.keep()
    assert table.set_up()
    (saved,) = table.backups
    saved.write_text(spoil(saved.read_text()))
    with pytest.raises(ConfigError, match=complaint):
        table.set_up(restore=saved)
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 1]


def test_another_firmware_gets_no_old_backup(tmp_path) -> None:
    table = Table(tmp_path, wrong="low-current")
    assert table.set_up()
    for unit in table.units:
        unit.firmware = NEWER
    with pytest.raises(DeviceError, match=r"v4\.4\.3.*v4\.2\.4: nothing was written"):
        table.set_up(restore=table.backups[0])


def test_a_backup_of_a_controller_that_is_elsewhere_is_refused(tmp_path) -> None:
    table = Table(tmp_path, wrong="low-current")
    assert table.set_up()
    table.rover.inject(Silence(0x81))
    with pytest.raises(DeviceError, match="0x81, and none answers there"):
        table.set_up(restore=table.backups[0])
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 1]


def test_every_kept_thing_is_read_as_it_is_written(tmp_path) -> None:
    """A value of its own in every register comes back from where it was put."""
    for firmware in (OLD_STATUS, NEWER):
        table = Table(tmp_path, firmware=firmware)
        unit = table.unit()
        was = unit.snapshot()
        number = 10
        for kept in Kept:
            if kept not in was.values or kept is Kept.CONFIG:
                continue
            values = tuple(range(number, number + len(was.values[kept])))
            if kept.name.startswith("CURRENT"):
                values = (values[0], 0)  # the lower limit is always told as 0
            number += len(values)
            unit.write(kept, values, newer=was.newer)
            was = was.with_values({kept: values})
        assert unit.snapshot() == was
