import json
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lanista.errors import CheckpointError, LanistaError, RecipeError
from lanista.league import LEARNER, League, LeagueSettings, Member, read_report
from lanista.league.blocks import Block
from lanista.league.matchmaking import RecentScores
from lanista.matches import Tally
from lanista.plugins import Entry, NoSettings, Registry
from lanista.policy import PolicyCard, build_policy
from lanista.tables import resolved
from lanista_agents.settings import MlpSettings
from lanista_envs.connectx.env import ConnectX
from lanista_envs.connectx.settings import ConnectXSettings
from lanista_plugins.matchmakers.settings import PfspSettings

SMALL = ConnectXSettings(rows=4, columns=5, inarow=3)


class Drawing:
    """A scripted player that draws legal actions and counts its calls."""

    def __init__(self, env_spec, settings, seed):
        self.rng = np.random.default_rng(seed)

    def act(self, env, games, seats):
        noise = self.rng.random((len(games), env.spec.heads[0].size))
        return {"column": (noise * env.legal["column"][games, seats]).argmax(axis=1)}

    def state(self):
        return {"rng": np.frombuffer(json.dumps(self.rng.bit_generator.state).encode(), np.uint8)}

    def load_state(self, state):
        self.rng.bit_generator.state = json.loads(state["rng"].tobytes())


class Stranger:
    """A matchmaker that breaks its contract."""

    def __init__(self, settings):
        pass

    def choose(self, candidates, payoff, rng):
        return "nobody"


@pytest.fixture
def registry(monkeypatch):
    module = ModuleType("league_test_players")
    module.Drawing, module.Stranger = Drawing, Stranger
    monkeypatch.setitem(sys.modules, "league_test_players", module)
    registry = Registry()
    pick = "lanista_plugins.matchmakers.pick"
    for kind, name, target, settings, traits in (
        ("heads", "categorical", "lanista_agents.heads.categorical:Categorical", NoSettings, {}),
        ("networks", "mlp", "lanista_agents.networks.mlp:Mlp", MlpSettings, {}),
        ("players", "drawing", "league_test_players:Drawing", NoSettings, {}),
        ("players", "foreign", "league_test_players:Drawing", NoSettings, {"envs": ("chess", "go")}),
        ("matchmakers", "pfsp", f"{pick}:Pfsp", PfspSettings, {}),
        ("matchmakers", "uniform", f"{pick}:Uniform", NoSettings, {}),
        ("matchmakers", "latest", f"{pick}:Latest", NoSettings, {}),
        ("matchmakers", "stranger", "league_test_players:Stranger", NoSettings, {}),
    ):
        registry.add_all([Entry(kind, name, target, settings, "", "a test", traits)])
    return registry


def make_env(num_games):
    return ConnectX(num_games, SMALL)


def make_policy(registry, seed):
    torch.manual_seed(seed)
    card = PolicyCard(
        "connectx", SMALL.model_dump(), make_env(1).spec, "mlp", {"hidden": [8], "policy_gain": 1.0}
    )
    return build_policy(card, registry)


def make_league(folder, registry, **options):
    options.setdefault("opponents", {"latest": 0.25, "pool": 0.5, "bots": 0.25})
    options.setdefault("bots", ["drawing"])
    options.setdefault("pool_slots", 2)
    return League(folder, LeagueSettings(**options), registry, make_env(1).spec, seed=5)


# Settings


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"opponents": {"latest": 0.5, "pool": 0.2}},
            "latest = 0.5, pool = 0.2 and bots = 0 add up to 0.7; make it 1",
        ),
        (
            {"opponents": {"latest": 0.5, "bots": 0.5}},
            r"opponents.bots = 0.5 but the list `bots` is empty; name",
        ),
        ({"bots": ["drawing", "drawing"]}, "two bots are called 'drawing'; give one of them a name"),
        ({"bots": [{"use": "drawing", "name": "../up"}]}, "name"),
        ({"max_pool": 0}, "max_pool"),
        ({"shares": {}}, "shares"),
    ],
)
def test_settings_are_checked(wrong, sentence):
    with pytest.raises(ValidationError, match=sentence):
        LeagueSettings(**wrong)


