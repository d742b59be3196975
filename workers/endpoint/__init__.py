"""Models behind an OpenAI-compatible endpoint: the client, its guard, its cache of answers and its budget."""
