"""The commands, run as a person runs them."""

import pytest
from click.testing import CliRunner

from rover.config.files import NOWHERE, load_config
from rover.config.schema import key_text, leaves
from rover.config.show import config

CALIBRATION = (
    "[wheels.left_front.steer]\ncentre_deg = 141\n[wheels.left_rear.steer]\ncentre_deg = 150\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty home, with a calibration so that none of the computer's is read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ROVER_CONFIG", raising=False)
    calibration = tmp_path / "calibration.toml"
    calibration.write_text(CALIBRATION)
    monkeypatch.setenv("ROVER_CALIBRATION", str(calibration))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(config, [str(argument) for argument in arguments])


def user_file(folder, text):
    path = folder / "rover.toml"
    path.write_text(text)
    return path


def rows(output):
    """Return the printed table as key -> (value, where from)."""
    lines = output.splitlines()[2:]
    return {line.split()[0]: tuple(line.split(maxsplit=2)[1:]) for line in lines}


def test_show_prints_every_key_with_its_value_and_origin(folder):
    path = user_file(folder, "[loop]\nrate_hz = 50\n")
    result = run("show", "--config", path)
    assert result.exit_code == 0
    shown = {
        key: (value, where.strip())
        for key, (value, where) in rows(result.stdout).items()
        if key != "rover.name"
    }
    in_force = load_config(places=NOWHERE).config
    assert shown.keys() | {"rover.name"} == {key_text(key) for key, _ in leaves(in_force)}
    assert shown["loop.rate_hz"] == ("50.0", f"{path}:2")
    assert shown["loop.telemetry_hz"] == ("20.0", "built-in default")
    assert shown["wheels.left_front.steer.centre_deg"] == (
        "141.0",
        f"{folder / 'calibration.toml'}:2",
    )
    assert shown["wheels.left_front.motor.address"][0] == "0x80"
    assert shown["roboclaw.ticks_per_wheel_turn"][0] == "753.2"
    assert shown["panel.stop_button"][0] == '"none"'


def test_show_names_the_files(folder):
    path = user_file(folder, "")
    first = run("show", "--config", path).stdout.splitlines()[0]
    assert first == f"profile osr, your file {path}, calibration {folder / 'calibration.toml'}"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sticks", {f"sticks.{name}" for name in ("deadband", "expo", "max_lateral_accel_mps2")}),
        ("loop.rate_hz", {"loop.rate_hz"}),
        (
            "wheels.left_front.motor",
            {
                f"wheels.left_front.motor.{name}"
                for name in ("address", "channel", "inverted", "encoder_reversed")
            },
        ),
    ],
)
def test_show_prints_one_part(folder, key, shown):
    assert rows(run("show", key).stdout).keys() == shown


def test_show_of_an_unknown_key_names_the_nearest(folder):
    result = run("show", "motoin")
    assert result.exit_code == 1
    assert result.stderr == "motoin: no such key; the nearest is motion\n"


def test_values_are_never_taken_for_markup(folder):
    path = user_file(folder, '[rover]\nname = "[red]Rosie[/red]"')
    assert '"[red]Rosie[/red]"' in run("show", "rover", "--config", path).stdout


def test_check_tells_in_one_line_what_a_file_changes(folder):
    path = user_file(
        folder,
        "[loop]\nrate_hz = 50\ntelemetry_hz = 20\n"
        "[wheels.left_front.motor]\naddress = 0x83\n"
        '[wheels.right_rear]\nsteer = "none"\n',
    )
    result = run("check", path)
    assert result.exit_code == 0
    assert result.stdout == (
        f"{path}: OK over profile osr, under {folder / 'calibration.toml'}; changes "
        "wheels.left_front.motor.address from 0x80 to 0x83, "
        'wheels.right_rear.steer = "none", loop.rate_hz from 100.0 to 50.0\n'
    )


def test_check_counts_the_changes_that_are_too_many_to_list(folder):
    lines = "".join(f"{name}_s = 0.29\n" for name in ("web", "gamepad", "controller", "feedback"))
    path = user_file(
        folder,
        f'[deadlines]\n{lines}[web]\nport = 80\nhost = "::"\n'
        "[loop]\nrate_hz = 50\ntelemetry_hz = 10\n",
    )
    result = run("check", path)
    assert result.stdout.endswith("loop.telemetry_hz from 20.0 to 10.0 and 2 more\n")


def test_check_of_a_file_that_changes_nothing_says_so(folder):
    assert run("check", user_file(folder, "[loop]\nrate_hz = 100")).stdout.endswith(
        "; changes nothing\n"
    )


def test_check_of_a_rover_of_its_own_lists_its_values(folder, monkeypatch):
    monkeypatch.setenv("ROVER_CALIBRATION", "")
    wheel = "radius_m = 0.1\nmax_speed_rad_s = 10\n"
    path = user_file(
        folder,
        f"[wheels.left]\nx_m = 0\ny_m = 0.2\nmotor = {{ address = 0x80, channel = 1 }}\n{wheel}"
        f"[wheels.right]\nx_m = 0\ny_m = -0.2\nmotor = {{ address = 0x80, channel = 2 }}\n{wheel}",
    )
    result = run("check", path, "--profile", "none")
    assert result.stdout.startswith(f"{path}: OK over no profile")
    assert "wheels.left.x_m = 0.0" in result.stdout


@pytest.mark.parametrize("command", [("check",), ("show", "--config")])
def test_every_problem_is_a_line_and_none_is_a_traceback(folder, command):
    path = user_file(folder, "[loop]\nrate_hz = 5\ntelemetry_hz = 0\n")
    result = run(*command, path)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}:2: loop.rate_hz = 5: must be a number from 20 to 200",
        f"{path}:3: loop.telemetry_hz = 0: must be a number from 1 to 50",
    ]


def test_a_contradiction_with_another_file_names_both_places(folder):
    path = user_file(folder, "[steering]\nservo_range_deg = 180\n")
    result = run("check", path)
    assert result.exit_code == 1
    first = result.stderr.splitlines()[0]
    assert first.startswith(f"{folder / 'calibration.toml'}:2: wheels.left_front.steer: centre_deg")
    assert f"{path}:2" in first
    assert "profile osr:" in first
