"""Adapters inward: envs of gymnasium and games of PettingZoo as a `VecEnv`."""
