// The same questions to lathe, DuckDB and Polars, in turn; see query.sh.
//
//   node query.mjs BENCH_QUERY TABLE.csv [RUNS [QUESTION...]]
//
// Each of the three is a process that holds the table, says "ready", and for a
// line "QUESTION [KEY...]" makes a whole new table in memory and tells, as
// bench_query.c says, how long it took and what is in it.
// SPDX-License-Identifier: GPL-3.0-or-later
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROBES = 64;
const some = "count(*) n, avg(price) p, coalesce(sum(qty), 0) q, max(score) s";

// name, keys that tell the order, SQL
const questions = [
    ["filter_few", [], "select * from t where price > 100 and country = 'France'"],
    ["filter_many", [], "select * from t where qty >= 2 and discount < 0.3 and status != 'new'"],
    ["filter_text", [], "select * from t where contains(note, 'refund')"],
    ["group_few", [], `select country, status, ${some} from t group by country, status`],
    ["group_many", [], `select user_id, ${some} from t group by user_id`],
    ["group_text", [], "select customer, count(*) n, coalesce(sum(price), 0) p from t group by customer"],
    ["group_median", [],
        "select category, median(price) m, count(distinct sku) d, stddev_samp(score) v from t group by category"],
    ["distinct_few", [], "select distinct category, country, active from t"],
    ["distinct_many", [], "select distinct customer, qty from t"],
    ["sort_int", ["amount_cents"], "select * from t order by amount_cents nulls last"],
    ["sort_number", ["score"], "select * from t order by score desc nulls last"],
    ["sort_several", ["country", "day", "price"],
        "select * from t order by country nulls last, day nulls last, price desc nulls last"],
    ["sort_text", ["sku"], "select * from t order by sku nulls last"],
    ["top_few", ["score"], "select * from t order by score desc nulls last limit 100"],
    ["top_several", ["category", "price"],
        "select * from t order by category nulls last, price desc nulls last, id limit 1000"],
    ["join_inner", [], "select * from t join users using (user_id)"],
    ["join_left", [], "select * from t left join users using (user_id)"],
    ["join_text", [], "select * from t join customers using (customer)"],
    ["join_text_left", [], "select * from t left join customers using (customer)"],
    ["join_semi_far", [], "select * from t semi join t u using (amount_cents)"],
    ["join_two", [], "select * from t join days using (country, day)"],
    // DuckDB 1.x matches a missing last key with any.
    ["join_asof", [], "select t.*, case when t.ts is not null then e.temp end temp_right from t asof left join events e " +
        "on t.user_id = e.user_id and t.ts >= e.ts"],
    ["window_mean", [], "select *, price / avg(price) over (partition by user_id) w from t"],
    ["window_rank", [], "select *, case when price is null then null else " +
        "rank() over (partition by category order by price nulls last) end w from t"],
    ["window_sum", [], "select *, case when price is null then null else " +
        "sum(price) over (partition by user_id order by ts nulls last, id rows unbounded preceding) end w from t"],
];

// ---- DuckDB ---------------------------------------------------------------

async function duckdb(path) {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const db = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
    const rows = async (sql) => (await db.run(sql)).getRows();
    await db.run(`create table t as select * from read_csv('${path}')`);
    await db.run("create table users as select user_id, count(*) orders, coalesce(sum(price), 0) paid from t group by user_id");
    await db.run("create table customers as select customer, count(*) orders from t group by customer");
    await db.run("create table days as select country, day, count(*) orders from t group by country, day");
    await db.run("create table events as select user_id, ts, temp from t where user_id is not null and ts is not null");

    const number = ([name, type]) =>
        type === "VARCHAR" ? `length("${name}")::double`
            : type === "DATE" || type.startsWith("TIMESTAMP") ? `epoch("${name}")`
                : `"${name}"::double`;
    return {
        ask: (name) => {
            const [, , sql] = questions.find((q) => q[0] === name);
            return db.run(`create or replace table answer as ${sql}`);
        },
        tell: async (_, keys) => {
            const columns = (await rows("describe answer")).sort((a, b) => (a[0] < b[0] ? -1 : 1));
            const sums = columns.map((c, i) => {
                const next = columns[(i + 1) % columns.length];
                return `count("${c[0]}"), sum(${number(c)}), sum(${number(c)} * ${number(next)})`;
            });
            const [[n]] = await rows("select count(*) from answer");
            const told = [n, ...(await rows(`select ${sums} from answer`))[0]];
            const at = Array.from({ length: PROBES }, (_, i) => Math.floor((i * Number(n)) / PROBES));
            for (const key of keys) {
                const got = await rows(`select ${key}::varchar from answer where rowid in (${at}) order by rowid`);
                told.push(...got.map((r) => r[0]));
            }
            return told;
        },
    };
}

