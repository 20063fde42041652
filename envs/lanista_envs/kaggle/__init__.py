"""Any game of kaggle-environments as a `VecEnv`, played by child processes of the judging environment."""
