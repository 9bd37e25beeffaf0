"""The `rover` command."""

import click


@click.group()
def main() -> None:
    """Drive a six-wheel rover, real or simulated."""
