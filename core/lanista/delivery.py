def deliver(run): return 0
