import json

import numpy as np
import pytest

from lanista.checkpoint import checkpoint_numbers, read_newest, write_checkpoint
from lanista.errors import CheckpointError


def write(folder, number: int) -> None:
    write_checkpoint(folder, number, {"number": number}, {"a": np.full(50, number, np.float32)})


def test_the_newest_is_read_back_and_two_are_kept(tmp_path) -> None:
    for number in (1, 2, 3):
        write(tmp_path, number)
    assert checkpoint_numbers(tmp_path) == [2, 3]
    number, values, arrays, faults = read_newest(tmp_path)
    assert (number, values, faults) == (3, {"number": 3}, [])
    assert (arrays["a"] == 3).all()


def test_no_checkpoint_is_no_error(tmp_path) -> None:
    assert read_newest(tmp_path / "none") is None


@pytest.mark.parametrize("file", ["arrays.safetensors", "values.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["bit", "cut", "gone"])
def test_a_damaged_newest_falls_back_to_the_one_before_and_says_so(tmp_path, file: str, damage: str) -> None:
    write(tmp_path, 1)
    write(tmp_path, 2)
    path = tmp_path / "00000002" / file
    content = bytearray(path.read_bytes())
    if damage == "bit":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    number, values, _, faults = read_newest(tmp_path)
    assert (number, values) == (1, {"number": 1})
    assert len(faults) == 1
    assert "00000002" in faults[0]


def test_every_bit_of_the_payload_is_guarded(tmp_path) -> None:
    write(tmp_path, 1)
    path = tmp_path / "00000001" / "arrays.safetensors"
    clean = path.read_bytes()
    for place in range(0, len(clean), 7):
        content = bytearray(clean)
        content[place] ^= 1 << (place % 8)
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="does not match its sha256"):
            read_newest(tmp_path)


def test_all_damaged_is_an_error_not_a_fresh_start(tmp_path) -> None:
    write(tmp_path, 1)
    (tmp_path / "00000001" / "manifest.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"no checkpoint .* can be read"):
        read_newest(tmp_path)


def test_a_newer_format_is_named(tmp_path) -> None:
    write(tmp_path, 1)
    path = tmp_path / "00000001" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(CheckpointError, match="format 99"):
        read_newest(tmp_path)


def test_leftovers_beside_checkpoints_are_passed_over(tmp_path) -> None:
    write(tmp_path, 1)
    (tmp_path / ".writing-999").mkdir()
    (tmp_path / "zzz_temp").mkdir()
    (tmp_path / "00000009.tmp").write_text("x")
    assert read_newest(tmp_path)[0] == 1


def test_a_death_before_any_file_operation_loses_nothing(tmp_path, monkeypatch) -> None:
    """Stop a save before its k-th flush or rename, for every k: an older or the new checkpoint must load."""
    import os
    from pathlib import Path

    class Died(BaseException):
        pass

    reached = 0
    for k in range(40):
        folder = tmp_path / str(k)
        write(folder, 1)
        write(folder, 2)
        count = 0

        def dying(real):
            def operation(*args, **kwargs):
                nonlocal count
                count += 1
                if count > k:  # noqa: B023 - called within this turn of the loop
                    raise Died
                return real(*args, **kwargs)

            return operation

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", dying(os.fsync))
            patch.setattr(Path, "replace", dying(Path.replace))
            patch.setattr(Path, "mkdir", dying(Path.mkdir))
            try:
                write(folder, 3)
                survived = True
            except Died:
                survived = False
        assert read_newest(folder)[0] in ((3,) if survived else (2, 3))
        reached = k
        if survived:
            break
    assert reached >= 5


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (2, 3)])
def test_every_shape_comes_back_as_it_was(tmp_path, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    write_checkpoint(tmp_path, 1, {}, {"a": array, "b": array.T})
    _, _, arrays, _ = read_newest(tmp_path)
    assert arrays["a"].shape == shape
    assert np.array_equal(arrays["a"], array)
    assert arrays["b"].shape == shape[::-1]
    assert np.array_equal(arrays["b"], array.T)
