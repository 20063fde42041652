"""Phase kinds: `train` learns by playing, `distill` teaches a student."""
