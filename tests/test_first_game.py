"""docs/your-first-game.md is walked as a newcomer would: its files in an empty folder, its commands one by one."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lanista.cli import main
from lanista.errors import EnvContractError
from lanista.testing import check_env

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "your-first-game.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "tictactoe"
#: a file's name in backquotes, then the block that it holds
FILES = re.compile(
    r"`(\w+\.(?:py|toml))`(?:(?!\n```)[^`])*?\n\n```(?:python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
COMMANDS = re.compile(r"^\$ (.*)$", re.MULTILINE)
#: what the page itself offers for a first look
SHORT = ["--set", "phases.play.until.steps=20000", "--set", "verify.min_win_rate.random=0.3"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with the page's files."""
    for name, text in FILES.findall(PAGE):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands() -> list[list[str]]:
    return [shlex.split(line.partition("   #")[0]) for line in COMMANDS.findall(PAGE)]


def run(words: list[str], capsys) -> str:
    """Run one command of the page and give what it printed."""
    if words[0] == "python":
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert words[0] == "lanista"
    assert main(words[1:]) == 0, (words, capsys.readouterr().err)
    return capsys.readouterr().out


def test_the_page_has_its_files_and_commands_and_the_example_is_the_same():
    files = dict(FILES.findall(PAGE))
    assert files.keys() == {"tictactoe.py", "check.py", "tictactoe.toml", "first_legal.py", "centre.py"}
    assert len(re.findall(r"^```(?:python|toml)$", PAGE, re.MULTILINE)) == len(files)
    assert len(commands()) >= 9
    for name in ("tictactoe.py", "tictactoe.toml"):
        assert (EXAMPLE / name).read_text(encoding="utf-8") == files[name]
        assert f"{len(files[name].splitlines())} lines of rules" in PAGE or name.endswith("toml")
    assert sum(len(files[name].splitlines()) for name in ("tictactoe.py", "tictactoe.toml")) <= 60


def test_the_flags_for_a_first_look_are_those_of_the_page():
    for change in SHORT[1::2]:
        assert f"--set {change}" in PAGE


def test_the_rules_are_sound_and_the_recipe_fits(folder, capsys):
    checks = [words for words in commands() if words[0] == "python" or "--check" in words]
    assert len(checks) == 2
    assert "outcome [ 1. -1.]" in run(checks[0], capsys)
    assert 'env = "tictactoe"' in run(checks[1], capsys).replace("use = ", "env = ")


def test_the_hand_written_agent_is_verified_as_the_page_says(folder, capsys):
    (words,) = [words for words in commands() if words[:3] == ["lanista", "verify", "first_legal.py"]]
    assert "ok: no technical fault" in run(words, capsys)


#: what to change in tictactoe.py to see each sentence of the table
MISTAKES = {
    "... though seed and actions": (
        "        self.turn = 0\n",
        "        self.turn = __import__('random').randrange(2)\n",
    ),
    "legal(0) gives no legal": (
        "    def reset(self, rng):\n        self.cells = [None] * 9\n",
        "    cells = [None] * 9\n\n    def reset(self, rng):\n",
    ),
    "legal(0) lists the action 1": (
        "[cell for cell in range(9) if self.cells[cell] is None]",
        "[int(cell is None) for cell in self.cells]",
    ),
    "observe(0) gives": (
        "return [[owner == seat",
        "return [cell for cell in self.cells if cell] + [0.0] or [[owner == seat",
    ),
    "step returns True": ("return [1, -1] if seat == 0 else [-1, 1]", "return True"),
    "acting() names no seat": ("return self.turn\n", "return self.turn if None in self.cells[2:] else []\n"),
}


def test_every_sentence_of_the_table_of_mistakes_is_what_one_sees(folder):
    quoted = re.findall(r"^\| `([^`]+)` \|", PAGE.partition("## 8.")[2], re.MULTILINE)
    own = [sentence for sentence in quoted if not sentence.startswith("no plugin")]
    assert [next((start for start in MISTAKES if one.startswith(start)), None) for one in own] == list(
        MISTAKES
    )
    rules = (folder / "tictactoe.py").read_text()
    for sentence, (old, new) in zip(own, MISTAKES.values(), strict=True):
        assert old in rules
        scope: dict[str, object] = {"__name__": "mistaken"}
        exec(rules.replace(old, new), scope)
        with pytest.raises(EnvContractError) as caught:
            check_env(scope["TicTacToe"])
        for piece in sentence.split("..."):
            assert piece.strip() in str(caught.value)


def test_a_forgotten_plugin_is_told_as_the_table_says(folder, capsys):
    assert "`no plugin offers env 'tictactoe'`" in PAGE
    assert main(["run", "tictactoe.toml", "--check"]) != 0
    assert "no plugin offers env 'tictactoe'" in capsys.readouterr().err


def test_a_class_that_was_not_made_an_env_is_told_so(folder, capsys):
    rules = (folder / "tictactoe.py").read_text().replace('":TicTacToe"', '":Rules"')
    (folder / "tictactoe.py").write_text(rules)
    assert main(["run", "tictactoe.toml", "--plugin", "tictactoe.py", "--out", "run"]) == 1
    told = capsys.readouterr().err
    assert "env 'tictactoe' of plugin tictactoe.py" in told
    assert "make an env of a class that plays one game by lanista.one_game" in told


@pytest.mark.slow
def test_the_short_walk_ends_in_a_verified_archive(folder, capsys):
    for words in commands():
        changed = [*words, *SHORT] if words[:2] == ["lanista", "run"] and "--check" not in words else words
        out = run(changed, capsys)
    assert "ok: no technical fault" in out


@pytest.mark.slow
def test_the_recipe_as_it_stands_is_strong(folder, capsys):
    """Seeds 0 to 2 lost 0, 1 and 1 of 2,000 games against random."""
    (words,) = [words for words in commands() if words[:2] == ["lanista", "run"] and "--out" in words]
    assert "ready: run/exported/submission.tar.gz" in run(words, capsys)
    told = run(
        ["lanista", "eval", "run", "--against", "random", "--games", "500", "--plugin", "tictactoe.py"],
        capsys,
    )
    score = re.search(r"random +1000 +\S+ +(\S+)", told)
    assert score is not None
    assert float(score[1]) >= 0.95
