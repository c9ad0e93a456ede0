"""The pictures of docs/concepts.md, one function each: SVG on a card of its own, so that they read on light and dark pages alike.

Text is text (found, scaled, read aloud), colours follow the reader's `prefers-color-scheme`, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

WIDTH = 760

STYLE = """
.card{fill:#f7f8fb;stroke:#d9dee8}.ink{fill:#1f2733}.soft{fill:#566173}.line{stroke:#7b879b;fill:none;stroke-width:1.6}
.head{fill:#7b879b}.slot{fill:#fff;stroke:#b9c1cf;stroke-dasharray:3 2}.box{fill:#fff;stroke:#c3cad6}
.a{fill:#4a63d8}.b{fill:#0f9d86}.c{fill:#e0982a}.on{fill:#fff}.kept{fill:#4a63d8;fill-opacity:.12;stroke:#4a63d8;stroke-dasharray:4 3}
.good{fill:#0f9d86}.gap{fill:#e0982a;fill-opacity:.35}.mark{stroke:#c8453b;stroke-width:2}.markt{fill:#c8453b}
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:13px}
.t{font-size:14px;font-weight:600}.s{font-size:11.5px}.m{text-anchor:middle}.e{text-anchor:end}
@media (prefers-color-scheme:dark){.card{fill:#1d222d;stroke:#353d4d}.ink{fill:#e8ebf2}.soft{fill:#a4aec0}.line{stroke:#8d98ab}
.head{fill:#8d98ab}.slot{fill:#252b38;stroke:#4b566a}.box{fill:#252b38;stroke:#465064}.a{fill:#7288f0}.b{fill:#27b79f}.c{fill:#e9ab4b}
.on{fill:#10141c}.kept{fill:#7288f0;fill-opacity:.18;stroke:#8b9df5}.markt{fill:#f0837a}.mark{stroke:#f0837a}}
"""

SLOT = 17
A, B, C, FREE = "a", "b", "c", "slot"


class Picture:
    """Marks on a card."""

    def __init__(self, height: int, title: str) -> None:
        self._height = height
        self._title = title
        self._marks: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, kind: str, radius: float = 4) -> None:
        self._marks.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"/>'
        )

    def text(self, x: float, y: float, words: str, kind: str = "ink") -> None:
        self._marks.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>')

    def path(self, points: str, *, arrow: bool = True, kind: str = "line") -> None:
        end = ' marker-end="url(#head)"' if arrow else ""
        self._marks.append(f'<path class="{kind}" d="{points}"{end}/>')

    def node(self, x: float, y: float, name: str, pods: Sequence[tuple[str, int]], slots: int = 8) -> None:
        """A row of GPUs: pods as joined pieces, then what is free."""
        self.text(x - 8, y + 13, name, "soft s e")
        at = x
        for kind, gpus in pods:
            if kind == FREE:
                for _ in range(gpus):
                    self.rect(at + 1, y, SLOT - 2, SLOT, "slot", 3)
                    at += SLOT
            else:
                self.rect(at + 1, y, SLOT * gpus - 2, SLOT, kind, 3)
                at += SLOT * gpus

    def box(
        self, x: float, y: float, width: float, height: float, lines: Sequence[str], kind: str = "box", ink: str = "ink"
    ) -> None:
        self.rect(x, y, width, height, kind, 7)
        top = y + height / 2 - 8.5 * (len(lines) - 1) + 4.5
        for number, words in enumerate(lines):
            self.text(
                x + width / 2,
                top + 17 * number,
                words,
                f"{ink} m" if number == 0 else f"{'soft' if ink == 'ink' else ink} s m",
            )

    def svg(self) -> str:
        marks = "\n".join(self._marks)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" role="img" aria-label="{escape(self._title)}">\n'
            f"<title>{escape(self._title)}</title>\n<style>{STYLE}</style>\n"
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path class="head" d="M0 0L8 4L0 8z"/></marker></defs>\n'
            f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{self._height - 1}" rx="12"/>\n{marks}\n</svg>\n'
        )


def drawings() -> dict[str, str]:
    """File name without its suffix to content."""
    return {name: draw() for name, draw in DRAWINGS.items()} | {"berth": ICON}


def fragmentation() -> str:
    it = Picture(238, "Six GPUs are free, never four on one node; two moves make room for a pod of four")
    it.text(24, 32, "Six GPUs are free, never four on one node", "ink t")
    it.text(424, 32, "Two moves later", "ink t")
    before = [
        [(B, 4), (C, 1), (C, 1), (FREE, 2)],
        [(B, 4), (C, 1), (C, 1), (FREE, 2)],
        [(A, 4), (C, 1), (C, 1), (FREE, 2)],
    ]
    after = [[(B, 4), (A, 4)], [(B, 4), (C, 1), (C, 1), (C, 1), (C, 1)], [(A, 4), (C, 1), (C, 1), (FREE, 2)]]
    for number in range(3):
        y = 56 + 30 * number
        it.node(84, y, f"node {number + 1}", before[number])
        it.node(484, y, f"node {number + 1}", after[number])
    it.rect(85, 160, SLOT * 4 - 2, SLOT, A, 3)
    it.text(160, 173, "waits: urgent, 4 GPUs", "soft")
    it.path("M250 108C310 108 330 108 392 108")
    it.text(320, 100, "plan", "soft s m")
    it.rect(24, 206, 12, 12, A, 3)
    it.text(42, 216, "urgent", "soft s")
    it.rect(104, 206, 12, 12, B, 3)
    it.text(122, 216, "standard", "soft s")
    it.rect(196, 206, 12, 12, C, 3)
    it.text(214, 216, "best effort", "soft s")
    it.rect(300, 206, 12, 12, FREE, 3)
    it.text(318, 216, "free GPU", "soft s")
    it.text(736, 216, "nobody lost a place", "soft s e")
    return it.svg()


def proof() -> str:
    it = Picture(232, "Each tier has a count and a proven bound; where they meet the count is optimal")
    it.text(24, 32, "Tier by tier, from the top: what is placed, and what could be at most", "ink t")
    rows = (
        ("1000000", 6, 6, 6, "6 of 6: all placed"),
        ("1000", 6, 6, 7, "6, at most 6: optimal"),
        ("0", 27, 30, 34, "27, at most 30: not proven"),
    )
    for number, (priority, placed, bound, asked, words) in enumerate(rows):
        y = 58 + 48 * number
        scale = 380 / asked
        it.text(92, y + 18, priority, "soft e")
        it.rect(104, y, 380, 26, "slot", 5)
        if bound > placed:
            it.rect(104 + scale * placed, y, scale * (bound - placed), 26, "gap", 0)
        it.rect(104, y, scale * placed, 26, ("a", "b", "c")[number], 5)
        it.path(f"M{104 + scale * bound:g} {y - 5}V{y + 31}", arrow=False, kind="mark")
        it.text(500, y + 18, words)
    it.text(92, 214, "priority", "soft s e")
    it.text(104, 214, "bar: placed", "soft s")
    it.path("M190 204V220", arrow=False, kind="mark")
    it.text(198, 214, "bound, checked by code that shares nothing with the search", "soft s")
    return it.svg()


def waves() -> str:
    it = Picture(218, "A plan is walked in waves: evict, wait until gone, place; after each one may stop")
    it.text(24, 32, "A plan is walked in waves; after each one may stop", "ink t")
    for number, (first, moves, second) in enumerate(
        (
            ("wave 1", "evict 2 pods", "1 urgent pod runs"),
            ("wave 2", "evict 1 pod", "1 more"),
            ("wave 3", "evict 3 pods", "all placed"),
        )
    ):
        x = 24 + 240 * number
        it.rect(x, 52, 224, 112, "box", 8)
        it.text(x + 14, 74, first, "ink t")
        for row, (dot, words) in enumerate(((C, moves), (FREE, "wait until they are gone"), (A, f"place: {second}"))):
            it.rect(x + 14, 86 + 24 * row, 12, 12, dot, 3)
            it.text(x + 34, 96 + 24 * row, words, "soft")
        if number:
            it.path(f"M{x - 14} 108H{x - 2}")
        it.path(f"M{x + 232} 164V180" if number < 2 else f"M{x + 112} 164V180", arrow=False)
    it.text(256, 196, "no tier is worse than before", "soft s m")
    it.text(496, 196, "no tier is worse than before", "soft s m")
    it.text(616, 196, "done", "soft s m")
    return it.svg()


def steering() -> str:
    it = Picture(250, "A moved pod comes back under another name; the extender keeps its place and shows it the way")
    it.text(24, 32, "A moved pod comes back under another name, to the place that is kept for it", "ink t")
    it.node(84, 62, "node 1", [(B, 4), (C, 1), (FREE, 3)])
    it.node(84, 172, "node 2", [(B, 4), (C, 2), (FREE, 1)])
    it.rect(84 + SLOT * 7, 169, SLOT + 3, SLOT + 6, "kept", 4)
    it.text(242, 185, "kept for plan-x7k2p", "soft s")
    it.path("M160 82V112")
    it.text(172, 102, "1  evicted, within its budget", "soft s")
    it.box(360, 52, 150, 50, ["ReplicaSet", "makes embed-9xk2d"])
    it.path("M228 70H352")
    it.box(572, 52, 164, 50, ["kube-scheduler", "which node?"])
    it.path("M512 77H566")
    it.text(538, 69, "2", "soft s m")
    it.box(572, 150, 164, 60, ["extender", "“node 2, and no other”"], "a", "on")
    it.path("M642 104V146")
    it.path("M666 150V108")
    it.text(690, 132, "3", "soft s m")
    it.path("M566 190C470 214 330 220 222 200")
    it.text(400, 232, "4  bound where the plan wants it; everybody else is kept off that room meanwhile", "soft s m")
    return it.svg()


def hint() -> str:
    it = Picture(244, "A sentence becomes wishes with strengths, and wishes rank the nodes that the pod may use")
    it.text(24, 32, "A sentence becomes wishes; wishes rank the nodes that the pod may use", "ink t")
    it.rect(24, 56, 210, 76, "box", 7)
    for row, words in enumerate(("“spread us over zones,", "ideally on H100s, and never", "next to batch-etl”")):
        it.text(129, 80 + 18 * row, words, "ink m")
    it.path("M238 94H276")
    it.text(257, 86, "parser", "soft s m")
    for row, (words, strength, kind) in enumerate(
        (("not where batch-etl runs", "strong", A), ("spread over zones", "plain", B), ("on H100", "weak", C))
    ):
        y = 54 + 28 * row
        it.rect(284, y, 232, 22, "box", 6)
        it.rect(284, y, 6, 22, kind, 2)
        it.text(298, y + 15, words)
        it.text(508, y + 15, strength, "soft s e")
    it.path("M520 94H556")
    for row, (name, width, rank) in enumerate(
        (("node 4", 118, "10"), ("node 1", 96, "9"), ("node 7", 60, "8"), ("node 2", 20, "7"))
    ):
        y = 50 + 24 * row
        it.text(612, y + 14, name, "soft s e")
        it.rect(620, y + 2, width - 20 if width > 20 else 6, 16, B, 3)
        it.text(736, y + 14, rank, "ink s e")
    it.box(
        24,
        170,
        712,
        46,
        [
            "no language model, no network, the same answer each time",
            "stronger wishes decide first; nodes that are equal to them are chosen by packing; a wish never makes a node eligible",
        ],
    )
    return it.svg()


def ready() -> str:
    it = Picture(216, "Ready is said last: weights verified, loaded, a token produced, in the endpoints")
    it.text(24, 32, "Ready is said last, and of this generation", "ink t")
    steps = (
        ("fetched", "every byte hashed"),
        ("loaded", "by the engine"),
        ("answers", "a first token came"),
        ("routed", "in the endpoints"),
        ("Ready", "as many as asked for"),
    )
    for number, (word, about) in enumerate(steps):
        x = 24 + 145 * number
        last = number == len(steps) - 1
        it.box(x, 56, 132, 56, [word, about], "good" if last else "box", "on" if last else "ink")
        if number:
            it.path(f"M{x - 12} 84H{x - 2}")
    for number, words in enumerate(("DigestMismatch", "GPUOutOfMemory", "NotAnswering", "NotRouted", "")):
        if words:
            x = 24 + 145 * number + 66
            it.path(f"M{x} 114V142")
            it.text(x, 160, words, "markt s m")
    it.text(
        380, 194, "until then the reason of Ready says what stands in the way, the most telling one first", "soft s m"
    )
    return it.svg()


def engine() -> str:
    it = Picture(
        228, "An urgent request interrupts a long one between two layers, and the long one goes on where it stood"
    )
    it.text(24, 32, "An urgent request interrupts a long one between two layers", "ink t")
    it.text(92, 82, "long prompt", "soft s e")
    it.text(92, 132, "urgent", "soft s e")
    for layer in range(5):
        it.rect(104 + 44 * layer, 66, 40, 26, C, 4)
        it.text(124 + 44 * layer, 84, f"{layer + 1}", "on s m")
    for token in range(4):
        it.rect(324 + 38 * token, 116, 34, 26, A, 4)
        it.text(341 + 38 * token, 134, f"t{token + 1}", "on s m")
    for layer in range(5):
        it.rect(480 + 44 * layer, 66, 40, 26, C, 4)
        it.text(500 + 44 * layer, 84, f"{layer + 6}", "on s m")
    it.path("M300 56V152", arrow=False, kind="mark")
    it.text(300, 170, "it arrives", "markt s m")
    it.path("M324 66V112", arrow=False)
    it.path("M476 116V96")
    it.rect(324, 74, 152, 10, "kept", 3)
    it.text(400, 66, "state kept", "soft s m")
    it.path("M104 190H726")
    it.text(726, 208, "time", "soft s e")
    it.text(
        104,
        208,
        "1 to 10: layers of one pass; t: tokens of the urgent answer; the paused one ends with the same bits",
        "soft s",
    )
    return it.svg()


DRAWINGS: dict[str, Callable[[], str]] = {
    "fragmentation": fragmentation,
    "proof": proof,
    "waves": waves,
    "steering": steering,
    "hint": hint,
    "ready": ready,
    "engine": engine,
}

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#3f51b5"/>'
    '<rect x="6" y="8" width="9" height="7" rx="2" fill="#fff"/><rect x="17" y="8" width="9" height="7" rx="2" fill="#8be0d2"/>'
    '<rect x="6" y="17" width="20" height="7" rx="2" fill="#fff"/></svg>\n'
)
