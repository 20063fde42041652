"""MountainCar-v0, N games at a time."""
