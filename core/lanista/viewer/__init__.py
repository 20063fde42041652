"""Recorded games as pages: one small format for any env, one page shell, a renderer from each env."""
