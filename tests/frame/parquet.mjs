// Prints "0 NAME" for what agrees, "1 NAME: WHY" for what does not.
// SPDX-License-Identifier: GPL-3.0-or-later
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteBuffer } from 'hyparquet-writer'

const tool = process.argv[2]
const duck = await (await DuckDBInstance.create()).connect()
await duck.run("set threads = 1")
await duck.run("set timezone = 'UTC'")

function lathe(...args) {
  return execFileSync(tool, args, { maxBuffer: 1 << 28 }).toString()
}

// Rows as lathe reads them; whole numbers beyond 2^53 keep their digits.
function latheRows(file) {
  const text = lathe('read', file)
  return text.slice(text.indexOf('\n\n') + 2).split('\n').slice(0, -1)
    .map(line => JSON.parse(line.replace(/:(-?\d{16,})(?=[,}])/g, ':"$1"')))
}

// A value of any of the programs in one form.
function plain(v) {
  if (v === undefined || v === null || Number.isNaN(v)) return null
  if (typeof v === 'bigint') return v.toString().length > 15 ? v.toString() : Number(v)
  if (typeof v === 'number' && Number.isInteger(v) && Math.abs(v) >= 1e15) return v.toString()
  if (v instanceof Date) {
    const t = v.toISOString()
    return t.endsWith('T00:00:00.000Z') ? t.slice(0, 10) : t.slice(0, 19).replace('T', ' ')
  }
  if (Array.isArray(v)) return v.map(plain)
  if (typeof v === 'string' && /^\[.*\]$/.test(v)) return JSON.parse(v).map(plain)
  if (typeof v === 'string') // DuckDB marks UTC
    return v.replace(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\+00$/, '$1')
      .replace(/^(\d{4}-\d\d-\d\d) 00:00:00$/, '$1')
  return v
}

function compare(name, got, want) {
  let why = got.length === want.length ? '' : `${got.length} rows, expected ${want.length}`
  for (let i = 0; i < want.length && !why; i++)
    for (const key of Object.keys(want[i])) {
      const a = JSON.stringify(plain(got[i][key])), b = JSON.stringify(plain(want[i][key]))
      if (a !== b) { why = `row ${i}, ${key}: ${a}, expected ${b}`; break }
    }
  console.log(why ? `1 ${name}: ${why}` : `0 ${name}`)
}

const hyRows = async file =>
  parquetReadObjects({ file: await asyncBufferFromFile(file), compressors })
const duckRows = async sql =>
  (await (await duck.runAndReadAll(sql)).getRowObjectsJson()).map(r => JSON.parse(r.j))

// DuckDB writes.
await duck.run(`create table t as select i::bigint id,
  case when i % 7 = 0 then null else (i * 7919) % 1000003 end::int n,
  (i % 3 = 0) b, case when i % 5 = 0 then null else sqrt(i) end x, (i / 8)::float f,
  (i * 1152921504606847)::bigint wide, (i * 1.25)::decimal(12, 2) money,
  case when i % 11 = 0 then null else 'text ' || i % 17 end few,
  'unique ' || i many, date '2020-01-01' + i::int d,
  timestamp '2020-01-01' + interval (i) second ts,
  case when i % 4 = 0 then null else list_transform(range(i % 4), z -> z + i) end l,
  {'a': i, 'b': case when i % 2 = 0 then 'even' end} s
  from range(1, 5001) r(i)`)
const want = await duckRows(`select to_json({id: id, n: n, b: b, x: x, f: f::double,
  wide: wide::varchar, money: money::double, few: few, many: many, d: d, ts: ts, l: l,
  'a': s.a, 'b2': s.b}) as j from t order by id`)
for (const r of want) { r['s.a'] = r.a; r['s.b'] = r.b2; delete r.a; delete r.b2 }
for (const version of ['V1', 'V2'])
  for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw', 'brotli']) {
    const file = `duck_${version}_${codec}.parquet`
    await duck.run(`copy t to '${file}' (format parquet, compression ${codec},
      parquet_version ${version}, row_group_size 2048)`)
    compare(`DuckDB's ${version} ${codec} is read`, latheRows(file), want)
  }

// hyparquet-writer writes.
const idx = [...Array(3000).keys()]
const gaps = (f, k) => idx.map(i => i % k === 0 ? null : f(i))
const columns = {
  int32: ['INT32', gaps(i => (i * 7919) % 20011 - 10000, 6),
    ['PLAIN', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT']],
  int64: ['INT64', gaps(i => BigInt(i) ** 5n, 9),
    ['PLAIN', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT']],
  float: ['FLOAT', gaps(i => i / 16, 5), ['PLAIN', 'BYTE_STREAM_SPLIT']],
  double: ['DOUBLE', gaps(i => i / 7, 8), ['PLAIN', 'BYTE_STREAM_SPLIT']],
  text: ['STRING', gaps(i => `prefix/${i >> 3}/${i % 97}`, 4),
    ['PLAIN', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY']],
  bool: ['BOOLEAN', gaps(i => i % 3 === 1, 10), ['PLAIN', 'RLE']],
  dictionary: ['STRING', gaps(i => `word ${i % 13}`, 3), [undefined]],
}
const columnData = Object.entries(columns).flatMap(([name, [type, data, encodings]]) =>
  encodings.map(encoding => ({ name: `${name}_${encoding}`, type, data, encoding })))
for (const codec of ['UNCOMPRESSED', 'SNAPPY']) {
  const file = `hy_${codec}.parquet`
  fs.writeFileSync(file, Buffer.from(parquetWriteBuffer(
    { columnData, codec, rowGroupSize: 700, pageSize: 2000 })))
  compare(`hyparquet-writer's ${codec} is read`, latheRows(file),
    idx.map(i => Object.fromEntries(columnData.map(c => [c.name, c.data[i]]))))
}

// lathe writes.
const rows = idx.map(i => ({
  id: i, gap: i % 5 === 0 ? null : i * 1000003, x: i % 7 === 0 ? null : i / 3, b: i % 2 === 0,
  few: i % 6 === 0 ? null : `größer ${i % 9}`, many: `unique ${i}`,
  d: new Date(86400000 * (i + 1)).toISOString().slice(0, 10),
  ts: new Date(1e12 + 1000 * i).toISOString().slice(0, 19).replace('T', ' '),
  same: i < 2500 ? 1 : 2 }))
const cell = v => v === null ? '' : String(v)
fs.writeFileSync('t.csv', Object.keys(rows[0]).join() + '\n' +
  rows.map(r => Object.values(r).map(cell).join() + '\n').join(''))
for (const codec of ['none', 'snappy', 'zstd', 'gzip', 'lz4']) {
  const file = `ours_${codec}.parquet`
  lathe('write', 't.csv', file, codec)
  compare(`DuckDB reads ours, ${codec}`,
    await duckRows(`select to_json(t) j from '${file}' t order by id`), rows)
  compare(`hyparquet reads ours, ${codec}`, await hyRows(file), rows)
}
const bounds = await duckRows(`select to_json({n: stats_null_count, lo: stats_min_value,
  hi: stats_max_value}) j from parquet_metadata('ours_zstd.parquet')
  where row_group_id = 1 and path_in_schema in ('id', 'few', 'd') order by column_id`)
compare('DuckDB finds our statistics', bounds, [
  { n: 0, lo: '1000', hi: '1999' }, { n: 167, lo: 'größer 0', hi: 'größer 8' },
  { n: 0, lo: '1972-09-28', hi: '1975-06-24' }])
