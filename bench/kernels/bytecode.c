/* SPDX-License-Identifier: GPL-3.0-only */
/* An interpreter of a small stack machine, running a program that adds up the lengths of Collatz
 * sequences: an indirect jump for each of its instructions. */
#include "kernel.h"

enum op { PUSH, LOAD, STORE, ADD, MUL, SHIFT, ODD, LESS, JUMP, JUMP_IF, END };
enum variable { I, N, STEPS, LIMIT, VARIABLES };

struct instruction {
    enum op op;
    int operand; /* a number, a variable, or the index of an instruction */
};

static const struct instruction program[] = {
    {PUSH, 1},     {STORE, I},                                             /*  0: i = 1 */
    {LOAD, I},     {STORE, N},                                             /*  2: n = i */
    {LOAD, N},     {PUSH, 2},     {LESS, 0},     {JUMP_IF, 25},            /*  4: while n >= 2 */
    {LOAD, N},     {ODD, 0},      {JUMP_IF, 14},                           /*  8: */
    {LOAD, N},     {SHIFT, 1},    {JUMP, 19},                              /* 11: even: n / 2 */
    {LOAD, N},     {PUSH, 3},     {MUL, 0},      {PUSH, 1},      {ADD, 0}, /* 14: odd: 3 n + 1 */
    {STORE, N},                                                            /* 19: to n */
    {LOAD, STEPS}, {PUSH, 1},     {ADD, 0},      {STORE, STEPS},           /* 20: steps++ */
    {JUMP, 4},                                                             /* 24: */
    {LOAD, I},     {PUSH, 1},     {ADD, 0},      {STORE, I},               /* 25: i++ */
    {LOAD, I},     {LOAD, LIMIT}, {LESS, 0},     {JUMP_IF, 2},             /* 29: while i < limit */
    {END, 0},
};

static int64_t execute(int64_t limit)
{
    static const void *const code[] = {&&push, &&load, &&store, &&add,     &&mul, &&shift,
                                       &&odd,  &&less, &&jump,  &&jump_if, &&end};
    int64_t stack[8], *top = stack, variables[VARIABLES] = {[LIMIT] = limit};
    const struct instruction *at = program;
#define NEXT goto *code[(++at)->op]
    goto *code[at->op];
push:
    *++top = at->operand;
    NEXT;
load:
    *++top = variables[at->operand];
    NEXT;
store:
    variables[at->operand] = *top--;
    NEXT;
add:
    top--;
    top[0] += top[1];
    NEXT;
mul:
    top--;
    top[0] *= top[1];
    NEXT;
shift:
    top[0] >>= at->operand;
    NEXT;
odd:
    top[0] &= 1;
    NEXT;
less:
    top--;
    top[0] = top[0] < top[1];
    NEXT;
jump:
    at = program + at->operand - 1;
    NEXT;
jump_if:
    if (*top--)
        at = program + at->operand - 1;
    NEXT;
end:
    return variables[STEPS];
#undef NEXT
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds; i++)
        sum = checksum_add(sum, (uint64_t)execute(24000 + (int64_t)i));
    return sum;
}

const struct kernel kernel_bytecode = {.name = "bytecode", .group = "integer", .run = run};
