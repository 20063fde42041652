"""`lanista watch`: official replays and our own recordings become pages that stand alone and cannot be broken."""

import copy
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanista.cli import main
from lanista.viewer.page import embed_json, make_page
from lanista.viewer.recording import GameRecorder, Recording, RecordingError, read_json, take_apart
from lanista_envs.connectx import viewer as connectx_viewer
from lanista_envs.connectx.env import ConnectX
from lanista_envs.lux import viewer as lux_viewer
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.games import MIN_SIDE
from lanista_envs.lux.state import MAX_SIDE
from lanista_envs.lux.updates import write_updates

HERE = Path(__file__).parent


class Page(HTMLParser):
    """The tags of a page, and what stands in its element `game`."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.game, self.inside = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = dict(attributes).get("id") == "game"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.game += data


def replay(name):
    return json.loads(gzip.decompress((HERE / f"{name}_replay.json.gz").read_bytes()))


def test_connectx_replay_is_shown_move_by_move(tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["watch", str(HERE / "connectx_replay.json.gz"), "--out", str(page)]) == 0
    assert "8 frames of connectx" in capsys.readouterr().out
    game = json.loads(Page(page.read_text("utf-8")).game)
    official = [step[0]["observation"]["board"] for step in replay("connectx")["steps"]]
    assert game["frames"] == official
    assert game["result"] == "seat 0 wins"
    assert [sum(stone > 0 for stone in frame) for frame in game["frames"]] == list(range(8))


def test_lux_replay_becomes_a_page(tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["watch", str(HERE / "lux_replay.json.gz"), "--out", str(page)]) == 0
    assert "361 frames of lux_s1" in capsys.readouterr().out
    game = json.loads(Page(page.read_text("utf-8")).game)
    assert game["env"] == "lux_s1"
    assert len(game["frames"]) == 361


def test_lux_replay_is_shown_turn_by_turn():
    record = replay("lux")
    shown = lux_viewer.read_replay(record)
    assert len(shown.frames) == 361
    assert shown.settings["width"] == shown.settings["height"] == 12
    for step, frame in zip(record["steps"], shown.frames, strict=True):
        lines = step[0]["observation"]["updates"]
        words = [line.split() for line in lines]
        by = {
            kind: [word for word in words if word[0] == kind] for kind in ("r", "u", "c", "ct", "ccd", "rp")
        }
        assert len(frame["resources"]) == 3 * len(by["r"])
        assert sum(frame["resources"][2::3]) == sum(int(word[4]) for word in by["r"])
        assert frame["units"][2::8] == [int(word[3][2:]) for word in by["u"]]
        assert frame["units"][4::8] == [round(float(word[6]) * 4) for word in by["u"]]
        assert frame["cities"][2::5] == [int(word[3]) for word in by["c"]]
        assert sorted(frame["tiles"][0::4]) == sorted(int(word[4]) * 12 + int(word[3]) for word in by["ct"])
        assert sum(frame["tiles"][3::4]) == sum(int(word[5]) for word in by["ct"])
        assert len(frame["roads"]) == 2 * (len(by["ccd"]) - len(by["ct"]))
        assert [score[0] for score in frame["score"]] == [int(word[2]) for word in by["rp"]]
        assert [score[1] for score in frame["score"]] == [
            sum(word[2] == str(team) for word in by["u"]) for team in range(2)
        ]


@pytest.mark.parametrize(("name", "viewer"), [("connectx", connectx_viewer), ("lux", lux_viewer)])
def test_page_stands_alone(name, viewer):
    text = make_page(viewer.read_replay(replay(name)), viewer.SCRIPT)
    page = Page(text)
    assert not [tag for tag, attributes in page.tags for key in attributes if key.startswith("on")]
    assert not [tag for tag, attributes in page.tags if {"src", "href", "action"} & attributes.keys()]
    assert "http:" not in text
    assert "https:" not in text
    assert "{{" not in text.partition('id="game"')[0]
    assert "default-src 'none'" in text
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 3


nasty = st.text(st.sampled_from("<>&\u2028\u2029'\"/\\scriptSCRIPT!-{}\ud800é")) | st.sampled_from(
    ["</script>", "<!--", "]]>", "{{game}}", "{{title}}", "<img src=x>", "&lt;"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(nasty, min_size=4, max_size=4))
def test_no_text_breaks_out_of_the_page(texts):
    title, first, second, result = texts
    recording = Recording(
        "connectx", title, [first, second], {"rows": 1, "columns": 1, "inarow": 1}, [[0]], result
    )
    text = make_page(recording, "")
    page = Page(text)
    assert json.loads(page.game) == recording.to_json()
    assert not set("<>&\u2028\u2029") & set(embed_json(recording.to_json()))
    assert [tag for tag, _ in page.tags] == [
        tag for tag, _ in Page(make_page(Recording("connectx", "", ["", ""], {}, [[0]]), "")).tags
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_own_recording_goes_to_a_file_and_back(tmp_path, packed):
    env = ConnectX(2)
    env.reset(0)
    recorder = GameRecorder(connectx_viewer, env, 1, ["left", "right"])
    rng = np.random.default_rng(3)
    while recorder.note():
        choices = [rng.choice(np.flatnonzero(legal)) for legal in env.legal["column"].any(axis=1)]
        env.step({"column": np.repeat(np.array(choices)[:, None], 2, axis=1)})
    recording = recorder.recording()
    assert recording.result in ("left wins", "right wins", "draw")
    file = tmp_path / ("game.json.gz" if packed else "game.json")
    recording.write(file)
    assert take_apart(read_json(file)) == recording
    assert main(["watch", str(file)]) == 0
    game = json.loads(Page((tmp_path / "game.html").read_text("utf-8")).game)
    assert game == recording.to_json()
    assert not recorder.note()


def test_frame_of_a_running_lux_game_is_that_of_its_updates():
    env = LuxS1(3)
    env.reset(11)
    for _ in range(5):
        env.step({"orders": np.array([legal.nonzero()[0][-1] for legal in env.unit_legal])})
    frame = lux_viewer.frame_of(env, 2)
    seats = [{"observation": {"updates": ["0", "12 12", *write_updates(2, env.board, env.games)]}}, {}]
    again = lux_viewer.read_replay({"steps": [seats]}).frames[0]
    # A replay read at its first step takes the turn for 0, and a tile's wait is counted in turns.
    assert {**again, "tiles": None} == {**frame, "tiles": None}
    assert lux_viewer.settings_of(env)["width"] == 12


def change_lux(record, what):
    record = copy.deepcopy(record)
    if what == "no steps":
        del record["steps"]
    elif what == "no updates":
        record["steps"][3][0]["observation"]["updates"] = None
    elif what == "size":
        record["steps"][0][0]["observation"]["updates"][1] = "5000 5000"
    elif what == "line":
        record["steps"][7][0]["observation"]["updates"][0] = "rp 0 x"
    return record


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("no steps", "it has no steps"),
        ("no updates", "step 3 has no updates in seat 0's observation"),
        ("size", f"its board is 5000 x 5000; sides go from {MIN_SIDE} to {MAX_SIDE}"),
        ("line", "step 7: line 'rp 0 x': it is malformed"),
    ],
)
def test_malformed_lux_replay_is_one_sentence(what, says):
    with pytest.raises(RecordingError, match=re.escape(says)):
        lux_viewer.read_replay(change_lux(replay("lux"), what))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "cannot be read as JSON, plain or gzip"),
        (b"\x1f\x8bnothing", "cannot be read as JSON, plain or gzip"),
        (b"[1]", "holds a list; a recorded game is a JSON object"),
        (b"{}", "is neither a recorded game (format 'lanista-game/1') nor a Kaggle replay"),
        (b'{"name": "chess"}', "is no game of 'chess' that can be shown: it has no steps"),
        (
            b'{"format": "lanista-game/1", "env": "chess", "title": "", "settings": {}, "seats": ["a"], '
            b'"result": "", "frames": [1]}',
            "is a game of 'chess', and no env of that name is offered",
        ),
        (b'{"format": "lanista-game/1", "env": "connectx"}', "its title must be a JSON str, found nothing"),
        (b'{"name": "connectx", "steps": [1], "configuration": {"rows": 0}}', "its rows is '0'"),
        (b'{"name": "connectx", "steps": [1], "configuration": {}}', "step 0 has no board of 42 cells"),
    ],
)
def test_unreadable_file_is_one_sentence(tmp_path, capsys, content, says):
    file = tmp_path / "game.json"
    file.write_bytes(content)
    assert main(["watch", str(file)]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_page_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    out = tmp_path / "nowhere" / "page.html"
    assert main(["watch", str(HERE / "connectx_replay.json.gz"), "--out", str(out)]) == 64
    assert "cannot be written: No such file or directory; choose another --out" in capsys.readouterr().err


def test_frames_that_are_no_json_are_refused(tmp_path, capsys):
    file = tmp_path / "game.json"
    record = Recording("connectx", "t", ["a", "b"], {}, [[float("nan")]]).to_json()
    file.write_text(json.dumps(record))
    assert main(["watch", str(file)]) == 2
    assert "cannot be shown by the viewer of connectx" in capsys.readouterr().err


def test_renderer_may_not_end_its_own_element():
    with pytest.raises(ValueError, match="must not hold '</script'"):
        make_page(Recording("x", "", [], {}, [0]), "let a = '</SCRIPT>'")
