"""lanista's own phases, shapers, distillers, matchmakers, loggers and recipes, offered as any plugin offers its own."""

from lanista import hookimpl
from lanista.hookspecs import Register


@hookimpl
def register_phases(register: Register) -> None:
    """The kinds of phase."""
    from lanista_plugins.phases.clone_settings import CloneSettings
    from lanista_plugins.phases.settings import DistillSettings, TrainSettings
    from lanista_plugins.phases.tasks_settings import DistillTasksSettings

    register(
        "train", "lanista_plugins.phases.train:Train", settings=TrainSettings, summary="learn by playing"
    )
    register(
        "distill",
        "lanista_plugins.phases.distill:Distill",
        settings=DistillSettings,
        summary="teach a student",
    )
    register(
        "clone",
        "lanista_plugins.phases.clone:Clone",
        settings=CloneSettings,
        summary="learn from the games of others",
    )
    register(
        "distill_tasks",
        "lanista_plugins.phases.distill_tasks:DistillTasks",
        settings=DistillTasksSettings,
        summary="teach one student several tasks, with a trunk that they share",
    )


@hookimpl
def register_shapers(register: Register) -> None:
    """Reward out of facts."""
    from lanista_plugins.shapers.settings import OutcomeSettings, PotentialSettings, WeightsSettings

    register(
        "weights",
        "lanista_plugins.shapers.weights:Weights",
        settings=WeightsSettings,
        summary="a weighted sum of facts; the table `reward` of a phase is this shaper",
    )
    register(
        "outcome",
        "lanista_plugins.shapers.weights:Outcome",
        settings=OutcomeSettings,
        summary="the game's outcome",
    )
    register(
        "potential",
        "lanista_plugins.shapers.potential:Potential",
        settings=PotentialSettings,
        summary="potential-based shaping, which keeps optimal policies",
    )


@hookimpl
def register_loggers(register: Register) -> None:
    """Loggers beside metrics.jsonl."""
    register(
        "tensorboard",
        "lanista_plugins.loggers.tensorboard:TensorBoard",
        summary="event files for TensorBoard",
    )


@hookimpl
def register_distillers(register: Register) -> None:
    """Losses between a student and its teacher."""
    from lanista_plugins.distillers import settings as tables

    for name, target, model, summary in (
        ("kl", "kl:ForwardKl", tables.KlSettings, "KL(teacher || student)"),
        ("reverse_kl", "kl:ReverseKl", tables.KlSettings, "KL(student || teacher)"),
        (
            "jensen_shannon",
            "jensen_shannon:JensenShannon",
            tables.JensenShannonSettings,
            "both policies against their mixture; never above ln 2",
        ),
        ("argmax", "argmax:Argmax", tables.ArgmaxSettings, "-log p of the teacher's greedy action"),
        (
            "gaussian_kl",
            "normal:GaussianKl",
            tables.GaussianKlSettings,
            "KL(teacher || student) of normal distributions, with a least deviation",
        ),
        (
            "reverse_gaussian_kl",
            "normal:ReverseGaussianKl",
            tables.GaussianKlSettings,
            "KL(student || teacher) of normal distributions, with a least deviation",
        ),
        (
            "wasserstein",
            "normal:Wasserstein",
            tables.WassersteinSettings,
            "squared Wasserstein-2 distance of normal distributions",
        ),
        ("mse", "distance:Mse", tables.MseSettings, "squared distance of executed actions, means or logits"),
        ("huber", "distance:Huber", tables.HuberSettings, "the same, linear where the two are far apart"),
        ("value", "value:Value", tables.ValueSettings, "distance of the values"),
        (
            "expected_entropy",
            "trajectory:ExpectedEntropy",
            tables.ExpectedEntropySettings,
            "KL(student || teacher), charged to the student's earlier choices too",
        ),
        (
            "n_distill",
            "trajectory:NDistill",
            tables.TrajectorySettings,
            "KL(teacher || student), charged to the student's earlier choices too",
        ),
    ):
        register(name, f"lanista_plugins.distillers.{target}", settings=model, summary=summary)


@hookimpl
def register_matchmakers(register: Register) -> None:
    """Who among the frozen snapshots is met next."""
    from lanista_plugins.matchmakers.settings import PfspSettings

    register("latest", "lanista_plugins.matchmakers.pick:Latest", summary="the newest snapshot")
    register("uniform", "lanista_plugins.matchmakers.pick:Uniform", summary="every snapshot equally often")
    register(
        "pfsp",
        "lanista_plugins.matchmakers.pick:Pfsp",
        settings=PfspSettings,
        summary="prioritised fictitious self-play: the snapshots that are hard, or even, more often",
    )


@hookimpl
def register_recipes(register: Register) -> None:
    """Recipes that come with lanista."""
    for name, summary in (
        ("cartpole", "CartPole: small, larger with the small one as teacher, a 16x16 student"),
        ("mountaincar", "MountainCar: shaped by a potential first, then the sparse reward alone"),
        ("pendulum", "Pendulum: PPO over a real-valued torque, then a 32x32 student"),
        ("connectx", "Connect X by self-play, distilled, packed for Kaggle and verified"),
        ("lux-selfplay", "Lux AI Season 1 on 12x12 by self-play: a small network over unit rows"),
        ("lux-quick", "Lux AI Season 1 on 12x12 in a quarter of an hour, to a verified archive"),
        ("lux-quick-flat", "lux-quick with its phases cut out"),
        ("lux-ladder", "Lux AI Season 1 from 12x12 to all four boards, to a verified archive"),
        ("lux-ladder-flat", "lux-ladder with its phases cut out"),
        ("lux-carts", "Lux AI Season 1 with carts: rewarded first, then only the result; do they stay?"),
        ("lux-carts-flat", "lux-carts with its phases cut out"),
    ):
        register(name, f"lanista_plugins:recipes/{name}.toml", summary=summary)
