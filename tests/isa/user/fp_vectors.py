#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Writes tables of operands, results and flags of FP operations, from exact rational arithmetic.

    fp_vectors.py arithmetic|integers|formats|zfa XLEN

Nothing here knows how rvvm or the host does FP: values are Python's Fractions, rounded once as IEEE
754 says, tininess found after rounding as RISC-V wants. The numbers are the same in every run.
"""
import random
import sys
from fractions import Fraction
from math import isqrt

RNE, RTZ, RDN, RUP, RMM = MODES = range(5)
NX, UF, OF, DZ, NV = 1, 2, 4, 8, 16


class Format:
    def __init__(self, bits, precision):
        self.bits, self.p = bits, precision
        self.exponent_bits = bits - precision
        self.bias = (1 << self.exponent_bits - 1) - 1
        self.emin, self.emax = 1 - self.bias, self.bias
        self.sign = 1 << bits - 1
        self.inf = ((1 << self.exponent_bits) - 1) << precision - 1
        self.nan = self.inf | 1 << precision - 2  # canonical
        self.largest = self.inf - 1

    def is_nan(self, v):
        return v & ~self.sign > self.inf

    def is_signaling(self, v):
        return self.is_nan(v) and not v & 1 << self.p - 2

    def is_inf(self, v):
        return v & ~self.sign == self.inf

    def is_zero(self, v):
        return v & ~self.sign == 0

    def value(self, v):
        """The exact value of a finite number."""
        exponent, fraction = (v & ~self.sign) >> self.p - 1, v & (1 << self.p - 1) - 1
        if exponent:
            fraction |= 1 << self.p - 1
        exact = Fraction(fraction) * Fraction(2) ** (max(exponent, 1) - self.bias - self.p + 1)
        return -exact if v & self.sign else exact


H, S, D = Format(16, 11), Format(32, 24), Format(64, 53)
FORMATS = ("s", S), ("d", D)


def round_up(whole, rest, rm, negative):
    """Whether whole + rest (0 <= rest < 1) becomes whole + 1."""
    half = Fraction(1, 2)
    return {RNE: rest > half or (rest == half and whole & 1), RTZ: False, RDN: negative and rest > 0,
            RUP: not negative and rest > 0, RMM: rest >= half}[rm]


def log2(x):
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if x >= Fraction(2) ** e else e - 1


def at_quantum(x, exponent, rm, negative):
    """x > 0 as a multiple of 2**exponent, and whether that is exact."""
    scaled = x / Fraction(2) ** exponent
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    return whole + round_up(whole, rest, rm, negative), rest == 0


def rounded(x, fmt, rm, zero_sign=0):
    """(bits, flags) of the exact value x."""
    if x == 0:
        return zero_sign, 0
    negative, x = x < 0, abs(x)
    sign = fmt.sign if negative else 0
    e = log2(x)
    whole, exact = at_quantum(x, max(e, fmt.emin) - fmt.p + 1, rm, negative)
    unbounded, _ = at_quantum(x, e - fmt.p + 1, rm, negative)
    tiny = unbounded * Fraction(2) ** (e - fmt.p + 1) < Fraction(2) ** fmt.emin
    # Counting in units of the last place is counting in encodings.
    bits = whole if e < fmt.emin else whole + ((e - fmt.emin) << fmt.p - 1)
    if bits >= fmt.inf:
        away = rm in (RNE, RMM) or rm == (RDN if negative else RUP)
        return sign | (fmt.inf if away else fmt.largest), OF | NX
    return sign | bits, 0 if exact else NX | (UF if tiny else 0)


def nan_result(fmt, *operands):
    return fmt.nan, NV if any(fmt.is_signaling(v) for v in operands) else 0


def product(fmt, a, b):
    """(kind, value or sign) of a * b."""
    sign = (a ^ b) & fmt.sign
    if fmt.is_inf(a) or fmt.is_inf(b):
        return ("invalid", 0) if fmt.is_zero(a) or fmt.is_zero(b) else ("inf", sign)
    return "number", (fmt.value(a) * fmt.value(b), sign)


def add_exact(fmt, x, x_sign, b, rm):
    """x + b for finite ones; x_sign is that of x where x is 0."""
    total = x + fmt.value(b)
    zero_sign = (fmt.sign if rm == RDN else 0)
    if x == 0 and fmt.is_zero(b) and x_sign == b & fmt.sign:
        zero_sign = x_sign
    return rounded(total, fmt, rm, zero_sign)


def fadd(fmt, rm, a, b, c=0):
    if fmt.is_nan(a) or fmt.is_nan(b):
        return nan_result(fmt, a, b)
    if fmt.is_inf(a):
        return (fmt.nan, NV) if fmt.is_inf(b) and a != b else (a, 0)
    if fmt.is_inf(b):
        return b, 0
    return add_exact(fmt, fmt.value(a), a & fmt.sign, b, rm)


def fsub(fmt, rm, a, b, c=0):
    if fmt.is_nan(b):
        return nan_result(fmt, a, b)
    return fadd(fmt, rm, a, b ^ fmt.sign)


def fmul(fmt, rm, a, b, c=0):
    if fmt.is_nan(a) or fmt.is_nan(b):
        return nan_result(fmt, a, b)
    kind, what = product(fmt, a, b)
    if kind == "invalid":
        return fmt.nan, NV
    return (fmt.inf | what, 0) if kind == "inf" else rounded(what[0], fmt, rm, what[1])


def fdiv(fmt, rm, a, b, c=0):
    sign = (a ^ b) & fmt.sign
    if fmt.is_nan(a) or fmt.is_nan(b):
        return nan_result(fmt, a, b)
    if (fmt.is_inf(a) and fmt.is_inf(b)) or (fmt.is_zero(a) and fmt.is_zero(b)):
        return fmt.nan, NV
    if fmt.is_inf(a):
        return sign | fmt.inf, 0
    if fmt.is_zero(b):
        return sign | fmt.inf, DZ
    return (sign, 0) if fmt.is_inf(b) else rounded(fmt.value(a) / fmt.value(b), fmt, rm, sign)


def fsqrt(fmt, rm, a, b=0, c=0):
    if fmt.is_nan(a):
        return nan_result(fmt, a)
    if fmt.is_zero(a):
        return a, 0
    if a & fmt.sign:
        return fmt.nan, NV
    if fmt.is_inf(a):
        return a, 0
    # An integer root with many more bits than asked for, and a last bit that says "not exact".
    shift = 2200
    n = fmt.value(a) * (1 << 2 * shift)
    root = isqrt(n.numerator)
    x = Fraction(2 * root + (root * root != n), 2 << shift)
    return rounded(x, fmt, rm)


def fma(fmt, rm, a, b, c, negate_product=False, negate_addend=False):
    if negate_product and not fmt.is_nan(a):
        a ^= fmt.sign
    if negate_addend and not fmt.is_nan(c):
        c ^= fmt.sign
    invalid = (fmt.is_inf(a) and fmt.is_zero(b)) or (fmt.is_zero(a) and fmt.is_inf(b))
    if any(map(fmt.is_nan, (a, b, c))) or invalid:
        bits, flags = nan_result(fmt, a, b, c)
        return bits, flags | (NV if invalid else 0)
    kind, what = product(fmt, a, b)
    if kind == "inf":
        return (fmt.nan, NV) if fmt.is_inf(c) and c & fmt.sign != what else (fmt.inf | what, 0)
    return (c, 0) if fmt.is_inf(c) else add_exact(fmt, *what, c, rm)


OPERATIONS = {
    "fadd": fadd, "fsub": fsub, "fmul": fmul, "fdiv": fdiv, "fsqrt": fsqrt, "fmadd": fma,
    "fmsub": lambda f, rm, a, b, c: fma(f, rm, a, b, c, False, True),
    "fnmsub": lambda f, rm, a, b, c: fma(f, rm, a, b, c, True, False),
    "fnmadd": lambda f, rm, a, b, c: fma(f, rm, a, b, c, True, True),
}


def convert(source, target, rm, a):
    if source.is_nan(a):
        return target.nan, NV if source.is_signaling(a) else 0
    sign = target.sign if a & source.sign else 0
    return (sign | target.inf, 0) if source.is_inf(a) else rounded(source.value(a), target, rm, sign)


def to_integer(fmt, rm, a, bits, signed):
    """(value as an unsigned number of that many bits, flags)."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    mask = (1 << bits) - 1
    if fmt.is_nan(a):
        return high & mask, NV
    if fmt.is_inf(a):
        return (low if a & fmt.sign else high) & mask, NV
    x = fmt.value(a)
    whole, exact = at_quantum(abs(x), 0, rm, x < 0)
    n = -whole if x < 0 else whole
    if not low <= n <= high:
        return (low if n < low else high) & mask, NV
    return n & mask, 0 if exact else NX


