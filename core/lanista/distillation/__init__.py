"""From a teacher to a shipped student in one command: the recipe, the card, the frontier of several students."""
