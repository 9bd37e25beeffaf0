"""Both I2C buses: the kernel's by its calls, the simulator's over a socket."""

import errno
import fcntl
from types import SimpleNamespace

import pytest
import smbus2
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import DeviceError, DeviceTimeoutError
from rover.hardware import open_hardware
from rover.hardware.bus.bus_locks import BusLocks
from rover.hardware.bus.endpoint import Done, I2cData, I2cNack
from rover.hardware.bus.i2c import LinuxI2cBus, open_i2c_bus
from tests.builders import osr_config
from tests.hardware.socket_server import serving


class KernelBus:
    """Takes messages as smbus2's i2c_rdwr does, and fills those that read."""

    def __init__(self, answer: bytes = b"", error: int = 0) -> None:
        self.answer, self.error = answer, error
        self.messages: list[tuple[int, int, bytes]] = []
        self.closed = False

    def i2c_rdwr(self, *messages: smbus2.i2c_msg) -> None:
        if self.error:
            raise OSError(self.error, "from the kernel")
        for message in messages:
            if message.flags & 1:
                for index, byte in enumerate(self.answer):
                    message.buf[index] = byte
            self.messages.append((message.addr, message.flags, bytes(message)))

    def close(self) -> None:
        self.closed = True


def linux_bus(kernel: KernelBus, release=lambda: None) -> LinuxI2cBus:
    return LinuxI2cBus("/dev/i2c-1", kernel, release)


@pytest.fixture
def node(tmp_path):
    """What stands for /dev/i2c-1: any file can be locked."""
    path = tmp_path / "i2c-1"
    path.touch()
    return str(path)


def test_a_write_and_a_read_are_one_transfer():
    kernel = KernelBus(answer=b"\x54\x49")
    assert linux_bus(kernel).transfer(0x45, b"\xfe", 2) == b"\x54\x49"
    assert kernel.messages == [(0x45, 0, b"\xfe"), (0x45, 1, b"\x54\x49")]


def test_a_write_alone_returns_nothing():
    kernel = KernelBus()
    assert linux_bus(kernel).transfer(0x40, b"\x00\x30", 0) == b""
    assert kernel.messages == [(0x40, 0, b"\x00\x30")]


@pytest.mark.parametrize("code", [errno.EREMOTEIO, errno.ENXIO, errno.EIO])
def test_no_acknowledgement(code):
    with pytest.raises(DeviceError, match="nothing answers at address 0x45") as caught:
        linux_bus(KernelBus(error=code)).transfer(0x45, b"\xfe", 2)
    assert not isinstance(caught.value, DeviceTimeoutError)


def test_a_bus_that_hangs():
    with pytest.raises(DeviceTimeoutError, match="held low"):
        linux_bus(KernelBus(error=errno.ETIMEDOUT)).transfer(0x45, b"\xfe", 2)


def test_any_other_failure_is_passed_on():
    with pytest.raises(DeviceError, match="from the kernel"):
        linux_bus(KernelBus(error=errno.EBADF)).transfer(0x45, b"\xfe", 2)


def test_closing_closes_the_kernels_bus_and_gives_its_lock_back():
    kernel, released = KernelBus(), []
    linux_bus(kernel, lambda: released.append(kernel.closed)).close()
    assert released == [True]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOENT, "raspi-config"),
        (errno.EACCES, "usermod -aG i2c"),
        (errno.EINVAL, "from the kernel"),
    ],
)
def test_a_bus_that_cannot_be_opened_says_why(monkeypatch, node, code, hint):
    def refuse(_path: str) -> SimpleNamespace:
        raise OSError(code, "from the kernel")

    monkeypatch.setattr(smbus2, "SMBus", refuse)
    locks = BusLocks()
    with pytest.raises(DeviceError, match=f"cannot open .*/i2c-1.*{hint}"):
        open_i2c_bus(node, locks)
    # Whoever tries after it is not told that somebody has it.
    BusLocks().take(node)


