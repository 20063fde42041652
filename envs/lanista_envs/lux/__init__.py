"""Lux AI Season 1: an exact engine for N games at a time, its codecs and its replays."""
