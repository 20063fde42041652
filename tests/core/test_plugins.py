"""The plugin host: what it takes in, what it refuses, and that one broken plugin leaves the others alone."""

import sys

import pytest

from lanista import plugins
from lanista.plugins import PluginHost, load_plugins

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
    "cannot say": ("class E(Exception):\n    __str__ = None\nraise E", 3, "E: (it cannot say what)"),
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


def test_a_damaged_list_of_entry_points_hides_nobody(make_distribution):
    path = make_distribution("damaged", "damaged", "")
    info = next(path.parent.glob("*.dist-info"))
    (info / "entry_points.txt").write_text("[lanista]\nno equals sign here\n")
    make_distribution("unnamed", "unnamed", GOOD.format(name="counter"))
    metadata = next((path.parent.parent / "site-unnamed").glob("*.dist-info")) / "METADATA"
    metadata.write_text("Summary: neither name nor version\n")
    host = load_plugins()
    problem = named(host, "damaged").problem
    assert problem is not None
    assert problem.cause.startswith("its entry_points.txt cannot be read: ")
    assert named(host, "unnamed") in host.working
    assert named(host, "unnamed").origin == "unnamed of unknown version"
    assert len(host.working) == len(OURS) + 1


def test_a_damaged_list_of_another_kind_is_no_concern_of_ours(make_distribution):
    path = make_distribution("damaged", "damaged", "")
    (next(path.parent.glob("*.dist-info")) / "entry_points.txt").write_text(
        "[console_scripts]\nno equals sign\n"
    )
    host = load_plugins()
    assert [plugin.name for plugin in host.plugins] == OURS
