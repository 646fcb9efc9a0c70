# SPDX-License-Identifier: GPL-3.0-only
"""The C source of the compile job: about 2,000 preprocessed lines of what programs are made of, the
same on every machine. Nobody runs it; a compiler must have the work that real code gives it."""
import random

INTEGERS = ("int", "unsigned int", "long", "unsigned char", "short", "unsigned long")
OPERATORS = ("+", "-", "*", "&", "|", "^")
COMPARISONS = ("<", ">", "==", "!=", "<=", ">=")


class Writer:
    """Draws everything from random(), whose sequence Python promises to keep."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.functions = []  # names of int f(struct sN *, int, int), with N

    def below(self, limit):
        return int(self.random.random() * limit)

    def pick(self, choices):
        return choices[self.below(len(choices))]

    def line(self, depth, text):
        self.lines.append("    " * depth + text)

    # ---- expressions over the parameters and locals that every function has

    def leaf(self, fields):
        kind = self.below(5)
        if kind == 0:
            return str(1 + self.below(1000))
        if kind <= 2:
            return f"s->{self.pick(fields)}"
        return self.pick(("a", "b", "x", "y", "i"))

    def expression(self, fields, depth=0):
        if depth > 2 or self.below(3) == 0:
            return self.leaf(fields)
        left, right = (self.expression(fields, depth + 1) for _ in range(2))
        kind = self.below(9)
        if kind == 0:
            return f"({left} >> ({right} & 7))"
        if kind == 1:
            return f"({left} / (({right} & 15) + 1))"
        if kind == 2:
            return f"s->table[({left}) & 15]"
        return f"({left} {self.pick(OPERATORS)} {right})"

    def condition(self, fields):
        first = f"{self.expression(fields, 1)} {self.pick(COMPARISONS)} {self.leaf(fields)}"
        if self.below(3):
            return first
        return f"{first} {self.pick(('&&', '||'))} {self.leaf(fields)} {self.pick(COMPARISONS)} x"

    # ---- statements

    def assign(self, fields, depth):
        target = self.pick(("x", "y", f"s->{self.pick(fields)}", "s->table[i & 15]"))
        operator = self.pick(("=", "+=", "^=", "-="))
        self.line(depth, f"{target} {operator} {self.expression(fields)};")

    def call(self, number, depth):
        known = [name for name, owner in self.functions if owner == number]
        if known:
            self.line(depth, f"y += {self.pick(known)}(s, x, {self.pick(('a', 'b', 'i'))} & 63);")

    def statement(self, number, fields, depth):
        kind = self.below(10) if depth < 4 else 0
        if kind <= 3:
            self.assign(fields, depth)
        elif kind == 4:
            self.line(depth, f"if ({self.condition(fields)}) {{")
            self.block(number, fields, depth + 1)
            if self.below(2):
                self.line(depth, "} else {")
                self.block(number, fields, depth + 1)
            self.line(depth, "}")
        elif kind == 5:
            self.line(depth, f"for (i = 0; i < {self.pick(('b', '16', 's->count'))}; i++) {{")
            self.block(number, fields, depth + 1)
            self.line(depth, "}")
        elif kind == 6:
            self.switch(fields, depth)
        elif kind == 7:
            self.line(depth, "for (s_at = s->next; s_at; s_at = s_at->next)")
            self.line(depth + 1, f"x += s_at->{self.pick(fields)};")
        elif kind == 8:
            self.line(depth, f"d = d * {1 + self.below(9)}.25 + x / ({self.leaf(fields)} + 0.5);")
            self.line(depth, f"if (d > {self.below(5000)}.0)")
            self.line(depth + 1, "x = (int)d;")
        else:
            self.call(number, depth)

    def switch(self, fields, depth):
        self.line(depth, f"switch ({self.leaf(fields)} & 15) {{")
        for case in range(3 + self.below(5)):
            self.line(depth, f"case {case * 2}:")
            self.assign(fields, depth + 1)
            self.line(depth + 1, "break;")
        self.line(depth, "default:")
        self.line(depth + 1, "x = y;")
        self.line(depth, "}")

    def block(self, number, fields, depth):
        for _ in range(1 + self.below(3)):
            self.statement(number, fields, depth)

    # ---- the file

    def structure(self, number):
        fields = [f"f{i}" for i in range(3 + self.below(5))]
        self.line(0, f"struct s{number} {{")
        self.line(1, f"struct s{number} *next;")
        for name in fields:
            self.line(1, f"{self.pick(INTEGERS)} {name};")
        self.line(1, "int count, table[16];")
        self.line(0, "};")
        return fields

    def function(self, number, fields):
        name = f"f{len(self.functions)}"
        self.line(0, f"{self.pick(('', 'static '))}int {name}(struct s{number} *s, int a, int b)")
        self.line(0, "{")
        self.line(1, "int i = 0, x = a, y = b;")
        self.line(1, "double d = 1.0;")
        self.line(1, f"struct s{number} *s_at;")
        for _ in range(5 + self.below(5)):
            self.statement(number, fields, 1)
        self.line(1, "return x + y + (int)d + i;")
        self.line(0, "}")
        self.functions.append((name, number))


def write_source(path, lines):
    """At least so many lines, whole functions, all of them reachable."""
    writer = Writer(2026)
    number = 0
    while len(writer.lines) < lines:
        fields = writer.structure(number)
        for _ in range(4):
            writer.function(number, fields)
        number += 1
    for name, owner in writer.functions:
        writer.line(0, f"int (*const use_{name})(struct s{owner} *, int, int) = {name};")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(writer.lines) + "\n")
