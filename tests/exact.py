"""Arithmetic without rounding: floating-point numbers are integers times powers of two."""

import math
from fractions import Fraction

import numpy as np


def exact_products(matrix: np.ndarray, vector: np.ndarray) -> list[Fraction]:
    """Return the entries of ``matrix @ vector``, for finite arrays, exactly."""
    mantissas, exponents = _integers(matrix)
    factors, shifts = _integers(vector)
    return [
        _sum_of_products(row, powers, factors, shifts)
        for row, powers in zip(mantissas, exponents, strict=True)
    ]


def exact_dot(left: np.ndarray, right: list[Fraction]) -> Fraction:
    """Return ``left @ right`` exactly."""
    return sum((Fraction(float(a)) * b for a, b in zip(left, right, strict=True)), Fraction(0))


def exact_root(number: Fraction) -> Fraction:
    """Return the square root to 200 bits, and zero for negative numbers."""
    if number <= 0:
        return Fraction(0)
    root = math.isqrt(number.numerator * number.denominator << 400)
    return Fraction(root, number.denominator << 200)


def rounded(number: Fraction) -> float:
    """Return the nearest float, infinity where the number is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def _integers(array: np.ndarray) -> tuple[list, list]:
    fractions, exponents = np.frexp(np.asarray(array, dtype=float))
    return (fractions * 2.0**53).astype(np.int64).tolist(), (exponents - 53).tolist()


def _sum_of_products(row: list, powers: list, factors: list, shifts: list) -> Fraction:
    terms = [
        (a * b, p + q) for a, p, b, q in zip(row, powers, factors, shifts, strict=True) if a and b
    ]
    if not terms:
        return Fraction(0)
    lowest = min(power for _, power in terms)
    total = sum(term << (power - lowest) for term, power in terms)
    return Fraction(total) * Fraction(2) ** lowest
