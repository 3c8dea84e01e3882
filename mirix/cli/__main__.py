"""`python -m mirix.cli`, where the program `mirix` is not on the path."""

from mirix.cli import main

main()
