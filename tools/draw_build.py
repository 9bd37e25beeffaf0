"""Draws what docs/build-guide.md shows: controllers and wheels, the bus, steps before and after.

Run it by: .venv/bin/python -m tools.draw_build
"""

import contextlib
import datetime
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import RenderableType

from calibration.provisioning.bench import Bench, Wishes
from calibration.provisioning.session import set_up
from calibration.provisioning.wanted import addresses
from calibration.provisioning.wire import Wire
from rover.clock import ManualClock
from rover.config import Config
from rover.config.files import NOWHERE, load_config
from rover.hardware.bus.lines import EndpointFactory
from rover.hardware.gpio import GpioPanel
from rover.sim.memory import SimulatedRover

IMAGES = Path(__file__).parent.parent / "docs" / "images"

# One for each controller: dark enough for text on white, and told apart without colours by names.
_COLOURS = ("#0369a1", "#b45309", "#15803d", "#7e22ce", "#be123c", "#475569", "#0f766e", "#854d0e")
_INK, _PAPER, _BODY = "#1b2733", "#ffffff", "#eef1f5"
_FONT = 'font-family="sans-serif" font-size="14"'
# Pixels in a metre, and where the middle of the rover is.
_SCALE, _MIDDLE_X, _MIDDLE_Y = 560.0, 400.0, 250.0
_WHEEL_WIDTH = 34
_BOX_WIDTH, _BOX_HEIGHT = 92, 34
# By BCM number: the pin of the header that the motor-enable line is on.
_PIN_OF_LINE = {23: 16}


def controllers(config: Config) -> str:
    """Return the rover from above: which output of which controller turns which wheel."""
    lines = _head(800, 500, "Which output of which controller turns which wheel")
    wheels = list(config.wheels.values())
    front, back = max(w.x_m for w in wheels), min(w.x_m for w in wheels)
    inner = min(abs(w.y_m) for w in wheels) - 0.05
    top, bottom = _place(front, 0.0)[1], _place(back, 0.0)[1]
    left = _place(0.0, inner)[0]
    width, height = 2 * (_MIDDLE_X - left), bottom - top
    lines += [
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="14" '
        f'fill="{_BODY}" stroke="{_INK}" stroke-opacity=".3"/>',
        f'<path d="M{_MIDDLE_X:.0f} {top - 52:.0f}l11 20h-22z" fill="{_INK}"/>',
        f'<text x="{_MIDDLE_X:.0f}" y="{top - 14:.0f}" text-anchor="middle">forward</text>',
    ]
    places = {
        address: (_MIDDLE_X, top + height * (index + 0.5) / len(addresses(config)))
        for index, address in enumerate(addresses(config))
    }
    for index, (address, (x, y)) in enumerate(places.items()):
        for wheel in wheels:
            if wheel.motor.address == address:
                wheel_x, wheel_y = _place(wheel.x_m, wheel.y_m)
                edge = x - _BOX_WIDTH / 2 if wheel_x < x else x + _BOX_WIDTH / 2
                lines.append(
                    f'<path d="M{edge:.0f} {y:.0f}L{wheel_x:.0f} {wheel_y:.0f}" fill="none" '
                    f'stroke="{_COLOURS[index]}" stroke-width="2.5"/>'
                )
        lines += _box(x, y, f"0x{address:02X}", _COLOURS[index])
    for name, wheel in config.wheels.items():
        x, y = _place(wheel.x_m, wheel.y_m)
        colour = _COLOURS[list(places).index(wheel.motor.address)]
        length = 2 * wheel.radius_m * _SCALE
        lines.append(
            f'<rect x="{x - _WHEEL_WIDTH / 2:.0f}" y="{y - length / 2:.0f}" '
            f'width="{_WHEEL_WIDTH}" height="{length:.0f}" rx="8" fill="{_PAPER}" '
            f'stroke="{colour}" stroke-width="3"/>'
        )
        lines.append(
            f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" font-weight="bold" '
            f'fill="{colour}">M{wheel.motor.channel}</text>'
        )
        outside, anchor = (-26, "end") if wheel.y_m > 0 else (26, "start")
        inverted = ", inverted" if wheel.motor.inverted else ""
        lines.append(
            f'<text x="{x + outside:.0f}" y="{y - 2:.0f}" text-anchor="{anchor}">'
            f"{name.replace('_', ' ')}</text>"
            f'<text x="{x + outside:.0f}" y="{y + 16:.0f}" text-anchor="{anchor}" '
            f'fill="{colour}">0x{wheel.motor.address:02X} M{wheel.motor.channel}{inverted}</text>'
        )
    return _whole(lines)


