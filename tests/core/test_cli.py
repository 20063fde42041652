"""The command line: options that stand anywhere, one sentence an error, exit codes, plain output."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lanista.cli import main
from lanista.cli.app import CommandLine
from lanista.errors import UsageError

FAULTY = """
    import lanista
    import typer
    from lanista.errors import RecipeError

    @lanista.hookimpl
    def register_commands(app):
        app.command("fail")(fail)

    def fail(how: str):
        '''Fail in a way of your choice.'''
        if how == "known":
            raise RecipeError("the sky is green; paint it")
        if how == "interrupt":
            raise KeyboardInterrupt
        if how == "exit":
            raise typer.Exit(7)
        if how == "sys":
            raise SystemExit(9)
        if how == "none":
            return None
        raise RuntimeError("the sky\\nfell")
"""

OFFERING = """
    import lanista

    @lanista.hookimpl
    def register_shapers(register):
        register("mine", ":make")

    def make(): ...
"""


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_options_of_every_command_stand_anywhere(place):
    words = ["recipes", "show"]
    argv = [*words[:place], "--plugin", "a.py", "--debug", "--plugin=b.py", *words[place:]]
    assert CommandLine.split(argv) == CommandLine(words, ["a.py", "b.py"], True)


def test_nothing_is_taken_after_a_double_dash():
    assert CommandLine.split(["run", "--", "--debug", "--plugin"]).words == [
        "run",
        "--",
        "--debug",
        "--plugin",
    ]


def test_a_plugin_option_without_a_file_is_wrong_usage(capsys):
    with pytest.raises(UsageError):
        CommandLine.split(["plugins", "--plugin"])
    assert main(["plugins", "--plugin"]) == 64
    assert capsys.readouterr().err == (
        "lanista: --plugin takes a file, and none was given; write --plugin FILE.py\n"
    )


@pytest.mark.parametrize(
    ("how", "code", "told"),
    [
        ("known", 1, "lanista: the sky is green; paint it\n"),
        ("interrupt", 130, ""),
        ("exit", 7, ""),
        ("sys", 9, ""),
        ("none", 0, ""),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(how, code, told, make_file, capsys):
    assert main(["fail", how, "--plugin", str(make_file("faulty.py", FAULTY))]) == code
    assert capsys.readouterr().err == told


def test_what_a_plugin_raises_is_told_with_its_name_and_its_line(make_file, capsys):
    file = make_file("faulty.py", FAULTY)
    line = next(
        n
        for n, text in enumerate(file.read_text().splitlines(), 1)
        if "sky fell" in text or "RuntimeError" in text
    )
    assert main(["fail", "boom", "--plugin", str(file)]) == 1
    assert capsys.readouterr().err == (
        f"lanista: plugin faulty.py: fail raised RuntimeError: the sky fell ({file}, line {line}); mend that line, or "
        "run again with --debug to see more\n"
    )


def test_what_is_raised_elsewhere_is_a_fault_of_ours(monkeypatch, capsys):
    def fall(*given):
        raise RuntimeError("the sky fell")

    monkeypatch.setattr("lanista.cli.app.build_app", fall)
    assert main(["recipes"]) == 70
    assert capsys.readouterr().err == (
        "lanista: this is a fault in lanista or in a plugin: RuntimeError: the sky fell; "
        "run again with --debug to see where\n"
    )


@pytest.mark.parametrize(("how", "code"), [("known", 1), ("boom", 1)])
def test_debug_shows_the_traceback(how, code, make_file, capsys):
    assert main(["--debug", "fail", how, "--plugin", str(make_file("faulty.py", FAULTY))]) == code
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert "faulty.py" in told


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["plugns"], "lanista: No such command 'plugns'. Did you mean 'plugins'? See `lanista --help`\n"),
        (["zzz"], "lanista: No such command 'zzz'; there are: run, resume, distill, eval, "),
        (
            ["plugins", "--jsn"],
            "lanista: No such option: --jsn (Possible options: --json). See `lanista plugins ",
        ),
        (["recipes", "show"], "lanista: Missing argument 'name'. See `lanista recipes show --help`\n"),
        (
            ["recipes", "shw", "x"],
            "lanista: No such command 'shw'. Did you mean 'show'? See `lanista recipes --",
        ),
    ],
)
def test_wrong_usage_is_64_and_says_where_to_read(argv, told, capsys):
    assert main(argv) == 64
    captured = capsys.readouterr()
    assert captured.err.lower().startswith(told.lower())
    assert captured.out == ""


def test_no_words_show_the_help(capsys):
    assert main([]) == 0
    bare = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == bare
    for command in ("run", "resume", "plugins", "recipes"):
        assert f"\n  {command} " in bare


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "lanista 0.1.0\n"


def test_every_commands_help_names_the_options_of_all(capsys):
    import typer

    from lanista.cli.app import build_app
    from lanista.plugins import load_plugins

    def leaves(command, path):
        inner = getattr(command, "commands", {})
        yield path
        for name, deeper in inner.items():
            yield from leaves(deeper, [*path, name])

    paths = list(leaves(typer.main.get_command(build_app(load_plugins())), []))
    assert len(paths) >= 7
    for path in paths:
        assert main([*path, "--help"]) == 0
        text = capsys.readouterr().out
        assert "--plugin FILE.py" in text, path
        assert "--debug" in text, path
        assert "Example" in text or path == [], path
        assert "\x1b" not in text


def test_plugins_says_what_each_offers(make_file, capsys):
    file = make_file("shaper.py", OFFERING)
    assert main(["plugins", "--plugin", str(file)]) == 0
    text = capsys.readouterr().out
    assert f"shaper.py  from {file}\n  shapers: mine\n" in text
    assert "envs  from lanista 0.1.0\n  envs: " in text


def test_plugins_says_why_one_is_broken_and_exits_1(make_file, capsys):
    good, bad = make_file("shaper.py", OFFERING), make_file("bad.py", "x = 1\nx.y")
    argv = ["plugins", "--plugin", str(bad), "--plugin", str(good)]
    assert main(argv) == 1
    text = capsys.readouterr().out
    assert f"broken: {bad}, line 2: AttributeError: 'int' object has no attribute 'y'" in text
    assert "shapers: mine" in text
    assert main([*argv, "--json"]) == 1
    captured = capsys.readouterr()
    rows = {row["name"]: row for row in json.loads(captured.out)}
    assert captured.err == ""
    assert rows["shaper.py"]["offers"] == {"shapers": ["mine"]}
    assert (rows["bad.py"]["state"], rows["bad.py"]["offers"]) == ("broken", {})
    assert rows["bad.py"]["problem"] == {
        "stage": "import",
        "file": str(bad),
        "line": 2,
        "cause": "AttributeError: 'int' object has no attribute 'y'",
    }


def test_a_blocked_plugin_is_listed_as_blocked(monkeypatch, capsys):
    monkeypatch.setenv("LANISTA_PLUGINS_OFF", "submission,sumbission")
    assert main(["plugins"]) == 0
    captured = capsys.readouterr()
    assert "submission  from lanista 0.1.0\n  blocked by LANISTA_PLUGINS_OFF\n" in captured.out
    assert "'sumbission'" in captured.err


def test_a_broken_file_stops_every_other_command(make_file, capsys):
    bad = make_file("bad.py", "x = 1\nx.y")
    assert main(["recipes", "--plugin", str(bad)]) == 1
    captured = capsys.readouterr()
    assert captured.err == (
        f"lanista: plugin bad.py cannot be used: {bad}, line 2: "
        f"AttributeError: 'int' object has no attribute 'y'\n"
    )
    assert captured.out == ""


def test_a_broken_distribution_is_told_and_left_out(make_distribution, capsys):
    make_distribution("bad", "bad", "import sys; sys.exit(0)", version="3.1")
    assert main(["recipes"]) == 0
    assert capsys.readouterr().err == (
        "lanista: plugin bad (bad 3.1) is broken and left out; `lanista plugins` says why\n"
    )


COMMAND = """
    import lanista

    @lanista.hookimpl
    def register_commands(app):
        app.command("{name}")(hello)
        {more}

    @lanista.hookimpl
    def register_shapers(register):
        register("mine", ":hello")

    def hello():
        print("hello")
