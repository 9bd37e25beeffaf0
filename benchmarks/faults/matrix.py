"""The matrix: every fault there is a promise for, in the order in which it is told."""

from benchmarks.faults import of_devices, of_people, of_processes
from benchmarks.faults.fault import Fault

MATRIX: tuple[Fault, ...] = (
    *of_people.PAD,
    *of_people.PHONE,
    *of_processes.WEB,
    *of_processes.CONTROL,
    *of_devices.CONTROLLERS,
    *of_devices.REPORTED,
    *of_devices.WHEELS,
    *of_devices.BATTERY,
    *of_devices.STEERING,
    *of_people.ESTOP,
    *of_people.SOURCES,
    *of_processes.COMPUTER,
    *of_processes.DISK,
)
BY_KEY: dict[str, Fault] = {fault.key: fault for fault in MATRIX}
