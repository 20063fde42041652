"""The plugin host: what it takes in, what it refuses, and that one broken plugin leaves the others alone."""

import hashlib
import sys
from textwrap import dedent

import pytest

from lanista import plugins
from lanista.errors import PluginError, RecipeError
from lanista.plugins import PluginHost, current_host, load_plugins, start_host

OURS = ["agents", "envs", "plugins", "submission"]

GOOD = """
    import lanista

    @lanista.hookimpl
    def register_loggers(register):
        register("{name}", ":make", summary="Counts.")

    def make(run_folder, settings):
        return run_folder, settings
"""


def named(host: PluginHost, name: str) -> plugins.Plugin:
    """The one plugin of that name."""
    (found,) = [plugin for plugin in host.plugins if plugin.name == name]
    return found


def test_the_built_ins_come_through_the_entry_points():
    host = load_plugins()
    assert [plugin.name for plugin in host.plugins] == OURS
    assert {plugin.distribution for plugin in host.plugins} == {"lanista"}
    assert host.notes == []


def test_a_distribution_offers_what_it_registers(make_distribution):
    make_distribution("pong-lanista", "pong", GOOD.format(name="counter"), version="2.5")
    host = load_plugins()
    entry = host.registry.get("loggers", "counter")
    assert (entry.owner, entry.summary) == ("pong", "Counts.")
    assert host.registry.load("loggers", "counter")("folder", None) == ("folder", None)
    assert host.record()[-1] == {
        "name": "pong",
        "distribution": "pong-lanista",
        "version": "2.5",
        "file": None,
        "sha256": None,
    }


AT_IMPORT = {
    "raises": ("x = 1\nraise RuntimeError('no\\nluck')", 2, "RuntimeError: no luck"),
    "exits": ("import sys\n\nsys.exit(0)", 3, "it called sys.exit(0)"),
    "exits bare": ("raise SystemExit", 1, "it called sys.exit()"),
    "misses a module": ("import no_such_module_at_all", 1, "ModuleNotFoundError: No module named"),
    "syntax": ("def f(:\n    pass", 1, "SyntaxError: "),
    "stops the generator": ("raise GeneratorExit", 1, "GeneratorExit"),
    "steers the terminal": ("raise ValueError('\\x1b[2Jgone')", 1, "ValueError: \\x1b[2Jgone"),
}


@pytest.mark.parametrize("case", AT_IMPORT)
def test_a_plugin_that_fails_at_import_is_named_and_takes_nobody_down(case, make_distribution):
    source, line, cause = AT_IMPORT[case]
    path = make_distribution("bad", "bad", source)
    make_distribution("zzz", "later", GOOD.format(name="counter"))
    host = load_plugins()
    problem = named(host, "bad").problem
    assert problem is not None
    assert (problem.file, problem.line) == (str(path), line)
    assert problem.cause.startswith(cause)
    assert str(problem) == f"{path}, line {line}: {problem.cause}"
    assert named(host, "later") in host.working
    assert len(host.working) == len(OURS) + 1
    assert "counter" in host.registry.names("loggers")


