"""Finished games on disk: the format, its writer and reader, and what takes games out of rollouts."""
