"""A person who calibrates a simulated rover: sees its wheels as they truly are, and says so.

The rover is whole, in memory, on a clock that the test holds; the conversation is the real one.
"""

import math
from collections.abc import Callable

from calibration.steps.conversation import Conversation
from calibration.steps.step import Step
from calibration.steps.view import StepView
from rover.config import Config
from rover.link import ReceivedRequest
from rover.messages import Answer, MaintenanceOrder, Order, Request, RequestKind, Telemetry
from tests.whole.memory_rover import MemoryRover

# As often as a conversation goes on, in a terminal and at a page's desk.
STEP_S = 0.03


class MemoryLink:
    """The conversation's way to a rover in memory; ``asked`` is what it asked for."""

    def __init__(self, rover: MemoryRover) -> None:
        self._rover = rover
        self.asked: list[RequestKind] = []
        self.ordered: list[Order] = []

    def request(
        self,
        kind: RequestKind,
        who: str,
        timeout_s: float = 1.0,
        stamp_s: float | None = None,
        token: str = "",
    ) -> Answer:
        self.asked.append(kind)
        request = Request(kind, who, self._rover.clock.now_s(), token)
        self._rover.link.requests.append(ReceivedRequest(request, (b"", b"")))
        self._rover.tick()
        return self._rover.link.answers[-1]

    def order(self, token: str, order: Order, stamp_s: float) -> None:
        self.ordered.append(order)
        self._rover.link.orders.append(MaintenanceOrder(token, stamp_s, order))


class Visit:
    """A person with a rover, in front of one step. Keys and numbers in, what is shown out."""

    def __init__(
        self,
        make: Callable[[Config, bytes], Step],
        *,
        wrong: str = "",
        config: Config | None = None,
        draft: bytes = b"",
        built: Config | None = None,
    ) -> None:
        self.rover = MemoryRover(config, wrong=wrong, built=built)
        self.rover.run(1.0)
        self.names = list(self.rover.config.wheels)
        self.begin(make, draft)

    def begin(self, make: Callable[[Config, bytes], Step], draft: bytes = b"") -> None:
        """Begin a step, as a command does that is called anew."""
        self.link = MemoryLink(self.rover)
        self.step = make(self.rover.config, draft)
        self.conversation = Conversation(self.step, self.link, "a test", self.rover.clock)
        self.is_there = True

    @property
    def view(self) -> StepView:
        return self.step.view()

    @property
    def keys(self) -> set[str]:
        return {choice.key for choice in self.view.choices}

    def press(self, *keys: str) -> None:
        """Press keys that are offered, each with a moment after it."""
        for key in keys:
            assert key in self.keys, f"{key} is not offered: {self.view}"
            self.step.press(key, self.rover.clock.now_s())
            self.wait(2 * STEP_S)

    def enter(self, value: float) -> None:
        assert self.view.asked, self.view
        self.step.enter(value, self.rover.clock.now_s())
        self.wait(STEP_S)

    def wait(self, duration_s: float, *, holding: bool = False) -> None:
        """Let time pass; ``holding``: with the finger on what moves."""
        rover = self.rover
        end_s = rover.clock.now_s() + duration_s
        present_s = rover.clock.now_s()
        while rover.clock.now_s() < end_s:
            if self.is_there:
                present_s = rover.clock.now_s()
            if holding:
                self.step.hold(rover.clock.now_s())
            self.conversation.go_on(self._news(), present_s)
            rover.run(STEP_S)

    def _news(self) -> Telemetry | None:
        published = self.rover.link.published
        telemetry = published[-1] if published else None
        published.clear()
        return telemetry

    def hold(self, duration_s: float) -> dict[str, float]:
        """Hold what moves; return how far each wheel truly turned, in radians."""
        assert self.view.hold, self.view
        before = self.angles()
        self.wait(duration_s, holding=True)
        self.wait(0.6)
        after = self.angles()
        return {name: after[name] - before[name] for name in self.names}

    def angles(self) -> dict[str, float]:
        return {wheel.name: wheel.angle_rad for wheel in self.rover.truth().wheels}

    def steers_deg(self) -> dict[str, float]:
        """Return where every wheel truly points."""
        return {wheel.name: math.degrees(wheel.steer_rad) for wheel in self.rover.truth().wheels}

    def key_of(self, wheel: str) -> str:
        """Return the key that names a wheel in the question that is asked now."""
        return next(choice.key for choice in self.view.choices if choice.wheel == wheel)


def saw(moved: dict[str, float]) -> str:
    """Return the wheel that a person sees move, empty if none does."""
    name = max(moved, key=lambda name: abs(moved[name]))
    return name if abs(moved[name]) > 0.2 else ""
