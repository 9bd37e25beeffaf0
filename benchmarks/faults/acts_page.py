"""Losing the page, in a real browser, under a thumb that goes on pushing."""

from benchmarks.faults.act import Act
from benchmarks.faults.fault import Driver
from benchmarks.faults.page_hand import PageHand
from benchmarks.faults.stage import Stage
from benchmarks.harness import NotMeasuredError

_TREMBLES = 5
_TREMBLE_EVERY_S = 0.05
_OPEN_S = 0.3


def _open(stage: Stage) -> None:
    hand = PageHand(f"http://127.0.0.1:{stage.link.port}/?key={stage.key}")
    stage.on_exit(hand.close)
    stage.take_over(hand)


def _page(stage: Stage) -> PageHand:
    hand = stage.hand(Driver.PHONE)
    if not isinstance(hand, PageHand):
        raise NotMeasuredError("no browser drives")
    return hand


def _show_again(stage: Stage) -> None:
    """Show the page again under the thumb that has never left it."""
    hand = _page(stage)
    hand.hide(hidden=False)
    for _ in range(_TREMBLES):
        hand.tremble()
        hand.wait(_TREMBLE_EVERY_S)


def _open_again(stage: Stage) -> None:
    """Open the page anew; a thumb on it would come from neutral, and be meant."""
    _page(stage).wait(_OPEN_S)


ACTS = {
    "phone-hidden": Act(
        lambda stage, _: _page(stage).hide(hidden=True), _show_again, prepare=_open
    ),
    "phone-tab-closed": Act(lambda stage, _: _page(stage).close_tab(), _open_again, prepare=_open),
    "phone-browser-killed": Act(lambda stage, _: _page(stage).kill(), _open_again, prepare=_open),
    "estop-page": Act(lambda stage, _: _page(stage).press_stop(), prepare=_open),
}
