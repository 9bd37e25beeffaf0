"""The serial port on a real pseudo-terminal."""

import errno
import fcntl
import os
import struct
import termios
import tty
from pathlib import Path

import pytest
import serial

from rover.clock import SystemClock
from rover.errors import DeviceError, DeviceTimeoutError
from rover.hardware.bus import serial_line
from rover.hardware.bus.serial_line import open_serial_line

CLOCK = SystemClock()
# Whether TIOCEXCL is set: asm-generic/ioctls.h; termios does not name it.
TIOCGEXCL = 0x80045440


class FarEnd:
    """The other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.fd, self._near = os.openpty()
        tty.setraw(self.fd)
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)

    def unplug(self) -> None:
        for fd in (self.fd, self._near):
            if fd >= 0:
                os.close(fd)
        self.fd = self._near = -1


@pytest.fixture
def far_end():
    end = FarEnd()
    yield end
    end.unplug()


@pytest.fixture
def line(far_end):
    opened = open_serial_line(far_end.port, 115200, CLOCK)
    yield opened
    opened.close()


@pytest.mark.parametrize("pseudo", [True, False])
def test_a_port_is_shut_to_programs_that_take_no_lock(far_end, monkeypatch, pseudo) -> None:
    """Where it ends with its last user, as a pseudo-terminal with another end does not."""
    if not pseudo:
        monkeypatch.setattr(serial_line, "_PSEUDO_TERMINALS", range(0))
    line = open_serial_line(far_end.port, 115200, CLOCK)
    (shut,) = struct.unpack("i", fcntl.ioctl(line._fd, TIOCGEXCL, bytes(4)))
    line.close()
    assert bool(shut) is not pseudo


def soon() -> float:
    return CLOCK.now_s() + 1.0


def test_bytes_go_out_in_one_piece(line, far_end):
    line.write(b"\x80\x22\x00\x00\x00\x00\x98\x17")
    assert os.read(far_end.fd, 64) == b"\x80\x22\x00\x00\x00\x00\x98\x17"


def test_a_reply_in_pieces_is_read_whole(line, far_end):
    os.write(far_end.fd, b"\x00\x01")
    os.write(far_end.fd, b"\x02\x03")
    assert line.read(4, soon()) == b"\x00\x01\x02\x03"


def test_no_more_is_read_than_was_asked_for(line, far_end):
    os.write(far_end.fd, b"\x01\x02\x03")
    assert line.read(2, soon()) == b"\x01\x02"
    assert line.read(1, soon()) == b"\x03"


def test_the_deadline_ends_a_read_with_what_has_come(line, far_end):
    os.write(far_end.fd, b"\x01")
    deadline_s = CLOCK.now_s() + 0.02
    assert line.read(4, deadline_s) == b"\x01"
    assert CLOCK.now_s() >= deadline_s


def test_a_deadline_that_has_passed_still_takes_what_is_there(line, far_end):
    os.write(far_end.fd, b"\x01\x02")
    assert line.read(2, CLOCK.now_s() - 1.0) == b"\x01\x02"


def test_flushing_throws_stale_bytes_away(line, far_end):
    os.write(far_end.fd, b"stale")
    assert line.read(1, soon()) == b"s"
    line.flush_input()
    os.write(far_end.fd, b"\xff")
    assert line.read(1, soon()) == b"\xff"


@pytest.fixture
def kernel(monkeypatch):
    """What the kernel holds of what was written: a pseudo-terminal never holds anything."""
    flushed: list[int] = []
    monkeypatch.setattr(fcntl, "ioctl", lambda _fd, _what, _to: struct.pack("i", 13))
    monkeypatch.setattr(termios, "tcflush", lambda _fd, queue: flushed.append(queue))
    return flushed


def test_what_has_not_left_the_port_is_counted_and_taken_back(line, kernel):
    assert line.discard_output() == 13
    assert kernel == [termios.TCOFLUSH]


def test_nothing_waits_in_a_port_that_works(line):
    line.write(b"\x80\x4e")
    assert line.discard_output() == 0


def test_closing_leaves_nothing_to_be_sent_later(far_end, kernel):
    opened = open_serial_line(far_end.port, 115200, CLOCK)
    kernel.clear()
    opened.close()
    assert kernel == [termios.TCOFLUSH]


def test_what_somebody_else_has_left_in_the_port_is_thrown_away(far_end, kernel):
    open_serial_line(far_end.port, 115200, CLOCK)
    assert termios.TCOFLUSH in kernel


def test_an_unplugged_cable_is_a_device_error(line, far_end):
    far_end.unplug()
    with pytest.raises(DeviceError, match=r"is gone.*check the cable"):
        line.read(1, soon())
    with pytest.raises(DeviceError, match="is gone"):
        line.write(b"\x80\x4e")


def test_a_closed_line_is_a_device_error(line):
    line.close()
    for use in (
        lambda: line.write(b"x"),
        lambda: line.read(1, soon()),
        line.flush_input,
        line.discard_output,
    ):
        with pytest.raises(DeviceError, match="is gone"):
            use()


def test_a_port_that_takes_no_more_bytes_is_a_timeout(line):
    def keep_writing() -> None:
        for _ in range(1000):
            line.write(bytes(1024))

    with pytest.raises(DeviceTimeoutError, match="not leaving the port"):
        keep_writing()


def test_a_port_that_somebody_has_is_busy(line, far_end):
    with pytest.raises(DeviceError, match="another program uses it; `fuser -v /dev/pts/"):
        open_serial_line(far_end.port, 115200, CLOCK)


@pytest.mark.parametrize(
    ("port", "hint"),
    [
        ("/dev/serial9", "switch the UART on"),
        ("/dev/ttyAMA99", "switch the UART on"),
        ("/dev/ttyUSB99", "adapter is plugged in"),
    ],
)
def test_a_missing_port_says_what_to_do(port, hint):
    with pytest.raises(DeviceError, match=f"cannot open {port} at 115200 baud.*{hint}") as caught:
        open_serial_line(port, 115200, CLOCK)
    assert isinstance(caught.value.__cause__, serial.SerialException)


def test_a_file_is_no_serial_port(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(DeviceError, match="is it a serial port at all"):
        open_serial_line(str(path), 115200, CLOCK)


def test_no_permission_names_the_group(monkeypatch):
    # Tests may run as root, whom no permission stops.
    def refuse(*_args: object, **_settings: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(DeviceError, match="usermod -aG dialout"):
        open_serial_line("/dev/ttyAMA99", 115200, CLOCK)


def test_a_speed_that_the_port_cannot_do(monkeypatch):
    def refuse(*_args: object, **_settings: object) -> None:
        raise ValueError("Failed to set custom baud rate (12345)")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(DeviceError, match=r"cannot do that speed.*roboclaw.baud"):
        open_serial_line("/dev/ttyAMA99", 12345, CLOCK)


def test_a_port_with_the_console_on_it_is_not_opened(far_end, tmp_path, monkeypatch):
    active = tmp_path / "active"
    active.write_text(f"tty0 {Path(far_end.port).name}\n")
    monkeypatch.setattr(serial_line, "_ACTIVE_CONSOLES", active)
    link = tmp_path / "serial0"
    link.symlink_to(far_end.port)
    with pytest.raises(DeviceError, match=r"carries Linux's console.*raspi-config"):
        open_serial_line(str(link), 115200, CLOCK)


def test_a_system_without_a_list_of_consoles_has_none(far_end, tmp_path, monkeypatch):
    monkeypatch.setattr(serial_line, "_ACTIVE_CONSOLES", tmp_path / "no such file")
    open_serial_line(far_end.port, 115200, CLOCK).close()
