"""The camera's picture for pages: the newest alone, one at a time, never in the way."""

import json
import time
import urllib.error
import urllib.request

import pytest

from rover.camera_messages import Rung
from tests.camera.rig import CONFIG, HeldCamera, camera_process
from tests.web.phone import DEADLINE_S, Phone, RefusedError
from tests.web.test_sockets import start_driving
from web.app import MAX_VIEWERS


class Viewer(Phone):
    """A page that sees the picture."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self.pictures: list[tuple[dict, bytes]] = []
        super().__init__(port, headers, "/ws/camera")

    def hear_bytes(self, content: bytes) -> None:
        length = int.from_bytes(content[:2], "big")
        self.pictures.append((json.loads(content[2 : 2 + length]), content[2 + length :]))

    def picture(self) -> tuple[dict, bytes]:
        """Return the next picture that comes."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not self.pictures:
            assert time.monotonic() < deadline_s, self.frames
            self._take()
        return self.pictures.pop(0)

    def seen(self, head: dict) -> None:
        self.send_text(json.dumps({"type": "seen", "number": head["number"]}))


@pytest.fixture
def camera(short_dir):
    camera = HeldCamera()
    with camera_process(short_dir, CONFIG, camera.open):
        yield camera


@pytest.fixture
def view(server):
    viewers = []

    def view(*, has_key: bool = True) -> Viewer:
        key = {"Authorization": f"Bearer {server.access.key}"} if has_key else {}
        viewers.append(Viewer(server.port, key))
        return viewers[-1]

    yield view
    for viewer in viewers:
        viewer.close()


def wait(fits, what):
    deadline_s = time.monotonic() + DEADLINE_S
    while not fits():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.01)


def test_pictures_come_one_at_a_time_and_the_newest(view, camera, server):
    viewer = view()
    camera.press(3)
    head, jpeg = viewer.picture()
    assert jpeg[:2] == b"\xff\xd8"
    assert head["rung"] == Rung.HALF
    assert head["age_ms"] < 5000
    # Until it has been seen nothing follows, however many have been taken.
    for _ in range(20):
        taken = camera.taken
        camera.press()
        wait(lambda: camera.taken > taken, "the camera takes a picture")  # noqa: B023
    newest = server.remote.pictures.newer(Rung.HALF, -1, DEADLINE_S)
    assert viewer.pictures == []
    viewer.seen(head)
    later, _ = viewer.picture()
    assert later["number"] >= newest.head.number > head["number"] + 10


def test_sitting_out_a_camera_that_goes_and_comes(view, short_dir):
    viewer = view()
    assert "rover camera" in viewer.wait("camera")["trouble"]
    with camera_process(short_dir):
        head, _ = viewer.picture()
        viewer.seen(head)
    viewer_saw_the_end(viewer)
    with camera_process(short_dir):
        head, _ = viewer.picture()
        # On a busy computer the link is thought to be slow.
        assert head["width_px"] in {640, 320, 213}


def viewer_saw_the_end(viewer: Viewer) -> None:
    """See all pictures until it is told that there are no more."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not any(frame["type"] == "camera" for frame in viewer.frames):
        assert time.monotonic() < deadline_s
        viewer._take()
        for head, _ in viewer.pictures:
            viewer.seen(head)
        viewer.pictures.clear()
    viewer.frames.clear()


def test_a_page_knows_whether_there_is_a_camera(connect, short_dir):
    phone = connect()
    assert "camera" not in phone.wait("state")
    with camera_process(short_dir):
        phone.wait("state", lambda frame: frame.get("camera") is True)
    phone.wait("state", lambda frame: "camera" not in frame)


def test_who_sees_no_picture_through_keeps_nobody_waiting(view, connect, control, short_dir):
    """A page that never says that it has seen one, while another drives."""
    with camera_process(short_dir):
        stuck, viewer, phone = view(), view(), connect()
        stuck.picture()
        start_driving(phone, control)
        for _ in range(20):
            head, _ = viewer.picture()
            viewer.seen(head)
            start_driving(phone, control)


@pytest.mark.parametrize(
    "rubbish",
    ["", "{}", '{"type":"seen","number":-1}', "x" * 2000, '{"type":"seen","number":"1"}'],
)
def test_rubbish_ends_it(view, camera, rubbish):
    viewer = view()
    camera.press(5)
    viewer.picture()
    viewer.send_text(rubbish)
    assert viewer.wait_closed() == 1008


def test_seats_are_counted_and_given_back(view, camera):
    viewers = [view() for _ in range(MAX_VIEWERS)]
    with pytest.raises(RefusedError) as refused:
        view()
    assert refused.value.status == 503
    viewers[0].close()

    def is_free() -> bool:
        try:
            view()
        except RefusedError:
            return False
        return True

    wait(is_free, "the seat is free again")


def get(server, path, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_photo_is_whole_and_named_by_its_time(server, camera):
    wait(lambda: server.remote.pictures.has_camera, "the camera is there")
    camera.press(5)
    status, headers, content = get(server, "/api/photo")
    assert status == 200
    assert headers["Content-Type"] == "image/jpeg"
    assert content[:2] == b"\xff\xd8"
    name = headers["Content-Disposition"].split('"')[1]
    assert time.strptime(name, "rover-%Y-%m-%d-%H%M%S.jpg")


def test_without_a_camera_there_is_no_photo(server):
    status, _, content = get(server, "/api/photo")
    assert status == 503
    assert "no camera" in json.loads(content)["error"]


def test_a_camera_in_trouble_says_so(view, camera):
    camera.refused = "the ribbon is loose"
    viewer = view()
    viewer.wait("camera", lambda frame: "ribbon" in frame["trouble"])


def test_the_server_ends_with_a_picture_under_way(view, camera, server):
    viewer = view()
    camera.press(5)
    viewer.picture()
    began_s = time.monotonic()
    server.close()
    assert time.monotonic() - began_s < 2.0
