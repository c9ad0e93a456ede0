"""What became of the hints of waiting pods: read as the plan read them, judged where the plan places them."""

from __future__ import annotations

from berth_cluster.snapshot import Pod
from berth_intent.sentences import phrase
from berth_planner.arranging import company_after
from berth_planner.company import Company
from berth_planner.explanation import HintVerdict, WishVerdict
from berth_planner.planning import Planned


class HintVerdicts:
    def __init__(self, planned: Planned) -> None:
        self._planned = planned
        self._number = {name: n for n, name in enumerate(planned.packing.problem.nodes)}
        self._company: Company | None = None

    def of(self, pod: Pod, node: str = "") -> HintVerdict | None:
        """node: where the plan places it; empty: nowhere."""
        wishes = self._planned.packing.wishes
        reading = wishes.reading.of(pod) if wishes is not None and pod.hint else None
        if wishes is None or reading is None:
            return None
        aside = (*reading.understood.unparsed, *(phrase(p) for p in reading.refused))
        overruled = (phrase(reading.understood.preferences[i]) for i in sorted(reading.understood.overruled))
        said = tuple(phrase(p) for p in reading.counting)
        if not node:
            return HintVerdict(pod.hint, said, (*aside, *overruled))
        if self._company is None:
            self._company = company_after(self._planned.packing, wishes, self._planned.done.carried_out())
        self._company.leave(pod, self._number[node])
        judged = self._company.judgements(pod, self._number[node])
        self._company.stand(pod, self._number[node])
        verdicts = tuple(
            WishVerdict(wish, j.preference.strength, j.satisfaction, j.reason)
            for wish, j in zip(said, judged, strict=True)
        )
        return HintVerdict(pod.hint, said, (*aside, *overruled), node, verdicts)
