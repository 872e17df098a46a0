// The same files read by lathe, DuckDB, Polars and pandas, in turn; see
// load.sh.
//
//   node load.mjs BENCH_LOAD FOLDER [RUNS [LOAD...]]
//
// Each load is a process of its own that reads one file whole into memory and
// prints what bench_load -p prints: seconds, seconds of processor time, its
// peak of memory in KiB, rows, columns, values present.
// SPDX-License-Identifier: GPL-3.0-or-later
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

// name, file, who reads it
const all = ["lathe", "duckdb", "polars", "pandas"], fast = ["lathe", "duckdb", "polars"];
const loads = [
    ["csv_higgs", "higgs.csv", all],
    ["csv_mixed", "mixed.csv", all],
    ["parquet_higgs", "higgs.duckdb.parquet", fast],
    ["parquet_mixed", "mixed.duckdb.parquet", fast],
    ["parquet_higgs_own", "higgs.lathe.parquet", fast],
    ["parquet_mixed_own", "mixed.lathe.parquet", fast],
    ["cache_higgs", "higgs.csv", ["cache"]],
    ["cache_mixed", "mixed.csv", ["cache"]],
];

// ---- readers ----------------------------------------------------------------

async function duckdb(path) {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const db = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
    const from = path.endsWith(".csv") ? `read_csv('${path}')` : `'${path}'`;
    return {
        load: () => db.run(`create table t as select * from ${from}`),
        tell: async () => {
            const rows = async (sql) => (await db.run(sql)).getRows();
            const names = (await rows("describe t")).map(([name]) => `count("${name}")`);
            const [[n, ...present]] = await rows(`select count(*), ${names} from t`);
            return [n, names.length, present.reduce((a, b) => a + b)];
        },
    };
}

async function polars(path) {
    const { default: pl } = await import("nodejs-polars");
    let t;
    return {
        load: () => {
            t = path.endsWith(".csv") ? pl.readCSV(path, { tryParseDates: true }) : pl.readParquet(path);
        },
        tell: () => {
            const missing = t.nullCount().row(0).reduce((a, b) => a + b);
            return [t.height, t.width, t.height * t.width - missing];
        },
    };
}

const pandas = `
import resource, sys, time
import pandas
begin, cpu = time.monotonic(), time.process_time()
t = pandas.read_csv(sys.argv[1])
took = time.monotonic() - begin, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*took, peak, *t.shape, int(t.count().sum()))
`;

async function read(peer, path) {
    const { load, tell } = await { duckdb, polars }[peer](path);
    const before = process.cpuUsage(), begin = performance.now();
    await load();
    const wall = (performance.now() - begin) / 1e3, { user, system } = process.cpuUsage(before);
    const peak = process.resourceUsage().maxRSS;
    console.log([wall, (user + system) / 1e6, peak, ...(await tell())].join(" "));
}

// ---- side by side -----------------------------------------------------------

function run(command, args, env = {}) {
    const out = execFileSync(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
    return String(out).trim().split(" ").map(Number);
}

const self = fileURLToPath(import.meta.url);
function measure(who, ours, path, folder) {
    switch (who) {
    case "lathe":
        return run(ours, ["-t", "2", "-p", path]);
    case "cache":
        return run(ours, ["-t", "2", "-p", "-k", `${folder}/cache`, path]);
    case "pandas":
        return run("/usr/bin/python3", ["-c", pandas, path]);
    default:
        return run(process.execPath, [self, "read", who, path], { POLARS_MAX_THREADS: "2" });
    }
}

async function write(folder, table) {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const db = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
    await db.run(`copy (select * from read_csv('${folder}/${table}.csv')) to ` +
        `'${folder}/${table}.duckdb.parquet' (format parquet)`);
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

function compare(ours, folder, runs, only) {
    let differ = 0;
    console.log("seconds (processor) MB".padEnd(26) + "lathe".padEnd(24) + "duckdb".padEnd(24) +
        "polars".padEnd(24) + "pandas".padEnd(23) + "wall   cpu  peak");
    for (const [name, file, readers] of loads.filter((l) => !only.length || only.includes(l[0]))) {
        const path = `${folder}/${file}`, told = {}, middle = {};
        // pandas takes long and is never the best: once.
        const turns = Array.from({ length: runs }, (_, i) => readers.filter((who) => i === 0 || who !== "pandas"));
        const taken = Object.fromEntries(readers.map((who) => [who, []]));
        if (readers[0] === "cache") {
            measure("cache", ours, path, folder);
        }
        for (const who of turns.flat()) {
            const [wall, cpu, peak, ...rest] = measure(who, ours, path, folder);
            taken[who].push([wall, cpu, peak / 1024]);
            told[who] = rest;
        }
        for (const who of readers) {
            middle[who] = [0, 1, 2].map((k) => median(taken[who].map((t) => t[k])));
        }
        const peers = readers.slice(1), mine = middle[readers[0]];
        let row = name.padEnd(18);
        for (const who of [readers[0], ...all.slice(1)]) {
            const m = middle[who];
            row += (m ? `${m[0].toFixed(3)} (${m[1].toFixed(3)}) ${m[2].toFixed(0).padStart(5)}` : "-").padStart(24);
        }
        for (const k of peers.length ? [0, 1, 2] : []) {
            row += (mine[k] / Math.min(...peers.map((p) => middle[p][k]))).toFixed(2).padStart(6);
        }
        for (const p of peers) {
            // pandas takes a quoted empty text for a missing value.
            if (p !== "pandas" && String(told[p]) !== String(told[readers[0]])) {
                row += `  ${p} differs: ${told[p]}, lathe ${told[readers[0]]}`;
                differ = 1;
            }
        }
        console.log(row);
    }
    process.exitCode = differ;
}

const [, , first, second, third = "5", ...only] = process.argv;
if (first === "read") {
    await read(second, third);
} else if (first === "write") {
    await write(second, third);
} else {
    rmSync(`${second}/cache`, { recursive: true, force: true });
    mkdirSync(`${second}/cache`);
    for (const table of ["higgs", "mixed"]) {
        if (!existsSync(`${second}/${table}.duckdb.parquet`)) {
            execFileSync(process.execPath, [self, "write", second, table], { stdio: "inherit" });
        }
    }
    compare(first, second, Number(third), only);
    rmSync(`${second}/cache`, { recursive: true });
}
