"""Cameras of every kind, and what becomes of their pictures."""

import itertools
from io import BytesIO

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from rover.camera.encoding import jpeg, turned
from rover.camera.ladder import size_of
from rover.camera.pi import PiCamera
from rover.camera.process import open_source
from rover.camera.synthetic import CELLS, SyntheticCamera, time_cells
from rover.camera.usb import UsbCamera
from rover.camera_messages import Rung
from rover.clock import ManualClock
from rover.config import CameraConfig
from rover.errors import ConfigError, DeviceError

CONFIG = CameraConfig(source="synthetic", width_px=640, height_px=480, pictures_hz=10)


def seen_ms(image: Image.Image) -> int:
    """Read the time off a picture as an eye would: each cell by its middle."""
    grey = image.convert("L")
    y = int(image.height * 39 / 40)
    cells = [
        grey.getpixel((int((number + 0.5) * image.width / CELLS), y)) > 128
        for number in range(CELLS)
    ]
    assert cells[:2] == [True, False], "the marks are not there"
    return int("".join(str(int(cell)) for cell in cells[2:]), 2)


@pytest.mark.parametrize("rung", list(Rung))
@pytest.mark.parametrize("stamp_s", [0.0, 12345.678, 4294967.5])
def test_the_time_in_a_drawn_picture_is_read_off_every_size(rung, stamp_s):
    clock = ManualClock(stamp_s)
    shot = SyntheticCamera(CONFIG, clock).take()
    content, width_px, height_px = jpeg(shot.image, rung, CONFIG)
    image = Image.open(BytesIO(content))
    assert image.size == (width_px, height_px)
    assert seen_ms(image) == int(shot.stamp_s * 1000) % 2**32


def test_a_drawn_camera_keeps_its_rate_and_makes_up_for_nothing():
    clock = ManualClock(5.0)
    camera = SyntheticCamera(CONFIG, clock)
    stamps = [camera.take().stamp_s for _ in range(3)]
    assert np.diff(stamps) == pytest.approx(0.1)
    clock.sleep_s(1.0)
    late = camera.take().stamp_s
    assert late == pytest.approx(stamps[-1] + 1.0)
    assert camera.take().stamp_s == pytest.approx(late + 0.1)


def test_time_cells_differ_for_every_millisecond():
    stamps = [5.0 + ms / 1000 for ms in range(50)]
    assert all(a != b for a, b in itertools.pairwise(map(time_cells, stamps)))


def test_pictures_get_smaller_before_they_get_poor():
    sizes = [size_of(rung, 640, 480, CONFIG) for rung in (Rung.FULL, Rung.HALF, Rung.THIRD)]
    assert [(size.width_px, size.height_px) for size in sizes] == [
        (640, 480),
        (320, 240),
        (213, 160),
    ]
    assert sizes[0].quality > sizes[1].quality > sizes[2].quality
    photo = size_of(Rung.PHOTO, 640, 480, CONFIG)
    assert (photo.width_px, photo.quality) == (640, 92)


def test_smaller_pictures_take_fewer_bytes():
    image = SyntheticCamera(CONFIG, ManualClock(5.0)).take().image
    lengths = [len(jpeg(image, rung, CONFIG)[0]) for rung in Rung]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize(
    ("turned_deg", "corner"),
    [(0, (0, 0)), (90, (2, 0)), (180, (3, 2)), (270, (0, 3))],
)
def test_a_camera_that_is_mounted_otherwise_is_turned_clockwise(turned_deg, corner):
    image = Image.new("RGB", (4, 3))
    image.putpixel((0, 0), (255, 255, 255))
    upright = turned(image, structs.replace(CONFIG, turned_deg=turned_deg))
    assert upright.getpixel(corner) == (255, 255, 255)


