"""Calibrating a gamepad over the WebSocket: who may, what is told, and that the pad goes back."""

import json
import time
import urllib.request
from collections.abc import Iterator

import pytest

from calibration.store import CalibrationStore
from rover.clock import SystemClock
from rover.errors import ConfigError
from rover.loans import KEPT_FOR_S
from rover.messages import ArmState
from tests.gamepad.lent_pads import Shelf
from tests.gamepad.pads import BTN_EAST, BTN_SOUTH, KEY, XBOX
from tests.web.phone import DEADLINE_S, Phone, RefusedError
from web.server import WebServer


@pytest.fixture
def shelf(control) -> Iterator[Shelf]:
    shelf = Shelf()
    shelf.plug(XBOX)
    control.lender = shelf.lendable(SystemClock())
    yield shelf
    control.lender, lender = None, control.lender
    lender.close()
    shelf.close()


@pytest.fixture
def sit_down(server: WebServer):
    """Opens pages at the desk: ``sit_down()`` has the key."""
    phones = []

    def sit_down(headers: dict[str, str] | None = None) -> Phone:
        key = {"Authorization": f"Bearer {server.access.key}"} if headers is None else headers
        phones.append(Phone(server.port, key, "/ws/pad"))
        return phones[-1]

    yield sit_down
    for phone in phones:
        phone.close()


def press(page, key):
    page.send_text(json.dumps({"type": "key", "key": key}))


def wait(fits, what):
    deadline_s = time.monotonic() + DEADLINE_S
    while not fits():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.01)


def wake(page, shelf):
    """Press and let go of a button, so that the calibration begins."""
    page.wait("pad", lambda frame: frame["view"] is not None)
    shelf.device().send((KEY, BTN_SOUTH, 1))
    shelf.device().send((KEY, BTN_SOUTH, 0))
    return page.wait("pad", lambda frame: frame["view"]["stage"] == "rest")


def test_the_pad_is_asked_about_and_given_back(sit_down, shelf, control):
    page = sit_down()
    frame = wake(page, shelf)
    assert XBOX.name in frame["view"]["title"]
    assert control.lender.lent_to.startswith("computer")
    frame = page.wait("pad", lambda frame: frame["view"]["stage"] == "do")
    assert frame["view"]["control"] == "left stick y"
    assert "forward" in frame["view"]["text"]
    press(page, "skip")
    frame = page.wait("pad", lambda frame: frame["view"]["number"] > 2)
    assert frame["view"]["control"] == "left stick x"
    press(page, "back")
    page.wait("pad", lambda frame: frame["view"]["control"] == "left stick y")
    press(page, "leave")
    ended = page.wait("ended")
    assert ended == {"type": "ended", "text": "Left. Nothing was written.", "written": False}
    assert page.wait_closed() == 1000
    wait(lambda: control.lender.lent_to == "", "the pad was not given back")


def skip_to_the_end(page, shelf):
    """Find two buttons and skip all else; a pad without sticks cannot drive."""
    wake(page, shelf)
    view = page.wait("pad", lambda frame: frame["view"]["stage"] == "do")["view"]
    while view["stage"] != "done":
        here = view["control"]
        press(page, "skip")
        view = page.wait(
            "pad",
            lambda frame: frame["view"]["control"] != here,  # noqa: B023 - awaited here
        )["view"]
    return view


def test_what_cannot_drive_is_not_written(sit_down, shelf, tmp_path):
    page = sit_down()
    view = skip_to_the_end(page, shelf)
    assert view["found"] == []
    press(page, "write")
    frame = page.wait("pad", lambda frame: "could not drive" in frame["view"]["remark"])
    assert frame["view"]["stage"] == "done"


