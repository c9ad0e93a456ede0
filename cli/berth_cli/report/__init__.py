"""The picture of a plan: one self-contained HTML file with the packing before and after (`berth plan --html`).

`voyages` follows each pod that the plan touches from where it is to where it goes; `contents` lays snapshot and plan out
in columns for the page; `sentences` says in words what is proven and who waits; `page` puts it all into one file. The page
itself (assets/) is plain JavaScript on two canvases, and asks the network for nothing.
"""

from berth_cli.report.page import render_report, write_report
from berth_cli.report.voyages import PlanMismatchError

__all__ = ["PlanMismatchError", "render_report", "write_report"]
