"""How the rover moves: pure, no I/O, time passed in."""
