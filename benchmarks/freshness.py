"""What reading less each tick buys, and what it costs in freshness.

The drive reads both encoders of every controller each tick and works speeds out from them;
currents, status, batteries and the rest are read one a tick, in turn. Here that is held
against reading everything each tick: bytes and time a tick, and how old each value is at the
end of a tick, when the loop judges and publishes it.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from benchmarks.drives import started_drive, targets_of
from benchmarks.harness import Effort, Measurement, Progress, realtime
from benchmarks.records import Record, Spread
from benchmarks.rig import running_rig
from benchmarks.taps import Exchange
from rover.clock import SystemClock
from rover.config import Config
from rover.hardware.bus.framing import wire_time_s
from rover.hardware.roboclaw import RoboclawDrive
from rover.hardware.wheel_encoder import SPEED_WINDOW_S
from rover.pacing import Pacer

_ENCODERS, _SPEEDS, _CURRENTS, _STATUS, _BATTERY = 78, 79, 49, 90, 24
_VALUES = {
    _ENCODERS: "position",
    _SPEEDS: "speed",
    _CURRENTS: "current",
    _STATUS: "status",
    _BATTERY: "battery",
}
_WHEEL_RAD_S = 2.0
# Ticks until everything has been read once in turn.
_TURNS = 70


@dataclass(frozen=True, slots=True)
class _Scheme:
    name: str
    rate_hz: float
    read: Callable[[RoboclawDrive], None]


_SCHEMES = (
    # 100 Hz would leave 10 ms for 11.72 ms of wire.
    _Scheme("everything each tick at 75 Hz", 75.0, RoboclawDrive.read_everything),
    _Scheme("in turn at 100 Hz", 100.0, RoboclawDrive.poll),
    _Scheme("in turn at 50 Hz", 50.0, RoboclawDrive.poll),
)


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    ticks, warm_up = effort.count(full=1000, tiny=20), effort.count(full=_TURNS, tiny=5)
    records = []
    with running_rig() as rig:
        rig.start_hardware()
        for number, scheme in enumerate(_SCHEMES):
            loop = structs.replace(rig.config.loop, rate_hz=scheme.rate_hz)
            watch = _Watch(scheme, structs.replace(rig.config, loop=loop))
            watch.run(ticks, warm_up)
            records += watch.records()
            progress(number + 1, len(_SCHEMES))
    return records


class _Watch:
    """Ticks a drive by its scheme and notes how old everything is at the end of each tick."""

    def __init__(self, scheme: _Scheme, config: Config) -> None:
        self._scheme = scheme
        self._config = config
        self._clock = SystemClock()
        self._bytes = 0
        # When the request for a value had arrived at its controller, by command and address.
        self._read_s: dict[tuple[int, int], float] = {}
        self._ages_s: dict[int, list[float]] = defaultdict(list)
        self._tick_bytes: list[float] = []
        self._tick_s: list[float] = []

    def run(self, ticks: int, warm_up: int) -> None:
        """Tick so often, after ``warm_up`` ticks that are not looked at."""
        clock, period_s = self._clock, 1.0 / self._scheme.rate_hz
        with started_drive(self._config, self._hear) as drive:
            targets = targets_of(self._config, _WHEEL_RAD_S)
            # What was read to bring the drive up is not part of the scheme.
            self._read_s.clear()
            with realtime(self._config.loop.realtime_priority):
                pacer = Pacer(period_s, clock.now_s())
                for number in range(-warm_up, ticks):
                    clock.sleep_s(pacer.due_s - clock.now_s())
                    pacer.started(clock.now_s())
                    self._bytes = 0
                    began_s = clock.now_s()
                    drive.command(targets)
                    self._scheme.read(drive)
                    if number >= 0:
                        self._note(began_s, clock.now_s())

    def _hear(self, exchange: Exchange) -> None:
        self._bytes += exchange.wire_bytes
        if len(exchange.sent) > 1 and exchange.sent[1] in _VALUES:
            reply_s = wire_time_s(exchange.received_bytes, self._config.roboclaw.baud)
            self._read_s[exchange.sent[1], exchange.sent[0]] = exchange.end_s - reply_s

    def _note(self, began_s: float, ended_s: float) -> None:
        self._tick_bytes.append(self._bytes)
        self._tick_s.append(ended_s - began_s)
        for (command, _), read_s in self._read_s.items():
            self._ages_s[command].append(ended_s - read_s)

    def records(self) -> list[Record]:
        """Return a record of the ticks and one for each value that was read."""
        scheme, ages_s = self._scheme, self._ages_s
        if _SPEEDS not in ages_s:
            # A mean over the last while is as old as its middle.
            ages_s[_SPEEDS] = [age_s + SPEED_WINDOW_S / 2 for age_s in ages_s[_ENCODERS]]
        wire_bytes = Spread.of(self._tick_bytes).mean
        wire_ms = wire_time_s(1, self._config.roboclaw.baud) * wire_bytes * 1e3
        unread = [value for command, value in _VALUES.items() if command not in ages_s]
        never = f"; never read: {', '.join(unread)}" if unread else ""
        return [
            Record(
                f"{scheme.name}: bus time a tick",
                "ms",
                Spread.of(self._tick_s).scaled(1e3),
                f"{wire_bytes:.1f} bytes a tick on average, {wire_ms:.2f} ms of wire, "
                f"{wire_ms * scheme.rate_hz / 10.0:.0f} % of it taken{never}",
            ),
            *(
                Record(
                    f"{scheme.name}: age of {value}",
                    "ms",
                    Spread.of(ages_s[command]).scaled(1e3),
                    "at the end of a tick, over all controllers",
                )
                for command, value in _VALUES.items()
                if command in ages_s
            ),
        ]


MEASUREMENT = Measurement("freshness", "What fewer bytes a tick buy, and cost", _measure)
