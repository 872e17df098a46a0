// What bench_query asks, of DuckDB and Polars, with 2 threads.
//
//   node query.mjs duckdb|polars TABLE.csv [RUNS]      prints "PEER NAME SECONDS ROWS"
//
// Every answer is a whole new table in memory; the median of RUNS (5) is told.
// From npm: nodejs-polars, @duckdb/node-api.  Polars takes its threads from
// POLARS_MAX_THREADS.
// SPDX-License-Identifier: GPL-3.0-or-later
const [, , peer, path, n = "5"] = process.argv;

function median(times) {
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

async function measure(name, ask, rows) {
    const times = [];
    let got;
    for (let i = 0; i < Number(n); i++) {
        const begin = performance.now();
        got = await ask();
        times.push((performance.now() - begin) / 1000);
    }
    console.log(peer, name, median(times).toFixed(4), await rows(got));
}

async function duckdb() {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const db = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
    await db.run(`create table t as select * from read_csv('${path}')`);
    await db.run("create table users as select user_id, count(*) orders, sum(price) paid from t group by user_id");
    await db.run("create table customers as select customer, count(*) orders from t group by customer");
    const some = "count(*) n, avg(price) p, sum(qty) q, max(score) s";
    const questions = {
        filter_few: "select * from t where price > 100 and country = 'France'",
        filter_many: "select * from t where qty >= 2 and discount < 0.3 and status != 'new'",
        filter_text: "select * from t where contains(note, 'refund')",
        group_few: `select country, status, ${some} from t group by country, status`,
        group_many: `select user_id, ${some} from t group by user_id`,
        group_text: "select customer, count(*) n, sum(price) p from t group by customer",
        sort_number: "select * from t order by score desc nulls last",
        sort_several: "select * from t order by country nulls last, day nulls last, price desc nulls last",
        sort_text: "select * from t order by sku nulls last",
        join_inner: "select * from t join users using (user_id)",
        join_left: "select * from t left join users using (user_id)",
        join_text: "select * from t join customers using (customer)",
        join_semi_far: "select * from t semi join t u using (amount_cents)",
    };
    for (const [name, sql] of Object.entries(questions)) {
        await measure(name, () => db.run(`create or replace table answer as ${sql}`),
            async () => Number((await (await db.run("select count(*) from answer")).getRows())[0][0]));
    }
}

async function polars() {
    const { default: pl } = await import("nodejs-polars");
    const t = pl.readCSV(path, { tryParseDates: true });
    const users = t.groupBy("user_id").agg(pl.col("id").count().alias("orders"), pl.col("price").sum().alias("paid"));
    const customers = t.groupBy("customer").agg(pl.col("id").count().alias("orders"));
    const { col, lit } = pl;
    const some = [col("id").count().alias("n"), col("price").mean().alias("p"), col("qty").sum().alias("q"),
        col("score").max().alias("s")];
    const questions = {
        filter_few: () => t.filter(col("price").gt(100).and(col("country").eq(lit("France")))),
        filter_many: () => t.filter(col("qty").gtEq(2).and(col("discount").lt(0.3)).and(col("status").neq(lit("new")))),
        filter_text: () => t.filter(col("note").str.contains("refund")),
        group_few: () => t.groupBy("country", "status").agg(...some),
        group_many: () => t.groupBy("user_id").agg(...some),
        group_text: () => t.groupBy("customer").agg(col("id").count().alias("n"), col("price").sum().alias("p")),
        sort_number: () => t.sort({ by: "score", descending: true, nullsLast: true }),
        sort_several: () => t.sort({ by: ["country", "day", "price"], descending: [false, false, true], nullsLast: true }),
        sort_text: () => t.sort({ by: "sku", nullsLast: true }),
        join_inner: () => t.join(users, { on: "user_id", how: "inner" }),
        join_left: () => t.join(users, { on: "user_id", how: "left" }),
        join_text: () => t.join(customers, { on: "customer", how: "inner" }),
        join_semi_far: () => t.join(t, { on: "amount_cents", how: "semi" }),
    };
    for (const [name, ask] of Object.entries(questions)) {
        await measure(name, ask, (got) => got.height);
    }
}

await { duckdb, polars }[peer]();
