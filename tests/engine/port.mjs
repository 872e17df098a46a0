// Run an ONNX file in onnxruntime-node on the rows of a CSV file and print its
// answers as CSV: one line a row, probabilities or the prediction, or where there
// are none of these every output.
//   node port.mjs MODEL.onnx ROWS.csv
// An empty cell is a missing value.
// SPDX-License-Identifier: GPL-3.0-or-later
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const [model, rows] = process.argv.slice(2);
const lines = readFileSync(rows, "utf8").trimEnd().split("\n");
const split = (l) => l.match(/("[^"]*"|[^,]*)(,|$)/g).map((c) => c.replace(/,$/, "").replace(/^"|"$/g, ""));
const names = split(lines[0]);
const cells = lines.slice(1).map(split);
const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
const number = (s) => (s === "" ? NaN : s === "true" ? 1 : s === "false" ? 0 : Number(s));
const n = cells.length;
const feeds = {};
const numbers = (type) => (type === "float64" ? Float64Array : Float32Array);

if (session.inputNames.length === 1 && session.inputNames[0] === "features") {
    const schema = JSON.parse(readFileSync(model.replace(/\.onnx$/, ".columns"), "utf8"));
    const at = schema.map((c) => names.indexOf(c));
    const type = session.inputMetadata[0].type;
    const x = new (numbers(type))(n * at.length);
    cells.forEach((r, i) => at.forEach((c, j) => (x[i * at.length + j] = number(r[c]))));
    feeds.features = new ort.Tensor(type, x, [n, at.length]);
} else {
    for (const meta of session.inputMetadata) {
        const c = names.indexOf(meta.name);
        const column = cells.map((r) => r[c]);
        feeds[meta.name] =
            meta.type === "string"
                ? new ort.Tensor("string", column, [n, 1])
                : new ort.Tensor(meta.type, numbers(meta.type).from(column, number), [n, 1]);
    }
}
const wanted = session.outputNames.filter((name) => name === "probabilities" || name === "prediction");
const outputs = wanted.length ? wanted : session.outputNames;
const answers = await session.run(feeds, session.outputNames.includes("label") ? [...outputs, "label"] : outputs);
const out = [];
for (let i = 0; i < n; i++) {
    const row = outputs.flatMap((name) => {
        const { data, dims } = answers[name];
        const width = dims[dims.length - 1];
        return Array.from(data.slice(i * width, (i + 1) * width));
    });
    if (answers.label) row.push(answers.label.data[i]);
    out.push(row.join(","));
}
process.stdout.write(out.join("\n") + "\n");
