"""In what order the controllers are read, when no tick has the time to read everything."""

import itertools
from collections.abc import Callable, Iterator, Sequence

from rover.hardware.roboclaw_bus import RoboclawBus
from rover.hardware.roboclaw_controller import RoboclawController

Transaction = Callable[[RoboclawBus], None]
# A controller stands for its encoders, a number for one further reading in turn.
Reading = RoboclawController | int


class ReadingPlan:
    """Every tick all encoders, and ``in_turn`` of the other readings, round and round.

    In turn are the currents and status of every controller, then one of its battery, serial
    timeout or temperature.
    """

    def __init__(self, controllers: Sequence[RoboclawController], in_turn: int) -> None:
        self._in_turn = in_turn
        self._turns = _turns(controllers)
        self._turn_count = len(controllers) * 2 + 1
        self._left_out: list[Reading] = []
        self._repeated: tuple[RoboclawController, Transaction] | None = None
        self._failed: tuple[RoboclawController, Transaction] | None = None

    def share(self, order: Sequence[RoboclawController]) -> Iterator[Reading]:
        """Yield this tick's readings, the encoders in ``order``.

        Whoever stops listening gets the rest at the beginning of the next share: however short
        ticks are, everything is read in its turn.
        """
        whole = [*order, *range(self._in_turn)]
        left_out = self._left_out
        readings = left_out + [reading for reading in whole if reading not in left_out]
        for done, reading in enumerate(readings, start=1):
            self._left_out = readings[done:]
            yield reading

    def next_in_turn(
        self, answers: Callable[[RoboclawController], bool]
    ) -> tuple[RoboclawController, Transaction] | None:
        """Return the next reading of a controller that ``answers``; None if no one does.

        One that has failed comes once more first.
        """
        failed, self._failed = self._failed, None
        if failed is not None and answers(failed[0]):
            self._repeated = failed
            return failed
        for _ in range(self._turn_count):
            controller, transaction = next(self._turns)
            if answers(controller):
                return controller, transaction
        return None

    def again(self, controller: RoboclawController, transaction: Transaction) -> None:
        """Note that a reading has failed; one that failed twice has to wait for its turn."""
        if (controller, transaction) != self._repeated:
            self._failed = (controller, transaction)
        self._repeated = None


def _turns(
    controllers: Sequence[RoboclawController],
) -> Iterator[tuple[RoboclawController, Transaction]]:
    """Go round for ever: all currents, all status, one of the slow ones."""
    slow = itertools.cycle(
        [(unit, unit.read_battery) for unit in controllers]
        + [(unit, unit.read_timeout) for unit in controllers]
        + [(unit, unit.read_temperature) for unit in controllers]
    )
    while True:
        yield from [(unit, unit.read_currents) for unit in controllers]
        yield from [(unit, unit.read_status) for unit in controllers]
        yield next(slow)
