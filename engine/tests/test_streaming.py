"""A reader that is slow holds nobody up, and misses nothing."""

from __future__ import annotations

import asyncio

from berth_engine.answers import Answer
from berth_engine.engine import Event
from berth_engine.request import Finish, Request
from berth_engine.sampling import Chosen
from berth_engine.streaming import PIECES, Mailbox, events


def test_a_slow_reader_gets_everything_in_bounded_pieces() -> None:
    async def read() -> tuple[int, str, list[int]]:
        mailbox = Mailbox(asyncio.get_running_loop())
        for place in range(4 * PIECES):
            finish = Finish.LENGTH if place == 4 * PIECES - 1 else None
            mailbox.put(Event(Request("slow", [1]), "x", (Chosen(place),), finish))
        await asyncio.sleep(0)
        pieces = [await mailbox.take()]
        while pieces[-1].finish is None:
            pieces.append(await mailbox.take())
        return len(pieces), "".join(piece.text for piece in pieces), [t.token for p in pieces for t in p.tokens]

    count, text, tokens = asyncio.run(read())
    assert count == PIECES
    assert text == "x" * 4 * PIECES
    assert tokens == list(range(4 * PIECES))


def test_an_event_is_one_line_whatever_the_text() -> None:
    """Some clients part lines at U+2028 and U+0085 too."""

    async def said() -> list[bytes]:
        mailbox = Mailbox(asyncio.get_running_loop())
        mailbox.put(Event(Request("r", [1]), "a\u2028b\u0085c\nd", (), Finish.STOP))
        answer = Answer("r", "m", chat=False, tokenizer=None, logprobs=False)
        return [event async for event in events(mailbox, answer, include_usage=False)]

    first, done = asyncio.run(said())
    assert len(first.decode().strip().splitlines()) == 1
    assert done == b"data: [DONE]\n\n"
