"""Scripted players for Lux: a planner over the state arrays, and the habits that make its characters."""
