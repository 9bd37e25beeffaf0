"""Questions to the person who installs, and what is known without asking."""

import sys
from collections.abc import Callable
from dataclasses import replace

from installer.choices import BLUETOOTH_KEPT, BLUETOOTH_OFF, BLUETOOTH_SMALL, Choices
from installer.errors import InstallError
from installer.serial_port import bluetooth_chosen
from installer.system import System

_PI_5 = 5
_BLUETOOTH = f"""
Who gets the good UART?

  A Raspberry Pi {{pi}} has one good UART, and Bluetooth has it. What is left on the header is a
  small one whose speed follows the processor's clock: with it the motor controllers answer now
  and then. Gamepads by cable or with a radio dongle work with any of these.

  {BLUETOOTH_OFF}    The wheels get it. The board's own Bluetooth is switched off.
         Best for driving; a Bluetooth pad then needs a Bluetooth dongle.
  {BLUETOOTH_SMALL}  The wheels get it, Bluetooth goes to the small one: slower, enough for a
         gamepad. The graphics clock is fixed at 250 MHz for it.
  {BLUETOOTH_KEPT}   Bluetooth keeps it and the header stays as it is. The motor controllers must
         then be on USB (their own, or an adapter).

Which one? [{BLUETOOTH_OFF}/{BLUETOOTH_SMALL}/{BLUETOOTH_KEPT}] """
ANSWERS = (BLUETOOTH_OFF, BLUETOOTH_SMALL, BLUETOOTH_KEPT)

Ask = Callable[[str], str]


def ask_terminal(question: str) -> str:
    """Return what a person answers, in lower case; raise InstallError if there is nobody."""
    if not sys.stdin.isatty():
        raise InstallError(
            "there is a question, and no terminal to ask it in",
            "Answer beforehand: `--yes`, and on a Raspberry Pi 3 or 4 one of "
            + ", ".join(f"`--bluetooth {answer}`" for answer in ANSWERS)
            + ".",
        )
    try:
        return input(question).strip().lower()
    except EOFError:
        return ""


def complete(choices: Choices, system: System, ask: Ask) -> Choices:
    """Ask for what has not been chosen yet, and is neither known from an earlier time."""
    if choices.bluetooth or not 0 < choices.pi < _PI_5:
        return choices
    there = bluetooth_chosen(system, choices.pi)
    if there:
        return replace(choices, bluetooth=there)
    while True:
        answer = ask(_BLUETOOTH.format(pi=choices.pi))
        if answer in ANSWERS:
            return replace(choices, bluetooth=answer)


def agreed(ask: Ask, question: str) -> bool:
    """Whether a person says yes; just Enter is one."""
    return ask(f"\n{question} [Y/n] ") in {"", "y", "yes"}