def round_to_integer(fmt, rm, a, inexact):
    if fmt.is_nan(a):
        return nan_result(fmt, a)
    if fmt.is_inf(a):
        return a, 0
    x = fmt.value(a)
    whole, exact = at_quantum(abs(x), 0, rm, x < 0)
    bits, _ = rounded(Fraction(whole), fmt, rm)
    return bits | (a & fmt.sign), 0 if exact or not inexact else NX


def numbers(rng, fmt):
    """Operands of the kinds where something happens."""
    p, top = fmt.p - 1, 1 << fmt.exponent_bits
    fraction = rng.choice([0, 1, (1 << p) - 1, 1 << p - 1, 1 << rng.randrange(p), rng.getrandbits(p)])
    exponent = rng.choice([0, 0, 1, 2, top - 2, top - 1, fmt.bias, fmt.bias + 1, fmt.bias - 1,
                           fmt.bias + rng.randrange(-p - 3, p + 12), rng.randrange(top)])
    return rng.getrandbits(1) << fmt.bits - 1 | max(0, min(exponent, top - 1)) << p | fraction


def table(name, rows):
    print(f"static const struct vector {name}[] = {{")
    for rm, a, b, c, want, flags in rows:
        print(f"    {{{rm}, {flags}, {a:#x}, {b:#x}, {c:#x}, {want:#x}}},")
    print("};")


