"""Quantities mean what they mean to Kubernetes."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_cluster.quantities import NANO, QuantityError, format_quantity, nanos, whole_units

SUFFIXES = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 10**3), "": Fraction(1),
    "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12), "P": Fraction(10**15),
    "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30), "Ti": Fraction(2**40), "Pi": Fraction(2**50),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "resource", "units"),
    [
        ("500m", "cpu", 500),
        ("1.5", "cpu", 1500),
        ("0.0001", "cpu", 1),  # finer than a millicore counts as one
        ("2", "cpu", 2000),
        ("1e3", "cpu", 1_000_000),
        ("16Gi", "memory", 16 * 2**30),
        ("16G", "memory", 16 * 10**9),
        ("1.5Ki", "memory", 1536),
        ("100m", "memory", 1),  # a tenth of a byte is a byte
        ("128974848", "memory", 128974848),
        ("129e6", "memory", 129_000_000),
        ("129M", "memory", 129_000_000),
        ("1E", "memory", 10**18),  # exa, not an exponent
        ("1E3", "memory", 1000),  # an exponent
        ("12E-1", "memory", 2),
        (".5", "cpu", 500),
        ("5.", "cpu", 5000),
        ("+1", "cpu", 1000),
        ("0", "memory", 0),
        ("-0", "memory", 0),
        ("1n", "nvidia.com/gpu", 1),
    ],
)
def test_a_quantity_counts_as_in_kubernetes(text: str, resource: str, units: int) -> None:
    assert whole_units(resource, nanos(text)) == units


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1 Gi", "Gi", ".", "1.2.3", "1gi", "1KiB", "0x10", "1e", "ten", "1e1000", "\u0661", "--1"]
)
def test_what_kubernetes_refuses_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        nanos(text)


@pytest.mark.parametrize("text", ["-1", "-500m", "-1Gi", "-1e3"])
def test_negative_quantities_are_refused_as_negative(text: str) -> None:
    with pytest.raises(QuantityError, match="negative"):
        nanos(text)


def test_a_long_text_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(QuantityError):
        nanos("9" * 100_000)


@given(
    whole=st.integers(0, 10**12),
    fraction=st.text("0123456789", max_size=12),
    suffix=st.sampled_from(sorted(SUFFIXES)),
)
def test_every_decimal_is_rounded_up_to_the_ninth_place(whole: int, fraction: str, suffix: str) -> None:
    text = f"{whole}.{fraction}" if fraction else str(whole)
    assert nanos(text + suffix) == math.ceil(Fraction(text) * SUFFIXES[suffix] * NANO)


@given(resource=st.sampled_from(["cpu", "memory", "nvidia.com/gpu"]), amount=st.integers(0, 2**60))
def test_an_amount_written_and_read_is_the_same(resource: str, amount: int) -> None:
    assert whole_units(resource, nanos(format_quantity(resource, amount))) == amount
