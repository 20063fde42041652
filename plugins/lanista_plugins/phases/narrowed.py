"""A teacher that was trained to see less than the env shows: it is shown its share of a flat observation.

So teachers with and without a wrapper such as a time feature can teach one student, which sees all that there is.
"""

from dataclasses import replace

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.phases import PhaseContext
from lanista.policy import Network, Policy, PolicyOutput, Tensors
from lanista.spec import EnvSpec, ObsPart
from lanista.tables import TeacherTable
from lanista.teachers import LiveTeacher, build_teacher


class Narrowed(Network):
    """Shows `network` the numbers ``first`` up to but not ``last`` of the only part of an observation."""

    def __init__(self, network: Network, part: str, first: int, last: int) -> None:
        """Nothing is copied."""
        super().__init__()
        self.settings = None
        self.inner, self.part, self.first, self.last = network, part, first, last

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        shown = observation[self.part][:, self.first : self.last]
        answer: PolicyOutput = self.inner({**observation, self.part: shown})
        return answer


def narrowed_teacher(
    context: PhaseContext, table: TeacherTable, sees: tuple[int, int], env: VecEnv
) -> Policy | LiveTeacher:
    """The teacher, built for an env that shows ``sees[0]`` up to but not ``sees[1]`` of what `env` shows.

    Its card names the whole env's spec, as the teacher now takes the whole observation. Raises RecipeError where the
    observation is not one flat part, or has not so many numbers.
    """
    spec, (first, last) = env.spec, sees
    flat = len(spec.observation) == 1 and len(spec.observation[0].shape) == 1
    if not flat or not 0 <= first < last <= spec.observation[0].size:
        shapes = ", ".join(f"{part.name} {part.shape}" for part in spec.observation)
        raise RecipeError(
            f"phase {context.name!r}: the teacher {table.source!r} sees the numbers {first} up to {last} of a flat "
            f"observation, and {spec.name} shows {shapes}; correct sees, or leave it out"
        )
    part = spec.observation[0]
    card = replace(context.card(env, "", {}), spec=_cut(spec, part, first, last), name=table.source)
    if context.registry.offers("teachers", table.source):
        teacher = build_teacher(table, card, context.registry)
    else:
        teacher = context.teacher_of(table, env)
    if not isinstance(teacher, Policy):
        return teacher
    seen = teacher.card.spec.observation
    if [one.shape for one in seen] != [(last - first,)]:
        raise RecipeError(
            f"phase {context.name!r}: the teacher {table.source!r} sees {', '.join(str(one.shape) for one in seen)}, "
            f"and sees = [{first}, {last}] shows it {last - first} numbers; correct sees"
        )
    teacher.network = Narrowed(teacher.network, part.name, first, last)
    teacher.card = replace(teacher.card, spec=replace(teacher.card.spec, observation=spec.observation))
    return teacher


def _cut(spec: EnvSpec, part: ObsPart, first: int, last: int) -> EnvSpec:
    def own(numbers: tuple[float, ...]) -> tuple[float, ...]:
        return numbers if len(numbers) == 1 else numbers[first:last]

    cut = replace(part, shape=(last - first,), center=own(part.center), spread=own(part.spread))
    return replace(spec, observation=(cut,))
