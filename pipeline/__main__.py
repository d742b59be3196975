"""`python -m pipeline`, the same as the console script `longvid`."""

from pipeline.cli import main

main()
