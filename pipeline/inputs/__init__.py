"""Inputs written by users: manifests, annotation files, recipes and the addresses in them."""
