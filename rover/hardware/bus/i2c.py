"""An I2C bus as transfers: Linux's own through smbus2, or the simulator's socket."""

import errno
import fcntl
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from rover.errors import DeviceError, DeviceTimeoutError
from rover.hardware.bus.bus_locks import BusLocks
from rover.hardware.bus.endpoint import EndpointClient, I2cData, I2cNack, I2cTransfer

if TYPE_CHECKING:
    from smbus2 import SMBus

_SOCKET = "socket:"
# What Linux's I2C drivers return when nobody acknowledges an address (EREMOTEIO on the Pi).
_NACK_ERRNOS = frozenset({errno.EREMOTEIO, errno.ENXIO, errno.EIO})
_TIMEOUT_ERRNOS = frozenset({errno.ETIMEDOUT, errno.EAGAIN})
# linux/i2c-dev.h. The longest transfer here, all four corners at 100 kHz, takes 1.7 ms; left to
# itself the Pi's driver waits a second for a bus that is held low, and the wheels with it.
_I2C_RETRIES, _I2C_TIMEOUT = 0x0701, 0x0702
_TIMEOUT_UNITS_OF_10_MS = 2


class I2cBus(Protocol):
    """Transfers with the devices on one bus."""

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        """Write, then read with a repeated start, in one go; either part may be empty.

        Raises DeviceError if the device does not acknowledge or the bus is gone,
        DeviceTimeoutError if the bus does not come to an end.
        """
        ...

    def close(self) -> None:
        """Let go of the bus."""
        ...


class LinuxI2cBus:
    """The kernel's I2C bus, such as /dev/i2c-1, opened with a deadline for its transfers."""

    def __init__(self, path: str, bus: "SMBus", release: Callable[[], None]) -> None:
        self._path = path
        self._bus = bus
        self._release = release

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        """Do one combined transfer; see I2cBus."""
        from smbus2 import i2c_msg  # noqa: PLC0415 - Linux only

        messages = []
        if write:
            messages.append(i2c_msg.write(address, write))
        if read_count:
            messages.append(i2c_msg.read(address, read_count))
        try:
            self._bus.i2c_rdwr(*messages)
        except OSError as error:
            if error.errno in _NACK_ERRNOS:
                raise _no_answer(self._path, address) from error
            if error.errno in _TIMEOUT_ERRNOS:
                raise DeviceTimeoutError(
                    f"{self._path}: the transfer with 0x{address:02X} did not end; is SDA or SCL "
                    "held low?"
                ) from error
            raise DeviceError(f"{self._path}, address 0x{address:02X}: {error}") from error
        return bytes(messages[-1]) if read_count else b""

    def close(self) -> None:
        """Let go of the bus."""
        self._bus.close()
        self._release()


class SocketI2cBus:
    """The simulator's I2C bus behind a Unix socket."""

    def __init__(self, client: EndpointClient) -> None:
        self._client = client

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        """Do one combined transfer; see I2cBus."""
        reply = self._client.request(I2cTransfer(address, write, read_count))
        match reply:
            case I2cData(data) if len(data) == read_count:
                return data
            case I2cNack():
                raise _no_answer(self._client.path, address)
        raise DeviceError(f"{self._client.path}: {reply} answers a read of {read_count} bytes")

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def open_i2c_bus(spec: str, locks: BusLocks) -> I2cBus:
    """Open "/dev/i2c-1" or the like, or the simulator's "socket:PATH".

    A bus of the kernel is locked before anything is sent; those who share ``locks`` share it.
    Raises DeviceError with one sentence that says what was tried and the likeliest cause.
    """
    if spec.startswith(_SOCKET):
        client = EndpointClient(spec.removeprefix(_SOCKET))
        client.connect()
        return SocketI2cBus(client)
    try:
        locks.take(spec)
    except DeviceError:
        raise
    except OSError as error:
        raise DeviceError(f"cannot open {spec}: {_cause(error)}") from error
    try:
        return _opened(spec, lambda: locks.give_back(spec))
    except DeviceError:
        locks.give_back(spec)
        raise


def _opened(spec: str, release: Callable[[], None]) -> LinuxI2cBus:
    from smbus2 import SMBus  # noqa: PLC0415 - Linux only

    try:
        bus = SMBus(spec)
    except OSError as error:
        raise DeviceError(f"cannot open {spec}: {_cause(error)}") from error
    descriptor = cast("int", bus.fd)  # it is open
    try:
        fcntl.ioctl(descriptor, _I2C_TIMEOUT, _TIMEOUT_UNITS_OF_10_MS)
        fcntl.ioctl(descriptor, _I2C_RETRIES, 0)
    except OSError as error:
        bus.close()
        raise DeviceError(f"{spec} takes no deadline for its transfers: {error}") from error
    return LinuxI2cBus(spec, bus, release)


def _no_answer(bus: str, address: int) -> DeviceError:
    return DeviceError(
        f"{bus}: nothing answers at address 0x{address:02X}; check power and wiring, and "
        "`i2cdetect -y 1`"
    )


def _cause(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return (
            "there is no such bus; switch I2C on (`sudo raspi-config`, Interface Options, I2C) "
            "and reboot"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            "no permission; add the user to the group i2c (`sudo usermod -aG i2c $USER`) and log "
            "in again"
        )
    return str(error)
