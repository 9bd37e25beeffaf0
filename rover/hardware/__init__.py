"""What the rover moves: drivers for its motors, servos, sensors and lines."""

from rover.hardware.assembly import Hardware, open_hardware

__all__ = ["Hardware", "open_hardware"]
