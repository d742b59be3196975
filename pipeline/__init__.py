"""The only room that imports Ray: it composes the stages, commits their units and runs the command line."""
