"""Archives made on the spot, and the judge to play them."""

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import onnx
import pytest

from lanista.judge import Judge, NoJudgeError, find_judge
from lanista.policy import Policy
from lanista_submission.export import policy as export
from lanista_submission.export.graph import content_hash
from lanista_submission.verify.profile import TargetProfile, own_profiles


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A verification keeps a faulty game's replay in the current folder: let that be the test's own."""
    monkeypatch.chdir(tmp_path)


_traced: dict[str, bytes] = {}


@pytest.fixture(autouse=True)
def traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal policies give equal graphs (test_export.py holds that), so each is traced once in a process."""
    trace = export.export_model

    def kept(policy: Policy) -> onnx.ModelProto:
        key = content_hash(policy)
        if key not in _traced:
            _traced[key] = trace(policy).SerializeToString()
        return onnx.load_from_string(_traced[key])

    monkeypatch.setattr(export, "export_model", kept)


#: leaves no doubt that it is the agent, and plays legal moves, the middle first
GOOD = """
def agent(observation, configuration):
    columns = configuration.columns
    order = sorted(range(columns), key=lambda column: abs(column - columns // 2))
    return next(column for column in order if observation.board[column] == 0)
"""

#: three seats at once, two decisions, a setting; the higher bid wins
BIDS = """
    import lanista
    from pydantic import BaseModel, ConfigDict

    class BidSettings(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")
        most: int = 4

    class Bids:
        seats, max_steps = 3, 1

        def __init__(self, settings=None):
            self.settings = settings or BidSettings()
            self.actions = {"bid": self.settings.most, "colour": 2}

        def reset(self, rng):
            self.bids = [0, 0, 0]

        def acting(self):
            return [0, 1, 2]

        def legal(self, seat):
            return {"bid": range(self.settings.most), "colour": [False, True]}

        def observe(self, seat):
            return {"bids": [bid / 4 for bid in self.bids], "own": [seat]}

        def step(self, actions):
            self.bids = [actions[seat]["bid"] for seat in range(3)]
            return [1 if bid == max(self.bids) else -1 for bid in self.bids]

    Env = lanista.one_game(Bids)

    @lanista.hookimpl
    def register_envs(register):
        register("bids", ":Env", settings=BidSettings, summary="the higher bid wins")

    @lanista.hookimpl
    def register_players(register):
        register("miser", ":Miser", summary="bids nothing", envs=("bids",))

    class Miser:
        def __init__(self, spec, settings, seed): ...
        def act(self, env, games, seats):
            return {"bid": seats * 0, "colour": seats * 0 + 1}
        def state(self):
            return {}
        def load_state(self, state): ...
"""

Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Write a tar.gz: names to text, bytes or a ready `TarInfo`; a plain text is main.py."""

    def write(
        contents: str | Mapping[str, str | bytes | tarfile.TarInfo], name: str = "submission.tar.gz"
    ) -> Path:
        path = tmp_path / name
        entries = {"main.py": contents} if isinstance(contents, str) else contents
        with tarfile.open(path, "w:gz") as tar:
            for entry, content in entries.items():
                if isinstance(content, tarfile.TarInfo):
                    tar.addfile(content, io.BytesIO(bytes(content.size)))
                    continue
                raw = content.encode() if isinstance(content, str) else content
                member = tarfile.TarInfo(entry)
                member.size = len(raw)
                tar.addfile(member, io.BytesIO(raw))
        return path

    return write


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The judging environment; without one the tests that play are skipped with its own words."""
    try:
        return find_judge(("torch", "scipy"))
    except NoJudgeError as error:
        pytest.skip(str(error))


@pytest.fixture
def small_profile() -> TargetProfile:
    """Connect X on a 5 x 4 board against `random` only, with little time: a game takes a moment."""
    profile = own_profiles()["kaggle:connectx"]
    small = {"columns": 5, "rows": 4, "inarow": 3}
    return profile.model_copy(update={"opponents": ("random",), "configuration": small})
