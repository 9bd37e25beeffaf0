"""How fast the rover is, as ratios against a limit or a peer in the same run."""
