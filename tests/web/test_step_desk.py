"""Calibrating over the WebSocket: who may, that holding counts for a moment, what is written."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from msgspec import structs

from calibration.steps.motors import MotorsStep
from calibration.store import CalibrationStore
from rover.errors import ConfigError
from rover.messages import ArmState, RequestKind, Rest, TurnWheel
from tests.builders import osr_config
from tests.web.phone import DEADLINE_S, Phone, RefusedError
from web import access
from web.server import WebServer
from web.step_desk import hear_frame

FIRST = "left_front"


@pytest.fixture
def sit_down(server: WebServer):
    """Opens pages at the desk: ``sit_down()`` has the key."""
    phones = []

    def sit_down(step: str = "motors", headers: dict[str, str] | None = None) -> Phone:
        key = {"Authorization": f"Bearer {server.access.key}"} if headers is None else headers
        phones.append(Phone(server.port, key, f"/ws/calibrate/{step}"))
        return phones[-1]

    yield sit_down
    for phone in phones:
        phone.close()


def press(page: Phone, key: str) -> None:
    page.send_text(json.dumps({"type": "press", "key": key}))


def view(page: Phone, fits=lambda view: True) -> dict:
    return page.wait("step", lambda frame: fits(frame["view"]))["view"]


def hold(page: Phone) -> None:
    """Say that what moves is held now: the server's clock is this computer's."""
    say_held(page, time.monotonic())


def say_held(page: Phone, seen_s: float) -> None:
    page.send_text(json.dumps({"type": "hold", "seen_s": seen_s}))


def turn_one(page: Phone, number: int) -> None:
    """Have an output turn, let go, and say that it was the wheel of that number, forwards."""
    end_s = time.monotonic() + 1.5
    while time.monotonic() < end_s:
        hold(page)
        page.look_for(0.05)
    view(page, lambda view: view["text"] == "Which wheel moved?")
    press(page, str(number))
    view(page, lambda view: "Which way" in view["text"])
    press(page, "f")


def test_a_wheel_turns_while_a_page_holds_and_no_longer(sit_down, control):
    page = sit_down()
    assert "Lift the rover" in view(page)["text"]
    press(page, "y")
    control.wait_for_request(RequestKind.MAINTAIN)
    view(page, lambda view: view["hold"])
    say_held(page, page.wait("clock")["clock_s"])
    order = control.wait_for(
        lambda: next((o for o in control.orders if isinstance(o.order, TurnWheel)), None), "a turn"
    )
    assert order.order.wheel == FIRST
    request = control.wait_for_request(RequestKind.MAINTAIN)
    assert order.token == request.token
    # It was said once: every order for it has the time at which it was said.
    control.wait_for(
        lambda: not isinstance(control.orders[-1].order, TurnWheel), "the end of the turn"
    )
    turns = [o.stamp_s for o in control.orders if isinstance(o.order, TurnWheel)]
    assert len(set(turns)) == 1


def test_a_finger_that_is_lifted_is_told_and_stops_the_wheel_at_once():
    step = MotorsStep(osr_config())
    step.press("y", 10.0)
    assert hear_frame(step, '{"type":"hold","seen_s":10.0}', 10.1)
    assert isinstance(step.order(10.11, 10.1)[0], TurnWheel)
    assert hear_frame(step, '{"type":"here","seen_s":10.0}', 10.12)
    assert step.order(10.12, 10.12)[0] == Rest()


def test_what_a_network_has_held_up_turns_nothing(sit_down, control):
    """A second's frames that come at once: the finger may have been lifted long ago."""
    page = sit_down()
    press(page, "y")
    view(page, lambda view: view["hold"])
    now_s = page.wait("clock")["clock_s"]
    for age_s in (1.5, 1.2, 0.9, 0.7, -1.0):
        say_held(page, now_s - age_s)
    page.look_for(0.4)
    assert not any(isinstance(order.order, TurnWheel) for order in control.orders)
    hold(page)
    control.wait_for(
        lambda: any(isinstance(order.order, TurnWheel) for order in control.orders),
        "a turn",
        lambda: hold(page),
    )


def test_a_page_that_goes_ends_it(sit_down, control):
    page = sit_down()
    press(page, "y")
    control.wait_for_request(RequestKind.MAINTAIN)
    page.vanish()
    control.wait_for_request(RequestKind.DISARM)


def test_all_outputs_are_looked_at_and_it_is_written(sit_down, control, server):
    page = sit_down()
    press(page, "y")
    view(page, lambda view: view["hold"])
    for number in range(1, 7):
        turn_one(page, number)
        if number < 6:
            view(page, lambda view: view["hold"])
    done = view(page, lambda view: any(choice["key"] == "w" for choice in view["choices"]))
    assert done["found"][0]["name"] == FIRST
    press(page, "w")
    ended = page.wait("ended")
    assert ended["written"]
    assert "drives with it from now on" in ended["text"]
    assert RequestKind.RELOAD in control.asked
    page.wait_closed()


