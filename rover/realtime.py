"""Who gets the processor first: the processes that keep time, before those that do not."""

import os

# Enough that a wake-up of control's goes first, little enough that a busy computer's web lives.
_NICER = 5


def ask_for_realtime(priority: int) -> str:
    """Run this thread, and those it starts, by SCHED_FIFO at ``priority``; 0 asks for none.

    Returns why the system did not grant it, empty if it did.
    """
    if priority == 0:
        return ""
    if not hasattr(os, "sched_setscheduler"):
        return "this system has no SCHED_FIFO"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def let_control_go_first() -> None:
    """Lower this process's own priority among those that have no real-time priority."""
    os.nice(_NICER)
