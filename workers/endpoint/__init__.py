"""Models behind an OpenAI-compatible endpoint: client, guard of addresses, cache of answers and budget."""
