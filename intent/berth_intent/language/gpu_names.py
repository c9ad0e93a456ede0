"""GPU models as people write them: H100, "h100s", "A100 80GB", "RTX 4090", "nvidia-l4"."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MODEL = re.compile(
    r"(?:nvidia[- ]?|tesla[- ]?|amd[- ]?|instinct[- ]?|geforce[- ]?)?"
    r"(?P<model>[hb][123]00|gb[23]00|gh200|h20|h800|a800|a100|a10g?|a16|a2|a30|a40|l4|l20|l40s?|t4g?|v100|p100|p40|p4|k80|m60|mi[123]\d\d[xa]?"
    r"|a[456]000|rtx[- ]?(?:a?\d{4}|pro \d{4})(?:[- ]?(?:ti|ada))?|gaudi[- ]?\d?)"
    r"(?:[- ]?(?:sxm\d?|pcie|hbm\w*|nvl))*(?:[- ]?(?P<memory>\d{2,3})[- ]?gi?b?)?(?:[- ]?(?:sxm\d?|pcie|hbm\w*))*(?P<plural>'?s)?"
)
_NO_PLURAL = ("l40s",)


def gpu_model(word: str) -> tuple[str, bool] | None:
    """The short name and whether several are meant; None when the word is no GPU model. L40S is a model, not two L40."""
    found = _MODEL.fullmatch(word)
    if found is None:
        return None
    model = found["model"].upper().replace(" ", "").replace("-", "")
    if found["memory"] and model == "A100":
        model = f"A100-{found['memory']}GB"
    return model, bool(found["plural"]) and word not in _NO_PLURAL


def with_memory(model: str, gigabytes: float) -> str | None:
    """A100 and 80 GB are A100-80GB. Of other models the memory is no part of the name."""
    if model == "A100" and gigabytes in (40, 80):
        return f"A100-{gigabytes:.0f}GB"
    return None


def in_vocabulary(model: str, models: Sequence[str]) -> str:
    """As the cluster writes it: A100 is A100-80GB where that is the only kind of it."""
    for known in models:
        if known.upper() == model.upper():
            return known
    kinds = [known for known in models if known.upper().startswith(model.upper() + "-")]
    return kinds[0] if len(kinds) == 1 else model
