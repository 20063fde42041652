"""What an exported policy runs on: numpy and the standard library.

`execute`, `operators`, `convolution`, `clock` and `play` are copied into bundles as they are; `plan`, which
compiles ONNX for them, stays here.
"""

#: the modules that go into a bundle
PORTABLE = ("clock", "convolution", "execute", "operators", "play")