def arithmetic(rng, wide):
    for letter, fmt in FORMATS:
        for name, operation in OPERATIONS.items():
            rows = []
            for n in range(60):
                a, b, c = (numbers(rng, fmt) for _ in range(3))
                if n % 5 == 1:  # sums that cancel, quotients and products near one another
                    b = a ^ rng.choice([0, fmt.sign]) ^ rng.choice([0, 1, 2])
                for rm in MODES:
                    rows.append((rm, a, b, c, *operation(fmt, rm, a, b, c)))
            table(f"{name}_{letter}", rows)


def with_integers(rng, fmt):
    """Numbers of all kinds and such as lie about the ends of the integer types."""
    return [numbers(rng, fmt) for _ in range(80)] + [
        rounded(Fraction(sign * (4 * (1 << n) + d), 4), fmt, RTZ)[0]
        for n in (0, 1, 31, 32, 63, 64) for d in range(-3, 4) for sign in (1, -1)]


def integer_types(wide):
    return [("w", 32, True), ("wu", 32, False)] + ([("l", 64, True), ("lu", 64, False)] if wide else [])


def integers(rng, wide):
    for letter, fmt in FORMATS:
        inputs = with_integers(rng, fmt)
        values = [0, 1, (1 << 24) + 1, (1 << 53) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 63) - 1,
                  1 << 63, (1 << 64) - 1] + [rng.getrandbits(64) >> rng.randrange(64) for _ in range(60)]
        for kind, bits, signed in integer_types(wide):
            table(f"fcvt_{kind}_{letter}", [(rm, a, 0, 0, *to_integer(fmt, rm, a, bits, signed))
                                            for a in inputs for rm in MODES])
            rows = []
            for i in values:
                n = i & (1 << bits) - 1
                x = n - (1 << bits) if signed and n >> bits - 1 else n
                rows += [(rm, i, 0, 0, *rounded(Fraction(x), fmt, rm)) for rm in MODES]
            table(f"fcvt_{letter}_{kind}", rows)


def zfa(rng, wide):
    for letter, fmt in FORMATS:
        inputs = with_integers(rng, fmt)
        for name, inexact in (("fround", False), ("froundnx", True)):
            table(f"{name}_{letter}", [(rm, a, 0, 0, *round_to_integer(fmt, rm, a, inexact))
                                       for a in inputs for rm in MODES])


def formats(rng, wide):
    for name, source, target in (("s_d", D, S), ("d_s", S, D), ("s_h", H, S), ("h_s", S, H), ("d_h", H, D),
                                 ("h_d", D, H)):
        inputs = [numbers(rng, source) for _ in range(100)]
        inputs += [rounded(target.value(numbers(rng, target) & target.largest) *
                           rng.choice([1, Fraction(4097, 4096), Fraction(4095, 4096)]), source, RTZ)[0]
                   for _ in range(100)]
        table(f"fcvt_{name}", [(rm, a, 0, 0, *convert(source, target, rm, a))
                               for a in inputs for rm in MODES])


def main():
    makers = {maker.__name__: maker for maker in (arithmetic, integers, zfa, formats)}
    makers[sys.argv[1]](random.Random(754), sys.argv[2] == "64")


main()
