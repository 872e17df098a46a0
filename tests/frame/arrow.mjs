// Arrow files of Polars are read by lathe, and ours by Polars: `node arrow.mjs`
// prints "0 NAME" for what agrees and "1 NAME" for what does not.
// SPDX-License-Identifier: GPL-3.0-or-later
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import pl from 'nodejs-polars';

const lathe = `${process.env.LATHE_BUILD}/lathe`;
const run = (...args) => execFileSync(lathe, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const words = ['plain', 'über', '日本語', '😀', '', 'x'.repeat(100), null];
let csv = 'i,x,t,b,d\n';
for (let k = 0; k < 3000; k++) {
    const t = words[k % 7];
    csv += `${k % 11 ? k * 7 - 900 : ''},${Math.sin(k) * 10 ** (k % 30)},`
        + `${t === null ? '' : `"${t}"`},${k % 3 === 0},`
        + `${new Date(k * 864e5).toISOString().slice(0, 10)}\n`;
}
writeFileSync('made.csv', csv);
const want = run('query', 'made.csv', '--json');

// Both as lists of rows; a date as its text.
const rows = (df) => df.toRecords().map((r) => Object.fromEntries(Object.entries(r).map(
    ([k, v]) => [k, v instanceof Date ? v.toISOString().slice(0, 10)
        : typeof v === 'bigint' ? Number(v) : v])));

function check(name, body) {
    let same = false;
    try {
        same = JSON.stringify(body()) === JSON.stringify(JSON.parse(want));
        if (!same)
            console.error(`${name}: ${JSON.stringify(body()).slice(0, 300)}`);
    } catch (e) {
        console.error(`${name}: ${String(e).slice(0, 300)}`);
    }
    console.log(`${same ? 0 : 1} ${name}`);
}

run('query', 'made.csv', '--out', 'ours.arrow');
run('query', 'made.csv', '--out', 'ours.arrows');
check('Polars reads our file', () => rows(pl.readIPC(readFileSync('ours.arrow'))));
check('Polars reads our stream', () => rows(pl.readIPCStream(readFileSync('ours.arrows'))));
const df = pl.readIPC(readFileSync('ours.arrow'));
for (const compression of ['uncompressed', 'lz4', 'zstd']) {
    df.writeIPC(`theirs.${compression}.arrow`, { compression });
    check(`we read Polars' file, ${compression}`,
        () => JSON.parse(run('query', `theirs.${compression}.arrow`, '--json')));
}
df.writeIPCStream('theirs.arrows', { compression: 'uncompressed' });
check("we read Polars' stream",
    () => JSON.parse(run('query', 'theirs.arrows', '--json')));
