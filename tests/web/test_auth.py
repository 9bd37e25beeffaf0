import stat

import pytest

from rover.errors import ConfigError
from web.auth import load_key


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    key = load_key(tmp_path / "new" / "state")
    path = tmp_path / "new" / "state" / "web.key"
    assert mode(path) == 0o600
    assert len(key) >= 20
    assert load_key(path.parent) == key
    assert load_key(tmp_path / "other") != key


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path):
    key = load_key(tmp_path)
    (tmp_path / "web.key").chmod(0o644)
    assert load_key(tmp_path) == key
    assert mode(tmp_path / "web.key") == 0o600


@pytest.mark.parametrize("content", ["", "short", "with\nlines" * 5, "ключ" * 10])
def test_a_broken_key_is_an_error_that_says_what_to_do(tmp_path, content):
    (tmp_path / "web.key").write_text(content)
    with pytest.raises(ConfigError, match=r"web\.key .* delete it"):
        load_key(tmp_path)


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state directory"):
        load_key(tmp_path / "file" / "state")
