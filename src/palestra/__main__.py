"""``python -m palestra`` is the command ``palestra``."""

from palestra.cli import main

if __name__ == "__main__":
    main()
