"""What time does: nights to come, the length of ways by day and night, what a night outside costs. Portable."""

from lanista_envs.lux.state import CYCLE, DAY, MAX_TURNS, UNIT_UPKEEP, WORKER


def nights_left(turn: int) -> int:
    """Night turns from this turn on until the next morning."""
    return min(CYCLE - DAY, CYCLE - turn % CYCLE)


def nights_to_end(turn: int) -> int:
    """Night turns from this turn on until the end of the game."""
    days = (MAX_TURNS - turn) // CYCLE * (CYCLE - DAY)
    return days if turn % CYCLE == 0 else days + nights_left(turn)


def walking_time(turn: int, steps: int) -> int:
    """Turns that a worker needs for so many steps off the road: two a step by day, four by night."""
    left = DAY - turn % CYCLE
    if left <= 0:
        return 4 * steps
    by_day = min(steps, (left + 1) // 2)
    return 2 * by_day + 4 * (steps - by_day)


def night_fuel(turn: int, duration: int) -> int:
    """Fuel that a worker burns outside cities during the next `duration` turns."""
    t = turn % CYCLE
    return UNIT_UPKEEP[WORKER] * max(0, min(t + duration, CYCLE) - max(t, DAY))
