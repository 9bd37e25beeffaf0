"""Gamepads by evdev: found, read, and made into drive commands, never waiting."""

from rover.gamepad.pilot import Gamepad, GamepadUpdate

__all__ = ["Gamepad", "GamepadUpdate"]
