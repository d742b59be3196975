"""CLIP towers at work: frames, patches and questions to embeddings, and the visual tokens of a video."""