def test_bots_of_one_plugin_go_by_their_names(tmp_path, registry):
    league = make_league(tmp_path, registry, bots=["drawing", {"use": "drawing", "name": "other"}])
    assert [member.name for member in league.members()] == [LEARNER, "drawing", "other"]
    with pytest.raises(RecipeError, match="no plugin offers player 'drowing'; did you mean 'drawing'"):
        make_league(tmp_path, registry, bots=["drowing"])
    with pytest.raises(RecipeError, match="player 'foreign' plays chess, go, not connectx; take it off"):
        make_league(tmp_path, registry, bots=["foreign"])
    with pytest.raises(LanistaError, match="two members of the league would be called 'learner'"):
        make_league(tmp_path, registry, bots=[{"use": "drawing", "name": LEARNER}])


def test_resolved_settings_read_back_the_same(registry):
    bots = [{"use": "drawing", "name": "other"}, "drawing"]
    settings = LeagueSettings(opponents={"latest": 0.5, "bots": 0.5}, bots=bots, gate={"games": 7})
    values = resolved(settings, registry)
    assert [bot["name"] for bot in values["bots"]] == ["other", None]
    assert values["matchmaker"] == {"use": "pfsp", **PfspSettings().model_dump()}
    again = LeagueSettings(**values)
    assert resolved(again, registry) == values
    assert [bot.member for bot in again.bots] == ["other", "drawing"]


def test_importing_it_loads_no_torch():
    code = "import lanista.league, sys; print({'torch', 'numba', 'scipy', 'onnx'} & sys.modules.keys())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"


# Blocks and slots


def test_blocks_are_contiguous_and_follow_the_shares(tmp_path, registry):
    bots = ["drawing", {"use": "drawing", "name": "other"}]
    league = make_league(tmp_path, registry, bots=bots)
    assert league.blocks(64) == (
        Block(0, 16, "latest", None, LEARNER),
        Block(16, 32, "pool", 0, None),
        Block(32, 48, "pool", 1, None),
        Block(48, 56, "bots", None, "drawing"),
        Block(56, 64, "bots", None, "other"),
    )


@pytest.mark.parametrize("num_games", [8, 9, 31, 100, 1001])
def test_blocks_cover_every_game_once(tmp_path, registry, num_games):
    shares = {"latest": 0.35, "pool": 0.45, "bots": 0.2}
    blocks = make_league(tmp_path, registry, opponents=shares, pool_slots=5).blocks(num_games)
    assert [game for block in blocks for game in range(block.start, block.stop)] == list(range(num_games))
    for kind, share in shares.items():
        games = sum(block.stop - block.start for block in blocks if block.kind == kind)
        assert abs(games - share * num_games) < 1
    assert all(block.stop > block.start for block in blocks)


def test_too_few_games_for_a_share_are_refused(tmp_path, registry):
    with pytest.raises(
        RecipeError, match=r"opponents.bots = 0.25 of num_games = 1 leaves 0 games for 1 opponent"
    ):
        make_league(tmp_path, registry, opponents={"pool": 0.75, "bots": 0.25}).blocks(1)


def test_a_slot_meets_the_learner_until_there_is_a_pool_and_then_redraws(tmp_path, registry):
    league = make_league(tmp_path, registry, matchmaker="latest", redraw_every=10)
    assert league.next_opponent(0, games=4) == LEARNER
    first = league.add_snapshot(make_policy(registry, 0), 100).name
    assert league.next_opponent(0, games=6) == first
    second = league.add_snapshot(make_policy(registry, 1), 200).name
    assert league.next_opponent(0, games=4) == first  # 10 games have begun with it: the next one redraws
    assert league.next_opponent(0) == second
    assert league.next_opponent(1) == second


def test_above_max_pool_the_oldest_leaves_and_stays_a_member(tmp_path, registry):
    league = make_league(tmp_path, registry, max_pool=2, matchmaker="uniform")
    names = [league.add_snapshot(make_policy(registry, step), step).name for step in (1, 2, 3)]
    assert {league.draw(0) for _ in range(40)} == set(names[1:])
    assert [m.name for m in league.members()] == [LEARNER, "drawing", *names]
    assert [m.parent for m in league.members()][2:] == [None, *names[:2]]


def test_a_matchmaker_that_chooses_a_stranger_is_named(tmp_path, registry):
    league = make_league(tmp_path, registry, matchmaker="stranger")
    league.add_snapshot(make_policy(registry, 0), 1)
    with pytest.raises(LanistaError, match="matchmaker 'stranger' chose 'nobody', which was not among"):
        league.draw(0)