// ---- Polars ---------------------------------------------------------------

async function polars(path) {
    const { default: pl } = await import("nodejs-polars");
    const { col, lit } = pl;
    const t = pl.readCSV(path, { tryParseDates: true });
    const n = col("id").count().alias("n"), orders = col("id").count().alias("orders");
    const users = t.groupBy("user_id").agg(orders, col("price").sum().alias("paid"));
    const customers = t.groupBy("customer").agg(orders);
    const days = t.groupBy("country", "day").agg(orders);
    const some = [n, col("price").mean().alias("p"), col("qty").sum().alias("q"), col("score").max().alias("s")];
    const last = { nullsLast: true };
    const asks = {
        filter_few: () => t.filter(col("price").gt(100).and(col("country").eq(lit("France")))),
        filter_many: () => t.filter(col("qty").gtEq(2).and(col("discount").lt(0.3)).and(col("status").neq(lit("new")))),
        filter_text: () => t.filter(col("note").str.contains("refund")),
        group_few: () => t.groupBy("country", "status").agg(...some),
        group_many: () => t.groupBy("user_id").agg(...some),
        group_text: () => t.groupBy("customer").agg(n, col("price").sum().alias("p")),
        group_median: () => t.groupBy("category").agg(col("price").median().alias("m"),
            col("sku").dropNulls().nUnique().alias("d"), col("score").std().alias("v")),
        distinct_few: () => t.select("category", "country", "active").unique(),
        distinct_many: () => t.select("customer", "qty").unique(),
        sort_int: () => t.sort({ by: "amount_cents", ...last }),
        sort_number: () => t.sort({ by: "score", descending: true, ...last }),
        sort_several: () => t.sort({ by: ["country", "day", "price"], descending: [false, false, true], ...last }),
        sort_text: () => t.sort({ by: "sku", ...last }),
        top_few: () => t.lazy().sort("score", true, true).head(100).collectSync(),
        top_several: () => t.lazy().sort(["category", "price", "id"], [false, true, false], true).head(1000).collectSync(),
        join_inner: () => t.join(users, { on: "user_id", how: "inner" }),
        join_left: () => t.join(users, { on: "user_id", how: "left" }),
        join_text: () => t.join(customers, { on: "customer", how: "inner" }),
        join_text_left: () => t.join(customers, { on: "customer", how: "left" }),
        join_semi_far: () => t.join(t, { on: "amount_cents", how: "semi" }),
        join_two: () => t.join(days, { on: ["country", "day"], how: "inner" }),
        window_mean: () => t.withColumns(col("price").div(col("price").mean().over("user_id")).alias("w")),
        window_rank: () => t.withColumns(col("price").rank({ method: "min" }).over("category").alias("w")),
    };
    const number = (name, type) => {
        const c = col(name), said = String(type);
        if (/Utf8|String/.test(said)) {
            return c.str.lengths().cast(pl.Float64);
        }
        return /Date/.test(said) ? c.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64).div(lit(1e6)) : c.cast(pl.Float64);
    };
    return {
        ask: (name) => asks[name]?.(),
        tell: (answer, keys) => {
            const schema = answer.schema, names = answer.columns.sort();
            const sums = names.flatMap((name, i) => {
                const next = names[(i + 1) % names.length], x = number(name, schema[name]);
                return [col(name).isNotNull().sum().cast(pl.Float64).alias(`n${i}`), x.sum().alias(`s${i}`),
                    x.mul(number(next, schema[next])).sum().alias(`p${i}`)];
            });
            const told = [answer.height, ...answer.select(...sums).row(0)];
            for (const key of keys) {
                const column = answer.select(key);
                for (let i = 0; i < PROBES; i++) {
                    const [x] = column.row(Math.floor((i * answer.height) / PROBES));
                    told.push(x instanceof Date ? x.toISOString().slice(0, 10) : x);
                }
            }
            return told;
        },
    };
}

