"""The list of what is calibrated and what is not, in a terminal."""

import datetime

from rich.table import Table

from calibration.steps.catalogue import StepStatus


def listed(found: tuple[StepStatus, ...]) -> Table:
    """Return the table, each step with the command that does it."""
    table = Table(title="Calibration", title_justify="left")
    for heading in ("step", "finds out", "done", "command"):
        table.add_column(heading)
    for one in found:
        style = "" if one.done or one.optional else "yellow"
        table.add_row(
            one.name, one.what, done_text(one), f"rover calibrate {one.name}", style=style
        )
    return table


def next_text(found: tuple[StepStatus, ...]) -> str:
    """Say the one thing to do next."""
    begun = next((one.name for one in found if one.begun), "")
    if begun:
        return f"Next: rover calibrate {begun} goes on where it was left."
    missing = next((one.name for one in found if not (one.done or one.optional)), "")
    return f"Next: rover calibrate {missing}" if missing else "All that has to be calibrated is."


def done_text(one: StepStatus) -> str:
    """Say whether a step has been done, and when by this computer's clock."""
    if one.begun:
        return "begun, not finished"
    if not one.done:
        return "no, and need not be" if one.optional else "no"
    try:
        when = datetime.datetime.fromisoformat(one.done).astimezone()
    except ValueError:
        return one.done
    return f"{when:%Y-%m-%d %H:%M}"
