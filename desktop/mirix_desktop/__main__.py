"""`python -m mirix_desktop`, where the program `mirix-desktop` is not on the path."""

from mirix_desktop.cli import main

main()
