"""Symmetries of games: what an env declares, the group that follows, and what is done with it.

* `declared`: what an env's author writes (`Symmetry`, `Symmetries`), plain numpy functions;
* `group`: the tables of all elements that the declared ones generate;
* `rows`: rows of observations, masks and actions, each as one element shows them;
* `augmentation`: each seat of a game is trained on as one drawn element shows it;
* `averaging`: a policy that asks its network about a position as all elements show it.
"""

from lanista.symmetry.declared import Symmetries, Symmetry, SymmetryError

__all__ = ["Symmetries", "Symmetry", "SymmetryError"]
