"""`python -m matbackprop` is `matbackprop`."""

from matbackprop.cli import main

main()
