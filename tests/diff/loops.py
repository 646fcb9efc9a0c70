#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Random loops for a translator that makes regions of them (src/jit/region.h), as assembly.

    tests/diff/loops.py SEED XLEN FUNCTIONS >loops.s

A function is a nest of loops, with calls of functions on the page and elsewhere, branches forward, into
the middle and out, loads and stores off pointers that stride up, down and both ways over pages that
tests/diff/loops.c maps, 32-bit and 64-bit arithmetic mixed, floating point, code that it
rewrites. All registers are random at first. It ends with an ecall, at which the runtime (loops.c) says a
digest of all that a function leaves behind and goes on to the next one in the table at the end.
"""
import random
import sys

WINDOW, WINDOW_PAGES = 0x40000000, 16  # and as many around address 0; loops.c
STRIDES = (1, 2, 4, 8, 8, 8, 16, 24, 64, 520, 1000, 1024)


class Function:
    def __init__(self, chance, xlen, number):
        self.r, self.xlen, self.number = chance, xlen, number
        self.lines, self.labels, self.leaves = [], 0, []
        registers = list(range(2, 32))
        chance.shuffle(registers)
        self.pointers, registers = registers[:3], registers[3:]
        self.counters, registers = registers[:4], registers[4:]
        self.limits, registers = registers[:4], registers[4:]
        self.temps, self.data = registers[:2], registers[2:]
        self.kind = chance.choice(("mixed", "integer", "memory", "memory", "memory", "float", "narrow"))

    def emit(self, line):
        self.lines.append("    " + line)

    def label(self):
        self.labels += 1
        return f"f{self.number}_{self.labels}"

    def place(self, label):
        self.lines.append(label + ":")

    def reg(self):
        return f"x{self.r.choice(self.data)}"

    def freg(self):
        return f"f{self.r.randrange(32)}"

    def source(self):
        """Mostly data; now and then a pointer, a counter or zero."""
        pick = self.r.randrange(12)
        if pick == 0:
            return f"x{self.r.choice(self.pointers)}"
        if pick == 1:
            return f"x{self.r.choice(self.counters)}"
        return "x0" if pick == 2 else self.reg()

    def start(self):
        """An address in one of the windows, often near the end of a page."""
        base = self.r.choice((WINDOW, -WINDOW_PAGES // 2 * 4096))
        near = self.r.choice((self.r.randrange(4096), 0, 4096 - self.r.randrange(64), 8 * self.r.randrange(512)))
        at = base + self.r.randrange(WINDOW_PAGES) * 4096 + near
        return at & ~self.r.choice((7, 7, 7, 7, 3, 0))

    def distance(self):
        if self.r.randrange(40) == 0:
            return self.r.randrange(-2048, 2048)
        return self.r.choice((0, 0, 8, -8, 16, 8 * self.r.randrange(-16, 16), self.r.randrange(-64, 64)))

    # --- statements, each a few instructions without an end of a block -----------------------------

    def arithmetic(self):
        both = "add sub xor or and sll srl sra slt sltu mul mulh mulhu div rem remu divu sh1add sh2add " \
               "min maxu andn xnor rol bset".split()
        narrow = "addw subw sllw srlw sraw mulw divw remw remuw add.uw sh3add.uw rorw addw subw mulw".split()
        immediate = "addi xori andi ori slti sltiu".split()
        r, wide = self.r, self.xlen == 64
        pick = r.randrange(10)
        if wide and (self.kind == "narrow" and pick < 7 or pick < 2):
            if r.randrange(3):
                self.emit(f"{r.choice(narrow)} {self.reg()}, {self.source()}, {self.source()}")
            else:
                shift = r.choice(("slliw", "srliw", "sraiw"))
                self.emit(r.choice((f"addiw {self.reg()}, {self.source()}, {r.randrange(-2048, 2048)}",
                                    f"{shift} {self.reg()}, {self.source()}, {r.randrange(32)}",
                                    f"sext.w {self.reg()}, {self.source()}")))
        elif pick < 6:
            self.emit(f"{r.choice(both)} {self.reg()}, {self.source()}, {self.source()}")
        elif pick < 8:
            self.emit(f"{r.choice(immediate)} {self.reg()}, {self.source()}, {r.randrange(-2048, 2048)}")
        elif pick < 9:
            self.emit(f"{r.choice(('slli', 'srli', 'srai'))} {self.reg()}, {self.source()}, {r.randrange(self.xlen)}")
        else:
            self.emit(r.choice((f"lui {self.reg()}, {r.randrange(1 << 20)}", f"auipc {self.reg()}, 16",
                                f"rev8 {self.reg()}, {self.source()}", f"cpop {self.reg()}, {self.source()}",
                                f"sext.b {self.reg()}, {self.source()}", f"zext.h {self.reg()}, {self.source()}")))

    def rotation(self):
        """Two shifts and what puts them together: often a rotation, often almost one."""
        r, w = self.r, "w" if self.xlen == 64 and self.r.randrange(3) else ""
        width = 32 if w else self.xlen
        n = r.randrange(1, width)
        source, a, b, to = (self.reg() for _ in range(4))
        left_first = r.randrange(2)
        if r.randrange(2):  # the second one overwrites what both have shifted
            a, b, to = (a, source, source) if left_first else (source, b, source)
        left = f"slli{w} {a}, {source}, {n}"
        other = source if r.randrange(8) else self.reg()
        right = f"{r.choice(('srli',) * 6 + ('srai',))}{w} {b}, {other}, {width - n if r.randrange(8) else n}"
        between = [lambda: None] * 4 + [self.arithmetic, self.arithmetic, self.memory]
        for line in (left, right) if left_first else (right, left):
            self.emit(line)
            r.choice(between)()
        first, second = r.choice(((a, b), (b, a)))
        self.emit(f"{r.choice(('or',) * 6 + ('xor', 'add'))} {r.choice((to, to, a, b))}, {first}, {second}")

    def memory(self):
        r, wide = self.r, self.xlen == 64
        loads = "lb lbu lh lhu lw".split() + (["ld", "ld", "ld", "lwu"] if wide else ["lw"])
        stores = "sb sh sw".split() + (["sd", "sd"] if wide else ["sw"])
        p = f"x{r.choice(self.pointers)}"
        if r.randrange(6) == 0:  # anywhere in the window
            t = f"x{self.temps[0]}"
            self.emit(f"li {t}, {r.choice((0x7ff8, 0x7ff8, 0x3f8, 0xfff))}")
            self.emit(f"and {t}, {t}, {self.reg()}")
            self.emit(f"lui x{self.temps[1]}, {WINDOW >> 12}")
            self.emit(f"add {t}, {t}, x{self.temps[1]}")
            p = t
        if self.kind == "float" and r.randrange(2):
            f = r.choice(("fld", "flw", "fsd", "fsw"))
            self.emit(f"{f} {self.freg()}, {self.distance()}({p})")
        elif r.randrange(5) < 3:
            self.emit(f"{r.choice(loads)} {self.reg()}, {self.distance()}({p})")
        else:
            self.emit(f"{r.choice(stores)} {self.source()}, {self.distance()}({p})")

    def floating(self):
        r, wide = self.r, self.xlen == 64
        s = r.choice("sd")
        f, x = self.freg, self.reg
        choices = [f"f{r.choice(('add', 'sub', 'mul', 'div', 'min', 'max', 'sgnj', 'sgnjn', 'sgnjx'))}.{s} {f()}, {f()}, {f()}",
                   f"f{r.choice(('madd', 'msub', 'nmadd', 'nmsub'))}.{s} {f()}, {f()}, {f()}, {f()}",
                   f"fadd.{s} {f()}, {f()}, {f()}, {r.choice(('rne', 'rtz', 'rdn', 'rup', 'rmm'))}",
                   f"fsqrt.{s} {f()}, {f()}", f"f{r.choice(('eq', 'lt', 'le'))}.{s} {x()}, {f()}, {f()}",
                   f"fclass.{s} {x()}, {f()}", f"fcvt.w.{s} {x()}, {f()}, rtz", f"fcvt.{s}.w {f()}, {x()}",
                   f"fcvt.{s}.wu {f()}, {x()}", f"fcvt.s.d {f()}, {f()}", f"fcvt.d.s {f()}, {f()}",
                   f"fmv.x.w {x()}, {f()}", f"fmv.w.x {f()}, {x()}"]
        if wide:
            choices += [f"fcvt.l.{s} {x()}, {f()}", f"fcvt.{s}.l {f()}, {x()}", f"fmv.x.d {x()}, {f()}",
                        f"fmv.d.x {f()}, {x()}"]
        self.emit(r.choice(choices))

    def move(self, pointer, stride):
        if abs(stride) < 2048:
            self.emit(f"addi x{pointer}, x{pointer}, {stride}")

    def rewrite(self):
        """An instruction of the loop becomes another one of four; then fence.i."""
        at, a, b, rd = self.label(), f"x{self.temps[0]}", f"x{self.temps[1]}", self.r.choice(self.data)
        encoding = 0x13 | rd << 7 | rd << 15
        self.emit(f"la {a}, {at}")
        self.emit(f"andi {b}, x{self.counters[0]}, 3")
        self.emit(f"slli {b}, {b}, 21")
        self.emit(f"lui x{self.limits[3]}, %hi({encoding})")
        self.emit(f"addi x{self.limits[3]}, x{self.limits[3]}, %lo({encoding})")
        self.emit(f"add {b}, {b}, x{self.limits[3]}")
        self.emit(f"sw {b}, 0({a})")
        self.emit("fence.i")
        self.lines += [".option push", ".option norvc", ".balign 4"]
        self.place(at)
        self.emit(f"addi x{rd}, x{rd}, 1")
        self.lines.append(".option pop")

    def call(self):
        if len(self.leaves) < 3:
            self.leaves.append((self.label(), self.r.randrange(4)))
        self.emit(f"jal x1, {self.r.choice(self.leaves)[0]}")

    def branch(self, to):
        compare = self.r.choice(("beq", "bne", "blt", "bge", "bltu", "bgeu"))
        self.emit(f"{compare} {self.source()}, {self.source()}, {to}")

    def simple(self):
        pick = self.r.randrange(10)
        if self.kind == "float" and pick < 6:
            self.floating()
        elif pick < (7 if self.kind == "memory" else 4):
            self.memory()
        elif pick == 9 and self.kind == "mixed":
            self.floating()
        elif pick == 9:
            self.rotation()
        else:
            self.arithmetic()

    def statement(self, depth):
        pick = self.r.randrange(24)
        if pick < 4:  # a branch over something, also to the end of another one
            to = self.label()
            self.branch(to)
            for _ in range(self.r.randrange(1, 5)):
                self.simple()
            if self.r.randrange(3) == 0:
                other = self.label()
                self.emit(f"j {other}")
                self.place(to)
                self.simple()
                self.place(other)
            else:
                self.place(to)
        elif pick == 4 and depth:
            self.call()
        elif pick == 5 and self.r.randrange(4) == 0:
            t = f"x{self.temps[0]}"
            if self.r.randrange(2):
                self.emit(f"la {t}, loops_word")
                self.emit(f"amoadd.w {self.reg()}, {self.reg()}, ({t})")
            else:
                self.emit(f"frflags {self.reg()}")
        elif pick == 6 and self.r.randrange(12) == 0:
            self.rewrite()
        else:
            self.simple()

    # --- loops -------------------------------------------------------------------------------------

    def loop(self, depth, rounds):
        r = self.r
        head, out, middle = self.label(), self.label(), self.label()
        counter = self.counters[depth]
        style = r.choice(("down", "down", "up", "top", "pointer"))
        moves = []
        for pointer in self.pointers:
            if depth == 0 or r.randrange(3) == 0:
                self.emit(f"li x{pointer}, {self.start()}")
            if r.randrange(3):
                moves.append((pointer, r.choice(STRIDES) * r.choice((1, 1, -1))))
            if moves and r.randrange(5) == 0:
                moves.append((pointer, r.choice(STRIDES) * r.choice((1, -1))))
        if style == "pointer":
            p, stride = self.pointers[depth % 3], r.choice((8, 16, -8, 4, -32))
            moves = [m for m in moves if m[0] != p] + [(p, stride)]
            self.emit(f"li x{self.temps[0]}, {rounds * stride}")
            self.emit(f"add x{self.limits[depth]}, x{p}, x{self.temps[0]}")
        self.emit(f"li x{counter}, {0 if style == 'up' else rounds}")
        if style == "up":
            self.emit(f"li x{self.limits[depth]}, {rounds}")
        if r.randrange(8) == 0:
            self.emit(f"j {middle}")
        self.place(head)
        if style == "top":
            self.emit(f"beqz x{counter}, {out}")
        size = r.choice((2, 4, 8, 12, 20))
        inner = r.randrange(size) if depth < 2 and r.randrange(2) else -1
        for n in range(size):
            if n == size // 2:
                self.place(middle)
            if n == inner:
                self.loop(depth + 1, max(2, min(r.choice((2, 5, 17, 40)), 3000 // max(rounds, 1))))
            else:
                self.statement(depth + 1)
            if moves and r.randrange(2):
                self.move(*moves.pop())
            if r.randrange(60) == 0:
                self.emit(f"beq {self.reg()}, {self.reg()}, {out}")
        for m in moves:
            if style != "pointer" or m[0] != self.pointers[depth % 3]:
                self.move(*m)
        if style == "pointer":
            for m in [m for m in moves if m[0] == self.pointers[depth % 3]]:
                self.move(*m)
        # However the loop is made, it ends: by the counter in the worst case.
        if style == "pointer":
            self.emit(f"addi x{counter}, x{counter}, -1")
            self.emit(f"beqz x{counter}, {out}")
            self.emit(f"bne x{self.pointers[depth % 3]}, x{self.limits[depth]}, {head}")
        elif style == "up":
            self.emit(f"addi x{counter}, x{counter}, 1")
            self.emit(f"{r.choice(('blt', 'bltu', 'bne'))} x{counter}, x{self.limits[depth]}, {head}")
        elif style == "down":
            self.emit(f"addi x{counter}, x{counter}, -1")
            self.emit(f"bnez x{counter}, {head}")
        else:
            self.emit(f"addi x{counter}, x{counter}, -1")
            self.emit(f"j {head}")
        self.place(out)

    def sweep(self):
        """One pointer over the same pages again and again, so that the TLB knows them, with accesses near it of
        which some are behind branches."""
        r = self.r
        p, stride = self.pointers[0], r.choice((8, 8, 16, 64, 200, 1000, 1024)) * r.choice((1, -1))
        rounds = min(600, 12 * 4096 // abs(stride))
        again, inner, out = self.label(), self.label(), self.label()
        start = self.start()
        self.emit(f"li x{self.counters[0]}, 5")
        self.place(again)
        self.emit(f"li x{p}, {start}")
        self.emit(f"li x{self.counters[1]}, {rounds}")
        self.place(inner)
        for n in range(r.randrange(2, 6)):
            if r.randrange(3) == 0:
                self.emit(f"beq {self.reg()}, {self.reg()}, {out}")
            if r.randrange(3) == 0:
                behind = self.label()
                self.emit(f"andi x{self.temps[0]}, x{self.counters[1]}, {r.choice((1, 3, 7, 8))}")
                self.emit(f"bnez x{self.temps[0]}, {behind}")
                self.near(p)
                self.place(behind)
            self.near(p)
            if r.randrange(2):
                self.arithmetic()
        self.move(p, stride)
        self.emit(f"addi x{self.counters[1]}, x{self.counters[1]}, -1")
        self.emit(f"bnez x{self.counters[1]}, {inner}")
        self.place(out)
        self.emit(f"addi x{self.counters[0]}, x{self.counters[0]}, -1")
        self.emit(f"bnez x{self.counters[0]}, {again}")

    def near(self, pointer):
        access = self.r.choice(("lw", "lbu", "lw", "ld" if self.xlen == 64 else "lh", "sw", "sb"))
        self.emit(f"{access} {self.reg()}, {8 * self.r.randrange(8)}(x{pointer})")

    def leaf(self, label, kind):
        self.place(label)
        keep = self.limits[3] if kind == 3 else 0
        if keep:
            self.emit(f"mv x{keep}, x1")
        for _ in range(self.r.randrange(1, 6)):
            self.simple()
        if kind == 1:  # two ways back
            to = self.label()
            self.branch(to)
            self.simple()
            self.emit("ret")
            self.place(to)
            self.simple()
        self.emit(f"jr x{keep}" if keep else "ret")

    def make(self):
        self.lines.append(f".balign 4096\n.skip {self.r.choice((4, 4, 1024, 3072, 3600, 3900, 4090))}")
        self.lines.append(f"function_{self.number}:")
        for _ in range(self.r.choice((1, 1, 2))):
            if self.kind == "memory" and self.r.randrange(2):
                self.sweep()
                continue
            self.loop(0, self.r.choice((3, 12, 60, 250, 600)))
        self.emit("ecall")
        if self.r.randrange(4) == 0:
            self.lines.append(".balign 4096")
        for label, kind in self.leaves:
            self.leaf(label, kind)
        return self.lines


def main():
    seed, xlen, count = (int(word) for word in sys.argv[1:4])
    print(f"# seed {seed}\n.option norelax\n.option arch, +f,+d,+zba,+zbb,+zbs\n.section .text.loops,\"ax\"")
    for number in range(count):
        chance = random.Random(f"{seed} {number} {xlen}")
        print("\n".join(Function(chance, xlen, number).make()))
    print('.section .rodata\n.balign 8\n.globl loops, loops_end\nloops:')
    for number in range(count):
        print(f"    .{'dword' if xlen == 64 else 'word'} function_{number}")
    print("loops_end:\n.data\n.balign 4\nloops_word: .word 1")


main()
