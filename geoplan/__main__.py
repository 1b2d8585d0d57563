"""``python -m geoplan``."""

from geoplan.cli.main import main

main()
