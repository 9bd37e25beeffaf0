"""Logging never waits: not for a reader that has stopped reading, nor for one that has gone."""

import logging
import os
import time

import pytest

from rover.logs import NeverWaitingHandler


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("rover", logging.INFO, "", 0, text, None, None)


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


def test_a_reader_that_has_gone_is_no_error(pipe: tuple[int, int]) -> None:
    readable, writable = pipe
    os.close(readable)
    handler = NeverWaitingHandler(writable)
    for n in range(10):
        handler.emit(record(f"line {n}"))
    handler.close()
