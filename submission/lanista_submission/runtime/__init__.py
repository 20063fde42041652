"""What an exported policy runs on: numpy and the standard library.

The modules of `PORTABLE` are copied into bundles as they are; `plan` and `onnx_graph`, which compile ONNX for
them, stay here.
"""

#: the modules that go into a bundle
PORTABLE = (
    "activations",
    "clock",
    "convolution",
    "execute",
    "operators",
    "packed",
    "play",
    "scattering",
    "symmetric",
    "unit_choices",
    "views",
)
