"""The battery: what the rover measures against a multimeter, and how much is in it."""

from collections import deque
from enum import Enum, auto
from statistics import fmean

from calibration.steps.step import LEAVE, WRITE, Changes, Value
from calibration.steps.still import StillStep
from calibration.steps.view import Asked, Choice, Outcome, Row, StepView
from rover.config import Config
from rover.config.toml_lines import KeyPath
from rover.messages import ArmState, PowerReading, Telemetry

# Half a second of telemetry and more; one reading of a RoboClaw is good to 0.1 V.
_READINGS = 20
# What is older has been told by another battery, or at another time.
_LATELY_S = 3.0
LEAST_SCALE, MOST_SCALE = 0.9, 1.1
_MOST_V = 60.0

_SKIP = Choice("s", "Leave that as it is")
_BACK = Choice("b", "Measure anew")


class _Stage(Enum):
    VOLTAGE = auto()
    CAPACITY = auto()
    DONE = auto()


class _Gauge:
    """One thing that measures the battery: the key that mends it, and what it told lately."""

    def __init__(self, name: str, key: KeyPath, scale: float) -> None:
        self.name, self.key, self.scale = name, key, scale
        self.readings: deque[PowerReading] = deque(maxlen=_READINGS)

    def hear(self, reading: PowerReading) -> None:
        """Take in a reading; the same one told again is no second one."""
        if not self.readings or reading.stamp_s > self.readings[-1].stamp_s:
            self.readings.append(reading)

    def forget(self, before_s: float) -> None:
        """Forget what is older than that."""
        while self.readings and self.readings[0].stamp_s < before_s:
            self.readings.popleft()

    @property
    def volts(self) -> float | None:
        """The mean of what it told lately, as it is configured now."""
        return fmean(reading.voltage_v for reading in self.readings) if self.readings else None


class BatteryStep(StillStep):
    """The step. There is little to lose by leaving it, so it keeps no draft."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config
        self._stage = _Stage.VOLTAGE
        self._gauges = (
            _Gauge("power monitor", ("power", "voltage_scale"), config.power.voltage_scale),
            _Gauge(
                "motor controllers", ("roboclaw", "voltage_scale"), config.roboclaw.voltage_scale
            ),
        )
        self._scales: dict[KeyPath, float] = {}
        self._measured_v: float | None = None
        self._capacity_ah: float | None = None
        self._moves = False

    def see(self, telemetry: Telemetry) -> None:
        """Take in what the rover tells of itself."""
        self._moves = telemetry.state in {ArmState.ARMED, ArmState.MAINTENANCE}
        monitor, controllers = self._gauges
        for reading in telemetry.supplies:
            (controllers if reading.device.startswith("RoboClaw") else monitor).hear(reading)
        for gauge in self._gauges:
            gauge.forget(telemetry.stamp_s - _LATELY_S)

    def press(self, key: str, now_s: float) -> None:
        """Take in one of the choices; another key changes nothing."""
        if key not in {choice.key for choice in self._choices()}:
            return
        self._remark = ""
        if key == LEAVE.key:
            self.outcome = Outcome.LEAVE
        elif key == WRITE.key:
            self.outcome = Outcome.WRITE
        elif key == _BACK.key:
            self._scales, self._measured_v, self._capacity_ah = {}, None, None
            self._stage = _Stage.VOLTAGE
        elif self._stage is _Stage.VOLTAGE:
            self._stage = _Stage.CAPACITY
        else:
            self._stage = _Stage.DONE

    def enter(self, value: float, now_s: float) -> None:
        """Take in the voltage, or the capacity."""
        asked = self._asked()
        if asked is None or not asked.least <= value <= asked.most:
            return
        self._remark = ""
        if self._stage is _Stage.CAPACITY:
            self._capacity_ah = value
            self._stage = _Stage.DONE
            return
        self._remark = self._compare(value)
        if not self._remark:
            self._measured_v = value
            self._stage = _Stage.CAPACITY

    def view(self) -> StepView:
        """Return what to show now."""
        return StepView(
            title="Battery",
            text=self._text(),
            remark=self._remark,
            choices=self._choices(),
            asked=self._asked(),
            found=self._rows(),
        )

    def changes(self) -> Changes:
        """Return the corrections and the capacity, as far as they were told."""
        changed: dict[KeyPath, Value] = dict(self._scales)
        if self._capacity_ah is not None:
            changed["power", "capacity_ah"] = self._capacity_ah
        return changed

    def draft(self) -> bytes:
        """Return nothing: it is two numbers."""
        return b""

    def _compare(self, measured_v: float) -> str:
        """Take the multimeter's word; say why that cannot be, empty if it can."""
        if self._moves:
            return "It drives: disarm it first, a battery under load sags."
        scales = {}
        for gauge in self._gauges:
            volts = gauge.volts
            if not volts:
                continue
            scale = gauge.scale * measured_v / volts
            if not LEAST_SCALE <= scale <= MOST_SCALE:
                return (
                    f"The {gauge.name} tell{'s' if gauge.key[0] == 'power' else ''} {volts:.2f} V: "
                    f"{measured_v:g} V is more than 10 % away. Measure at the same battery; if it "
                    "is so, look at the wires between."
                )
            scales[gauge.key] = round(scale, 4)
        if not scales:
            return "Nothing on this rover tells a voltage now: is control running, and powered?"
        self._scales = scales
        return ""

    def _rows(self) -> tuple[Row, ...]:
        found = []
        for gauge in self._gauges:
            volts, scale = gauge.volts, self._scales.get(gauge.key)
            if volts is None:
                continue
            if scale is None or self._measured_v is None:
                found.append(Row(gauge.name, f"{volts:.2f} V"))
            else:
                text = f"{self._measured_v:.2f} V, corrected by {scale / gauge.scale - 1.0:+.1%}"
                found.append(Row(gauge.name, text, changes=True))
        if self._capacity_ah is not None:
            found.append(Row("capacity", f"{self._capacity_ah:g} Ah", changes=True))
        return tuple(found)

    def _asked(self) -> Asked | None:
        if self._stage is _Stage.VOLTAGE:
            return Asked("What does the multimeter say?", "V", 5.0, _MOST_V)
        if self._stage is _Stage.CAPACITY:
            return Asked("How much is in it when it is full?", "Ah", 0.2, 100.0)
        return None

    def _text(self) -> str:
        match self._stage:
            case _Stage.VOLTAGE:
                return (
                    "With the rover standing, measure the voltage at the battery's plug with a "
                    "multimeter. Below is what the rover measures."
                )
            case _Stage.CAPACITY:
                return (
                    "The capacity is printed on the battery; 5200 mAh are 5.2 Ah. The page tells "
                    "by it how much time is left."
                )
            case _Stage.DONE:
                if self.changes():
                    return "Write it?"
                return "Nothing was told: there is nothing to write."

    def _choices(self) -> tuple[Choice, ...]:
        match self._stage:
            case _Stage.VOLTAGE | _Stage.CAPACITY:
                return (_SKIP, LEAVE)
            case _Stage.DONE:
                return (WRITE, _BACK, LEAVE) if self.changes() else (_BACK, LEAVE)
