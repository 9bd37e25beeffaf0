"""What the rover moves: drivers for its motors, servos, sensors and lines."""
