"""Runs and groups of seeds held against each other: their curves, their figures, and whether a difference is real."""
