"""A policy made ready to be given away: its ONNX file, and a card that says what it is and how well it plays."""
