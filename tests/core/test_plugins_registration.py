"""What a plugin may register, and the sentence for each thing that it may not."""

import pytest

from lanista import plugins
from lanista.errors import RecipeError
from lanista.plugins import PluginHost, load_plugins


def named(host: PluginHost, name: str) -> plugins.Plugin:
    """The one plugin of that name."""
    (found,) = [plugin for plugin in host.plugins if plugin.name == name]
    return found


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
    "register('x', ':make', settings=Loose)": "register_shapers, 'x': Loose would let misspelt keys pass;",
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
