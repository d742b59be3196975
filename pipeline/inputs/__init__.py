"""What users write: manifests and the addresses in them."""
