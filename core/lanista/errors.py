"""The errors that a user is meant to read: one sentence on what was wrong, what was found and what to do.

The command line prints them without a traceback (``--debug`` shows it) and ends with `exit_code`.
"""


class LanistaError(Exception):
    """Something that the user can mend; its text is the whole message."""

    exit_code = 1


class UsageError(LanistaError):
    """A command was called wrongly (exit code 64, as in sysexits.h)."""

    exit_code = 64


class PluginError(LanistaError):
    """A plugin could not be loaded, or did not keep its contract."""


class RecipeError(LanistaError):
    """A recipe has an unknown key, plugin or unit, or a value out of range."""


class EnvContractError(LanistaError):
    """An env broke the VecEnv contract; the text names the field and what to change."""


class CheckpointError(LanistaError):
    """A run folder or checkpoint is missing, incomplete or damaged."""