def test_an_interrupt_is_not_swallowed(make_distribution):
    make_distribution("slow", "slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugins()


def test_the_place_is_the_innermost_line_of_the_plugins_own_code(make_file):
    file = make_file(
        "deep.py",
        """
        import json

        def read():
            return json.loads("{")

        read()
        """,
    )
    host = load_plugins([file])
    problem = named(host, "deep.py").problem
    assert problem is not None
    assert (problem.file, problem.line) == (str(file), 5)
    assert problem.cause.startswith("JSONDecodeError: Expecting property name")


MISFITS = {
    "misspelt": (
        "@lanista.hookimpl\ndef register_env(register): ...",
        2,
        "there is no hook 'register_env'; did you mean 'register_envs'?",
    ),
    "misspelt event": (
        "@lanista.hookimpl\ndef update_finnished(run): ...",
        2,
        "there is no hook 'update_finnished'; did you mean 'update_finished'?",
    ),
    "unmarked": (
        "\ndef register_envs(register): ...",
        3,
        "register_envs is not marked; write @lanista.hookimpl above it",
    ),
    "argument": (
        "@lanista.hookimpl\ndef register_envs(add): ...",
        2,
        "register_envs has no argument 'add'; it is called with: register",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_hook_that_nobody_would_call_is_refused(case, make_file):
    source, line, cause = MISFITS[case]
    file = make_file("odd.py", f"import lanista\n{source}")
    problem = named(load_plugins([file]), "odd.py").problem
    assert problem is not None
    assert problem.cause == cause
    assert problem.file == str(file)
    assert problem.line in (line, line + 1)  # the decorator's line or the def's


NAME = "register_shapers: a name is a text of letters, digits and _ . : -, found "
TARGET = "register_shapers, 'x': the target must be a text \"module:attribute\", found "
SETTINGS = "register_shapers, 'x': settings must be a pydantic model class, found "

REGISTRATIONS = {
    "register(3, ':make')": NAME + "3",
    "register('', ':make')": NAME + "''",
    "register('a b', ':make')": NAME + "'a b'",
    "register('x', 'make')": TARGET + "'make'",
    "register('x', make)": TARGET + "<function",
    "register('x', ':')": TARGET,
    "register('x', ':make', settings=3)": SETTINGS + "3",
    "register('x', ':make', settings=dict)": SETTINGS,
    "register('x', ':make', settings=Loose)": "register_shapers, 'x': Loose would let misspelt keys pass; give it",
    "register('x', ':make', summary=3)": "register_shapers, 'x': the summary must be a text, found 3",
    "register('x')": "TypeError: ",
    "raise ValueError('tired')": "ValueError: tired",
    "raise SystemExit(2)": "it called sys.exit(2)",
}


@pytest.mark.parametrize("call", REGISTRATIONS)
def test_a_bad_registration_breaks_the_plugin_as_a_whole(call, make_file):
    file = make_file(
        "bad.py",
        f"""
        import lanista
        from pydantic import BaseModel

        class Loose(BaseModel):
            weight: float = 1.0

        def make(): ...

        @lanista.hookimpl
        def register_loggers(register):
            register("kept_back", ":make")

        @lanista.hookimpl
        def register_shapers(register):
            register("fine", ":make")
            {call}
        """,
    )
    host = load_plugins([file])
    plugin = named(host, "bad.py")
    assert plugin.problem is not None
    assert plugin.problem.cause.startswith(REGISTRATIONS[call])
    assert (plugin.problem.file, plugin.problem.line) == (str(file), 17)
    assert plugin.stage == "registration"
    assert host.registry.entries("bad.py") == []
    with pytest.raises(
        RecipeError, match=r"logger 'kept_back'.*\(broken plugins offer nothing: bad\.py; see"
    ):
        host.registry.get("loggers", "kept_back")


def test_register_does_not_work_after_its_hook_has_returned(make_file):
    file = make_file(
        "late.py",
        """
        import lanista

        kept = []

        @lanista.hookimpl
        def register_envs(register):
            kept.append(register)

        @lanista.hookimpl
        def register_shapers(register):
            kept[0]("x", ":make")
        """,
    )
    problem = named(load_plugins([file]), "late.py").problem
    assert problem is not None
    assert problem.cause == "register_envs: register was called after the hook had returned"


def test_a_taken_name_is_refused_with_both_owners_and_leaves_the_later_plugin_broken(
    make_distribution, make_file
):
    make_distribution("first", "alpha", GOOD.format(name="counter"))
    file = make_file("beta.py", GOOD.format(name="counter") + "\n    # the same name again")
    host = load_plugins([file])
    problem = named(host, "beta.py").problem
    assert problem is not None
    assert problem.cause == (
        "logger 'counter' is offered twice, by alpha and by beta.py; "
        "rename one or block a plugin with LANISTA_PLUGINS_OFF"
    )
    assert host.registry.get("loggers", "counter").owner == "alpha"


def test_a_built_in_name_cannot_be_taken(make_distribution):
    taken = load_plugins().registry.names("envs")[0]
    source = GOOD.format(name=taken).replace("register_loggers", "register_envs")
    make_distribution("a-thief", "thief", source)
    host = load_plugins()
    problem = named(host, "thief").problem
    assert problem is not None
    assert f"env {taken!r} is offered twice, by envs and by thief" in problem.cause
    assert host.registry.get("envs", taken).owner == "envs"


@pytest.mark.parametrize("order", [("aaa", "bbb"), ("bbb", "aaa")])
def test_two_distributions_with_one_entry_point_name_are_both_named(order, make_distribution):
    for distribution in order:  # the later one stands earlier on the path
        make_distribution(distribution, "same", GOOD.format(name=distribution))
    host = load_plugins()
    first, second = [plugin for plugin in host.plugins if plugin.name == "same"]
    assert (first.distribution, first.problem) == ("aaa", None)
    assert second.problem is not None
    assert second.problem.cause.startswith(
        "two plugins are called 'same', one of aaa 1.0 and one of bbb 1.0; the first is used"
    )
    assert "aaa" in host.registry.names("loggers")
    assert "bbb" not in host.registry.names("loggers")


def test_blocking_the_first_distribution_lets_the_second_in(make_distribution, monkeypatch):
    for distribution in ("aaa", "bbb"):
        make_distribution(distribution, "same", GOOD.format(name=distribution))
    monkeypatch.setenv("LANISTA_PLUGINS_OFF", "aaa")
    host = load_plugins()
    assert not host.broken
    assert "bbb" in host.registry.names("loggers")
    assert host.notes == []


def test_a_blocked_plugin_is_not_even_imported(make_distribution, monkeypatch):
    path = make_distribution("loud", "loud", "raise RuntimeError")
    monkeypatch.setenv("LANISTA_PLUGINS_OFF", "loud, submision")
    host = load_plugins()
    assert not host.broken
    assert path.stem not in sys.modules
    assert named(host, "loud").blocked
    assert host.notes == [
        "LANISTA_PLUGINS_OFF names 'submision', but there is no such plugin; did you mean 'submission'?"
    ]


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        ("lanista>=0.1", True),
        ("lanista", True),
        ("lanista>=9", False),
        ("lanista<0.1", False),
        ("numpy>=99", True),
    ],
)
def test_a_plugin_for_another_version_is_refused_before_it_runs(requirement, fits, make_distribution):
    path = make_distribution("old", "old", GOOD.format(name="counter"), requires=(requirement,))
    host = load_plugins()
    problem = named(host, "old").problem
    assert (problem is None) == fits
    assert (path.stem in sys.modules) == fits
    if problem is not None:
        assert problem.cause.startswith(f"asks for {requirement}, and this is lanista 0.1.0")


def test_an_entry_point_that_is_no_module_is_explained(make_distribution):
    make_distribution("objects", "objects", GOOD.format(name="counter"), value="somewhere:Plugin")
    problem = named(load_plugins(), "objects").problem
    assert problem is not None
    assert 'a lanista plugin is a whole module, written objects = "package"' in problem.cause


def test_two_entry_points_for_one_module_are_refused(make_distribution):
    path = make_distribution("twice", "once", GOOD.format(name="counter"))
    info = next(path.parent.glob("*.dist-info")) / "entry_points.txt"
    info.write_text(f"{info.read_text()}again = {path.stem}\n")
    host = load_plugins()
    problem = named(host, "again").problem  # "again" sorts before "once" and so holds the module
    assert problem is None
    problem = named(host, "once").problem
    assert problem is not None
    assert problem.cause == f"{path.stem} is already plugin 'again'"


def test_a_file_plugin_keeps_its_text_and_hash(make_file):
    file = make_file("counting.py", GOOD.format(name="counter"))
    text = file.read_bytes()
    host = load_plugins([file])
    file.write_text("raise RuntimeError('changed later')")
    assert host.sources() == {"counting.py": text}
    assert host.record()[-1] == {
        "name": "counting.py",
        "distribution": None,
        "version": None,
        "file": str(file),
        "sha256": hashlib.sha256(text).hexdigest(),
    }
    assert host.registry.load("loggers", "counter")("folder", 1) == ("folder", 1)


@pytest.mark.parametrize("target", [":make", "counting:make"])
def test_a_file_plugins_targets_lie_in_the_file(target, make_file):
    source = GOOD.format(name="counter").replace(":make", target)
    host = load_plugins([make_file("counting.py", source)])
    assert host.registry.get("loggers", "counter").target == "lanista_file_plugins.counting:make"
    assert host.registry.load("loggers", "counter")(1, 2) == (1, 2)


def test_a_file_plugin_shadows_no_module(make_file):
    import random

    host = load_plugins([make_file("random.py", GOOD.format(name="counter"))])
    assert not host.broken
    assert sys.modules["random"] is random


def test_two_files_of_one_name_are_both_named(make_file, tmp_path):
    first = make_file("same.py", GOOD.format(name="counter"))
    (tmp_path / "other").mkdir()
    second = tmp_path / "other" / "same.py"
    second.write_text(dedent(GOOD.format(name="second")))
    problem = load_plugins([first, second]).broken[0].problem
    assert problem is not None
    assert f"one of {first} and one of {second}" in problem.cause


@pytest.mark.parametrize(
    ("name", "cause"),
    [("absent.py", "cannot be read: No such file or directory"), ("plugin.txt", "ends in .py")],
)
def test_a_file_that_is_none_stops_the_start(name, cause, tmp_path):
    with pytest.raises(PluginError, match=cause):
        start_host([tmp_path / name])
    assert cause in str(start_host([tmp_path / name], strict=False).broken[0].problem)


def test_a_broken_installed_plugin_does_not_stop_the_start(make_distribution):
    make_distribution("bad", "bad", "raise RuntimeError")
    host = start_host()
    assert current_host() is host
    assert [plugin.name for plugin in host.broken] == ["bad"]


def test_a_plugins_prints_stay_off_stdout(make_file, capsys):
    load_plugins([make_file("chatty.py", "print('hello')")])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello\n"


def test_a_slow_import_says_what_is_waited_for(make_file, monkeypatch, capsys):
    monkeypatch.setattr(plugins, "SLOW_IMPORT", 0.01)
    file = make_file(
        "slow.py",
        """
        import sys, time

        # until the host has spoken, which the test's own stream tells
        while not getattr(sys.stderr, "said", False):
            time.sleep(0.001)
        """,
    )

    class Listening:
        said = False
        text = ""

        def write(self, text: str) -> None:
            self.text += text
            self.said = True

        def flush(self) -> None: ...

    stream = Listening()
    monkeypatch.setattr(sys, "stderr", stream)
    load_plugins([file])
    assert f"still importing plugin slow.py ({file}) after 0.01 s" in stream.text


EVENTS = """
    import lanista

    told = []

    @lanista.hookimpl
    def run_started(run):
        told.append(("started", run))

    @lanista.hookimpl
    def update_finished(phase, metrics):
        told.append((phase, metrics))
        if metrics == {"loss": 2.0}:
            raise ValueError("too much")
"""


def test_events_reach_every_plugin_with_the_arguments_it_asks_for(make_file):
    host = load_plugins([make_file("listener.py", EVENTS)])
    host.emit("run_started", run="run")
    host.emit("update_finished", run="run", phase="small", update=1, metrics={"loss": 1.0})
    host.emit("run_finished", run="run")
    told = sys.modules["lanista_file_plugins.listener"].told
    assert told == [("started", "run"), ("small", {"loss": 1.0})]


def test_an_event_that_raises_names_the_plugin_and_the_line(make_file):
    file = make_file("listener.py", EVENTS)
    host = load_plugins([file])
    with pytest.raises(PluginError) as caught:
        host.emit("update_finished", run="run", phase="small", update=1, metrics={"loss": 2.0})
    assert str(caught.value) == (
        f"plugin listener.py, hook update_finished: {file}, line 14: ValueError: too much"
    )


@pytest.mark.parametrize("event", ["run_start", "register_envs"])
def test_there_is_no_event_by_another_name(event):
    with pytest.raises(ValueError, match="is no event; "):
        load_plugins().emit(event, run=None)


def test_every_hook_call_can_be_traced(make_file, monkeypatch, capsys):
    monkeypatch.setenv("LANISTA_TRACE_PLUGINS", "1")
    host = load_plugins([make_file("listener.py", EVENTS)])
    host.emit("run_started", run="the run")
    lines = capsys.readouterr().err.splitlines()
    assert "hook run_started(run='the run') -> listener.py" in lines
    assert any(line.startswith("hook register_envs(register=") and line.endswith("-> envs") for line in lines)


def test_a_target_that_cannot_be_imported_is_explained(make_file, tmp_path):
    file = make_file(
        "lazy.py",
        """
        import lanista

        @lanista.hookimpl
        def register_envs(register):
            register("missing", "no_such_module:make")
            register("nothing", ":make")
            register("exits", "lanista_test_exits:make")
        """,
    )
    (tmp_path / "lanista_test_exits.py").write_text("raise SystemExit(3)")
    sys.path.insert(0, str(tmp_path))
    try:
        host = load_plugins([file])
        for name, cause in (
            ("missing", "no_such_module:make cannot be loaded: ModuleNotFoundError: "),
            ("nothing", "lanista_file_plugins.lazy:make cannot be loaded: AttributeError: "),
            ("exits", "lanista_test_exits:make cannot be loaded: SystemExit: 3"),
        ):
            with pytest.raises(PluginError) as caught:
                host.registry.load("envs", name)
            assert str(caught.value).startswith(f"env {name!r} of plugin lazy.py: {cause}")
    finally:
        sys.path.remove(str(tmp_path))


def test_an_unknown_name_names_the_nearest():
    registry = load_plugins().registry
    known = registry.names("envs")[0]
    with pytest.raises(RecipeError) as caught:
        registry.get("envs", f"{known}x")
    assert str(caught.value) == f"no plugin offers env '{known}x'; did you mean {known!r}?"
