"""The doctor over HTTP: for paired devices, from what the server sees and what control says."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from msgspec import structs

from calibration.doctor.finding import Report, Verdict
from rover.clock import ManualClock
from rover.messages import Condition, DeviceHealth
from tests.builders import osr_config
from tests.web.fake_control import still_rover
from tests.web.rig import NoPictures, application
from tests.web.test_app import Client
from web.access import Access
from web.remote import Remote


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def access(tmp_path, clock):
    return Access(tmp_path, clock)


@pytest.fixture
def remote(clock):
    client = Client()
    remote = Remote(osr_config(), client, client, clock, NoPictures())
    yield remote
    remote.close()


@pytest.fixture
def phone(remote, access):
    return application(remote, access).test_client()


@pytest.fixture
def key(access):
    return {"Authorization": f"Bearer {access.key}"}


def show(remote, clock, **changes):
    remote.hub.show(structs.replace(still_rover(), stamp_s=clock.now_s(), **changes))


def report(phone, key):
    response = phone.get("/api/doctor", headers=key)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return msgspec.json.decode(response.data, type=Report)


@pytest.mark.parametrize("watch_without_key", [True, False])
def test_only_a_paired_device_may_see_it(remote, access, watch_without_key):
    web = structs.replace(remote.config.web, watch_without_key=watch_without_key)
    remote.config = structs.replace(remote.config, web=web)
    phone = application(remote, access).test_client()
    assert phone.get("/api/doctor").status_code == 403
    page = phone.get("/doctor").text
    assert "Pair this device" in page
    assert "finding" not in page


def test_control_is_asked_for_what_the_server_may_not_touch(phone, key, remote, clock):
    show(
        remote,
        clock,
        devices=(DeviceHealth("RoboClaw 0x80", True, 0.0, firmware="v4.2.4"),),
        conditions=(Condition("steering", "PCA9685 0x40 has been silent for 9.0 s"),),
    )
    found = report(phone, key)
    assert found.by_control
    assert found.failed
    by_code = {finding.code: finding for finding in found.findings}
    assert by_code["device"].step == "RoboClaw 0x80"
    assert by_code["told-error"].next_step == "Check the servo board's power and I2C plug."
    assert by_code["python"].verdict is Verdict.OK
    # Ports and buses are not the server's.
    steps = {finding.step for finding in found.findings}
    assert not steps & {"serial port", "motor controllers", "I2C bus", "GPIO", "groups"}


def test_what_control_said_long_ago_is_not_told(phone, key, remote, clock):
    show(remote, clock)
    clock.sleep_s(5.0)
    found = report(phone, key)
    assert not found.by_control
    (control,) = [finding for finding in found.findings if finding.step == "control"]
    assert control.verdict is Verdict.SKIPPED


def test_who_asks_again_at_once_gets_the_same_walk(phone, key, remote, clock):
    first = report(phone, key)
    show(remote, clock)
    assert report(phone, key) == first
    clock.sleep_s(2.5)
    show(remote, clock)
    assert report(phone, key).by_control


def test_where_a_walk_hangs_others_are_turned_away(phone, key, monkeypatch):
    hanging, turned_away = threading.Event(), threading.Event()

    def hang(*_):
        hanging.set()
        assert turned_away.wait(20.0)
        return ()

    monkeypatch.setattr("web.diagnosis.walk", hang)
    monkeypatch.setattr("web.diagnosis._WAIT_S", 0.01)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(phone.application.test_client().get, "/api/doctor", headers=key)
        assert hanging.wait(20.0)
        second = phone.get("/api/doctor", headers=key)
        turned_away.set()
        assert second.status_code == 503
        assert "ask again" in second.json["error"]
        assert first.result().status_code == 200


def test_the_page_shows_what_failed_first_and_cannot_be_written_into(phone, key, remote, clock):
    show(remote, clock, conditions=(Condition("wheel", "<b>left_front</b> does not turn"),))
    response = phone.get("/doctor", headers=key)
    assert response.status_code == 200
    page = response.text
    assert "&lt;b&gt;left_front&lt;/b&gt; does not turn" in page
    assert page.index('data-verdict="fail"') < page.index('data-verdict="ok"')
    assert "Free the wheel" in page
    assert "STOP the rover" in page
