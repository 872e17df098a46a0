// DuckDB's SUMMARIZE of a table in memory, with 2 threads: "duckdb profile SECONDS",
// the median of RUNS (5).  From npm: @duckdb/node-api.
//
//   node profile.mjs TABLE.csv [RUNS]
// SPDX-License-Identifier: GPL-3.0-or-later
import { DuckDBInstance } from "@duckdb/node-api";

const [, , path, n = "5"] = process.argv;
const db = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
await db.run(`create table t as select * from read_csv('${path}')`);
const times = [];
for (let i = 0; i < Number(n); i++) {
    const begin = performance.now();
    await (await db.run("summarize t")).getRows();
    times.push((performance.now() - begin) / 1000);
}
times.sort((a, b) => a - b);
console.log("duckdb profile", times[Math.floor(times.length / 2)].toFixed(4));
