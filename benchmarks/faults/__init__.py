"""The fault suite: every single fault, on the real processes, measured at the simulated wheel."""
