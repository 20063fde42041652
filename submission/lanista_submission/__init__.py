"""See the README; hooks are below."""