class DeviceFile:
    """An open /dev/i2c-N."""

    fd = 7

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_the_kernel_is_told_to_give_up_in_time(monkeypatch, node):
    told = []
    monkeypatch.setattr(smbus2, "SMBus", lambda _path: DeviceFile())
    monkeypatch.setattr(fcntl, "ioctl", lambda *call: told.append(call))
    open_i2c_bus(node, BusLocks())
    # I2C_TIMEOUT counts in units of 10 ms, I2C_RETRIES in tries.
    assert told == [(7, 0x0702, 2), (7, 0x0701, 0)]


def test_a_bus_that_takes_no_deadline_is_not_used(monkeypatch, node):
    device = DeviceFile()

    def refuse(*_call: int) -> None:
        raise OSError(errno.ENOTTY, "from the kernel")

    monkeypatch.setattr(smbus2, "SMBus", lambda _path: device)
    monkeypatch.setattr(fcntl, "ioctl", refuse)
    with pytest.raises(DeviceError, match=r"/i2c-1 takes no deadline.*from the kernel"):
        open_i2c_bus(node, BusLocks())
    assert device.closed
    BusLocks().take(node)


@pytest.fixture
def kernel_nodes(monkeypatch):
    """How often a node was opened; every one takes what it is told."""
    opened: list[str] = []

    def smbus(path: str) -> DeviceFile:
        opened.append(path)
        return DeviceFile()

    monkeypatch.setattr(smbus2, "SMBus", smbus)
    monkeypatch.setattr(fcntl, "ioctl", lambda *_call: None)
    return opened


def test_drivers_of_one_set_share_a_bus_and_nobody_else_does(kernel_nodes, node, tmp_path):
    ours, theirs = BusLocks(), BusLocks()
    other_name = tmp_path / "i2c_arm"
    other_name.symlink_to(node)
    servos, power = open_i2c_bus(node, ours), open_i2c_bus(str(other_name), ours)
    for left in (servos, power):
        with pytest.raises(DeviceError, match=r"second `rover control`.*fuser -v .*i2c-1"):
            open_i2c_bus(node, theirs)
        left.close()
    assert kernel_nodes == [node, str(other_name)]
    open_i2c_bus(node, theirs).close()


def test_a_second_control_does_nothing_to_the_servo_board_of_the_first(
    monkeypatch, kernel_nodes, node
):
    """Neither when it starts, nor when it ends."""
    config = osr_config()
    config = structs.replace(
        config,
        steering=structs.replace(config.steering, i2c_bus=node),
        power=structs.replace(config.power, i2c_bus=node),
        panel=structs.replace(config.panel, gpio="none"),
    )
    first, second = (open_hardware(config, ManualClock()) for _ in range(2))
    sent: list[int] = []

    def transfer(_bus: LinuxI2cBus, address: int, _write: bytes, _read_count: int) -> bytes:
        sent.append(address)
        raise DeviceError("nobody there")

    monkeypatch.setattr(LinuxI2cBus, "transfer", transfer)
    with pytest.raises(DeviceError, match="nobody there"):
        first.steering.start()
    sent.clear()
    for device in (second.steering, second.power):
        with pytest.raises(DeviceError, match="second `rover control`"):
            device.start()
        device.close()
    assert sent == []


def test_a_bus_that_is_not_there():
    with pytest.raises(DeviceError, match="there is no such bus"):
        open_i2c_bus("/dev/i2c-77", BusLocks())


def test_the_simulators_bus(tmp_path):
    path = tmp_path / "i2c.sock"
    replies = iter([I2cData(b"\x20"), I2cData(b""), I2cNack(), Done(), I2cData(b"too long")])
    with serving(path, lambda _request: next(replies)):
        bus = open_i2c_bus(f"socket:{path}", BusLocks())
        assert bus.transfer(0x40, b"\x00", 1) == b"\x20"
        assert bus.transfer(0x40, b"\x00\x20", 0) == b""
        with pytest.raises(DeviceError, match="nothing answers at address 0x41"):
            bus.transfer(0x41, b"\x00", 1)
        for _ in range(2):
            with pytest.raises(DeviceError, match="answers a read of 1 bytes"):
                bus.transfer(0x40, b"\x00", 1)
        bus.close()


def test_no_simulator(tmp_path):
    with pytest.raises(DeviceError, match="hardware-sim"):
        open_i2c_bus(f"socket:{tmp_path}/i2c.sock", BusLocks())
