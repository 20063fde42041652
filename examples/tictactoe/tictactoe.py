"""Tic-tac-toe: the rules of one game, and the lines that make an env of them."""

import lanista

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


class Rules:
    name = "tictactoe"
    seats = 2
    actions = 9
    max_steps = 9

    def reset(self, rng):
        self.cells = [None] * 9
        self.turn = 0

    def acting(self):
        return self.turn

    def legal(self, seat):
        return [cell for cell in range(9) if self.cells[cell] is None]

    def observe(self, seat):
        return [[owner == seat for owner in self.cells], [owner == 1 - seat for owner in self.cells]]

    def step(self, actions):
        seat, self.turn = self.turn, 1 - self.turn
        self.cells[actions[seat]] = seat
        if any(all(self.cells[cell] == seat for cell in line) for line in LINES):
            return [1, -1] if seat == 0 else [-1, 1]
        return None if None in self.cells else [0, 0]

    def render(self):
        marks = [{0: "X", 1: "O", None: "."}[owner] for owner in self.cells]
        return "\n".join(" ".join(marks[row : row + 3]) for row in (0, 3, 6))


TicTacToe = lanista.one_game(Rules)


@lanista.hookimpl
def register_envs(register):
    register("tictactoe", ":TicTacToe", summary="three in a row")