def test_what_cannot_be_written_is_not_lost(sit_down, shelf, monkeypatch):
    """A full disk: the person sees why, and may try again."""
    monkeypatch.setattr("calibration.session.why_cannot_drive", lambda mapping, bindings: "")
    kept = []
    real = CalibrationStore.put_pad

    def full(self, key, pad):
        if not kept:
            kept.append(key)
            raise ConfigError("no space left: make room, and write it again")
        real(self, key, pad)

    monkeypatch.setattr(CalibrationStore, "put_pad", full)
    page = sit_down()
    skip_to_the_end(page, shelf)
    press(page, "write")
    frame = page.wait("pad", lambda frame: "no space left" in frame["text"])
    assert frame["view"]["stage"] == "done"
    press(page, "write")
    ended = page.wait("ended")
    assert ended["written"] is True
    assert "drives with it from now on" in ended["text"]


def test_one_calibrates_at_a_time(sit_down, shelf):
    first = sit_down()
    first.wait("pad", lambda frame: frame["view"] is not None)
    second = sit_down()
    assert "calibrates a gamepad already" in second.wait("ended")["text"]
    press(first, "leave")
    first.wait("ended")


def test_arming_ends_it(sit_down, shelf, control):
    page = sit_down()
    page.wait("pad", lambda frame: frame["view"] is not None)
    control.update(state=ArmState.ARMED)
    ended = page.wait("ended")
    assert "disarm it first" in ended["text"]
    assert "Nothing was written" in ended["text"]
    wait(lambda: control.lender.lent_to == "", "the pad is still lent")


def test_a_page_that_goes_gives_the_pad_back(sit_down, shelf, control):
    page = sit_down()
    page.wait("pad", lambda frame: frame["view"] is not None)
    page.close()
    began_s = time.monotonic()
    wait(lambda: control.lender.lent_to == "", "the pad is still lent")
    assert time.monotonic() - began_s < KEPT_FOR_S + 1.0


def test_a_pad_that_goes_ends_it(sit_down, shelf, control):
    page = sit_down()
    wake(page, shelf)
    shelf.unplug()
    assert "unplugged" in page.wait("ended")["text"]


def test_without_a_pad_it_waits_for_one(sit_down, shelf):
    shelf.descriptions.clear()
    page = sit_down()
    frame = page.wait("pad")
    assert frame["view"] is None
    assert "plug one in" in frame["text"]
    shelf.plug(XBOX, "/dev/input/event8")
    page.wait("pad", lambda frame: frame["view"] is not None)


def test_nobody_else_may(sit_down, shelf, server):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(RefusedError) as refused:
            sit_down(headers)
        assert refused.value.status == 403
    key = {"Authorization": f"Bearer {server.access.key}"}
    with pytest.raises(RefusedError) as refused:
        sit_down(key | {"Origin": "http://evil.example"})
    assert refused.value.status == 403


def test_the_page_is_for_paired_devices(server):
    def page(headers):
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/pad", headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    assert "Pair this device" in page({})
    assert "Calibrate a gamepad" in page({"Authorization": f"Bearer {server.access.key}"})


@pytest.mark.parametrize(
    "rubbish",
    ["", "{}", '{"type":"key","key":"format"}', "[" * 5000, '{"type":"key","key":"skip","x":1}'],
)
def test_rubbish_ends_it_and_gives_the_pad_back(sit_down, shelf, control, rubbish):
    page = sit_down()
    page.wait("pad", lambda frame: frame["view"] is not None)
    page.send_text(rubbish)
    assert page.wait_closed() == 1008
    wait(lambda: control.lender.lent_to == "", "the pad is still lent")


def test_a_device_that_is_revoked_calibrates_no_more(sit_down, shelf, server, control):
    page = sit_down()
    page.wait("pad", lambda frame: frame["view"] is not None)
    server.access._on_revoke("owner")
    assert "not paired any more" in page.wait("ended")["text"]


def test_without_control_it_says_so(sit_down, control):
    page = sit_down()
    assert "did not answer" in page.wait("ended")["text"]


def test_the_server_ends_with_a_calibration_open(sit_down, shelf, server):
    page = sit_down()
    page.wait("pad", lambda frame: frame["view"] is not None)
    shelf.device().send((KEY, BTN_EAST, 1))
    began_s = time.monotonic()
    server.close()
    assert time.monotonic() - began_s < 2.0
    assert page.wait_closed() == 1001
