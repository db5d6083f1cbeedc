"""Known weaknesses of an RSA modulus that a certificate authority can see for itself (pki.md R65).

Small factors, two close primes (Fermat's factorisation), and the structure of keys made by the Infineon library that
CVE-2017-15361 ("ROCA") is about. Judges the number only; sizes and exponents are `backend.pki.keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, isqrt, prod
from typing import Final

_FERMAT_ROUNDS: Final = 24  # primes made by "next prime after the first" fall in the first few


def _primes_below(limit: int) -> tuple[int, ...]:
    return tuple(n for n in range(2, limit) if all(n % d for d in range(2, isqrt(n) + 1)))


def _powers_of_65537(prime: int) -> frozenset[int]:
    powers, power = {1}, 65537 % prime
    while power not in powers:
        powers.add(power)
        power = power * 65537 % prime
    return frozenset(powers)


_SMALL: Final = prod(_primes_below(752))
# Both primes of an affected key are powers of 65537 modulo a primorial, hence so is the modulus, for each prime below
# 168 (keys of up to 4096 bits use at least these). Primes for which every residue is such a power say nothing.
_ROCA: Final[Mapping[int, frozenset[int]]] = {
    prime: powers for prime in _primes_below(168) if prime != 2 and len(powers := _powers_of_65537(prime)) < prime - 1
}


def find_weakness(modulus: int) -> str | None:
    """Return what is wrong with the modulus, or None if nothing known is. About 0.1 ms for 2048 bits."""
    if gcd(modulus, _SMALL) != 1:
        return "its modulus has a small factor"
    if all(modulus % prime in powers for prime, powers in _ROCA.items()):
        return "it has the structure of keys from a faulty generator (CVE-2017-15361)"
    if _has_close_factors(modulus):
        return "its two primes are close to each other"
    return None


def _has_close_factors(modulus: int) -> bool:
    middle = isqrt(modulus)
    if middle * middle < modulus:
        middle += 1
    square = middle * middle - modulus
    for _ in range(_FERMAT_ROUNDS):
        root = isqrt(square)
        if root * root == square:
            return True
        square += 2 * middle + 1
        middle += 1
    return False