# Members


def test_snapshots_fall_due_by_steps_and_have_names_of_their_own(tmp_path, registry):
    league = make_league(tmp_path, registry, snapshot_every=1000)
    assert not league.snapshot_due(999)
    assert league.snapshot_due(1000)
    league.add_snapshot(make_policy(registry, 0), 1000)
    assert not league.snapshot_due(1999)
    with pytest.raises(LanistaError, match="the league has a member 'step-0000001000' already"):
        league.add_snapshot(make_policy(registry, 0), 1000)
    with pytest.raises(LanistaError, match=r"member name '\.\./x' cannot be a folder's"):
        league.add_snapshot(make_policy(registry, 0), 1001, name="../x")
    with pytest.raises(
        LanistaError, match="the league has no member 'ghost'; there are: learner, drawing, step-"
    ):
        league.player("ghost")
    with pytest.raises(RecipeError, match="'learner' is the policy in training"):
        league.player(LEARNER)


@pytest.mark.parametrize("name", ["weights.safetensors", "policy.json"])
def test_a_damaged_snapshot_is_one_sentence(tmp_path, registry, name):
    league = make_league(tmp_path, registry)
    member = league.add_snapshot(make_policy(registry, 0), 7)
    path = tmp_path / "members" / member.name / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        CheckpointError, match=f"league member '{member.name}' is damaged: its files in .* have sha256"
    ):
        league.player(member.name)
    path.unlink()
    with pytest.raises(CheckpointError, match=f"league member '{member.name}': .* is incomplete"):
        league.player(member.name)


def test_a_snapshot_for_another_board_is_not_met_there(tmp_path, registry):
    league = make_league(tmp_path, registry, gate={})
    name = league.add_snapshot(make_policy(registry, 0), 7).name
    league.judge(name, make_env)
    league.next_opponent(1)
    other = League(tmp_path, league.settings, registry, ConnectX(1).spec, seed=5)
    other.load_state(*league.state())
    assert name in [member.name for member in other.members()]
    assert (other.next_opponent(1), other.best) == (LEARNER, None)
    with pytest.raises(
        CheckpointError, match="was made for another observation or other heads than connectx"
    ):
        other.player(name)


def test_the_next_phase_takes_the_league_over_with_bots_of_its_own(tmp_path, registry):
    league = make_league(tmp_path, registry, max_pool=3)
    names = [league.add_snapshot(make_policy(registry, step), step).name for step in (1, 2, 3)]
    league.record_games(["drawing"], np.array([0]), np.array([[1, -1]], np.float32))
    bots = ["drawing", {"use": "drawing", "name": "late"}]
    after = make_league(tmp_path, registry, bots=bots, max_pool=1, pool_slots=3, matchmaker="uniform")
    after.load_state(*league.state())
    assert [member.name for member in after.members()] == [LEARNER, "drawing", *names, "late"]
    assert after.payoff == league.payoff
    assert {after.draw(slot) for slot in (0, 1, 2) * 5} == {names[-1]}
    assert after.player("late") is not after.player("drawing")
    clash = make_league(tmp_path, registry, bots=[{"use": "drawing", "name": names[0]}])
    with pytest.raises(LanistaError, match=f"the league has met a '{names[0]}' with other settings before"):
        clash.load_state(*league.state())


def test_a_player_let_go_from_memory_goes_on_with_its_stream(tmp_path, registry, monkeypatch):
    env = make_env(6)
    env.reset(0)
    games, seats = np.arange(6), np.zeros(6, np.int64)

    def moves(room):
        monkeypatch.setattr("lanista.league.roster.Roster.ROOM", room)
        league = make_league(tmp_path / str(room), registry)
        names = [league.add_snapshot(make_policy(registry, step), step).name for step in range(3)]
        names = [*names, "drawing"]
        return [league.player(name).act(env, games, seats)["column"].tolist() for name in names * 4]

    roomy, cramped = moves(8), moves(1)
    assert roomy == cramped
    assert roomy[0:4] != roomy[4:8]  # the streams do go on


# Results


