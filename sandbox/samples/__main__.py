"""Draws the sample goods: `python -m sandbox.samples FOLDER`."""

import argparse
from pathlib import Path

from sandbox.samples import write


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.samples", description="Draw the sample goods.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="1 draws 3000 by 3600 pixels")
    options = parser.parse_args()
    count = write(options.folder, scale=options.scale)
    print(f"{count} sample goods in {options.folder}")


if __name__ == "__main__":
    main()
