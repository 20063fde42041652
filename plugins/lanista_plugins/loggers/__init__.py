"""Loggers beside metrics.jsonl."""
