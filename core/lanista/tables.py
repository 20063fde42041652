"""Recipe tables that name a plugin: ``{ use = "mlp", hidden = [64, 64] }`` or just ``"mlp"``.

`use` picks the plugin; every other key belongs to that plugin's own settings model. The tables below say
which kind of plugin a place in the recipe takes, so that `check_tables` can hold each against its model.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from lanista.errors import RecipeError
from lanista.hints import hint
from lanista.plugins import NoSettings, Registry


class PluginTable(BaseModel):
    """A plugin's name and the settings for it, not yet checked."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: ClassVar[str]

    #: name of the plugin
    use: str

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        return {"use": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """All keys but `use`."""
        return dict(self.__pydantic_extra__ or {})

    def settings(self, registry: Registry) -> Any:  # noqa: ANN401 - the plugin's own model
        """The plugin's settings, checked."""
        return registry.settings(self.kind, self.use, self.options)

    def build(self, registry: Registry) -> Any:  # noqa: ANN401 - the plugin's own factory
        """The plugin's factory (imports it)."""
        return registry.load(self.kind, self.use)


class EnvTable(PluginTable):
    """An env and its settings."""

    kind: ClassVar[str] = "envs"


class NetworkTable(PluginTable):
    """A network and its settings."""

    kind: ClassVar[str] = "networks"


class HeadTable(PluginTable):
    """An action head and its settings."""

    kind: ClassVar[str] = "heads"


class LearnerTable(PluginTable):
    """A learner and its settings."""

    kind: ClassVar[str] = "learners"

    use: str = "ppo"


class ShaperTable(PluginTable):
    """A reward shaper and its settings."""

    kind: ClassVar[str] = "shapers"


class DistillerTable(PluginTable):
    """A distillation loss and its settings."""

    kind: ClassVar[str] = "distillers"


class LoggerTable(PluginTable):
    """A logger and its settings."""

    kind: ClassVar[str] = "loggers"


class TargetTable(PluginTable):
    """A submission target and its settings."""

    kind: ClassVar[str] = "targets"


class TeacherTable(BaseModel):
    """A teacher: its source, and the settings of the plugin that reads it where one does.

    ``"previous"``, a phase's name, a run or policy folder, ``"sb3:FILE.zip"``; or as a table
    ``{ source = "sb3:FILE.zip", normalise = "FILE.pkl" }``, in which every further key is the plugin's. A model that
    adds fields of its own keeps them to itself.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    #: an earlier phase's name, "previous", a run or policy folder, or a teacher of a plugin such as "sb3:FILE.zip"
    source: str = "previous"

    @model_validator(mode="before")
    @classmethod
    def _source_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        return {"source": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """The keys that belong to the plugin."""
        return dict(self.__pydantic_extra__ or {})

    def settings(self, registry: Registry) -> BaseModel:
        """The plugin's settings, checked; for a policy of ours there are none."""
        offered = registry.offers("teachers", self.source)
        model = registry.get("teachers", self.source).settings if offered else NoSettings
        for key in self.options:
            if key not in model.model_fields:
                keys = [*type(self).model_fields, *model.model_fields]
                raise RecipeError(f"unknown key {key!r} for the teacher {self.source!r}; {hint(key, keys)}")
        if not offered:
            return NoSettings()
        settings: BaseModel = registry.settings("teachers", self.source, self.options)
        return settings


def tables(model: BaseModel, path: str = "") -> Iterator[tuple[str, PluginTable | TeacherTable]]:
    """Walk a settings model and give every table in it that names a plugin, with its dotted path."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        items: Iterable[tuple[Any, Any]] = [(None, value)]
        if isinstance(value, tuple | list):
            items = enumerate(value)
        elif isinstance(value, dict):
            items = value.items()
        for index, item in items:
            place = f"{path}{name}" if index is None else f"{path}{name}.{index}"
            if isinstance(item, PluginTable | TeacherTable):
                yield place, item
            if isinstance(item, BaseModel) and not isinstance(item, PluginTable):
                yield from tables(item, f"{place}.")


def resolved(model: BaseModel, registry: Registry) -> dict[str, Any]:
    """Give a settings model as plain values with every plugin table completed by its plugin's defaults."""

    def plain(value: Any) -> Any:  # noqa: ANN401 - any field value
        if isinstance(value, PluginTable | TeacherTable):
            own = {name: plain(getattr(value, name)) for name in type(value).model_fields}
            return {**own, **value.settings(registry).model_dump(mode="json")}
        if isinstance(value, BaseModel):
            return {name: plain(getattr(value, name)) for name in type(value).model_fields}
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return value

    found: dict[str, Any] = plain(model)
    return found
