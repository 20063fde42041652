"""Play random games in the official connectx and write them down, for test_connectx_parity.py.

Run it with a Python that has kaggle-environments, from the checkout's root:

    PYTHON tests/envs/record_connectx_games.py tests/envs/connectx_games.npz

Each game takes its moves from its own seeded stream, so the same games come out every time. A quarter of them
end with a move on purpose illegal: a full column, or one outside the board.
"""

import random
import sys

import numpy as np

#: rows, columns, inarow, games
BOARDS = (
    (6, 7, 4, 900), (6, 7, 3, 150), (6, 7, 5, 150), (4, 5, 3, 150), (3, 3, 3, 150), (8, 9, 5, 100),
    (9, 6, 4, 100), (5, 4, 4, 100), (2, 8, 2, 50), (1, 9, 3, 50), (7, 1, 4, 50), (10, 12, 6, 40),
    (1, 1, 1, 5), (3, 4, 1, 5),
)  # fmt: skip


def play(make, rows, columns, inarow, seed):
    """Give (moves, last move is illegal, final board, rewards with None as 9)."""
    rng = random.Random(f"{rows} {columns} {inarow} {seed}")
    env = make("connectx", configuration={"rows": rows, "columns": columns, "inarow": inarow})
    env.reset()
    break_at = rng.randrange(1, 25) if rng.random() < 0.25 else None
    moves, illegal = [], False
    while not env.done:
        board = env.state[0].observation.board or [0] * (rows * columns)
        open_columns = [c for c in range(columns) if board[c] == 0]
        wrong_columns = [c for c in range(-1, columns + 1) if c not in open_columns]
        illegal = break_at is not None and len(moves) >= break_at
        moves.append(rng.choice(wrong_columns if illegal else open_columns))
        seat = 0 if env.state[0].status == "ACTIVE" else 1
        env.step([moves[-1] if s == seat else 0 for s in range(2)])
        if illegal != (env.state[seat].status not in {"ACTIVE", "INACTIVE", "DONE"}):
            raise AssertionError(
                f"game {seed} on {rows}x{columns}: move {moves} has {env.state[seat].status}"
            )
    rewards = [9 if state.reward is None else state.reward for state in env.state]
    return moves, illegal, env.state[0].observation.board, rewards


def record():
    """Give all games as a dictionary of arrays."""
    from kaggle_environments import make

    columns = {name: [] for name in ("boards", "length", "illegal", "reward", "moves", "final")}
    for rows, width, inarow, games in BOARDS:
        for seed in range(games):
            moves, illegal, board, rewards = play(make, rows, width, inarow, seed)
            columns["boards"].append((rows, width, inarow))
            columns["length"].append(len(moves))
            columns["illegal"].append(illegal)
            columns["reward"].append(rewards)
            columns["moves"].extend(moves)
            columns["final"].extend(board)
    return {
        "boards": np.array(columns["boards"], np.uint8), "length": np.array(columns["length"], np.uint8),
        "illegal": np.array(columns["illegal"], np.bool_), "reward": np.array(columns["reward"], np.int8),
        "moves": np.array(columns["moves"], np.int8), "final": np.array(columns["final"], np.uint8),
    }  # fmt: skip


if __name__ == "__main__":
    np.savez_compressed(sys.argv[1], **record())
