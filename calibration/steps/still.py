"""What is the same in every step that moves nothing: a person drives, or nobody does."""

from calibration.steps.view import Outcome
from rover.messages import Order, Rest


class StillStep:
    """The part of a ``Step`` that has to do with moving; each such step derives from it."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self._remark = ""

    @property
    def maintains(self) -> bool:
        """Never: nothing is moved from here."""
        return False

    def hold(self, now_s: float) -> None:
        """Nothing is moved from here."""

    def let_go(self) -> None:
        """Nothing is moved from here."""

    def interrupted(self, why: str) -> None:
        """Take in what is wrong."""
        self._remark = why

    def order(self, now_s: float, present_s: float) -> tuple[Order, float]:
        """Return rest."""
        return Rest(), present_s
