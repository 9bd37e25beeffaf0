"""Step responses before and after, drawn in letters for a terminal."""

import plotext
from rich.text import Text

from calibration.provisioning.loops import WheelLoop
from calibration.provisioning.recording import StepResponse

_WIDTH, _HEIGHT = 76, 14


def plot(found: WheelLoop) -> Text:
    """Return one wheel's two steps as parts of what was asked, over time in seconds."""
    plotext.clear_figure()
    plotext.plotsize(_WIDTH, _HEIGHT)
    plotext.theme("clear")
    target = found.after.target_qpps
    # The line that is drawn last lies above the others.
    for response, label, marker, colour in (
        (found.before, "before", "dot", "orange"),
        (found.after, "after", "braille", "cyan"),
    ):
        times_s = [speed.time_s for speed in response.trace]
        parts = [speed.qpps / target for speed in response.trace]
        plotext.plot(times_s, parts, label=label, marker=marker, color=colour)
    plotext.hline(1.0, "gray")
    plotext.ylim(0.0, 1.3)
    return Text.assemble((title(found), "bold"), "\n", Text.from_ansi(plotext.build()))


def title(found: WheelLoop) -> str:
    """Say in a line what the new loop does."""
    return f"{found.motor.wheel}: before {_words(found.before)}; after {_words(found.after)}"


def _words(response: StepResponse) -> str:
    rise = "never there" if response.rise_s is None else f"{response.rise_s * 1000:.0f} ms"
    return f"{rise}, overshoot {response.overshoot:.0%}"
