"""One plain `train` phase of lanista, as a recipe states it; its own measuring is left to the trial.

The clock starts before the phase builds its env, so importing the env, network, head and learner modules and
loading their compiled functions from numba's disk cache are counted. With ``warm`` false nothing is imported
beforehand that `lanista run` would not import: the way to see what a person waits for. With ``numba_used`` numba has
loaded a function before, as torch has made an optimiser step: what it imports for its first one is then left out.
"""

from pathlib import Path

from solving.trial import Trial
from solving.wish import read_wish, use_numba, warm_torch, write_record


def main() -> None:
    wish = read_wish()
    import torch

    if wish["warm"]:
        import numba  # noqa: F401 - before the clock, as the measure has it

        warm_torch()
    if wish.get("numba_used"):
        use_numba()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)  # as a run does
    from lanista.phases import PhaseContext
    from lanista.plugins import load_plugins
    from lanista.recipe import apply_changes, check_recipe, read_recipe
    from lanista.seeds import derive_seed

    registry = load_plugins().registry
    values = apply_changes(read_recipe(wish["recipe"], registry), wish["changes"])
    recipe = check_recipe(values, registry)
    wanted = recipe.phases[wish.get("phase", 0)]
    until = wanted.settings.until.model_copy(update={"return_at_least": None})
    settings = wanted.settings.model_copy(update={"until": until})
    if settings.network is None:
        settings = settings.model_copy(update={"network": recipe.phases[0].settings.network})
    context = PhaseContext(
        registry,
        recipe.top.env,
        wanted.name,
        Path("no-run-folder"),
        derive_seed(wish["seed"], "solve"),
        1,
        {},
    )
    phase = registry.load("phases", "train")(context, settings)
    trial = Trial(wish)

    def act(observation):
        output = phase.policy.network({part: torch.from_numpy(observation)})
        return output.logits[head].argmax(1).numpy()

    trial.begin()
    phase.start()
    part, head = phase.env.spec.observation[0].name, phase.env.spec.heads[0].name
    enough = False
    while not (enough or phase.finished):
        phase.update()
        with torch.no_grad():
            enough = trial.between_updates(phase.steps, act)
    phase.close()
    write_record(wish, {**trial.record(), "shares": phase.collector.timing.shares()})


if __name__ == "__main__":
    main()
