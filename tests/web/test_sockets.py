"""Phones over real sockets, through the real link, to a control process that listens."""

import http.client
import json
import threading
import time

import msgspec
import pytest
from simple_websocket import Server

from rover.config import Config
from rover.messages import Arc, ArmState, Condition, RequestKind, Spin, Stop, Telemetry
from tests.builders import osr_config
from tests.web.fake_control import is_at_rest, is_driving, is_stop, still_rover
from tests.web.phone import RefusedError
from web import asking, lease, sockets
from web.drive import MAX_BAD_FRAMES

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def patient_lease(monkeypatch):
    """Nobody loses the wheel by a silence of this computer's; test_lease has the silence."""
    monkeypatch.setattr(lease, "SILENCE_S", 1000.0)


def start_driving(phone, control):
    """Rest, drive, and go on so until control has heard it; forget what it heard so far.

    A page sends on too: on a busy computer a frame may come so late that it is dropped.
    """

    def say():
        phone.drive()
        phone.drive(1.0, 0.5)

    control.wait_for_motion(is_driving, "driving", say)


def test_a_thumb_reaches_control(connect, control):
    phone = connect()

    def push():
        phone.drive()
        phone.drive(0.5, -0.5)

    def spin():
        phone.drive()
        phone.drive(0, 1, mode="spin")

    command = control.wait_for_motion(is_driving, "driving", push)
    assert command.motion.speed_mps > 0 > command.motion.curvature_per_m
    spin = control.wait_for_motion(lambda motion: isinstance(motion, Spin), "a spin", spin)
    assert spin.motion.yaw_rate_rad_s > 0
    assert spin.seq > command.seq
    assert spin.stamp_s > command.stamp_s


def test_the_page_sees_the_rover_and_its_own_link(connect, control):
    text = "wheel left_front: check the plug"
    control.update(conditions=(Condition("controller", text),), can_crab=True)
    phone = connect()
    # The server may still know of an older telemetry only.
    phone.wait("state", lambda f: "telemetry" in f and f["telemetry"].get("conditions"))
    began_s = time.monotonic()
    phone.send("ping", t=4321.5)
    state = phone.wait("state", lambda f: f["t"] == 4321.5 and "telemetry" in f)
    since_ms = (time.monotonic() - began_s) * 1000
    telemetry = msgspec.convert(
        state["telemetry"] | {"command_age_s": 0.0}, Telemetry, strict=False
    )
    assert telemetry.conditions[0].text == text
    assert telemetry.can_crab
    assert len(telemetry.wheels) == 6
    assert 0 <= state["held_ms"] < since_ms
    assert 0 <= state["age_ms"] < (state["clock_s"] - telemetry.stamp_s) * 1000 + 1
    assert state["driver"] == ""


def test_everybody_sees_who_drives(connect, control):
    first, second = connect(), connect()
    start_driving(first, control)
    assert first.wait("state", lambda f: f["driver"])["you_drive"] is True
    seen = second.wait("state", lambda f: f["driver"])
    assert (seen["driver"], seen["you_drive"]) == (first.name, False)
    assert first.name != second.name


def test_everybody_sees_who_asks_and_the_wheel_is_handed_over(connect, control):
    first, second, third = connect(), connect(), connect()
    start_driving(first, control)
    second.wait("state", lambda f: f["driver"])
    second.send("ask")
    for phone in (first, third):
        assert phone.wait("state", lambda f: "asking" in f)["asking"] == [second.name]
    first.send("give", to=second.name)
    assert control.wait_for_motion(is_stop, "a stop").motion.reason.endswith("gave the wheel away")
    assert "asking" not in second.wait("state", lambda f: f["you_drive"])
    start_driving(second, control)


@pytest.mark.parametrize("leave", ["close", "vanish"])
def test_a_driver_that_disconnects_stops_the_rover(connect, control, leave):
    phone = connect()
    start_driving(phone, control)
    getattr(phone, leave)()
    stop = control.wait_for_motion(is_stop, "a stop")
    assert stop.motion == Stop(f"{phone.name} disconnected")


def test_the_next_driver_can_take_over_at_once(connect, control):
    first, second = connect(), connect()
    start_driving(first, control)
    second.wait("state", lambda f: f["driver"])
    first.close()
    stop = control.wait_for_motion(is_stop, "a stop")
    # The stop is sent before the wheel is free, and states from before that may still wait.
    second.wait("state", lambda f: not f["driver"] and f["clock_s"] > stop.stamp_s)
    start_driving(second, control)


@pytest.mark.parametrize(
    "send",
    [
        lambda phone: phone.send_text('{"type":"drive","t":1,"seq":9,"drive":NaN,"turn":0}'),
        lambda phone: phone.send_text("not json"),
        lambda phone: phone.send_text("x" * 5000),
        lambda phone: phone.send_binary(b"\x00" * 100),
        lambda phone: phone.send("unheard of"),
        lambda phone: phone.drive(2.0),
        lambda phone: phone.drive(1, extra="field"),
    ],
    ids=["nan", "not json", "5 kB", "binary", "unknown type", "out of range", "unknown field"],
)
def test_bad_input_stops_its_sender_and_the_reason_is_told(connect, control, send):
    phone = connect()
    start_driving(phone, control)
    send(phone)
    # A frame that came late on the way there has a reason of its own.
    phone.wait("reason", lambda f: f["code"] == "bad-frame")
    assert "bad frame" in control.wait_for_motion(is_stop, "a stop").motion.reason
    # The server lives, and the same phone may go on.
    start_driving(phone, control)