def test_what_was_found_is_kept_for_another_page(sit_down, control):
    page = sit_down()
    press(page, "y")
    view(page, lambda view: view["hold"])
    turn_one(page, 1)
    view(page, lambda view: view["number"] == 2)
    press(page, "q")
    assert "what has been found is kept" in page.wait("ended")["text"]
    page.wait_closed()
    again = sit_down()
    assert "Goes on after 1 of 6" in view(again)["remark"]


def test_control_that_refuses_is_told(sit_down, control):
    control.refusals = ("let go of the stick",)
    page = sit_down()
    press(page, "y")
    assert "let go of the stick" in view(page, lambda view: view["remark"])["remark"]


def test_a_stop_ends_it_on_the_page(sit_down, control):
    page = sit_down()
    press(page, "y")
    view(page, lambda view: view["hold"])
    time.sleep(0.4)
    control.update(state=ArmState.ESTOP)
    assert "stopped" in view(page, lambda view: view["remark"])["remark"]


def test_one_device_at_a_time(sit_down, monkeypatch):
    first = sit_down()
    view(first)
    monkeypatch.setattr(access, "OWNER", structs.replace(access.OWNER, id="another"))
    second = sit_down("battery")
    assert "calibrates already" in second.wait("ended")["text"]


def test_the_same_device_takes_its_own_place(sit_down):
    """The network was gone, and the older page's end has not been noticed yet."""
    first = sit_down()
    view(first)
    press(first, "y")
    view(first, lambda view: view["hold"])
    turn_one(first, 1)
    view(first, lambda view: view["number"] == 2)
    second = sit_down()
    assert "Goes on after 1 of 6" in view(second)["remark"]
    assert "Another page of this device" in first.wait("ended")["text"]


def test_what_cannot_be_written_is_not_lost(sit_down, control, monkeypatch):
    def full(self, step, changes):
        raise ConfigError("no space left: make room")

    page = sit_down("battery")
    view(page)
    press(page, "s")
    view(page, lambda view: view["asked"]["unit"] == "Ah")
    page.send_text('{"type":"number","value":5.2}')
    view(page, lambda view: view["text"] == "Write it?")
    real = CalibrationStore.put
    monkeypatch.setattr(CalibrationStore, "put", full)
    press(page, "w")
    assert "no space left" in view(page, lambda view: view["remark"])["remark"]
    monkeypatch.setattr(CalibrationStore, "put", real)
    press(page, "w")
    assert page.wait("ended")["written"]


def test_only_paired_devices_calibrate(sit_down):
    with pytest.raises(RefusedError):
        sit_down(headers={})


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"press"}',
        '{"type":"hold"}',
        '{"type":"turn","wheel":"left_front"}',
        "[" * 100000,
        '{"type":"number"}',
    ],
)
def test_what_no_page_says_closes_it(sit_down, text):
    page = sit_down()
    view(page)
    page.send_text(text)
    assert page.wait_closed() in {1008, 1009}


def test_a_step_that_is_not_there_closes_it(sit_down):
    assert sit_down("flying").wait_closed() == 1008


@pytest.mark.parametrize("value", [-1.0, 1e300, 0.0])
def test_a_number_that_is_not_allowed_changes_nothing(sit_down, value):
    page = sit_down("battery")
    view(page)
    page.send_text(json.dumps({"type": "number", "value": value}))
    press(page, "s")
    view(page, lambda view: view["asked"]["unit"] == "Ah")


def fetch(server, path, data=None, **headers):
    request = urllib.request.Request(f"{server.origin}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_list_tells_what_is_done_and_takes_it_back(server, control, short_dir):
    key = {"Authorization": f"Bearer {server.access.key}"}
    store = CalibrationStore(Path(short_dir) / "state" / "calibration.toml")
    store.put("battery", {("power", "capacity_ah"): 4.4})
    status, text = fetch(server, "/calibrate", **key)
    assert status == 200
    assert text.count("Take the latest back") == 1
    form = urllib.parse.urlencode({"undo": "battery"}).encode()
    status, text = fetch(server, "/calibrate", form, **key)
    assert status == 200
    assert "was taken back" in text
    assert "capacity_ah" not in store.path.read_text()
    assert RequestKind.RELOAD in control.asked
    status, text = fetch(server, "/calibrate", form, **key)
    assert "nothing to undo" in text
    bad = urllib.parse.urlencode({"undo": "../etc"}).encode()
    assert fetch(server, "/calibrate", bad, **key)[0] == 400
    assert fetch(server, "/calibrate/flying", **key)[0] == 404


def test_strangers_see_no_calibration(server, control):
    for path in ("/calibrate", "/calibrate/motors"):
        status, text = fetch(server, path)
        assert status == 200
        assert "code" in text
        assert "data-step" not in text
        assert "Take the latest back" not in text
    assert fetch(server, "/calibrate", b"undo=battery")[0] in {401, 403}
    key = {"Authorization": f"Bearer {server.access.key}", "Origin": "http://elsewhere.example"}
    assert fetch(server, "/calibrate", b"undo=battery", **key)[0] == 403


def test_a_rover_with_another_configuration_is_not_calibrated(sit_down, control):
    page = sit_down()
    press(page, "y")
    view(page, lambda view: view["hold"])
    control.update(build="another")
    assert "another configuration" in page.wait("ended")["text"]
    control.wait_for_request(RequestKind.DISARM)
