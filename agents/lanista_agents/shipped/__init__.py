"""Policies that come with lanista, a folder each: ONNX files and the card that says what they are and what they beat."""
