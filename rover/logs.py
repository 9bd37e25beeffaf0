"""Log lines to the terminal or the journal, without ever waiting for whoever reads them.

A terminal that is paused, a pager or a dead ssh session takes no more lines; a control loop
that waited for it would stop commanding the wheels.
"""

import logging
import os
import queue
import sys
import threading

# More than a start says; beyond it lines are dropped and counted.
_MOST_WAITING = 500
# How long the end of the process waits for the last lines.
_LAST_WORDS_S = 0.5


# What systemd's journal makes of a line that begins so: sd-daemon(3).
_PRIORITIES = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"))


def journal_priority(level: int, fileno: int) -> str:
    """Return what says to the journal how much a line matters; nothing where no journal reads."""
    if not _is_journal(fileno):
        return ""
    return next((prefix for least, prefix in _PRIORITIES if level >= least), "<7>")


def _is_journal(fileno: int) -> bool:
    """Tell whether systemd has connected ``fileno`` to its journal: it names device and inode."""
    named = os.environ.get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(fileno)
    except OSError:
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


class NeverWaitingHandler(logging.Handler):
    """Hands lines over to a thread of its own, and drops them while that is stuck."""

    def __init__(self, fileno: int) -> None:
        super().__init__()
        self._fileno = fileno
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have ``record`` written soon, if there is room."""
        text = self.format(record)
        if self._dropped:
            text = f"({self._dropped} lines dropped: nobody read them)\n{text}"
        priority = journal_priority(record.levelno, self._fileno)
        # The journal takes every line, of a traceback too, for a message of its own.
        line = "\n".join(priority + each for each in text.split("\n"))
        try:
            self._lines.put_nowait(line + "\n")
            self._dropped = 0
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, for at most half a second."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            pass
        else:
            self._writer.join(_LAST_WORDS_S)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            data = line.encode(errors="replace")
            while data:
                try:
                    data = data[os.write(self._fileno, data) :]
                except OSError:
                    # Nowhere to write this line: a full disk may have room for the next one.
                    break


def log_to_stderr(name: str) -> None:
    """Send the log of this process, called ``name`` in every line, to standard error."""
    handler = NeverWaitingHandler(sys.stderr.fileno())
    handler.setFormatter(logging.Formatter(f"{name:<8} %(levelname)-7s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # The page's server speaks for itself; werkzeug's line a request would bury it.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
