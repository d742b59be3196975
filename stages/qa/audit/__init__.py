"""Audits of QA pairs: their words, single rules, a text-only model, and the pairs of one video together."""
