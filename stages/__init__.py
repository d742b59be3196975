"""One file per step: its config, its pure function, its declaration. Nothing here knows Ray."""
