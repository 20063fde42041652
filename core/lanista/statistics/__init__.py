"""Statistics of a few seeds, by the definitions of Agarwal et al. 2021 (their library: rliable), one file an idea.

Scores are ``[R, K]``: R runs (seeds) of each of K tasks. Most calls here have one task. "Deep Reinforcement Learning
at the Edge of the Statistical Precipice", NeurIPS 2021.
"""
