"""What runs in the judging environment's Python: kaggle_environments, numpy and the standard library, no lanista."""
