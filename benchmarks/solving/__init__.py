"""Time to solve a control task: one judge and one clock for every toolkit, each run in a fresh process.

1. `duel` starts a process a (peer, seed), peer by peer in turn, and tells it through `wish` what to play.
2. `play_lanista`, `play_sb3` and `play_cleanrl` each drive one toolkit and report to a `trial` between updates.
3. `trial` stops the clock, evaluates when it is due, and says when it is enough.
4. `duel` gathers the results and `tables` writes them down.

The peers' programs run in the peers' own environment: `trial` and `wish` import numpy and gymnasium at most.
"""
