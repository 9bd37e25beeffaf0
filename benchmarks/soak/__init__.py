"""A long drive with everything that can go wrong, and rules that must hold all the way."""
