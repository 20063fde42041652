"""The commands of this package; each file has `attach(app)` and imports what is heavy inside its command."""
