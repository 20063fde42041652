"""Logger ``wandb``: keeps `lanista.metrics.Logger`.

A row's figures become ``<phase>/<name>`` over `env_steps`, which all curves have as their axis. A resumed run goes on in
the same W&B run, whose id lies in ``RUN/wandb/id.txt``; what came after its last checkpoint is then there twice.
"""

import tomllib
import uuid

from lanista.errors import LanistaError


class Wandb:
    """One W&B run for one run folder; nothing is opened before the first row."""

    def __init__(self, run_folder, settings):
        try:
            import wandb
        except ImportError as error:
            raise LanistaError(
                f"logger 'wandb' needs the package wandb, which cannot be imported: {error}; pip install wandb, or "
                f"take it out of the recipe's loggers"
            ) from error
        self.wandb = wandb
        self.folder = run_folder
        self.settings = settings
        self.run = None

    def log(self, step, phase, metrics):
        if self.run is None:
            self.run = self.start()
        self.run.log({"env_steps": step, **{f"{phase}/{name}": value for name, value in metrics.items()}})

    def start(self):
        """Begin a W&B run, or go on with the one that this folder has had."""
        place = self.folder / "wandb" / "id.txt"
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            place.write_text(uuid.uuid4().hex[:8])
        recipe = self.folder / "recipe.toml"
        run = self.wandb.init(
            id=place.read_text().strip(),
            resume="allow" if self.settings.mode == "online" else None,
            dir=self.folder,
            project=self.settings.project,
            group=self.settings.group or self.folder.resolve().parent.name,
            name=self.folder.resolve().name,
            mode=self.settings.mode,
            config=tomllib.loads(recipe.read_text()) if recipe.exists() else {},
            settings=self.wandb.Settings(silent=True, console="off"),
        )
        run.define_metric("env_steps")
        run.define_metric("*", step_metric="env_steps")
        return run

    def close(self):
        if self.run is not None:
            self.run.finish()
