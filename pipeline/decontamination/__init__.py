"""What benchmarks contain, and which videos and questions of a corpus are the same; `longvid decontaminate` uses it."""
