"""Composes the stages, commits their units and runs the command line. The only package that imports Ray."""

import os

# Else a thread of Ray Data that is still at work when a build is stopped would start a second session.
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
