import stat

import pytest

from rover.errors import ConfigError
from web.devices import MAX_DEVICES, SEEN_EVERY_S, Devices


class Wall:
    """A wall clock held in the hand."""

    def __init__(self):
        self.now_s = 1_700_000_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def devices(tmp_path, wall):
    return Devices(tmp_path / "state", wall)


def test_a_device_is_known_by_its_token_alone(devices):
    one, other = devices.add("one"), devices.add("other")
    assert devices.find(one.device.id, one.token) == one.device
    assert devices.find(one.device.id, other.token) is None
    assert devices.find(one.device.id, "") is None
    assert devices.find("owner", one.token) is None
    assert len(one.token) >= 40


def test_the_file_holds_no_token_and_only_its_owner_reads_it(devices, tmp_path):
    added = devices.add("one")
    path = tmp_path / "state" / "devices.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert added.token not in path.read_text()
    assert sorted(one.name for one in path.parent.iterdir()) == ["devices.json", "devices.lock"]


def test_devices_outlive_a_restart(devices, tmp_path, wall):
    added = devices.add("one")
    assert Devices(tmp_path / "state", wall).find(added.device.id, added.token) == added.device


def test_two_processes_share_the_file(devices, tmp_path, wall):
    other = Devices(tmp_path / "state", wall)
    one, two = devices.add("one"), other.add("two")
    assert other.find(one.device.id, one.token)
    assert {device.name for device in devices.all()} == {"one", "two"}
    other.remove(one.device.id)
    assert devices.find(one.device.id, one.token) is None
    assert devices.find(two.device.id, two.token)


def test_a_removed_device_is_unknown(devices):
    added = devices.add("one")
    assert devices.remove(added.device.id) == added.device
    assert devices.remove(added.device.id) is None
    assert devices.find(added.device.id, added.token) is None
    assert devices.all() == ()


def test_when_it_was_seen_last_is_kept_but_not_written_for_less_than_a_minute(
    devices, tmp_path, wall
):
    added = devices.add("one")
    path = tmp_path / "state" / "devices.json"
    written = path.stat().st_ino
    wall.now_s += SEEN_EVERY_S - 1.0
    devices.find(added.device.id, added.token)
    assert path.stat().st_ino == written
    wall.now_s += 2.0
    devices.find(added.device.id, added.token)
    (device,) = Devices(tmp_path / "state", wall).all()
    assert device.seen_unix_s == wall.now_s
    assert device.paired_unix_s == wall.now_s - SEEN_EVERY_S - 1.0


def test_one_too_many_replaces_the_one_away_longest(devices, wall):
    first = devices.add("first")
    for _ in range(MAX_DEVICES - 1):
        wall.now_s += 100.0
        assert devices.add("another").forgotten == ()
    second = devices.all()[-2]
    devices.find(first.device.id, first.token)
    assert [device.id for device in devices.add("last").forgotten] == [second.id]
    assert len(devices.all()) == MAX_DEVICES


@pytest.mark.parametrize("content", ["", "{", "[]x", '[{"id": 5}]', '{"devices": []}'])
def test_a_broken_list_lets_nobody_drive_and_says_what_to_do(tmp_path, content):
    path = tmp_path / "devices.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"devices\.json .*delete it"):
        Devices(tmp_path)


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state directory"):
        Devices(tmp_path / "file" / "state")
