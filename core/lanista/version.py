"""The one place that states lanista's version."""

__version__ = "0.1.0"
