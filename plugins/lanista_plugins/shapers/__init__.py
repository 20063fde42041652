"""Shapers: reward out of facts, once a rollout."""
