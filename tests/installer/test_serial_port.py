"""The header's UART: taken back from console and Bluetooth as chosen, and given back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer import boot_files, work
from installer.asking import complete
from installer.choices import Choices
from installer.system import Outcome
from tests.installer.pretended_pi import CMDLINE, CONFIG_TXT, PretendedPi, Told, checkout

CONFIG = "/boot/firmware/config.txt"
UART, UART_5, I2C = "enable_uart=1", "dtparam=uart0=on", "dtparam=i2c_arm=on"
OVERLAYS = ("dtoverlay=disable-bt", "dtoverlay=miniuart-bt", "core_freq=250")
# Model, choice: the lines that must be in force, those that must not, the console's end.
CHOSEN = [
    (3, "off", {UART, I2C, OVERLAYS[0]}, True),
    (4, "off", {UART, I2C, OVERLAYS[0]}, True),
    (4, "small", {UART, I2C, OVERLAYS[1], OVERLAYS[2]}, True),
    (4, "keep", {I2C}, False),
    # Its console is on the debug plug, and Bluetooth has a UART of its own.
    (5, "", {UART_5, I2C}, False),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


def install(pi: PretendedPi, source: Path, /, **choices: object) -> None:
    work.install(pi.job(source, **choices), Told())


def in_force(pi: PretendedPi, model: int) -> set[str]:
    text = pi.text(CONFIG)
    lines = {UART, UART_5, I2C, *OVERLAYS}
    return {line for line in lines if boot_files.in_force(text, line, f"pi{model}")}


# With raspi-config, without it, and with one that says yes and writes nothing.
@pytest.mark.parametrize("raspi_config", ["writes", "missing", "mute"])
@pytest.mark.parametrize(("model", "choice", "lines", "console_goes"), CHOSEN)
def test_what_is_chosen_is_in_force_and_can_be_taken_back(  # noqa: PLR0917
    tmp_path: Path, model: int, choice: str, lines: set[str], console_goes: bool, raspi_config: str
) -> None:
    source = checkout(tmp_path / "checkout")
    there, writes = raspi_config != "missing", raspi_config == "writes"
    pi = PretendedPi(tmp_path / "pi", model=model, raspi_config=there, raspi_config_writes=writes)
    pi.enabled = {"hciuart.service"}
    install(pi, source, pi=model, bluetooth=choice)
    assert in_force(pi, model) == lines
    assert ("console=serial0" not in pi.text("/boot/firmware/cmdline.txt")) is console_goes
    assert "console=tty1 root=PARTUUID=1-02 rootwait\n" in pi.text("/boot/firmware/cmdline.txt")
    assert ("hciuart.service" in pi.enabled) is (choice != "off")
    assert any(line.startswith("raspi-config") for line in pi.ran) is there
    work.uninstall(pi.job(source, pi=model, bluetooth=choice), Told(), purge=False)
    assert in_force(pi, model) == set()
    assert pi.enabled == {"hciuart.service"}
    if writes:
        assert pi.text("/boot/firmware/cmdline.txt") == CMDLINE
    if not there:
        assert pi.text(CONFIG) == CONFIG_TXT


def test_another_choice_later_takes_the_first_one_back(tmp_path: Path, source: Path) -> None:
    pi = PretendedPi(tmp_path / "pi")
    for choice in ("off", "small", "keep", "small", "off"):
        install(pi, source, bluetooth=choice)
        lines = next(lines for model, one, lines, _ in CHOSEN if (model, one) == (4, choice))
        assert in_force(pi, 4) - {UART} == lines - {UART}
    assert pi.text(CONFIG).count("added by its install.sh") == 1


def test_a_console_on_a_pi_5s_header_goes_too(tmp_path: Path, source: Path) -> None:
    pi = PretendedPi(tmp_path / "pi", raspi_config=False)
    pi.write("/boot/firmware/cmdline.txt", "console=ttyAMA0,115200 console=ttyAMA10,115200 quiet\n")
    install(pi, source, pi=5, bluetooth="")
    assert pi.text("/boot/firmware/cmdline.txt") == "console=ttyAMA10,115200 quiet\n"


def test_the_older_boot_folder_is_used_where_there_is_no_other(tmp_path: Path, source) -> None:
    pi = PretendedPi(tmp_path / "pi", raspi_config=False)
    (pi.root / "boot/firmware").rename(pi.root / "boot-firmware")
    pi.write("/boot/config.txt", "")
    pi.write("/boot/cmdline.txt", CMDLINE)
    install(pi, source)
    assert boot_files.in_force(pi.text("/boot/config.txt"), OVERLAYS[0])


# What is asked


@pytest.mark.parametrize(
    ("model", "config", "asked", "chosen"),
    [
        (4, CONFIG_TXT, True, "small"),
        (3, "", True, "small"),
        (5, CONFIG_TXT, False, ""),
        (0, CONFIG_TXT, False, ""),
        # Somebody has decided it already.
        (4, "[all]\ndtoverlay=disable-bt\n", False, "off"),
        (4, "[pi4]\ndtoverlay=miniuart-bt\n", False, "small"),
        # For another model, or switched off.
        (4, "[pi3]\ndtoverlay=disable-bt\n", True, "small"),
        (4, "#dtoverlay=disable-bt\n", True, "small"),
    ],
)
def test_it_asks_only_what_is_to_be_decided(
    tmp_path: Path, model: int, config: str, asked: bool, chosen: str
) -> None:
    pi = PretendedPi(tmp_path / "pi")
    pi.write(CONFIG, config)
    questions: list[str] = []
    # What is no answer is asked again.
    answers = iter(["", "maybe", "small"])

    def ask(question: str) -> str:
        questions.append(question)
        return next(answers)

    made = complete(Choices(pi=model), pi.system, ask)
    assert made.bluetooth == chosen
    assert len(questions) == (3 if asked else 0)
    for question in questions:
        assert all(word in question for word in ("off", "small", "keep", "header", "250 MHz"))


# The files


WORDS = st.sampled_from(
    ["[all]", "[pi4]", "[cm5]", "", "# a note", "enable_uart=0", "dtparam=i2c_arm=off", UART, I2C]
)


@given(st.lists(WORDS, max_size=8), st.lists(st.sampled_from([UART, I2C, *OVERLAYS]), max_size=5))
def test_lines_that_are_added_hold_and_go_again(before: list[str], added: list[str]) -> None:
    text = "".join(f"{word}\n" for word in before)
    now = text
    for line in added:
        now = boot_files.with_line(now, line)
        assert boot_files.in_force(now, line)
    # Once each.
    assert len(boot_files.own_lines(now)) == len(set(boot_files.own_lines(now)))
    assert boot_files.without_own(now) == text
    for line in boot_files.own_lines(now):
        now = boot_files.without_line(now, line)
    assert now == text


def test_of_two_lines_the_last_one_counts() -> None:
    assert not boot_files.in_force(f"{UART}\nenable_uart=0\n", UART)
    assert boot_files.in_force(f"enable_uart=0\n{UART}\n", UART)
    # An overlay does not take another one's place.
    assert boot_files.in_force(f"{OVERLAYS[0]}\ndtoverlay=dwc2\n", OVERLAYS[0])


def test_what_somebody_writes_below_stays_and_holds() -> None:
    text = boot_files.with_line("[pi4]\na=1\n", UART) + "b=2\n"
    left = boot_files.without_own(text)
    assert boot_files.in_force(left, "b=2")
    assert boot_files.in_force(left, "a=1", "pi4")
    assert not boot_files.in_force(left, "a=1")
    assert UART not in left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (CMDLINE, "console=tty1 root=PARTUUID=1-02 rootwait\n"),
        ("a console=ttyAMA0,115200\n", "a \n"),
        ("console=ttyS0 b\n", "b\n"),
        ("console=ttyS01,9600 b\n", "console=ttyS01,9600 b\n"),
        ("myconsole=ttyS0 b\n", "myconsole=ttyS0 b\n"),
    ],
)
def test_consoles_are_taken_out_and_nothing_else(text: str, left: str) -> None:
    assert boot_files.without_console(text, boot_files.HEADER_CONSOLES) == left


def test_what_raspi_config_says_when_it_fails_is_told(tmp_path: Path, source: Path) -> None:
    pi = PretendedPi(tmp_path / "pi")
    pi.fails = {"raspi-config": Outcome(1, "sed: no such file")}
    with pytest.raises(work.InstallError, match="sed: no such file"):
        install(pi, source)
