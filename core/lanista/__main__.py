"""`python -m lanista` is the `lanista` script."""

import sys

from lanista.cli import main

sys.exit(main())
