"""Realizers: from a plan to the words of a question, its options and its answer."""