def test_games_are_counted_by_seat_and_draws_are_half(tmp_path, registry):
    league = make_league(tmp_path, registry)
    opponents = ["drawing", LEARNER, "drawing", "drawing"]
    outcomes = np.array([[1, -1], [1, -1], [1, -1], [0, 0]], np.float32)
    league.record_games(opponents, np.array([0, 0, 1, 1]), outcomes)
    payoff = league.payoff
    assert payoff.tally(LEARNER, "drawing", seat=0) == Tally(wins=1)
    assert payoff.tally(LEARNER, "drawing", seat=1) == Tally(draws=1, losses=1)
    assert payoff.tally(LEARNER, LEARNER, seat=0) == Tally(wins=1)
    rows = {row.member.name: row for row in league.table()}
    assert rows["drawing"].tally == Tally(1, 1, 1)
    assert (rows["drawing"].low, rows["drawing"].high) == rows["drawing"].tally.interval()
    league.record("drawing", LEARNER, 1, 0, 2.0)
    assert payoff.tally(LEARNER, "drawing", seat=0) == Tally(wins=1, losses=1)


def test_recent_scores_fade_and_keep_everyone_possible():
    recent = RecentScores(10)
    assert (recent.score("x"), recent.games("x")) == (0.5, 0.0)
    recent.add("x", np.ones(300, np.float32))
    assert 0.9 < recent.score("x") < 1.0
    assert recent.games("x") == pytest.approx(10.0, rel=1e-6)
    recent.add("x", np.zeros(20, np.float32))
    assert recent.score("x") < 0.25
    one_by_one = RecentScores(10)
    for points in [1.0] * 300 + [0.0] * 20:
        one_by_one.add("x", np.array([points], np.float32))
    assert one_by_one.score("x") == pytest.approx(recent.score("x"), abs=1e-12)


# The gate


def test_the_gate_names_the_best_and_leaves_training_streams_alone(tmp_path, registry):
    gate = {"games": 5, "at_least": 0.5, "confidence": 0.6}
    league = make_league(tmp_path, registry, gate=gate)
    assert make_league(tmp_path / "none", registry).judge(LEARNER, make_env) is None
    first = league.add_snapshot(make_policy(registry, 0), 1).name
    verdict = league.judge(first, make_env)
    assert verdict is not None
    assert (verdict.promoted, league.best) == (True, first)
    league.player(first)
    before = league.state()[1]
    second = league.add_snapshot(make_policy(registry, 1), 2).name
    verdict = league.judge(second, make_env)
    assert verdict.games == 10
    assert league.best == (second if verdict.promoted else first)
    tally = league.payoff.tally(second, first)
    assert tally.games == 10
    assert tally.share == verdict.score
    assert league.payoff.tally(second, first, seat=0).games == 5
    after = league.state()[1]
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    report = read_report_of(league)
    assert [gate["candidate"] for gate in report.gates] == [first, second]
    assert report.best == league.best


def read_report_of(league):
    league.write()
    return read_report(league.folder)


# Stop and resume


