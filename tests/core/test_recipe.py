import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanista.errors import RecipeError
from lanista.plugins import load_plugins
from lanista.recipe import apply_changes, check_recipe, read_recipe, resolved_toml, resolved_values

REGISTRY = load_plugins().registry
SHIPPED = REGISTRY.names("recipes")


def minimal() -> dict:
    return {
        "name": "t",
        "env": "cartpole",
        "phases": [{"name": "a", "kind": "train", "network": "mlp", "until": {"steps": 100}}],
    }


def test_all_shipped_recipes_are_known_here() -> None:
    assert SHIPPED == [
        "cartpole", "connectx", "lux-carts", "lux-carts-flat", "lux-ladder", "lux-ladder-flat", "lux-quick",
        "lux-quick-flat", "lux-selfplay", "mountaincar", "pendulum",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_checks_and_its_resolved_form_reads_back_unchanged(name: str) -> None:
    recipe = check_recipe(read_recipe(name, REGISTRY), REGISTRY)
    text = resolved_toml(recipe, REGISTRY)
    again = check_recipe(tomllib.loads(text), REGISTRY)
    assert resolved_values(again, REGISTRY) == resolved_values(recipe, REGISTRY)
    assert resolved_toml(again, REGISTRY) == text


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_opens_with_the_command_that_runs_it(name: str) -> None:
    from importlib import resources

    package, _, inside = REGISTRY.get("recipes", name).target.partition(":")
    assert resources.files(package).joinpath(inside).read_text().startswith(f"# lanista run {name}\n")


def test_defaults_are_filled_in_by_the_plugin_that_a_table_names() -> None:
    values = resolved_values(check_recipe(minimal(), REGISTRY), REGISTRY)
    assert values["env"] == {"use": "cartpole", "max_steps": 500}
    assert values["phases"][0]["learner"]["gamma"] == 0.99
    assert values["phases"][0]["network"]["hidden"] == [64, 64]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("phases.a.learner.gama=0.9", "gamma"),
        ("phases.a.network.use=mpl", "did you mean 'mlp'?"),
        ("env.use=cartpol", "did you mean 'cartpole'?"),
        ("phases.a.untill=3", "until"),
        ("phases.a.kind=trian", "did you mean 'train'?"),
        ("phases.a.until.steps=0", "steps"),
        ("nmae=3", "name"),
        ("phases.a.until.score_at_least=0.6", "opponent"),
        ("phases.a.league.opponents.bots=0.5", "add up"),
    ],
)
def test_a_wrong_recipe_gets_a_sentence_that_helps(change: str, sentence: str) -> None:
    with pytest.raises(RecipeError) as caught:
        check_recipe(apply_changes(minimal(), [change]), REGISTRY)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_phases_of_one_name_are_refused() -> None:
    values = minimal()
    values["phases"] *= 2
    with pytest.raises(RecipeError, match="two phases are called 'a'"):
        check_recipe(values, REGISTRY)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("seed", "--set takes key=value"),
        ("=3", "--set takes key=value"),
        ("phases.b.kind=train", "there are: a"),
        ("phases.7.kind=train", "no entry '7'"),
        ("name.x=3", "not a table"),
    ],
)
def test_a_wrong_change_is_refused(change: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        apply_changes(minimal(), [change])


def test_changes_reach_phases_by_name_and_by_place() -> None:
    values = apply_changes(
        minimal(), ["phases.a.until.steps=7", "phases.0.num_games=3", "name=other", "env.max_steps=9"]
    )
    assert values["phases"][0]["until"]["steps"] == 7
    assert values["phases"][0]["num_games"] == 3
    assert values["name"] == "other"
    assert values["env"] == {"use": "cartpole", "max_steps": 9}


@given(st.text(max_size=40))
def test_any_change_is_applied_or_refused_with_a_sentence(change: str) -> None:
    sentence = None
    try:
        apply_changes(minimal(), [change])
    except RecipeError as error:
        sentence = str(error)
    assert sentence is None or sentence.startswith("--set")


def test_a_recipe_that_is_not_toml_is_named(tmp_path) -> None:
    (tmp_path / "broken.toml").write_text("name = [")
    with pytest.raises(RecipeError, match="not valid TOML"):
        read_recipe(str(tmp_path / "broken.toml"), REGISTRY)
    with pytest.raises(RecipeError, match="no recipe file"):
        read_recipe(str(tmp_path / "absent.toml"), REGISTRY)
    with pytest.raises(RecipeError, match="did you mean 'cartpole'"):
        read_recipe("cartpol", REGISTRY)


def test_a_python_file_beside_the_recipe_is_found_from_everywhere(tmp_path, monkeypatch) -> None:
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "mine.toml").write_text(
        'name = "x"\nenv = { use = "e", codec = "mine.py", other = ["no.py", "mine.py"] }\n'
    )
    monkeypatch.chdir("/")
    values = read_recipe(str(tmp_path / "mine.toml"), REGISTRY)
    here = str(tmp_path / "mine.py")
    assert values == {"name": "x", "env": {"use": "e", "codec": here, "other": ["no.py", here]}}


def test_a_text_of_many_lines_stays_readable_and_reads_back(tmp_path) -> None:
    codec = 'def observe(obs, config):\n    """Show."""\n    return "\\t", {}\n\n\ndef act(index):\n    return index\n'
    (tmp_path / "c.py").write_text(codec)
    values = {**minimal(), "env": {"use": "kaggle:connectx", "codec": str(tmp_path / "c.py")}}
    text = resolved_toml(check_recipe(values, REGISTRY), REGISTRY)
    assert "\ndef act(index):\n" in text
    (tmp_path / "c.py").unlink()
    again = check_recipe(tomllib.loads(text), REGISTRY)
    assert again.top.env.options["codec_text"] == codec
    assert resolved_toml(again, REGISTRY) == text
