"""What a Python function usually does: click, PyYAML's C loader and dumper, nothing changed in between."""

from __future__ import annotations

import sys

import click
import yaml


@click.command()
def main() -> None:
    """Read, and write the same."""
    value = yaml.load(sys.stdin.buffer, Loader=yaml.CSafeLoader)
    yaml.dump(value, sys.stdout.buffer, Dumper=yaml.CSafeDumper, sort_keys=False, encoding="utf-8")


if __name__ == "__main__":
    main()
