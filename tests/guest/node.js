// SPDX-License-Identifier: GPL-3.0-only
//
// Work for a JavaScript engine's compilers and its collector; prints one checksum a part. The same
// everywhere: integers, correctly rounded arithmetic, and no order that is not given. tests/guest/node.test
// compares what node says here and in the guest.
'use strict';

let state = 12345;

function random() {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 8;
}

function hash(text) {
    let sum = 0x811c9dc5;
    for (let n = 0; n < text.length; n++)
        sum = Math.imul(sum ^ text.charCodeAt(n), 0x01000193) >>> 0;
    return sum;
}

// Objects of several shapes behind one call: a simulated workshop whose machines hand parts on.
class Machine {
    constructor(number, next) { this.number = number; this.next = next; this.done = 0; this.queue = []; }
    take(part) { this.queue.push(part); }
    step() {
        const part = this.queue.shift();
        if (!part) return 0;
        this.done++;
        this.work(part);
        this.next[part.value % this.next.length].take(part);
        return 1;
    }
}
class Drill extends Machine {
    work(part) { part.value = (part.value * 31 + this.number) % 65521; }
}
class Press extends Machine {
    work(part) { part.history = { value: part.value, before: part.history && part.history.before ? null : part.history };
        part.value = (part.value ^ this.done) & 0xffff; }
}
class Polisher extends Machine {
    constructor(number, next) { super(number, next); this.shine = 0.5; }
    work(part) { this.shine = this.shine * 3.75 * (1 - this.shine); part.value = (part.value + Math.floor(this.shine * 1000)) & 0xffff; }
}

function workshop(rounds) {
    const machines = [], kinds = [Drill, Press, Polisher];
    for (let n = 0; n < 12; n++) machines.push(new kinds[n % 3](n, machines));
    for (let n = 0; n < 40; n++) machines[n % 12].take({ value: random() & 0xffff, history: null });
    let steps = 0;
    for (let n = 0; n < rounds; n++)
        for (const machine of machines) steps += machine.step();
    return hash(machines.map(m => `${m.done}:${m.queue.map(p => p.value)}`).join() + steps);
}

function matrices(size, rounds) {
    let a = new Float64Array(size * size), b = new Float64Array(size * size);
    for (let n = 0; n < a.length; n++) { a[n] = (random() & 1023) / 1024; b[n] = (random() & 1023) / 4096; }
    for (let round = 0; round < rounds; round++) {
        const c = new Float64Array(size * size);
        for (let y = 0; y < size; y++)
            for (let x = 0; x < size; x++) {
                let sum = 0;
                for (let k = 0; k < size; k++) sum += a[y * size + k] * b[k * size + x];
                c[y * size + x] = sum - Math.floor(sum);
            }
        a = c;
    }
    return hash(Array.from(a.subarray(0, 64)).join());
}

function sieve(limit) {
    const composite = new Uint8Array(limit);
    let sum = 0;
    for (let n = 2; n < limit; n++) {
        if (composite[n]) continue;
        sum = (Math.imul(sum, 33) + n) >>> 0;
        for (let k = n * 2; k < limit; k += n) composite[k] = 1;
    }
    return sum;
}

function words(count) {
    let text = '';
    for (let n = 0; n < count; n++)
        text += ['alpha', 'beta', 'gamma', 'delta'][random() & 3] + (random() % 1000) + (random() & 7 ? ' ' : '\n');
    const counts = new Map();
    for (const match of text.matchAll(/\b([a-z]+)(\d{1,3})\b/g))
        counts.set(match[1], (counts.get(match[1]) || 0) + Number(match[2]));
    const changed = text.replace(/(a)(l|m)/g, '$2$1').replace(/(?<=t)a(\d)/g, (all, digit) => digit + digit);
    const lines = changed.split('\n').sort().map(line => line.trim().toUpperCase());
    return hash([...counts].sort().join() + lines.join('|'));
}

function records(count) {
    const list = [];
    for (let n = 0; n < count; n++)
        list.push({ id: n, name: 'n' + random() % 5000, tags: [random() & 15, random() & 15], deep: { x: random() / 256, y: null, z: n % 3 === 0 } });
    const back = JSON.parse(JSON.stringify(list));
    back.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id);
    return hash(JSON.stringify(back.filter(r => r.deep.z)));
}

// Trees that are made, changed and dropped: most die young, some live.
function trees(rounds) {
    const insert = (tree, key) => {
        if (!tree) return { key, left: null, right: null };
        return key < tree.key ? { key: tree.key, left: insert(tree.left, key), right: tree.right }
            : { key: tree.key, left: tree.left, right: insert(tree.right, key) };
    };
    const kept = [];
    let sum = 0;
    for (let round = 0; round < rounds; round++) {
        let tree = null;
        for (let n = 0; n < 300; n++) tree = insert(tree, random() & 0xffff);
        if (round % 8 === 0) kept.push(tree);
        for (let at = tree; at; at = random() & 1 ? at.left : at.right) sum = (Math.imul(sum, 31) + at.key) >>> 0;
    }
    const count = t => t ? 1 + count(t.left) + count(t.right) : 0;
    return hash(kept.map(count).join() + sum);
}

function bigs(rounds) {
    let a = 1n, b = 3n;
    for (let n = 1; n < rounds; n++) { a = a * BigInt(n) + b; b = (b << 3n) ^ (a & 0xffffffffn); if (a > 1n << 2000n) a >>= 1500n; }
    return hash(a.toString(16) + b.toString());
}

// Types change under compiled code, exceptions leave it.
function changes(rounds) {
    const add = (a, b) => a + b;
    const inputs = [[1, 2], [1.5, 2], ['a', 1], [0x7fffffff, 1], [null, 4], [{ valueOf() { return 7; } }, 2]];
    let text = '', thrown = 0, sum = 0;
    for (let n = 0; n < rounds; n++) {
        const pair = n < rounds / 2 ? inputs[0] : inputs[n % inputs.length];
        const value = add(pair[0], pair[1]);
        try {
            if (n % 97 === 96) throw new RangeError('' + n);
            sum = (Math.imul(sum, 17) + (typeof value === 'number' ? value | 0 : value.length)) >>> 0;
        } catch (error) {
            thrown += error.message.length;
        }
        if (n % 1000 === 0) text += value;
    }
    const made = new Function('x', 'let s = 0; for (let i = 0; i < x; i++) s = (s * 5 + i) | 0; return s;');
    return hash(text + thrown + sum + made(20000));
}

for (const [name, work] of [['workshop', () => workshop(4000)], ['matrices', () => matrices(64, 8)],
    ['sieve', () => sieve(400000)], ['words', () => words(6000)], ['records', () => records(4000)],
    ['trees', () => trees(150)], ['bigs', () => bigs(3000)], ['changes', () => changes(200000)]])
    console.log(`${name} ${work().toString(16)}`);