async function serve(peer, path) {
    const { ask, tell } = await { duckdb, polars }[peer](path);
    console.log("ready");
    for await (const line of createInterface({ input: process.stdin })) {
        const [name, ...keys] = line.split(" ");
        const before = process.cpuUsage(), begin = performance.now();
        const answer = await ask(name);
        const wall = (performance.now() - begin) / 1e3, { user, system } = process.cpuUsage(before);
        if (!answer) {
            console.log("-");
            continue;
        }
        const told = [wall, (user + system) / 1e6, ...(await tell(answer, keys))];
        console.log(told.map((x) => x ?? "").join("\t"));
    }
}

// ---- side by side ---------------------------------------------------------

function start(command, args, env = {}) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
        line: async () => {
            const { value, done } = await lines.next();
            if (done) {
                throw new Error(`${command} ${args} ended`);
            }
            return value.split("\t");
        },
        say: (text) => child.stdin.write(`${text}\n`),
        end: () => child.stdin.end(),
    };
}

function same(a, b) {
    const x = Number(a), y = Number(b);
    if (a === "" || b === "" || Number.isNaN(x) || Number.isNaN(y)) {
        return a === b || (a === "" && y === 0) || (b === "" && x === 0);
    }
    return Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y), 1);
}

async function compare(ours, path, runs, only) {
    const self = fileURLToPath(import.meta.url);
    const who = {
        lathe: start(ours, ["-t", "2", path]),
        duckdb: start("node", [self, "serve", "duckdb", path]),
        polars: start("node", [self, "serve", "polars", path], { POLARS_MAX_THREADS: "2" }),
    };
    for (const p of Object.values(who)) {
        await p.line();
    }
    console.log("wall and (processor) seconds".padEnd(33) +
        "lathe            duckdb           polars       wall   cpu");
    let differ = 0;
    for (const [name, keys] of questions.filter((q) => !only.length || only.includes(q[0]))) {
        const best = {}, told = {};
        for (let i = 0; i < runs; i++) {
            for (const [peer, p] of Object.entries(who)) {
                p.say([name, ...keys].join(" "));
                const [wall, cpu, ...rest] = await p.line();
                if (wall !== "-") {
                    const least = best[peer] ?? [Infinity, Infinity];
                    best[peer] = [Math.min(least[0], wall), Math.min(least[1], cpu)];
                    told[peer] = rest;
                }
            }
        }
        const peers = ["duckdb", "polars"].filter((p) => best[p]);
        const ratio = (k) => (best.lathe[k] / Math.min(...peers.map((p) => best[p][k]))).toFixed(2);
        let row = name.padEnd(15) + told.lathe[0].padStart(9) + "  ";
        for (const p of Object.keys(who)) {
            row += (best[p] ? `${best[p][0].toFixed(4)} (${best[p][1].toFixed(4)})` : "-").padStart(17);
        }
        row += ratio(0).padStart(7) + ratio(1).padStart(6);
        for (const p of peers) {
            const at = told.lathe.findIndex((x, i) => !same(x, told[p][i]));
            if (at >= 0 || told.lathe.length !== told[p].length) {
                row += `  ${p} differs at ${at}: ${told.lathe[at]}, ${told[p][at]}`;
                differ = 1;
            }
        }
        console.log(row);
    }
    Object.values(who).forEach((p) => p.end());
    process.exitCode = differ;
}

const [, , first, path, runs = "5", ...only] = process.argv;
if (first === "serve") {
    await serve(path, runs);
} else {
    await compare(first, path, Number(runs), only);
}
