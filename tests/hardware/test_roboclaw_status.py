import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.hardware.roboclaw_status import RoboclawStatus, decode_status, left_from_boot


def wide(word: int) -> RoboclawStatus:
    return decode_status(word.to_bytes(4, "big"))


def narrow(word: int) -> RoboclawStatus:
    return decode_status(word.to_bytes(2, "big"))


def test_a_healthy_controller_says_nothing():
    assert wide(0) == narrow(0) == RoboclawStatus()


@pytest.mark.parametrize(
    ("word", "error"),
    [
        (0x0001, "E-stop"),
        (0x0002, "temperature"),
        (0x0004, "temperature 2"),
        (0x0008, "main battery high"),
        (0x0010, "logic battery high"),
        (0x0020, "logic battery low"),
        (0x0040, "M1 driver fault"),
        (0x0080, "M2 driver fault"),
        (0x0100, "M1 speed"),
        (0x0200, "M2 speed"),
        (0x0400, "M1 position"),
        (0x0800, "M2 position"),
        (0x1000, "M1 current"),
        (0x2000, "M2 current"),
        (0x4000, "main battery low"),
        (0x8000, "main battery high"),
    ],
)
def test_errors_of_32_bits(word, error):
    status = wide(word)
    assert len(status.errors) == 1
    assert status.errors[0].startswith(error)
    assert status.warnings == ()


@pytest.mark.parametrize(
    ("word", "warning"),
    [
        (0x00010000, "M1 over-current"),
        (0x00020000, "M2 over-current"),
        (0x00040000, "main battery high"),
        (0x00400000, "S4 input"),
        (0x00800000, "S5 input"),
        (0x01000000, "M1 speed limit"),
        (0x02000000, "M2 speed or position limit"),
        (0x04000000, "M1 position limit"),
        (0x08000000, "M2 position limit"),
        (0x10000000, "CAN bus"),
        (0x40000000, "M1 regeneration"),
        (0x80000000, "M2 regeneration"),
    ],
)
def test_warnings_of_32_bits(word, warning):
    assert wide(word) == RoboclawStatus(warnings=(warning,))


@pytest.mark.parametrize(
    ("word", "caution"),
    [
        (0x00080000, "main battery low"),
        (0x00100000, "temperature"),
        (0x00200000, "temperature 2"),
    ],
)
def test_cautions_of_32_bits(word, caution):
    assert wide(word) == RoboclawStatus(cautions=(caution,))


@pytest.mark.parametrize(
    ("word", "error"),
    [
        (0x0004, "E-stop"),
        (0x0008, "temperature"),
        (0x0010, "temperature 2"),
        (0x0020, "main battery high"),
        (0x0040, "logic battery high"),
        (0x0080, "logic battery low"),
        (0x0100, "M1 driver fault"),
        (0x0200, "M2 driver fault"),
    ],
)
def test_errors_of_16_bits(word, error):
    status = narrow(word)
    assert len(status.errors) == 1
    assert status.errors[0].startswith(error)
    assert status.warnings == ()


@pytest.mark.parametrize(
    ("word", "warning"),
    [
        (0x0001, "M1 over-current"),
        (0x0002, "M2 over-current"),
        (0x0400, "main battery high"),
        (0x4000, "M1 home"),
        (0x8000, "M2 home"),
    ],
)
def test_warnings_of_16_bits(word, warning):
    assert narrow(word) == RoboclawStatus(warnings=(warning,))


@pytest.mark.parametrize(
    ("word", "caution"),
    [(0x0800, "main battery low"), (0x1000, "temperature"), (0x2000, "temperature 2")],
)
def test_cautions_of_16_bits(word, caution):
    assert narrow(word) == RoboclawStatus(cautions=(caution,))


def test_current_errors_that_are_left_from_boot_do_not_stop_a_unit():
    data = (0x20003000).to_bytes(4, "big")
    status = decode_status(data, left_from_boot(data))
    assert status.errors == ()
    assert status.warnings == ("M1 current since power-up", "M2 current since power-up")


@pytest.mark.parametrize(
    ("word", "left"), [(0x20003000, 0x3000), (0x20001040, 0x1000), (0x3000, 0), (0x20000000, 0)]
)
def test_only_a_unit_that_has_just_booted_has_current_errors_left(word, left):
    assert left_from_boot(word.to_bytes(4, "big")) == left


def test_a_narrow_word_has_no_boot_bit():
    assert left_from_boot(b"\xff\xff") == 0


def test_current_errors_that_come_after_boot_stop_it_though_the_boot_bit_stands():
    assert wide(0x20003000).errors == ("M1 current", "M2 current")


def test_a_unit_that_has_just_booted_can_have_other_errors():
    data = (0x20003040).to_bytes(4, "big")
    assert decode_status(data, left_from_boot(data)).errors == ("M1 driver fault",)


def test_the_boot_bit_alone_is_nothing_to_tell():
    assert wide(0x20000000) == RoboclawStatus()


@given(st.integers(0, 0xFFFFFFFF))
def test_every_other_bit_has_one_name_of_its_own(word):
    status = wide(word)
    named = status.errors + status.cautions + status.warnings
    assert len(named) == (word & ~0x20000000).bit_count()


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00", bytes(5)])
def test_other_lengths_are_refused(data):
    with pytest.raises(ValueError, match="2 or 4"):
        decode_status(data)
