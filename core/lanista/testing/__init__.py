"""Contracts as tests, for the authors of plugins: `check_env` for envs."""

from lanista.testing.env_contract import check_env

__all__ = ["check_env"]