"""


def test_a_plugin_adds_a_command(make_file, capsys):
    file = make_file("greeting.py", COMMAND.format(name="hello", more=""))
    assert main(["hello", "--plugin", str(file)]) == 0
    assert capsys.readouterr().out == "hello\n"


@pytest.mark.parametrize(
    ("name", "more", "cause"),
    [
        ("plugins", "", "command 'plugins' is offered twice, by lanista itself and by greeting.py"),
        ("recipes", "", "command 'recipes' is offered twice, by lanista itself and by greeting.py"),
        ("hello", "1 / 0", "ZeroDivisionError: division by zero"),
        ("hello", "app.command('hello')(hello)", "command 'hello' is offered twice, by greeting.py and by"),
        ("hello", "app.callback()(hello)", "register_commands may add commands and groups, not a callback"),
    ],
)
def test_a_plugin_whose_commands_do_not_fit_is_broken_as_a_whole(name, more, cause, make_file, capsys):
    file = make_file("greeting.py", COMMAND.format(name=name, more=more))
    assert main(["plugins", "--json", "--plugin", str(file)]) == 1
    row = json.loads(capsys.readouterr().out)[-1]
    assert row["problem"]["cause"].startswith(cause)
    assert row["problem"]["stage"] == "register_commands"
    assert row["offers"] == {}
    assert main(["hello", "--plugin", str(file)]) == 1
    assert "plugin greeting.py cannot be used" in capsys.readouterr().err


RECIPES = """
    import lanista

    @lanista.hookimpl
    def register_recipes(register):
        register("small", "{package}:tables/small.toml")
        register("told", "{package}:tables/told.toml", summary="Told by the plugin.")
        register("absent", "{package}:tables/absent.toml")