class FakeCv2:
    """OpenCV as far as a camera goes."""

    CAP_V4L2, COLOR_BGR2RGB = 200, 4
    CAP_PROP_FOURCC, CAP_PROP_FRAME_WIDTH, CAP_PROP_FRAME_HEIGHT = 6, 3, 4
    CAP_PROP_FPS, CAP_PROP_BUFFERSIZE = 5, 38

    def __init__(self, *, opens: bool = True, sends: bool = True) -> None:
        self.opens, self.sends = opens, sends
        self.settings: dict[int, float] = {}
        self.opened: list[tuple[str, int]] = []
        self.released = 0

    def VideoCapture(self, device: str, api: int) -> "FakeCv2":  # noqa: N802 - OpenCV's name
        self.opened.append((device, api))
        return self

    def VideoWriter_fourcc(self, *letters: str) -> str:  # noqa: N802 - OpenCV's name
        return "".join(letters)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opens

    def set(self, prop: int, value: float) -> bool:
        self.settings[prop] = value
        return True

    def read(self):
        blue_green_red = np.zeros((480, 640, 3), np.uint8)
        blue_green_red[..., 2] = 255
        return self.sends, blue_green_red

    def cvtColor(self, picture, code):  # noqa: N802 - OpenCV's name
        assert code == self.COLOR_BGR2RGB
        return picture[..., ::-1].copy()

    def release(self) -> None:
        self.released += 1


USB = structs.replace(CONFIG, source="v4l2", device="/dev/video3")


def test_a_usb_camera_is_asked_for_compressed_and_new_pictures_in_their_colours():
    cv2 = FakeCv2()
    clock = ManualClock(7.0)
    camera = UsbCamera(USB, clock, cv2)
    assert cv2.opened == [("/dev/video3", cv2.CAP_V4L2)]
    assert cv2.settings == {6: "MJPG", 3: 640, 4: 480, 5: 10, 38: 1}
    shot = camera.take()
    assert shot.image.getpixel((5, 5)) == (255, 0, 0)
    assert shot.stamp_s == 7.0
    camera.close()
    assert cv2.released == 1


def test_a_usb_camera_that_cannot_be_had_says_what_to_do():
    cv2 = FakeCv2(opens=False)
    with pytest.raises(DeviceError, match=r"/dev/video3 cannot be opened.*group video"):
        UsbCamera(USB, ManualClock(), cv2)
    assert cv2.released == 1
    with pytest.raises(DeviceError, match="sends no pictures"):
        UsbCamera(USB, ManualClock(), FakeCv2(sends=False)).take()


class FakePicamera2:
    """picamera2 as far as it goes here."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.configured: dict = {}
        self.closed = False

    def Picamera2(self) -> "FakePicamera2":  # noqa: N802 - the library's name
        if isinstance(self.error, IndexError):
            raise self.error
        return self

    def create_video_configuration(self, **wanted: object) -> dict:
        return wanted

    def configure(self, configuration: dict) -> None:
        self.configured = configuration

    def start(self) -> None:
        pass

    def capture_array(self, name: str):
        assert name == "main"
        if self.error is not None:
            raise self.error
        return np.full((480, 640, 3), (255, 0, 0), np.uint8)

    def close(self) -> None:
        self.closed = True


def test_the_pis_camera_is_configured_and_read():
    library = FakePicamera2()
    camera = PiCamera(CONFIG, ManualClock(9.0), library)
    assert library.configured["main"] == {"size": (640, 480), "format": "BGR888"}
    assert library.configured["controls"] == {"FrameRate": 10.0}
    assert camera.take().image.getpixel((1, 1)) == (255, 0, 0)
    camera.close()
    assert library.closed


def test_a_pi_without_a_camera_says_what_to_do():
    with pytest.raises(DeviceError, match="rpicam-hello"):
        PiCamera(CONFIG, ManualClock(), FakePicamera2(IndexError("list index out of range")))
    camera = PiCamera(CONFIG, ManualClock(), FakePicamera2(RuntimeError("timed out")))
    with pytest.raises(DeviceError, match="sends no pictures: timed out"):
        camera.take()


@pytest.mark.parametrize(
    ("source", "missing", "advice"),
    [("v4l2", "cv2", "python3-opencv"), ("picamera2", "picamera2", "python3-picamera2")],
)
def test_a_library_that_is_missing_is_named_with_its_package(source, missing, advice, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(DeviceError, match=advice):
        open_source(structs.replace(CONFIG, source=source), ManualClock())


def test_no_camera_is_a_setting_to_change():
    with pytest.raises(ConfigError, match=r"camera\.source"):
        open_source(CameraConfig(), ManualClock())
