"""The league: frozen snapshots and scripted players on disk, and who meets whom.

Nothing here imports torch before a policy is written or loaded.
"""

from lanista.league.blocks import Block
from lanista.league.gate import GateVerdict, judge_gate
from lanista.league.league import League
from lanista.league.matchmaking import Matchmaker, PayoffView
from lanista.league.member import LEARNER, Member
from lanista.league.payoff import Payoff
from lanista.league.report import LeagueReport, Standing, read_report
from lanista.league.settings import BotTable, GateSettings, LeagueSettings, OpponentShares

__all__ = [
    "LEARNER",
    "Block",
    "BotTable",
    "GateSettings",
    "GateVerdict",
    "League",
    "LeagueReport",
    "LeagueSettings",
    "Matchmaker",
    "Member",
    "OpponentShares",
    "Payoff",
    "PayoffView",
    "Standing",
    "judge_gate",
    "read_report",
]