def test_a_huge_message_ends_the_connection_and_stops_the_rover(connect, control):
    phone = connect()
    start_driving(phone, control)
    phone.send_text("x" * (sockets.MAX_MESSAGE_BYTES + 1))
    control.wait_for_motion(is_stop, "a stop")
    assert phone.wait_closed() == 1009
    start_driving(connect(), control)


def test_text_that_is_not_utf8_ends_the_connection(connect, control):
    phone = connect()
    start_driving(phone, control)
    # A masked text frame of two bytes that are no UTF-8.
    phone.send_raw(bytes([0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]))
    control.wait_for_motion(is_stop, "a stop")
    assert phone.wait_closed() == 1007


def test_the_closing_frame_goes_out_however_late_its_thread_is(connect, control, monkeypatch):
    said_goodbye = threading.Event()

    class Slow:
        """The socket of a connection whose reader thread gets no turn before its last write."""

        def __init__(self, connection):
            self._connection = connection

        def __getattr__(self, name):
            return getattr(self._connection, name)

        def send(self, content):
            if content[:1] == b"\x88":
                said_goodbye.wait(0.2)
            return self._connection.send(content)

        def shutdown(self, how):
            said_goodbye.set()
            self._connection.shutdown(how)

    handshake = Server.handshake

    def slowly(self):
        self.sock = Slow(self.sock)
        handshake(self)

    monkeypatch.setattr(Server, "handshake", slowly)
    phone = connect()
    phone.send_raw(bytes([0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]))
    assert phone.wait_closed() == 1007


def test_too_many_bad_frames_close_the_socket(connect, control):
    phone = connect()
    for _ in range(MAX_BAD_FRAMES):
        phone.send_text("rubbish")
    assert phone.wait_closed() == 1008
    reasons = [frame for frame in phone.frames if frame["type"] == "reason"]
    assert len(reasons) == MAX_BAD_FRAMES + 1
    assert "closed" in reasons[-1]["text"]


def test_every_refusal_of_control_reaches_the_page(connect, control):
    control.refusals = ("battery at 12.1 V: charge it", "steering is not calibrated")
    answer = connect().ask("arm", number=5)
    assert answer == {
        "type": "answer",
        "number": 5,
        "kind": "arm",
        "accepted": False,
        "refusals": list(control.refusals),
    }


def test_arm_stop_clear(connect, control):
    phone = connect()
    for number, (kind, state) in enumerate(
        [("arm", "armed"), ("disarm", "disarmed"), ("stop", "estop"), ("clear", "disarmed")]
    ):
        assert phone.ask(kind, number)["accepted"]
        phone.wait("state", lambda f, state=state: f.get("telemetry", {}).get("state") == state)
    assert control.asked == list(map(RequestKind, ("arm", "disarm", "stop", "clear")))
    assert {request.who for request in control.requests} == {phone.name}


def test_anyone_who_watches_can_stop(connect, control):
    driver, watcher = connect(), connect(has_key=False)
    assert watcher.ask("arm")["refusals"] == ["watching only: pair this device to arm"]
    start_driving(driver, control)
    assert watcher.ask("stop", number=2)["accepted"]
    assert watcher.name in control.wait_for_motion(is_stop, "a stop").motion.reason
    assert control.asked == [RequestKind.STOP]


