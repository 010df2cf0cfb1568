"""Run the command line as ``python -m bargain_cli``."""

from bargain_cli import main

if __name__ == "__main__":
    main()
