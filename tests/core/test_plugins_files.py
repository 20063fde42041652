"""Single files as plugins, and the events that plugins are told."""

import hashlib
import sys
from textwrap import dedent

import pytest

from lanista import plugins
from lanista.errors import PluginError, RecipeError
from lanista.plugins import current_host, load_plugins, start_host

GOOD = """
    import lanista

    @lanista.hookimpl
    def register_loggers(register):
        register("{name}", ":make", summary="Counts.")

    def make(run_folder, settings):
        return run_folder, settings
"""


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


@pytest.mark.parametrize("name", ["my-shaper.py", "my.shaper.py", "3 shapers.py"])
def test_a_file_may_have_a_name_that_is_no_identifier(name, make_file):
    host = load_plugins([make_file(name, GOOD.format(name="counter"))])
    assert not host.broken
    assert host.registry.load("loggers", "counter")(1, 2) == (1, 2)


def test_files_whose_names_differ_little_are_kept_apart(make_file):
    names = {"a-b.py": "dash", "a_b.py": "line", "a.b.py": "dot"}
    files = [make_file(file, GOOD.format(name=name)) for file, name in names.items()]
    registry = load_plugins(files).registry
    for file, name in zip(files, names.values(), strict=True):
        assert registry.load("loggers", name).__code__.co_filename == str(file)


def test_a_file_that_is_named_twice_is_loaded_once(make_file):
    file = make_file("counting.py", GOOD.format(name="counter"))
    host = load_plugins([file, file])
    assert not host.broken
    assert len(host.sources()) == 1


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


def test_a_settings_model_that_fails_is_its_plugins_fault(make_file):
    file = make_file(
        "careless.py",
        """
        import lanista
        from pydantic import BaseModel, ConfigDict, field_validator

        class Careless(BaseModel):
            model_config = ConfigDict(frozen=True, extra="forbid")
            weight: float = 1.0

            @field_validator("weight")
            @classmethod
            def _look_up(cls, weight):
                return {}[weight]

        @lanista.hookimpl
        def register_shapers(register):
            register("careless", ":make", settings=Careless)
        """,
    )
    registry = load_plugins([file]).registry
    with pytest.raises(PluginError) as caught:
        registry.settings("shapers", "careless", {"weight": 2.0})
    assert str(caught.value) == (
        "shaper 'careless' of plugin careless.py: its settings model Careless failed: KeyError: 2.0"
    )
    with pytest.raises(RecipeError, match="shaper 'careless': unknown key 'wieght'; did you mean 'weight'"):
        registry.settings("shapers", "careless", {"wieght": 2.0})