def pair(server):
    """Pair a device over the network; return its id and its cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    token = server.access.invitations.make().token
    connection.request("POST", "/pair", f"invitation={token}", FORM)
    response = connection.getresponse()
    connection.close()
    assert response.status == 303
    return server.access.devices.all()[0].id, response.headers["Set-Cookie"].partition(";")[0]


def test_revoking_stops_what_the_device_drives_and_closes_its_page_alone(connect, control, server):
    device, cookie = pair(server)
    phone, other = connect(has_key=False, headers={"Cookie": cookie}), connect()
    start_driving(phone, control)
    other.wait("state", lambda f: f["driver"])
    server.access.revoke(device)
    control.wait_for_motion(is_stop, "a stop")
    assert phone.wait_closed() == 1008
    again = connect(has_key=False, headers={"Cookie": cookie})
    assert again.ask("arm")["refusals"] == ["watching only: pair this device to arm"]
    other.wait("state", lambda f: not f["driver"])
    start_driving(other, control)


def test_a_device_that_is_revoked_while_its_page_connects_drives_nothing(
    connect, control, server, monkeypatch
):
    device, cookie = pair(server)
    name_client = server.remote.name_client

    def revoked_meanwhile(user_agent):
        server.access.revoke(device)
        return name_client(user_agent)

    # Between being let in and being known as an open page.
    monkeypatch.setattr(server.remote, "name_client", revoked_meanwhile)
    phone = connect(has_key=False, headers={"Cookie": cookie})
    assert phone.wait_closed() == 1008
    assert not any(map(is_driving, control.motions))


def test_a_silent_control_is_told_and_driving_goes_on(connect, control):
    control.is_deaf = True
    phone = connect()
    phone.send("request", kind="disarm", number=1)
    start_driving(phone, control)
    answer = phone.wait("answer")
    assert not answer["accepted"]
    assert "is `rover control` running" in answer["refusals"][0]


def test_a_stop_does_not_wait_for_another_request(connect, control, monkeypatch):
    # Longer than is waited for anything here.
    monkeypatch.setattr(asking, "TIMEOUT_S", 30.0)
    control.is_deaf = True
    phone = connect()
    phone.send("request", kind="disarm", number=1)
    control.wait_for_request(RequestKind.DISARM)
    phone.send("request", kind="stop", number=2)
    control.wait_for_request(RequestKind.STOP)
    # Control has it while the other still waits for its answer.
    phone.look()
    assert "answer" not in {frame["type"] for frame in phone.frames}
    control.answer_late()
    assert {phone.wait("answer")["number"] for _ in range(2)} == {1, 2}


def test_the_page_is_told_when_control_says_nothing(connect, control):
    phone = connect()
    phone.wait("state", lambda f: "telemetry" in f)
    control.is_publishing = False
    phone.wait("state", lambda f: "telemetry" not in f and f["age_ms"] > 300)
    control.is_publishing = True
    control.update(state=ArmState.FAULT)
    phone.wait("state", lambda f: "telemetry" in f and f["age_ms"] < 300)


def test_a_phone_that_does_not_read_holds_up_nobody(connect, control):
    control.update(rover="x" * 60000)
    stuck, phone = connect(), connect()
    for _ in range(20):
        phone.wait("state")
    start_driving(phone, control)
    # What it saw last is too old for driving by, but not for stopping.
    stuck.send("request", kind="stop", number=1)
    control.wait_for_motion(is_stop, "a stop")


def test_a_phone_that_has_long_not_seen_the_rover_moves_nothing(connect, control):
    phone = connect()
    control.wait_for_motion(is_at_rest, "rest", phone.drive)
    old_s = phone.seen_s
    phone.wait("state", lambda f: f["clock_s"] > old_s + 0.45)
    control.forget()
    phone.drive(1, seen_s=old_s)
    phone.wait("reason", lambda f: f["code"] == "late")
    # What was said before may come after; it was rest.
    assert all(map(is_at_rest, control.motions))
    start_driving(phone, control)


def test_many_frames_at_once_from_many_phones(connect, control):
    phones = [connect() for _ in range(8)]
    for phone in phones:
        for _ in range(50):
            phone.drive(0, 0)
    start_driving(phones[3], control)
    for phone in phones:
        assert phone.wait("state", lambda f: f["driver"])["driver"] == phones[3].name


def test_the_sockets_are_limited(connect, monkeypatch):
    monkeypatch.setattr(sockets, "MAX_SOCKETS", 2)
    connect(), connect()
    with pytest.raises(RefusedError) as caught:
        connect()
    assert caught.value.status == 503


def test_other_web_sites_are_turned_away(connect, server):
    with pytest.raises(RefusedError) as caught:
        connect(headers={"Origin": "http://evil.example"})
    assert caught.value.status == 403
    assert connect(headers={"Origin": f"http://127.0.0.1:{server.port}"}).name


class TestWatchingNeedsTheKey:
    @pytest.fixture
    def config(self) -> Config:
        config = osr_config()
        web = msgspec.structs.replace(config.web, watch_without_key=False)
        return msgspec.structs.replace(config, web=web)

    def test_no_socket_without_the_key(self, connect):
        with pytest.raises(RefusedError) as caught:
            connect(has_key=False)
        assert caught.value.status == 403
        assert connect().name


def test_frames_are_json_that_any_reader_takes(connect):
    frame = connect().wait("state", lambda f: "telemetry" in f)
    # Infinities are null: JSON has none.
    assert frame["telemetry"]["command_age_s"] is None
    json.dumps(frame, allow_nan=False)


def test_a_motion_is_what_the_config_allows(connect, control):
    phone = connect()
    limits = osr_config().motion

    def push():
        phone.drive()
        phone.drive(1, 1, limit=0.5)

    command = control.wait_for_motion(is_driving, "driving", push)
    assert command.motion == Arc(
        pytest.approx(limits.max_speed_mps / 2), pytest.approx(limits.max_curvature_per_m)
    )


def test_telemetry_of_another_version_is_told(connect, control):
    phone = connect()
    phone.wait("state", lambda f: "telemetry" in f)
    control.telemetry = Stranger(stamp_s=0.0)
    trouble = phone.wait("state", lambda f: "trouble" in f)["trouble"]
    assert "restart control and web together" in trouble
    control.telemetry = still_rover()
    phone.wait("state", lambda f: "telemetry" in f and "trouble" not in f)


class Stranger(msgspec.Struct, frozen=True):
    """What a control process of another version might publish."""

    stamp_s: float
