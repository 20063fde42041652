"""The fixed positions, and the ways in which a player is asked to choose in them."""

import numpy as np
import onnx
import pytest
from connectx_positions import make_position, read_positions
from connectx_quality import choices, report
from connectx_solver import Solver
from onnx import TensorProto, helper


@pytest.fixture(scope="module")
def positions():
    return read_positions()


def test_there_are_a_thousand_different_positions_of_8_to_33_stones(positions):
    boards = positions.boards()
    assert boards.shape == (1000, 42)
    stones = (boards != 0).sum(axis=1)
    assert sorted(set(stones.tolist())) == list(range(8, 34))
    assert np.bincount(stones)[8:].min() >= 38
    firsts = (boards == 1).sum(axis=1)
    assert (firsts == (stones + 1) // 2).all()
    grids = boards.reshape(-1, 6, 7)
    assert not ((grids[:, 1:] == 0) & (grids[:, :-1] != 0)).any()
    shapes = {min(grid.tobytes(), np.ascontiguousarray(grid[:, ::-1]).tobytes()) for grid in grids}
    assert len(shapes) == 1000


def test_each_has_a_move_that_keeps_the_value_and_one_that_does_not(positions):
    keeps, legal = positions.keeps(), positions.values != 2
    assert keeps.any(axis=1).all()
    assert (legal & ~keeps).any(axis=1).all()
    top = positions.boards().reshape(-1, 6, 7)[:, 0]
    assert np.array_equal(legal, top == 0)


def test_solving_late_positions_again_gives_the_stored_values(positions):
    solver = Solver(table_size=2**20 + 7)
    late = [index for index in range(1000) if len(positions.played(index)) >= 20]
    assert len(late) == 14 * 38
    for index in late[::9]:
        assert solver.values(positions.played(index)).tolist() == positions.values[index].tolist()


@pytest.mark.parametrize("index", [24, 25, 128, 999])
def test_a_position_is_made_again_from_its_number_alone(positions, index):
    moves, values = make_position(index, Solver(table_size=2**20 + 7), set())
    assert moves == positions.played(index)
    assert values.tolist() == positions.values[index].tolist()


ORDER = (6, 0, 5, 1, 4, 2, 3)


def first_legal(positions):
    """What a player chooses that takes the first legal column of ORDER."""
    ranks = np.where(positions.values != 2, np.argsort(ORDER), 99)
    return ranks.argmin(axis=1)


def test_an_archives_main_is_asked_as_the_platform_asks(positions, tmp_path):
    main = tmp_path / "main.py"
    main.write_text(
        f"""
def decoy(obs, config):
    raise RuntimeError("the last callable is the agent")
def agent(obs, config):
    assert obs["mark"] == sum(cell != 0 for cell in obs["board"]) % 2 + 1 and config["columns"] == 7
    return next(column for column in {ORDER} if obs["board"][column] == 0)
"""
    )
    assert np.array_equal(choices(str(main), positions), first_legal(positions))


def test_an_onnx_file_gets_planes_and_masks(positions, tmp_path):
    bonus = helper.make_tensor(
        "bonus", TensorProto.FLOAT, (1, 7), [-float(rank) for rank in np.argsort(ORDER)]
    )
    low = helper.make_tensor("low", TensorProto.FLOAT, (1,), [-1e9])
    graph = helper.make_graph(
        [helper.make_node("Where", ["legal_column", "bonus", "low"], ["logits_column"])],
        "first_legal",
        [
            helper.make_tensor_value_info("board", TensorProto.UINT8, ("B", 5, 6, 7)),
            helper.make_tensor_value_info("legal_column", TensorProto.BOOL, ("B", 7)),
        ],
        [helper.make_tensor_value_info("logits_column", TensorProto.FLOAT, ("B", 7))],
        [bonus, low],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, tmp_path / "policy.onnx")
    assert np.array_equal(choices(str(tmp_path / "policy.onnx"), positions), first_legal(positions))


def test_a_scripted_player_is_asked_and_search_beats_chance(positions):
    searched, drawn = choices("connectx_negamax", positions), choices("random", positions)
    keeps, rows = positions.keeps(), np.arange(1000)
    assert (positions.values[rows, searched] != 2).all()
    assert (positions.values[rows, drawn] != 2).all()
    assert keeps[rows, searched].mean() > 0.8
    assert keeps[rows, drawn].mean() < 0.45


def test_the_report_counts_the_moves_that_keep_the_value(positions, tmp_path):
    main = tmp_path / "main.py"
    main.write_text(f"def agent(obs):\n    return next(c for c in {ORDER} if obs['board'][c] == 0)\n")
    kept = positions.keeps()[np.arange(1000), first_legal(positions)].mean()
    row = report([str(main)], positions).splitlines()[2]
    assert row.startswith(f"| {main} | {kept:.3f} (")
