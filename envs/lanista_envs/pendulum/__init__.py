"""Pendulum-v1, N games at a time."""
