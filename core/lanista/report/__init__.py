"""What a run folder says: its files read with patience, trends, charts, and one page that stands alone."""
