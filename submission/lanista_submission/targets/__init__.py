"""Submission targets: what a platform takes, and how an entry for it is made."""
