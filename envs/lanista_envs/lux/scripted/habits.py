"""What makes one scripted player differ from another: the numbers that the planner weighs by. Portable.

Times are turns, amounts are fuel or cargo, worths are points of the planner's own; all are integers, so that a
bundle without numba decides the same.
"""

from typing import NamedTuple


class Habits(NamedTuple):
    """The weights of one character."""

    #: worth of one unit of wood, coal, uranium in a worker's hands
    worth_wood: int
    worth_coal: int
    worth_uranium: int
    #: per cent of its worth that is left to a wood tile with less than `thin_wood`
    thin: int
    thin_wood: int
    #: turns added to every way to a place to gather; more makes far, rich places better
    patience: int
    #: turns added to a place to gather that is no site to build on: what is gathered there must be carried
    carry: int
    #: per cent of a place's worth on a city tile, where what is gathered is fuel at once; and while the city lacks fuel
    #: that the workers will not bring home in time
    camp: int
    camp_hungry: int
    #: fuel that a worker is trusted to bring home, a turn
    income: int
    #: steps from own tiles and units within which fuel counts as within reach until morning, and for the whole game
    reach: int
    far: int
    #: per cent of the fuel within reach that the workers are trusted to get until morning, at most
    share: int
    #: per cent of the fuel on that larger part of the map that is counted on for the rest of the game
    inheritance: int
    #: turns before dusk from which on nothing is built that cannot be fed at once
    curfew: int
    #: fuel beyond the coming night's need that a city wants, in per cent of it
    reserve: int
    #: points for each own city tile, wood tile, usable coal or uranium tile beside a place to build on
    beside_home: int
    beside_wood: int
    beside_ore: int
    #: points for each 100 fuel that a city beside it can spare, 100 points at most
    rich: int
    #: points taken off for each step to it; a place with less than this is none
    step_cost: int
    build_least: int
    #: workers for each 100 places to gather
    crew: int
    #: with so many workers, tiles study until this many research points before they build more
    study_crew: int
    study_until: int
    #: a worker with less room than this is full, and with less load than this has nothing to bring home
    enough: int
    #: turns before dusk at which loads must be home
    dusk: int


#: expands along wood and keeps its cities through the nights
WOODLAND_V1 = Habits(
    worth_wood=10, worth_coal=30, worth_uranium=90, thin=60, thin_wood=100, patience=4, carry=5, camp=30,
    camp_hungry=200, income=15, reach=6, far=10, share=30, inheritance=40, curfew=4, reserve=10, beside_home=30,
    beside_wood=12, beside_ore=14, rich=10, step_cost=8, build_least=10, crew=100, study_crew=1000, study_until=0,
    enough=15, dusk=4,
)  # fmt: skip
#: studies early with a small crew, and settles where coal and uranium lie
PROSPECTOR_V1 = Habits(
    worth_wood=10, worth_coal=60, worth_uranium=200, thin=60, thin_wood=100, patience=6, carry=5, camp=60,
    camp_hungry=200, income=10, reach=6, far=12, share=15, inheritance=25, curfew=6, reserve=20, beside_home=30,
    beside_wood=6, beside_ore=30, rich=10, step_cost=6, build_least=6, crew=100, study_crew=8, study_until=200,
    enough=15, dusk=4,
)  # fmt: skip
