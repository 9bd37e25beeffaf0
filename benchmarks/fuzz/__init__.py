"""Whatever anybody can send the rover, sent to it a million times over."""
