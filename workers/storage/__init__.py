"""Where a corpus is kept: its store, and the folders, caches and encodings that go with it."""
