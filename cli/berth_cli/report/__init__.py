"""The picture of a plan: one self-contained HTML file with the packing before and after (`berth plan --html`).

`voyages` follows each pod that the plan touches from where it is to where it goes; `columns` lays out nodes and pods,
`waiting` who waits and why, `contents` everything together, with `sentences` for the words; `page` puts it into one file.
The page itself (assets/) is plain JavaScript on two canvases, and asks the network for nothing.
"""

from berth_cli.report.page import render_report, write_report
from berth_cli.report.voyages import PlanMismatchError

__all__ = ["PlanMismatchError", "render_report", "write_report"]
