"""Logging never waits: not for a reader that has stopped reading, nor for one that has gone."""

import errno
import logging
import os
import time

import pytest

from rover.logs import NeverWaitingHandler, journal_priority


def record(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("rover", level, "", 0, text, None, None)


@pytest.fixture
def pipe():
    readable, writable = os.pipe()
    yield readable, writable
    for fileno in (readable, writable):
        try:
            os.close(fileno)
        except OSError:
            continue


def test_lines_arrive_in_order(pipe: tuple[int, int]) -> None:
    readable, writable = pipe
    handler = NeverWaitingHandler(writable)
    for n in range(10):
        handler.emit(record(f"line {n}"))
    handler.close()
    assert os.read(readable, 4096).decode().split("\n")[:10] == [f"line {n}" for n in range(10)]


def test_a_reader_that_reads_nothing_holds_up_nobody(pipe: tuple[int, int]) -> None:
    readable, writable = pipe
    handler = NeverWaitingHandler(writable)
    begun_s = time.monotonic()
    # Far more than a pipe and the queue hold.
    for n in range(3000):
        handler.emit(record(f"{n} " + "x" * 200))
    assert time.monotonic() - begun_s < 2.0
    # Once somebody reads again, it is told how much is missing.
    said = ""
    while "lines dropped" not in said:
        said += os.read(readable, 65536).decode()
        handler.emit(record("again"))
    handler.close()


def into_the_journal(monkeypatch: pytest.MonkeyPatch, fileno: int) -> None:
    status = os.fstat(fileno)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")


def test_a_disk_that_was_full_gets_what_is_said_later(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    readable, writable = pipe
    write, errors = os.write, [OSError(errno.ENOSPC, "No space left on device")]

    def full_at_first(fileno: int, data: bytes) -> int:
        if errors:
            raise errors.pop()
        return write(fileno, data)

    monkeypatch.setattr("rover.logs.os.write", full_at_first)
    handler = NeverWaitingHandler(writable)
    handler.emit(record("lost"))
    handler.emit(record("kept"))
    handler.close()
    assert os.read(readable, 4096) == b"kept\n"


def test_the_journal_is_told_how_much_every_line_matters(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    readable, writable = pipe
    into_the_journal(monkeypatch, writable)
    handler = NeverWaitingHandler(writable)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        handler.emit(record("one\ntwo", level))
    handler.close()
    assert os.read(readable, 4096).decode().splitlines() == [
        f"<{priority}>{text}" for priority in (7, 6, 4, 3, 3) for text in ("one", "two")
    ]


def test_a_terminal_gets_plain_text_whatever_stream_the_journal_has(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    readable, writable = pipe
    with open(os.devnull) as other:
        into_the_journal(monkeypatch, other.fileno())
    handler = NeverWaitingHandler(writable)
    handler.emit(record("a word", logging.ERROR))
    handler.close()
    assert os.read(readable, 4096) == b"a word\n"


def test_a_stream_that_is_gone_is_no_journal(pipe: tuple[int, int]) -> None:
    _, writable = pipe
    os.close(writable)
    assert journal_priority(logging.ERROR, writable) == ""


def test_a_reader_that_has_gone_is_no_error(pipe: tuple[int, int]) -> None:
    readable, writable = pipe
    os.close(readable)
    handler = NeverWaitingHandler(writable)
    for n in range(10):
        handler.emit(record(f"line {n}"))
    handler.close()
