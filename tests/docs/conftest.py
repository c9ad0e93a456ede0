"""What makes the documentation is not installed with the product: it is imported from the top of the checkout."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