"""


@pytest.fixture
def recipe_plugin(tmp_path: Path, make_file, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = f"recipe_package_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / "site" / package / "tables"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "small.toml").write_text("# lanista run small\n# Small, for a test.\n\nname = 'small'\n")
    (folder / "told.toml").write_text("name = 'told'\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    return make_file("recipes_plugin.py", RECIPES.format(package=package))


def test_recipes_lists_names_with_a_summary(recipe_plugin, capsys):
    assert main(["recipes", "--plugin", str(recipe_plugin)]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["small", "Small, for a test."] in lines
    assert any(line[0] == "absent" and "cannot be read from" in line[1] for line in lines)
    assert ["told", "Told by the plugin."] in lines


def test_a_recipe_is_shown_as_it_is(recipe_plugin, capsys):
    assert main(["recipes", "show", "told", "--plugin", str(recipe_plugin)]) == 0
    assert capsys.readouterr().out == "name = 'told'\n"


def test_a_recipe_that_is_not_there_is_explained(recipe_plugin, capsys):
    assert main(["recipes", "show", "absent", "--plugin", str(recipe_plugin)]) == 1
    assert (
        "lanista: recipe 'absent' of plugin recipes_plugin.py cannot be read from " in capsys.readouterr().err
    )
    assert main(["recipes", "show", "smal", "--plugin", str(recipe_plugin)]) == 1
    assert capsys.readouterr().err == "lanista: no plugin offers recipe 'smal'; did you mean 'small'?\n"


def test_a_recipe_is_copied_but_never_over_a_file(recipe_plugin, tmp_path, capsys):
    argv = ["recipes", "copy", "told", "--plugin", str(recipe_plugin)]
    assert main(argv) == 0
    assert (tmp_path / "told.toml").read_text() == "name = 'told'\n"
    assert capsys.readouterr().out == "told.toml written; run it with: lanista run told.toml\n"
    assert main(argv) == 1
    assert capsys.readouterr().err == (
        "lanista: told.toml is there already and is not overwritten; give another path\n"
    )
    assert main([*argv, "no/such/folder.toml"]) == 1
    assert "no/such/folder.toml cannot be written: No such file or directory" in capsys.readouterr().err


def test_the_script_is_plain_in_a_pipe_and_survives_a_closed_one(make_file):
    lanista = [sys.executable, "-c", "import sys; from lanista.cli import main; sys.exit(main())"]
    helped = subprocess.run([*lanista, "--help"], capture_output=True, text=True, check=True)
    assert "\x1b" not in helped.stdout
    assert helped.stdout.isascii()
    bad = subprocess.run([*lanista, "plugns"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (64, "")
    assert bad.stderr.startswith("lanista: No such command")
    piped = subprocess.run(
        f"{' '.join([sys.executable, '-c', repr(lanista[2])])} plugins | head -c 1",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "Traceback" not in piped.stderr
    assert "Exception" not in piped.stderr
