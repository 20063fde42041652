"""Matchmakers: who among the frozen snapshots is met next."""
