"""What others do, as policies of the same engine: one file each, to be measured beside Berth's own (scheduler.py)."""
