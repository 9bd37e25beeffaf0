"""Files found, read and laid over one another, and everything that can be wrong with them."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rover.config import Config
from rover.config.files import (
    MAX_FILE_BYTES,
    NOWHERE,
    Places,
    load_config,
    profile_names,
    usual_places,
)
from rover.config.layers import BUILT_IN, Layer, LayerFile, Origin, merge
from rover.config.schema import leaves
from rover.errors import ConfigError

OSR = load_config("osr", places=NOWHERE).config


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write_file(text, name="rover.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


def problems(user=None, calibration=None, profile=None):
    with pytest.raises(ConfigError) as caught:
        load_config(profile, user, calibration, places=NOWHERE)
    return str(caught.value).splitlines()


def only_problem(*args, **kwargs):
    (line,) = problems(*args, **kwargs)
    return line


# What is in force


@pytest.mark.parametrize("name", profile_names())
def test_every_built_in_profile_can_be_used_as_it_is(name):
    loaded = load_config(name, places=NOWHERE)
    assert loaded.profile == name
    assert loaded.config.rover.name != "unnamed rover"


def test_with_nothing_named_the_rover_is_jpls():
    loaded = load_config(places=NOWHERE)
    assert loaded.profile == "osr"
    assert len(loaded.config.wheels) == 6
    assert (loaded.user_file, loaded.calibration_file) == (None, None)


def test_calibration_lies_over_the_users_file_over_the_profile_over_the_defaults(write):
    user = write("[wheels.left_front.steer]\ncentre_deg = 140\nmin_deg = -50\n[loop]\nrate_hz = 50")
    calibration = write("[wheels.left_front.steer]\ncentre_deg = 141.5\n", "calibration.toml")
    loaded = load_config(None, user, calibration, places=NOWHERE)
    steer = loaded.config.wheels["left_front"].steer
    assert (steer.centre_deg, steer.min_deg, steer.max_deg) == (141.5, -50, 65)
    assert loaded.config.loop.rate_hz == 50
    path = ("wheels", "left_front", "steer")
    assert loaded.origins[*path, "centre_deg"] == Origin(Layer.CALIBRATION, str(calibration), 2)
    assert loaded.origins[*path, "min_deg"] == Origin(Layer.USER, str(user), 3)
    assert loaded.origins[*path, "max_deg"].layer is Layer.PROFILE
    assert str(loaded.origins[*path, "max_deg"]).startswith("profile osr:")
    assert loaded.origins["loop", "rate_hz"] == Origin(Layer.USER, str(user), 5)
    assert loaded.origins["loop", "telemetry_hz"] == BUILT_IN
    assert str(BUILT_IN) == "built-in default"


def test_every_value_in_force_has_an_origin(write):
    loaded = load_config(user_file=write("[motion]\nmax_speed_mps = 0.5"), places=NOWHERE)
    assert set(loaded.origins) == {path for path, _ in leaves(loaded.config)}


def test_none_switches_off_what_the_rover_may_do_without(write):
    user = write('[panel]\nled_armed = "none"\n[wheels.left_front]\nsteer = "none"')
    loaded = load_config(user_file=user, places=NOWHERE)
    assert loaded.config.panel.led_armed is None
    assert loaded.config.wheels["left_front"].steer is None
    assert loaded.origins["wheels", "left_front", "steer"].line == 4


def test_what_one_file_switched_off_another_may_set_anew_without_old_values():
    def layer(kind, steer):
        return LayerFile(kind, kind.name, {"wheels": {"left_front": {"steer": steer}}}, {})

    new = {"channel": 5, "centre_deg": 150, "min_deg": -20, "max_deg": 20}
    whole = msgspec.to_builtins(OSR)
    for wheel in ("left_middle", "right_middle"):
        del whole["wheels"][wheel]["steer"]
    del whole["panel"]["stop_button"]
    osr = LayerFile(Layer.PROFILE, "osr", whole, {})
    merged = merge([osr, layer(Layer.USER, "none"), layer(Layer.CALIBRATION, new)])
    steer = merged.config.wheels["left_front"].steer
    assert (steer.channel, steer.direction) == (5, -1)
    path = ("wheels", "left_front", "steer")
    assert merged.origins[*path, "channel"].layer is Layer.CALIBRATION
    # The profile sets it too, but that was switched off.
    assert merged.origins[*path, "direction"] == BUILT_IN


def test_a_file_may_describe_a_rover_of_its_own(write):
    wheel = "radius_m = 0.1\nmax_speed_rad_s = 10\n"
    user = write(
        'profile = "none"\n'
        f"[wheels.left]\nx_m = 0\ny_m = 0.2\nmotor = {{ address = 0x80, channel = 1 }}\n{wheel}"
        f"[wheels.right]\nx_m = 0\ny_m = -0.2\nmotor = {{ address = 0x80, channel = 2 }}\n{wheel}"
    )
    loaded = load_config(user_file=user, places=NOWHERE)
    assert tuple(loaded.config.wheels) == ("left", "right")
    assert loaded.profile == "none"


def test_a_profile_named_by_the_caller_goes_before_the_files(write):
    user = write('profile = "none"')
    assert load_config("osr", user, places=NOWHERE).profile == "osr"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(write):
    user = write(b"\xef\xbb\xbf[loop]\r\nrate_hz = 50\r\n")
    loaded = load_config(user_file=user, places=NOWHERE)
    assert loaded.origins["loop", "rate_hz"].line == 2


# Where files are found


def test_the_first_file_that_exists_is_read(write, tmp_path):
    first, second = tmp_path / "none.toml", write("[loop]\nrate_hz = 50", "second.toml")
    third = write("[loop]\nrate_hz = 60", "third.toml")
    places = Places(user_files=(first, second, third), calibration_files=(first,))
    loaded = load_config(places=places)
    assert (loaded.user_file, loaded.calibration_file) == (second, None)
    assert loaded.config.loop.rate_hz == 50


def test_home_comes_before_the_computer():
    places = usual_places({"HOME": "/home/pi"})
    assert places.user_files == (
        Path("/home/pi/.config/rover/rover.toml"),
        Path("/etc/rover/rover.toml"),
    )
    assert places.calibration_files == (
        Path("/home/pi/.local/state/rover/calibration.toml"),
        Path("/var/lib/rover/calibration.toml"),
    )


def test_a_service_without_a_home_reads_the_computers_files():
    assert usual_places({}).user_files == (Path("/etc/rover/rover.toml"),)


def test_the_environment_names_files_that_must_exist(write, monkeypatch, tmp_path):
    monkeypatch.setenv("ROVER_CONFIG", str(write("[loop]\nrate_hz = 50")))
    monkeypatch.setenv("ROVER_CALIBRATION", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read: No such file"):
        load_config()
    monkeypatch.setenv("ROVER_CALIBRATION", str(write("[loop]\ntelemetry_hz = 10", "c.toml")))
    config = load_config().config
    assert (config.loop.rate_hz, config.loop.telemetry_hz) == (50, 10)


def test_a_file_that_was_found_but_is_no_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(places=Places(user_files=(tmp_path,)))


# What can be wrong with a file


def test_a_named_file_must_exist(tmp_path):
    path = tmp_path / "rover.toml"
    assert only_problem(path) == f"{path}: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[motion\n", "is not valid TOML: Expected"),
        ("a = 1\na = 2\n", "is not valid TOML: Cannot overwrite a value (at line 2"),
        (b"\xff\xfe[\0", "is not UTF-8 text, at byte 0"),
        ("a = " + "1" * 5000, "is not valid TOML"),
        ("a = " + "[" * 5000, "is not valid TOML"),
        (b"#" * (MAX_FILE_BYTES + 1), "is larger than 256 KiB"),
    ],
)
def test_text_that_is_no_toml_is_named_with_its_file(write, content, said):
    path = write(content)
    assert only_problem(path).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[motion]\nmax_sped_mps = 1",
            "2: motion.max_sped_mps is not a known key; the nearest is motion.max_speed_mps",
        ),
        ("[moton]\n", "1: moton is not a known key; the nearest is motion"),
        (
            "[wheels.left_front.motor]\ninvert = true",
            "2: wheels.left_front.motor.invert is not a known key; the nearest is "
            "wheels.left_front.motor.inverted",
        ),
        ("rate_hz = 50", "1: rate_hz is not a known key; did you mean loop.rate_hz?"),
        (
            "[sticks]\nzzz = 50",
            "2: sticks.zzz is not a known key; known here are deadband, expo",
        ),
        (
            '[motion]\nmax_speed_mps = "fast"',
            '2: motion.max_speed_mps = "fast": must be a number greater than 0',
        ),
        (
            "[motion]\nmax_speed_mps = true",
            "2: motion.max_speed_mps = true: must be a number greater than 0",
        ),
        (
            "[motion]\nmax_speed_mps = nan",
            "2: motion.max_speed_mps = nan: must be a number greater than 0",
        ),
        (
            "[motion]\nmax_speed_mps = inf",
            "2: motion.max_speed_mps = inf: must be a number greater than 0, and finite",
        ),
        ("[web]\nport = 0", "2: web.port = 0: must be a whole number from 1 to 65535"),
        ("[web]\nport = 8080.0", "2: web.port = 8080.0: must be a whole number from 1 to 65535"),
        ("[gamepad]\nenabled = 1", "2: gamepad.enabled = 1: must be true or false"),
        ("[gamepad]\nenabled = 2024-01-01", "2: gamepad.enabled = 2024-01-01: must be true"),
        ("[deadlines]\nweb_s = 3", "2: deadlines.web_s = 3: must be a number from 0.05 to 1"),
        (
            "[roboclaw]\nreply_margin_s = 0.03",
            "2: roboclaw.reply_margin_s = 0.03: must be a number from 0.002 to 0.02",
        ),
        (
            "[power]\naddress = 0x99",
            "2: power.address = 0x99: must be a whole number from 0x03 to 0x77",
        ),
        *(
            (
                f"[{section}]\nvoltage_scale = {value}",
                f"2: {section}.voltage_scale = {value}: must be a number from 0.9 to 1.1",
            )
            for section in ("power", "roboclaw")
            for value in (0.89, 1.2)
        ),
        (
            "[panel]\nled_fault = 99",
            '2: panel.led_fault = 99: must be a whole number from 0 to 63, or "none"',
        ),
        (
            '[panel]\ngpio = "pigpio"',
            '2: panel.gpio = "pigpio": must be "gpiozero", "none" or "socket:PATH"',
        ),
        ('[roboclaw]\nport = ""', '2: roboclaw.port = "": must be text, not empty'),
        ("[rover]\nname = 7", "2: rover.name = 7: must be text of at most 64 letters, not empty"),
        ("motion = 3", "1: motion = 3: must be a table"),
        ("wheels = []", "1: wheels = an array: must be a table"),
        ("[wheels]\nleft_front = 1", "2: wheels.left_front = 1: must be a table"),
        ("[wheels.left_front]\nx_m = {}", "2: wheels.left_front.x_m = a table: must be a number"),
        (
            "[wheels.left_front]\nsteer = 2",
            '2: wheels.left_front.steer = 2: must be a table, or "none"',
        ),
        (
            '[wheels."Left Front"]\nx_m = 1',
            '1: wheels."Left Front": a name here must be small letters, digits and _',
        ),
        ("[loop]\nrealtime_priority = 1" + "0" * 99, "2: loop.realtime_priority = 0x"),
        ("[loop]\nrate_hz = 1" + "0" * 999, "2: loop.rate_hz = 0x"),
        (
            'profile = "ors"',
            '1: profile = "ors": must be one of "osr", "none"; the nearest is "osr"',
        ),
        ("profile = 3", '1: profile = 3: must be one of "osr", "none"'),
    ],
)
def test_a_wrong_key_is_told_with_its_place_value_and_what_is_allowed(write, text, said):
    path = write(text)
    assert only_problem(path).startswith(f"{path}:{said}")


def test_a_new_wheel_must_be_described_whole(write):
    path = write("[wheels.seventh]\nx_m = 0.4\ny_m = 0\nmotor.channel = 1")
    assert problems(path) == [
        f"{path}:1: wheels.seventh.radius_m is missing: it must be a number greater than 0 and "
        "at most 1",
        f"{path}:1: wheels.seventh.max_speed_rad_s is missing: it must be a number greater than 0",
        f"{path}:4: wheels.seventh.motor.address is missing: it must be a whole number from 0x80 "
        "to 0x87",
    ]


def test_a_key_that_is_wrong_is_not_called_missing_too(write):
    wheel = "radius_m = 0.1\nmax_speed_rad_s = 10\nmotor = { address = 0x83, channel = 1 }"
    path = write(f"[wheels.seventh]\nx_m = true\ny_m = 0\n{wheel}")
    assert only_problem(path) == (
        f"{path}:2: wheels.seventh.x_m = true: must be a number from -5 to 5"
    )


def test_a_rover_without_any_wheels_is_refused(write):
    said = "wheels is missing: it must be a table"
    assert only_problem(profile="none") == f"no configuration file: {said}"
    path = write('profile = "none"')
    assert only_problem(path) == f"{path}: {said}"


def test_a_profile_is_no_key_of_a_calibration(write):
    path = write('profile = "osr"')
    assert "profile is not a known key" in only_problem(calibration=path)


def test_an_unknown_profile_of_the_callers_is_refused():
    assert only_problem(profile="../osr").startswith('profile = "../osr": must be one of "osr"')


def test_all_problems_of_all_files_are_told_at_once(write):
    user = write("[motion]\nmax_sped_mps = 1\naccel_mps2 = 0\n[power]\nlow_v = 5.0\n")
    calibration = write("[steering]\ncalibrated = 1\n", "calibration.toml")
    lines = problems(user, calibration)
    assert [line.partition(" ")[0] for line in lines] == [
        f"{user}:2:",
        f"{user}:3:",
        f"{calibration}:2:",
        f"{user}:5:",
    ]


def test_a_file_that_is_no_toml_hides_no_problem_of_the_other(write):
    user, calibration = write("[loop]\nrate_hz = 1"), write("[", "calibration.toml")
    first, second = problems(user, calibration)
    assert first.startswith(f"{calibration}: is not valid TOML")
    assert second.startswith(f"{user}:2: loop.rate_hz = 1: must be")


def test_a_contradiction_that_only_a_faulty_value_makes_is_not_told(write):
    user = write('[motion]\nturbo_speed_mps = 0.5\nmax_speed_mps = "slow"')
    assert "max_speed_mps" in only_problem(user)


# What must hold for all files

OVERRIDES = {
    ("rover", "name"): st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
    .map(lambda text: text[:60])
    .filter(bool),
    ("motion", "max_speed_mps"): st.floats(0.1, 1.0) | st.just(1),
    ("motion", "turbo_speed_mps"): st.floats(1.0, 3.0) | st.integers(1, 3),
    ("deadlines", "web_s"): st.floats(0.1, 1.0),
    ("roboclaw", "baud"): st.sampled_from([38400, 230400]),
    ("steering", "calibrated"): st.booleans(),
    ("steering", "frequency_hz"): st.floats(40, 100),
    ("power", "address"): st.integers(0x41, 0x6F),
    ("panel", "led_fault"): st.integers(10, 20) | st.just("none"),
    ("wheels", "left_front", "x_m"): st.floats(0.1, 1.0),
    ("wheels", "left_front", "motor", "inverted"): st.booleans(),
    ("wheels", "left_front", "steer", "centre_deg"): st.floats(70, 200),
    ("wheels", "right_middle", "radius_m"): st.floats(0.05, 0.3),
}


def toml_of(values):
    """Write values as dotted keys; TOML and Python write these kinds of values alike."""
    return "".join(
        f"{'.'.join(path)} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n"
        for path, value in values.items()
    )


def built(config, values):
    """Set values the other way: by making the frozen types anew."""
    for path, value in values.items():
        config = replaced(config, path, None if value == "none" else value)
    return config


def replaced(node, path, value):
    if not path:
        return value
    if isinstance(node, dict):
        return {**node, path[0]: replaced(node[path[0]], path[1:], value)}
    inner = replaced(getattr(node, path[0]), path[1:], value)
    return msgspec.structs.replace(node, **{path[0]: inner})


@st.composite
def some_overrides(draw):
    chosen = draw(st.lists(st.sampled_from(sorted(OVERRIDES)), unique=True))
    return {path: draw(OVERRIDES[path]) for path in chosen}


@given(some_overrides(), some_overrides())
def test_files_make_the_same_config_as_code_does(tmp_path_factory, user, calibration):
    folder = tmp_path_factory.getbasetemp()
    (folder / "user.toml").write_text(toml_of(user))
    (folder / "calibration.toml").write_text(toml_of(calibration))
    loaded = load_config(None, folder / "user.toml", folder / "calibration.toml", places=NOWHERE)
    assert loaded.config == built(built(OSR, user), calibration)
    for path in user | calibration:
        layer, written = (
            (Layer.CALIBRATION, calibration) if path in calibration else (Layer.USER, user)
        )
        assert loaded.origins[path].layer is layer
        assert loaded.origins[path].line == list(written).index(path) + 1


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=5)
    | st.sampled_from(["1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner),
    max_leaves=4,
)
ANY_KEY = st.sampled_from(
    [path for path, _ in leaves(OSR)]
    + [("wheels",), ("wheels", "left_front"), ("wheels", "w"), ("motion",), ("profile",), ("x",)]
)


def literal(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        is_time = value[:1].isdigit() and (value[2:3] == ":" or value[4:5] == "-")
        return value if is_time else msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {literal(inner)}' for key, inner in value.items())}}}"
    return '"none"' if value is None else repr(value)


def outcome_of(file):
    """Return the configuration, or what the error says."""
    try:
        return load_config(user_file=file, places=NOWHERE).config
    except ConfigError as error:
        return str(error)


@given(st.dictionaries(ANY_KEY, ANYTHING, max_size=4))
@example({("loop", "rate_hz"): 10**400})
@example({("web", "port"): 2**80})
def test_any_toml_is_either_a_config_or_a_config_error(tmp_path_factory, values):
    text = "".join(f"{'.'.join(path)} = {literal(value)}\n" for path, value in values.items())
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(text)
    outcome = outcome_of(file)
    if isinstance(outcome, str):
        assert all(line.startswith(str(file)) for line in outcome.splitlines())
    else:
        # What got through is what the types say: encoding and decoding it changes nothing.
        assert msgspec.convert(msgspec.to_builtins(outcome), Config) == outcome


@given(st.binary(max_size=200))
def test_any_bytes_are_either_a_config_or_a_config_error(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "bytes.toml"
    file.write_bytes(content)
    outcome = outcome_of(file)
    assert str(file) in outcome if isinstance(outcome, str) else outcome.wheels
