"""Connect X, N games at a time, with its portable codec and a scripted player."""
