"""What Berth is made of, from the metadata of what is installed: `python -m tests.security.dependencies` writes docs/dependencies.md.

Run from the top of the checkout, with both environments there (`make install engine`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "dependencies.md"
ENGINE = ROOT / ".venv-engine"

ALLOWED = (
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    "Python-2.0", "Unlicense", "Zlib", "CC0-1.0", "HPND", "Apache-2.0 WITH LLVM-exception", "LicenseRef-NVIDIA-Proprietary",
)  # fmt: skip
"""Licences that may be shipped beside Apache-2.0. MPL-2.0: unchanged, and only its own files are bound by it. NVIDIA's: its libraries, in
the engine's image alone, which their terms let others redistribute."""
ONLY_FOR_TESTS = ("LGPL-3.0-or-later", "LGPL-2.1-or-later", "GPL-2.0-only WITH Classpath-exception-2.0")
"""Never shipped."""
KNOWN: Mapping[str, str] = {"cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}
"""Of distributions whose metadata do not say it in a way that is read here, looked up in their source."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "Other/Proprietary License": "",
    "Public Domain": "Unlicense",
    "zlib/libpng License": "Zlib",
}
_WORDS = (
    (r"nvidia", "LicenseRef-NVIDIA-Proprietary"),
    (r"apache", "Apache-2.0"),
    (r"mpl|mozilla", "MPL-2.0"),
    (r"\bmit\b|mit license", "MIT"),
    (r"bsd.?2|2.?clause|simplified bsd", "BSD-2-Clause"),
    (r"bsd", "BSD-3-Clause"),
    (r"\bisc\b", "ISC"),
    (r"psf|python software", "PSF-2.0"),
    (r"unlicense|public domain", "Unlicense"),
)


@dataclass(frozen=True)
class Part:
    name: str
    version: str
    licence: str
    why: str = ""


def licence_of(found: Distribution) -> str:
    """As an SPDX expression; empty where nothing is said that is understood."""
    name = canonicalize_name(found.metadata["Name"])
    if name in KNOWN:
        return KNOWN[name]
    stated = found.metadata.get("License-Expression")
    if stated:
        return str(stated)
    prefix = "License :: "
    told = [c.rsplit(" :: ", 1)[-1] for c in found.metadata.get_all("Classifier") or () if c.startswith(prefix)]
    by_classifier = sorted({_CLASSIFIERS.get(one, "") for one in told} - {""})
    if by_classifier:
        return " OR ".join(by_classifier) if len(by_classifier) > 1 else by_classifier[0]
    text = str(found.metadata.get("License") or "")[:200].lower()
    return next((licence for pattern, licence in _WORDS if re.search(pattern, text)), "")


def is_allowed(licence: str, extra: Iterable[str] = ()) -> bool:
    """One of the alternatives, all parts of which may be used."""
    allowed = {*ALLOWED, *extra}
    plain = licence.replace("(", " ").replace(")", " ")

    def whole(alternative: str) -> bool:
        return all(part.strip() in allowed for part in re.split(r"\bAND\b", alternative))

    return bool(licence) and any(whole(alternative) for alternative in re.split(r"\bOR\b", plain))


def installed(path: Path | None = None) -> dict[str, Distribution]:
    where = {} if path is None else {"path": [str(p) for p in path.glob("lib/python3*/site-packages")]}
    return {canonicalize_name(d.metadata["Name"]): d for d in distributions(**where)}


def closure(roots: Iterable[str], there: Mapping[str, Distribution]) -> set[str]:
    """What these requirements bring along on this platform. Those that are not installed are for others."""
    found: set[str] = set()
    open_ = [Requirement(root) for root in roots]
    while open_:
        asked = open_.pop()
        name = canonicalize_name(asked.name)
        extras = asked.extras or {""}
        if name not in there or not (
            asked.marker is None or any(asked.marker.evaluate({"extra": e}) for e in ("", *extras))
        ):
            continue
        if name in found and not asked.extras:
            continue
        found.add(name)
        for told in there[name].requires or ():
            needed = Requirement(told)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in ("", *extras)):
                needed.marker = None
                open_.append(needed)
    return found


def asked_for(file: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Requirement to its word of why: those that are shipped, optional ones among them, and those for tests."""
    text = file.read_text()
    told = tomllib.loads(text)
    project = told["project"]
    shipped = [
        *project.get("dependencies", ()),
        *(r for group in project.get("optional-dependencies", {}).values() for r in group),
    ]
    why: dict[str, str] = {}
    for line in text.splitlines():
        found = re.match(r'\s*"([^"]+)",?\s*#\s*(.*)', line)
        if found:
            why.setdefault(found[1], found[2])
    return {r: why.get(r, "") for r in shipped}, {
        r: why.get(r, "") for r in told.get("dependency-groups", {}).get("dev", ())
    }


def parts(names: Iterable[str], there: Mapping[str, Distribution], why: Mapping[str, str]) -> list[Part]:
    reasons = {canonicalize_name(Requirement(r).name): text for r, text in why.items()}
    return [Part(name, there[name].version, licence_of(there[name]), reasons.get(name, "")) for name in sorted(names)]


def of_control_plane() -> tuple[list[Part], list[Part], list[Part]]:
    """Asked for and shipped; shipped because those need it; for tests alone."""
    there = installed()
    there.pop("berth-scheduler", None)
    shipped, dev = asked_for(ROOT / "pyproject.toml")
    direct = {canonicalize_name(Requirement(r).name) for r in shipped}
    all_shipped = closure(shipped, there)
    tests = closure(dev, there) - all_shipped
    return parts(direct, there, shipped), parts(all_shipped - direct, there, {}), parts(tests, there, dev)


def of_engine() -> list[Part]:
    there = installed(ENGINE)
    there.pop("berth-engine", None)
    shipped, _ = asked_for(ROOT / "engine" / "pyproject.toml")
    return parts(closure(shipped, there), there, shipped)


def table(found: Iterable[Part], *, reasons: bool) -> str:
    head = (
        "| name | version | licence | why |\n| --- | --- | --- | --- |\n"
        if reasons
        else "| name | version | licence |\n| --- | --- | --- |\n"
    )
    return head + "".join(
        f"| {p.name} | {p.version} | {p.licence} |" + (f" {p.why} |" if reasons else "") + "\n" for p in found
    )


def page() -> str:
    direct, along, tests = of_control_plane()
    return f"""# What Berth is made of

<!-- Made from the metadata of what is installed by `python -m tests.security.dependencies`; do not edit. -->

Every version is pinned with the hashes of its files (`constraints.txt`, `engine/constraints.txt`, `images/*/constraints.txt`), and pip
installs nothing whose hash differs. Licences are held to a list by a test (`tests/security/test_dependencies.py`): {", ".join(ALLOWED[:11])} and
a few like them may be shipped; copyleft that reaches beyond its own files may not.

**Updates.** `make lock` resolves anew within the ranges of `pyproject.toml`, which end before the next major version (or minor, before 1.0).
It is run once a month, and at once for an advisory about something that is shipped; the change is merged when `make test-all` passes and
this page's difference was read: a new name in it needs a reason, a changed licence a decision. `kubernetes` is held at 36.0.3, since
37 and botocore cannot be installed together. Kubernetes' own binaries are upstream's; kube-scheduler follows the cluster.

## Asked for

{table(direct, reasons=True)}
## Needed by those

{table(along, reasons=False)}
## The engine's image

Shares nothing with the above; Linux on x86-64.

{table(of_engine(), reasons=False)}
## For tests alone

Never in an image.

{table(tests, reasons=False)}"""


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
