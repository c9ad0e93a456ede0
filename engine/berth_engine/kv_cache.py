"""Who holds which block of the key-value cache: counts, sharing and spilling, without a tensor.

The cache is cut into blocks of `size` tokens (all layers of these tokens). A request holds a list of blocks; a full block
whose tokens are computed is known by the digest of all tokens up to its end, so that a later request with the same beginning
shares it. Blocks that nobody holds stay known until their place is needed, oldest first.

Blocks of paused requests stay where they are. Only when the device is full are they copied to blocks in host memory, and
back when their owner goes on; `copies` lists what the runner has to copy before it computes anything.

Nobody is admitted whose blocks could not be kept to the end: the promised blocks of all admitted requests never exceed the
blocks of device and host together, less one. So there is always room to spill to, and nothing ever has to be computed again.

All operations cost O(blocks touched).
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from berth_engine.request import Request


@dataclass(frozen=True, slots=True)
class Copy:
    """One block to copy: device to host when `spill`, else host to device."""

    spill: bool
    device: int
    host: int


class BlockPool:
    """The blocks of one engine."""

    def __init__(self, device: int, host: int = 0, size: int = 16, *, share: bool = True) -> None:
        if device < 1 or host < 0 or size < 1:
            raise ValueError(
                f"a cache needs at least one block of one token, not {device} blocks of {size}, {host} on the host"
            )
        self.device, self.host, self.size, self.share = device, host, size, share
        self.promised = 0
        self.copies: list[Copy] = []
        self.spilled_blocks = 0  # ever
        self._free = deque(range(device))
        self._free_host = deque(range(host))
        self._holders = [0] * device
        self._known: dict[bytes, int] = {}
        self._digest: list[bytes | None] = [None] * device
        self._unheld: OrderedDict[int, None] = OrderedDict()  # known blocks without holder, oldest first
        # a digest nobody can foresee: a tenant must not be able to make a block that stands for another's
        self._key = secrets.token_bytes(32)

    @property
    def free(self) -> int:
        """Device blocks that can be taken at once."""
        return len(self._free) + len(self._unheld)

    @property
    def used(self) -> int:
        """Device blocks that somebody holds."""
        return self.device - self.free

    @property
    def used_host(self) -> int:
        return self.host - len(self._free_host)

    def blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.size)

    # -- coming and going

    def fits_alone(self, request: Request) -> bool:
        """Whether the device could hold all of the request if it were alone."""
        return self.blocks_for(request.longest) <= self.device

    @property
    def unpromised(self) -> int:
        """Blocks that newcomers can be promised."""
        # one block stays free where blocks are exchanged between device and host: the exchange needs a place to begin
        return self.device + self.host - (self.host > 0) - self.promised

    def admit(self, request: Request) -> bool:
        """Promise the request its blocks and give it what is known of its beginning; False if it must wait."""
        promise = self.blocks_for(request.longest)
        if promise > self.unpromised:
            return False
        self.promised += promise
        request.promised = promise
        if self.share:
            self._take_known(request)
        return True

    def release(self, request: Request) -> None:
        """Take back all that a request holds. Blocks are given back last one first: beginnings are worth most."""
        for block in reversed(request.blocks):
            if block < 0:
                self._free_host.append(~block)
            else:
                self._let_go(block)
        request.blocks.clear()
        request.spilled = 0
        self.promised -= request.promised
        request.promised = 0

    # -- growing

    def missing(self, request: Request, tokens: int) -> int:
        """Device blocks to take so that the request stands on the device with room for `tokens` tokens."""
        return request.spilled + max(0, self.blocks_for(tokens) - len(request.blocks))

    def grow(self, request: Request, tokens: int) -> None:
        """Bring the request's spilled blocks back and add blocks up to `tokens` tokens. `missing` of them must be free."""
        self.bring_back(request, len(request.blocks))
        for _ in range(self.blocks_for(tokens) - len(request.blocks)):
            request.blocks.append(self._take())

    def bring_back(self, request: Request, count: int) -> int:
        """Copy up to `count` of the request's spilled blocks to free blocks of the device; how many came back.

        A beginning that others hold on the device is shared again, at no cost: so requests that shared it need no more room
        when they come back than when they left.
        """
        back = 0
        if not request.spilled:
            return back
        for place, block in enumerate(request.blocks):
            if block >= 0:
                continue
            digest = request.digests[place] if place < len(request.digests) else None
            known = self._known.get(digest) if digest is not None else None
            if known is not None and self._holders[known]:
                self._holders[known] += 1
                target = known
            elif known is not None and count > 0:
                count -= 1
                target = known  # it stands there yet, though nobody holds it
                self._unheld.pop(known)
                self._holders[known] = 1
            elif count > 0:
                count -= 1
                target = self._take()
                self.copies.append(Copy(False, target, ~block))
                if digest is not None:
                    self._know(digest, target)
            else:
                continue
            request.blocks[place] = target
            self._free_host.append(~block)
            back += 1
        request.spilled -= back
        return back

    def spill(self, request: Request, count: int) -> int:
        """Copy up to `count` of the request's blocks to the host, last ones first; how many device blocks that freed."""
        freed = 0
        for place in range(len(request.blocks) - 1, -1, -1):
            block = request.blocks[place]
            if block < 0:
                continue
            if freed >= count or not self._free_host:
                break
            target = self._free_host.popleft()
            self.copies.append(Copy(True, block, target))
            request.blocks[place] = ~target
            request.spilled += 1
            self.spilled_blocks += 1
            freed += self._let_go(block)
        return freed

    def take_copies(self) -> list[Copy]:
        """The copies to do now, in this order."""
        copies, self.copies = self.copies, []
        return copies

    # -- sharing

    def seal(self, request: Request) -> None:
        """Make the full blocks of what is computed known to requests with the same beginning."""
        if not self.share:
            return
        for place in range(len(request.digests), request.computed // self.size):
            digest = self._next_digest(request, place)
            request.digests.append(digest)
            block = request.blocks[place]
            if block >= 0:
                self._know(digest, block)

    def _take_known(self, request: Request) -> None:
        # one token at least is left to compute: its logits are wanted
        for place in range((len(request.prompt) - 1) // self.size):
            digest = self._next_digest(request, place)
            block = self._known.get(digest)
            if block is None:
                break
            self._unheld.pop(block, None)
            self._holders[block] += 1
            request.digests.append(digest)
            request.blocks.append(block)
        request.computed = request.cached = len(request.blocks) * self.size

    def _next_digest(self, request: Request, place: int) -> bytes:
        before = request.digests[place - 1] if place else request.salt
        tokens = request.tokens(place * self.size, self.size)
        return hashlib.blake2b(before + repr(tokens).encode(), key=self._key, digest_size=16).digest()

    # -- single blocks

    def _take(self) -> int:
        if self._free:
            block = self._free.popleft()
        else:
            block, _ = self._unheld.popitem(last=False)
            self._forget(block)
        self._holders[block] = 1
        return block

    def _let_go(self, block: int) -> bool:
        self._holders[block] -= 1
        if self._holders[block]:
            return False
        if self._digest[block] is None:
            self._free.append(block)
        else:
            self._unheld[block] = None
        return True

    def _know(self, digest: bytes, block: int) -> None:
        if digest not in self._known:
            self._known[digest] = block
            self._digest[block] = digest

    def _forget(self, block: int) -> None:
        digest = self._digest[block]
        if digest is not None:
            del self._known[digest]
            self._digest[block] = None

    def check(self, requests: Iterable[Request]) -> None:
        """Assert that every block is accounted for by these requests (tests; O(blocks))."""
        held = [0] * self.device
        host: set[int] = set()
        promised = 0
        for request in requests:
            promised += request.promised
            assert request.spilled == sum(block < 0 for block in request.blocks), "spilled blocks are miscounted"
            for block in request.blocks:
                if block < 0:
                    assert ~block not in host, f"host block {~block} is held twice"
                    host.add(~block)
                else:
                    held[block] += 1
        assert held == self._holders, "holders are miscounted"
        assert promised == self.promised <= self.device + self.host, "promises are miscounted"
        assert not host & set(self._free_host), "a held host block is free"
        assert len(host) + len(self._free_host) == self.host, "host blocks are lost"
        free = set(self._free) | set(self._unheld)
        assert len(free) == self.free, "a block is free twice"
        assert free == {block for block, holders in enumerate(held) if not holders}, "device blocks are lost"
        assert all(self._digest[block] == digest for digest, block in self._known.items()), "a known block changed"
