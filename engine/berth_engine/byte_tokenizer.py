"""A tokenizer without a vocabulary file: one token a byte, three special ones, a chat template. For the built-in models."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SPECIAL = ("<s>", "</s>", "<pad>")  # ids 0, 1, 2
BOS, EOS, PAD = range(3)
SIZE = len(SPECIAL) + 256
CHAT = (
    "{% for message in messages %}<{{ message['role'] }}>\n{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>\n{% endif %}"
)


def byte_tokenizer() -> Any:
    """A fast tokenizer of transformers; any UTF-8 text comes back as it was."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: place for place, symbol in enumerate([*SPECIAL, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=CHAT, clean_up_tokenization_spaces=False,
        **dict(zip(("bos_token", "eos_token", "pad_token"), SPECIAL, strict=True)),
    )  # fmt: skip