class Training:
    """What a run does with its league, with policies that do not learn: rollouts, snapshots, gates."""

    def __init__(self, folder, registry):
        self.registry = registry
        self.league = make_league(
            folder,
            registry,
            redraw_every=3,
            max_pool=3,
            gate={"games": 2, "at_least": 0.5, "confidence": 0.6},
        )
        self.env = make_env(16)
        self.env.reset(1)
        self.blocks = self.league.blocks(16)
        self.rng = np.random.default_rng(2)
        self.opponent = np.empty(16, dtype=object)
        for block in self.blocks:
            self.opponent[block.start : block.stop] = self.meet(block, block.stop - block.start)
        self.seat = np.arange(16) % 2
        self.rollouts = 0

    def meet(self, block, games):
        return block.member if block.slot is None else self.league.next_opponent(block.slot, games)

    def rollout(self):
        ended = []
        for _ in range(12):
            action = {"column": np.zeros((16, 2), np.int64)}
            for name in dict.fromkeys(self.opponent.tolist()):
                theirs = self.env.acting & (self.opponent == name)[:, None]
                if name != LEARNER:
                    theirs = theirs & (np.arange(2) != self.seat[:, None])
                    games, seats = np.nonzero(theirs)
                    if games.size:
                        action["column"][games, seats] = self.league.player(name).act(self.env, games, seats)[
                            "column"
                        ]
                        theirs[:] = self.env.acting & (self.opponent == name)[:, None] & ~theirs
                games, seats = np.nonzero(theirs)
                noise = self.rng.random((len(games), 5)) * self.env.legal["column"][games, seats]
                action["column"][games, seats] = noise.argmax(axis=1)
            self.env.step(action)
            over = np.flatnonzero(self.env.ended)
            ended += [(self.opponent[game], self.seat[game], self.env.outcome[game].copy()) for game in over]
            for block in self.blocks:
                begun = over[(over >= block.start) & (over < block.stop)]
                if begun.size:
                    self.opponent[begun] = self.meet(block, len(begun))
            self.seat[over] = 1 - self.seat[over]
        names, seats, outcomes = zip(*ended, strict=True)
        self.league.record_games(names, np.array(seats), np.array(outcomes))
        self.rollouts += 1
        member = self.league.add_snapshot(make_policy(self.registry, self.rollouts), self.rollouts * 100)
        self.league.judge(member.name, make_env)

    def state(self):
        values, arrays = self.league.state()
        own = {
            "rng": self.rng.bit_generator.state,
            "opponent": self.opponent.tolist(),
            "seat": self.seat.tolist(),
        }
        return json.dumps([values, own, self.rollouts]), arrays, self.env.save()

    def load_state(self, text, arrays, env):
        values, own, self.rollouts = json.loads(text)
        self.league.load_state(values, arrays)
        self.rng.bit_generator.state = own["rng"]
        self.opponent[:] = own["opponent"]
        self.seat[:] = own["seat"]
        self.env.load(env)


@pytest.mark.parametrize("stop", [1, 2, 4])
def test_a_stop_anywhere_and_resume_gives_the_same_tables(tmp_path, registry, stop, monkeypatch):
    monkeypatch.setattr("lanista.league.roster.Roster.ROOM", 2)
    whole = Training(tmp_path / "whole", registry)
    for _ in range(5):
        whole.rollout()
    stopped = Training(tmp_path / "stopped", registry)
    for _ in range(stop):
        stopped.rollout()
    kept = stopped.state()
    stopped.rollout()  # what happened after the checkpoint is lost, its files are not
    resumed = Training(tmp_path / "stopped", registry)
    resumed.load_state(*kept)
    while resumed.rollouts < 5:
        resumed.rollout()
    told, arrays, _ = resumed.state()
    expected, expected_arrays, _ = whole.state()
    assert told == expected
    assert arrays.keys() == expected_arrays.keys()
    assert all(np.array_equal(arrays[name], expected_arrays[name]) for name in arrays)
    assert resumed.league.payoff == whole.league.payoff
    assert resumed.league.table() == whole.league.table()
    assert len(resumed.league.report().gates) == 5
    assert resumed.league.payoff.against_all(LEARNER).games > 20


def test_resume_refuses_a_league_folder_of_another_run(tmp_path, registry):
    league = make_league(tmp_path / "a", registry)
    league.add_snapshot(make_policy(registry, 0), 1)
    values, arrays = league.state()
    other = make_league(tmp_path / "b", registry)
    with pytest.raises(
        CheckpointError, match=r"league member 'step-0000000001': .*member\.json cannot be read"
    ):
        other.load_state(values, arrays)
    make_league(tmp_path / "b", registry).add_snapshot(make_policy(registry, 9), 1)
    with pytest.raises(
        CheckpointError, match=r"league member 'step-0000000001' on disk \(sha256 .* is not that of"
    ):
        other.load_state(values, arrays)


def test_the_report_on_disk_is_the_leagues(tmp_path, registry):
    league = make_league(tmp_path, registry)
    with pytest.raises(
        CheckpointError, match=r"holds no league: league.json is missing; name a run that trains"
    ):
        read_report(tmp_path)
    league.add_snapshot(make_policy(registry, 0), 1)
    league.record_games(["drawing"], np.array([0]), np.array([[1, -1]], np.float32))
    report = read_report_of(league)
    assert report == league.report()
    assert report.members[0] == Member(LEARNER, "learning")
    (tmp_path / "league.json").write_text('{"format": 9}')
    with pytest.raises(CheckpointError, match="has format 9, this version reads 1"):
        read_report(tmp_path)
    (tmp_path / "league.json").write_text('{"format"')
    with pytest.raises(CheckpointError, match=r"cannot be read .* resume the run"):
        read_report(tmp_path)
