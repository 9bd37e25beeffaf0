"""donkeycar's web controller beside ours: from a WebSocket frame to what its loop hands a motor.

ROVER_DONKEYCAR_PYTHON is the Python of an environment with donkeycar in it; without one this is
not measured. Nothing of donkeycar is part of this project.
"""

import os
import random
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, cast

import msgspec
from simple_websocket import Client

from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.records import Record, Spread

_CAR = Path(__file__).parent / "peer_donkeycar_car.py"
_VARIABLE = "ROVER_DONKEYCAR_PYTHON"
# As often as a page says where a held stick is; the moment within a period is left to chance.
_SAY_S = (0.02, 0.09)
_UP_WITHIN_S = 30.0
_GIVE_UP_S = 2.0
_LOOK_AGAIN_S = 0.2
_SEED = 1


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    python = os.environ.get(_VARIABLE, "")
    if not python:
        raise NotMeasuredError(
            f"set {_VARIABLE} to the Python of an environment with donkeycar: python3 -m venv "
            "/somewhere && /somewhere/bin/pip install donkeycar"
        )
    count = effort.count(full=500, tiny=3)
    port = _free_port()
    with subprocess.Popen(
        [python, str(_CAR), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_CAR.parent.parent.parent,
        text=True,
    ) as car:
        try:
            latencies_s = _latencies_s(car, port, count, progress)
        finally:
            car.kill()
    return [
        Record(
            "donkeycar: frame to motor",
            "ms",
            Spread.of(latencies_s).scaled(1e3),
            "from the WebSocket frame to its loop's speed controller, at its 20 Hz; its wire is "
            "not in it, while ours above is",
        )
    ]


def _latencies_s(
    car: subprocess.Popen[str], port: int, count: int, progress: Progress
) -> list[float]:
    page = _connected(car, port)
    chance = random.Random(_SEED)
    told = cast(IO[str], car.stdout)
    latencies_s = []
    for number in range(count + 1):
        time.sleep(chance.uniform(*_SAY_S))
        throttle = 0.1 + (number % 50) / 100
        frame = {"angle": 0.0, "throttle": throttle, "drive_mode": "user", "recording": False}
        sent_s = time.monotonic()
        page.send(msgspec.json.encode(frame).decode())
        latency_s = _moved_s(told, throttle) - sent_s
        # The first finds everything for the first time.
        if number:
            latencies_s.append(latency_s)
            progress(number, count)
    page.close()
    return latencies_s


def _moved_s(told: IO[str], throttle: float) -> float:
    """Return when the car's loop had ``throttle``."""
    end_s = time.monotonic() + _GIVE_UP_S
    while select.select([told], (), (), max(0.0, end_s - time.monotonic()))[0]:
        words = told.readline().split()
        try:
            stamp_s, moved = float(words[0]), float(words[1])
        except (IndexError, ValueError):
            # donkeycar says this and that on its own.
            continue
        if moved == throttle:
            return stamp_s
    raise NotMeasuredError(f"a throttle did not reach donkeycar's motor within {_GIVE_UP_S} s")


def _connected(car: subprocess.Popen[str], port: int) -> Client:
    end_s = time.monotonic() + _UP_WITHIN_S
    while True:
        try:
            # The library's client would leave a socket open at each try.
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return Client.connect(f"ws://127.0.0.1:{port}/wsDrive")
        except OSError as error:
            if car.poll() is not None:
                raise NotMeasuredError(f"donkeycar ended: is it in {_VARIABLE}'s?") from error
            if time.monotonic() > end_s:
                raise NotMeasuredError("donkeycar's web controller did not come up") from error
            time.sleep(_LOOK_AGAIN_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


MEASUREMENT = Measurement("donkeycar", "donkeycar's web controller, beside ours", _measure)
