"""What can go wrong between a policy and an archive; each is one sentence for the user."""

from lanista.errors import LanistaError


class ExportError(LanistaError):
    """A policy cannot leave as ONNX, or what left does not compute what the policy computes."""


class PackError(LanistaError):
    """An archive cannot be built for this target."""
