"""The camera process: pictures while somebody watches, in what sizes are watched, else none."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO

import pytest
import zmq
from PIL import Image

from rover.camera.process import run_camera
from rover.camera_messages import PictureHead, Rung
from rover.clock import SystemClock
from rover.config import CameraConfig
from rover.errors import BadMessageError, ConfigError, LinkError
from rover.link.address import address
from rover.link.pictures import WANTED_FOR_S, CameraEnd, ViewerEnd
from tests.camera.rig import DEADLINE_S, HeldCamera, camera_process
from tests.web.rig import short_directory


@pytest.fixture
def directory():
    with short_directory() as directory:
        yield directory


@pytest.fixture
def viewer(directory):
    viewer = ViewerEnd(directory)
    yield viewer
    viewer.close()


def watch(
    viewer: ViewerEnd, rungs: tuple[Rung, ...], fits: Callable[[PictureHead, bytes], object]
) -> tuple[PictureHead, bytes]:
    """Go on wanting ``rungs`` until a message fits, and return that."""
    deadline_s = time.monotonic() + DEADLINE_S
    seen = []
    while time.monotonic() < deadline_s:
        if rungs:
            viewer.want(rungs)
        for head, jpeg in viewer.receive(0.1):
            seen.append(head)
            if fits(head, jpeg):
                return head, jpeg
    raise AssertionError(f"nothing that fits: {seen[-5:]}")


def of_rung(rung: Rung) -> Callable[[PictureHead, bytes], bool]:
    return lambda head, jpeg: bool(jpeg) and head.rung is rung


def test_who_watches_gets_pictures_of_the_size_it_wants(directory, viewer):
    with camera_process(directory):
        head, jpeg = watch(viewer, (Rung.HALF,), lambda head, jpeg: jpeg)
        assert (head.rung, head.width_px, head.height_px) == (Rung.HALF, 320, 240)
        assert Image.open(BytesIO(jpeg)).size == (320, 240)
        assert 0.0 <= SystemClock().now_s() - head.stamp_s < 5.0
        for rung in (Rung.HALF, Rung.THIRD):
            watch(viewer, (Rung.HALF, Rung.THIRD), of_rung(rung))


def test_without_anybody_it_takes_no_pictures_but_says_that_it_is_there(directory, viewer):
    camera = HeldCamera()
    with camera_process(directory, open_camera=camera.open):
        head, jpeg = watch(viewer, (), lambda head, jpeg: True)
        assert jpeg == b""
        assert head.trouble == ""
        assert camera.opened == 0


def test_nobody_is_watching_who_has_not_said_so_lately(directory):
    clock = SystemClock()
    end = CameraEnd(directory, clock)
    viewer = ViewerEnd(directory)
    try:
        deadline_s = time.monotonic() + DEADLINE_S
        while not end.wanted(0.05):
            assert time.monotonic() < deadline_s
            viewer.want((Rung.FULL,))
        began_s = time.monotonic()
        while end.wanted(0.05):
            assert time.monotonic() < began_s + WANTED_FOR_S + 1.0
    finally:
        viewer.close()
        end.close()


def test_a_camera_that_fails_is_told_of_and_tried_again(directory, viewer):
    camera = HeldCamera()
    camera.refused = "it is not plugged in"
    with camera_process(directory, open_camera=camera.open):
        head, _ = watch(viewer, (Rung.FULL,), lambda head, jpeg: head.trouble)
        assert head.trouble == "it is not plugged in"
        camera.refused = ""
        camera.press(100)
        watch(viewer, (Rung.FULL,), lambda head, jpeg: jpeg)
        camera.trouble = "it was pulled"
        head, _ = watch(viewer, (Rung.FULL,), lambda head, jpeg: head.trouble)
        assert head.trouble == "it was pulled"
        camera.trouble = ""
        camera.press(100)
        watch(viewer, (Rung.FULL,), lambda head, jpeg: jpeg)
    assert camera.closed > 0


@pytest.mark.parametrize("rubbish", [b"", b"\xc1", b"\x91" * 200, b"\x81\xa5rungs\xa1x"])
def test_rubbish_costs_the_camera_nothing(directory, viewer, rubbish):
    with camera_process(directory):
        watch(viewer, (Rung.THIRD,), lambda head, jpeg: jpeg)
        context = zmq.Context()
        socket = context.socket(zmq.PUB)
        socket.linger = 0
        socket.connect(address(directory, "wanted"))
        for _ in range(20):
            socket.send(rubbish)
        watch(viewer, (Rung.THIRD,), lambda head, jpeg: jpeg)
        socket.close()
        context.term()


def test_rubbish_from_the_camera_is_refused(directory):
    viewer = ViewerEnd(directory)
    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    socket.linger = 0
    socket.bind(address(directory, "camera"))
    try:
        deadline_s = time.monotonic() + DEADLINE_S

        def receive() -> None:
            while time.monotonic() < deadline_s:
                socket.send(b"\x00\x03\xc1\xc1\xc1")
                viewer.receive(0.1)

        with pytest.raises(BadMessageError, match="not a picture"):
            receive()
    finally:
        viewer.close()
        socket.close()
        context.term()


def test_a_directory_that_cannot_be_used_is_told(tmp_path):
    with pytest.raises(LinkError, match=r"camera\.ipc"):
        run_camera(CameraConfig(source="synthetic"), tmp_path / "nowhere", lambda: True)


def test_no_camera_ends_it_with_what_to_set(directory):
    with pytest.raises(ConfigError, match=r"camera\.source"):
        run_camera(CameraConfig(), directory, lambda: True)


@pytest.mark.process
def test_the_real_process_gives_way_to_others_and_ends_when_told(directory, viewer):
    command = [sys.executable, "-m", "rover", "camera", "--dir", str(directory)]
    with subprocess.Popen([*command, "--sim", str(directory)]) as process:
        watch(viewer, (Rung.THIRD,), lambda head, jpeg: jpeg)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=DEADLINE_S)
    assert told.returncode == 1
    assert "camera.source" in told.stderr
