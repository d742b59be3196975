"""Shots of a video and near duplicates among videos, from thumbnails and embeddings."""
