"""Distillation losses: how far a student is from its teacher on the same rows."""
