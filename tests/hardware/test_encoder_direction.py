"""``encoder_reversed``: what goes over the wire for it, and what becomes of who does not keep it.

JPL's rover: the left front wheel is output 1 of 0x80, the left middle one output 2.
"""

import pytest

from rover.config import Config
from rover.errors import DeviceError
from rover.messages import ArmState
from rover.sim.faults import PowerCycle
from rover.sim.roboclaw_settings import CLASSIC, NEWER, OLD_STATUS
from tests.builders import osr_config, with_motors
from tests.hardware import drive_rig, test_roboclaw_simulated
from tests.hardware.fakes import with_crc

SET_TIMEOUT, READ_TIMEOUT = with_crc(bytes.fromhex("80 0e 03")), bytes.fromhex("80 0f")
READ_MODES = bytes.fromhex("80 5b")


def reversing(**wheels: bool | None) -> Config:
    """JPL's rover with these wheels' ``encoder_reversed``."""
    return with_motors(
        osr_config(),
        {name: {"encoder_reversed": value} for name, value in wheels.items()},
    )


def keeping(rig: drive_rig.Rig, modes: bytes, keeps: int = 0xFF) -> drive_rig.Rig:
    """Let 0x80 have these encoder modes; of what is written it keeps the bits ``keeps``."""
    held = bytearray(modes)
    rig.line.data[0x80, 91] = bytes(held)

    def written(packet: bytes) -> None:
        if packet[0] == 0x80 and packet[1] in {92, 93}:
            held[packet[1] - 92] = packet[2] & keeps
            rig.line.data[0x80, 91] = bytes(held)

    rig.line.hear = written
    return rig


def settings_sent(rig: drive_rig.Rig) -> list[bytes]:
    """What has gone to 0x80 since its version, status and battery were read."""
    packets = rig.line.packets(0x80)
    return packets[packets.index(SET_TIMEOUT) :]


@pytest.mark.parametrize(
    ("modes", "wheels", "sent"),
    [
        ("00 00", {"left_front": True}, ["80 5c 40", "80 5b"]),
        (
            "80 01",
            {"left_front": True, "left_middle": True},
            ["80 5c c0", "80 5b", "80 5d 41", "80 5b"],
        ),
        ("60 00", {"left_front": False}, ["80 5c 20", "80 5b"]),
        ("40 40", {"left_middle": False}, ["80 5d 00", "80 5b"]),
        ("40 00", {"left_front": True}, []),
        ("40 00", {"left_front": True, "left_middle": False}, []),
        ("20 80", {"left_front": False, "left_middle": False}, []),
    ],
)  # fmt: skip
def test_the_bit_is_written_where_it_differs_and_read_back(modes, wheels, sent):
    rig = keeping(drive_rig.Rig(reversing(**wheels)), bytes.fromhex(modes))
    rig.drive.start()
    assert settings_sent(rig) == [
        SET_TIMEOUT,
        READ_TIMEOUT,
        READ_MODES,
        *(with_crc(data) if len(data) > 2 else data for data in map(bytes.fromhex, sent)),
    ]
    assert all(rig.ready().values())


def test_who_has_no_such_wheel_gets_no_further_packet():
    rig = keeping(drive_rig.Rig(reversing(left_front=True)), bytes(2))
    rig.drive.start()
    for address in (0x81, 0x82):
        assert not {91, 92, 93} & {data[1] for data in rig.line.packets(address)}
    # Command 94 writes flash.
    assert 94 not in {data[1] for data in rig.line.packets()}


def test_a_controller_that_does_not_keep_it_is_not_ready_and_says_what_to_do():
    rig = keeping(drive_rig.Rig(reversing(left_middle=True)), bytes(2), keeps=0x81)
    with pytest.raises(DeviceError) as caught:
        rig.drive.start()
    for words in (
        "0x80",
        "encoder mode 0x00 of left_middle",
        "cannot reverse encoders",
        "Swap the two signal wires of left_middle's encoder",
        'wheels.left_middle.motor.encoder_reversed = "none"',
    ):
        assert words in str(caught.value)
    assert "plug" not in str(caught.value)
    assert rig.ready() == {"0x80": False, "0x81": True, "0x82": True}
    rig.ticks(0.5)
    assert {data[1] for data in rig.sent_since(0, 0x80)}.isdisjoint({37})


def test_one_that_does_not_tell_its_modes_is_not_ready():
    rig = drive_rig.Rig(reversing(left_front=True))
    with pytest.raises(DeviceError, match="0x80"):
        rig.drive.start()
    assert rig.ready() == {"0x80": False, "0x81": True, "0x82": True}


@pytest.mark.parametrize("firmware", [CLASSIC, NEWER])
def test_it_is_set_again_after_a_reset_and_never_in_flash(firmware):
    rig = test_roboclaw_simulated.Rig(reversing(left_front=True), firmware)
    unit = rig.rover.devices.units[0]
    assert [output.encoder_mode for output in unit.settings.outputs] == [0x40, 0]
    rig.run(0.2, state=ArmState.DISARMED)
    rig.rover.inject(PowerCycle(0x80))
    assert unit.settings.outputs[0].encoder_mode == 0
    rig.run(1.0, state=ArmState.DISARMED)
    assert all(rig.ready().values())
    assert unit.settings.outputs[0].encoder_mode == 0x40
    assert unit.nvm_writes == 0


def test_old_firmware_is_refused():
    with pytest.raises(DeviceError, match="cannot reverse encoders"):
        test_roboclaw_simulated.Rig(reversing(left_front=True), OLD_STATUS)


def test_old_firmware_can_be_asked_not_to():
    rig = test_roboclaw_simulated.Rig(reversing(left_front=False), OLD_STATUS)
    assert all(rig.ready().values())
