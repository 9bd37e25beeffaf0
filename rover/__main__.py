"""`python -m rover`: the `rover` command without its entry point."""

from rover.cli import main

main(prog_name="rover")