def bus(config: Config) -> str:
    """Return how the controllers hang on the Raspberry Pi's serial pins, in parallel."""
    units = list(addresses(config))
    wires = [
        ("TX, pin 8", "S1", "#0369a1"),
        ("RX, pin 10", "S2", "#b45309"),
        ("ground, pin 6", "ground", "#475569"),
    ]
    if config.panel.motor_enable is not None:
        pin = _PIN_OF_LINE.get(config.panel.motor_enable)
        where = f"BCM {config.panel.motor_enable}" + (f", pin {pin}" if pin else "")
        wires.append((f"motor enable, {where}", "S3", "#15803d"))
    first_x, gap, box_width = 320, 170, 130
    width = first_x + gap * len(units)
    top, step = 52, 34
    box_y = top + step * len(wires) + 16
    lines = _head(width, box_y + 130, "Every controller on the same wires")
    lines += [
        f'<rect x="14" y="{top - 30}" width="250" height="{step * len(wires) + 22}" rx="10" '
        f'fill="{_BODY}" stroke="{_INK}" stroke-opacity=".4"/>',
        f'<text x="24" y="{top - 10}" font-weight="bold">Raspberry Pi</text>',
    ]
    for row, (pi, _, colour) in enumerate(wires):
        y = top + step * row + 14
        end_x = first_x + gap * (len(units) - 1) + 24 + 28 * row
        lines.append(f'<text x="24" y="{y + 5}">{pi}</text>')
        lines.append(f'<path d="M264 {y}H{end_x}" stroke="{colour}" stroke-width="2.5"/>')
    for index, address in enumerate(units):
        x = first_x + gap * index
        lines.append(
            f'<rect x="{x}" y="{box_y}" width="{box_width}" height="84" rx="8" fill="{_PAPER}" '
            f'stroke="{_INK}" stroke-width="2"/>'
        )
        for row, (_, pin_name, colour) in enumerate(wires):
            wire_x, y = x + 24 + 28 * row, top + step * row + 14
            lines.append(
                f'<path d="M{wire_x} {y}V{box_y}" stroke="{colour}" stroke-width="2.5"/>'
                f'<circle cx="{wire_x}" cy="{y}" r="4" fill="{colour}"/>'
                f'<text x="{wire_x}" y="{box_y + 18}" text-anchor="middle" font-size="12" '
                f'fill="{colour}">{"GND" if pin_name == "ground" else pin_name}</text>'
            )
        lines.append(
            f'<text x="{x + box_width / 2:.0f}" y="{box_y + 48}" text-anchor="middle" '
            f'font-weight="bold">RoboClaw</text>'
            f'<text x="{x + box_width / 2:.0f}" y="{box_y + 68}" text-anchor="middle">'
            f"0x{address:02X}</text>"
        )
    lines.append(f'<text x="{first_x}" y="{box_y + 112}">battery and motors are not shown</text>')
    return _whole(lines)


class _Nobody:
    """Says yes to everything."""

    def say(self, what: RenderableType) -> None:
        pass

    def agrees(self, question: str) -> bool:
        return bool(question)

    def chooses(self, question: str, choices: Mapping[int, str], default: int) -> int:
        return default


def steps(config: Config) -> str:
    """Return the step responses of the simulated rover whose loops were made for other motors."""
    clock = ManualClock()
    rover = SimulatedRover(config, clock, wrong="factory-loop")
    # With the factory's 44000 the wheels hardly turn; so looks what was made for a faster motor.
    for unit in rover.devices.units:
        for output in unit.settings.outputs:
            output.qpps = 4400
        unit.settings_changed()
        unit.save()

    @contextlib.contextmanager
    def dead_man() -> Iterator[Callable[[], None]]:
        yield lambda: None

    with tempfile.TemporaryDirectory() as name:
        bench = Bench(
            Wire(lambda _baud: rover.serial_line, clock),
            _Nobody(),
            lambda: datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            lambda: None,
            lambda: GpioPanel(config, lambda: EndpointFactory(rover.lines)),
            dead_man,
        )
        set_up(config, Wishes("simulated", Path(name), loops=True), bench)
        (picture,) = Path(name).glob("*.svg")
        return picture.read_text(encoding="utf-8")


PICTURES: Mapping[str, Callable[[Config], str]] = {
    "build-controllers.svg": controllers,
    "build-bus.svg": bus,
    "build-steps.svg": steps,
}


def _place(x_m: float, y_m: float) -> tuple[float, float]:
    return _MIDDLE_X - y_m * _SCALE, _MIDDLE_Y - x_m * _SCALE


def _box(x: float, y: float, text: str, colour: str) -> list[str]:
    return [
        f'<rect x="{x - _BOX_WIDTH / 2:.0f}" y="{y - _BOX_HEIGHT / 2:.0f}" width="{_BOX_WIDTH}" '
        f'height="{_BOX_HEIGHT}" rx="7" fill="{colour}"/>',
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" font-weight="bold" '
        f'fill="{_PAPER}">{text}</text>',
    ]


def _head(width: int, height: int, title: str) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {_FONT} '
        f'fill="{_INK}" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
    ]


def _whole(lines: list[str]) -> str:
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    osr = load_config("osr", places=NOWHERE).config
    for file, draw in PICTURES.items():
        (IMAGES / file).write_text(draw(osr), encoding="utf-8")
        print(IMAGES / file)
