"""Downloads of untrusted URLs: every address is checked before it is opened."""
