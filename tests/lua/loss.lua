-- Losses of one's own: functions of Lua over scores and targets.
-- SPDX-License-Identifier: GPL-3.0-or-later
package.path = os.getenv("LATHE_SOURCE") .. "/tests/lib/?.lua;" .. package.path
local tap = require "tap"

local lines = { "x,y,c" }
for i = 0, 399 do
    lines[#lines + 1] = ("%d,%g,%s"):format(i % 40, (i % 40) / 10 + (i * 7 % 13) / 13 - 2.45,
        i % 40 + i * 7 % 13 > 26 and "yes" or "no")
end
local path = os.getenv("TMPDIR") or "/tmp"
path = ("%s/lathe-loss-%s.csv"):format(path, tostring(lines):match("0x(%x+)"))
local out <close> = io.open(path, "w")
out:write(table.concat(lines, "\n"), "\n")
out:close()
local t = lathe.read(path)
os.remove(path)

-- Squared error said in Lua is squared error, but for where scores begin.
local function squares(rows)
    return rows:with {
        gradient = "score - target", hessian = "1",
        loss = "(score - target) * (score - target)",
    }
end
local settings = { trees = 200, row_share = 1, learning_rate = 0.3, l2 = 0 }
local usual = lathe.gbdt(settings):fit(t, "y", { valid = -1, drop = "c" })
local own = lathe.gbdt(settings):fit(t, "y", { valid = -1, drop = "c", loss = squares })
local a, b = usual:predict(t):values("prediction"), own:predict(t):values("prediction")
local apart = 0
for i = 1, #a do apart = math.max(apart, math.abs(a[i] - b[i])) end
tap.ok(apart < 1e-3, "squares in Lua are learnt as squares")

-- Lists do as well as frames; two classes are predicted by the logistic function.
local function logistic(rows)
    local s, y, g, h, l = rows:values("score"), rows:values("target"), {}, {}, {}
    for i = 1, #s do
        local p = 1 / (1 + math.exp(-s[i]))
        g[i], h[i] = p - y[i], math.max(p * (1 - p), 1e-16)
        l[i] = -math.log(y[i] == 1 and p or 1 - p)
    end
    return g, h, l
end
local m = lathe.gbdt { trees = 40 }:fit(t, "c", { drop = "y", loss = logistic })
tap.ok(m:evaluate(t).auc > 0.9, "lists are taken too, and classes learnt")
tap.is(m.params.loss, "own", "the run knows that the loss was its own")

-- The model is there without the function.
local file = path .. ".lathe"
m:save(file)
tap.is(tostring(lathe.load(file):predict(t)), tostring(m:predict(t)),
    "a saved model predicts the same")
os.remove(file)
tap.ok(lathe.gbdt { trees = 5 }:cv(t, "y", { folds = 3, drop = "c", loss = squares }).rmse < 2,
    "cross-validation calls it too")

-- What goes wrong is told.
local function fails(loss, pattern, name)
    tap.fails(function() lathe.gbdt { trees = 5 }:fit(t, "y", { drop = "c", loss = loss }) end,
        pattern, name)
end
fails(function() error("no idea") end, "the loss: .*no idea", "an error of the function is told")
fails(function(rows) return rows end, "gradient", "so is a column that is missing")
fails(function(rows) return rows:with { gradient = "score", hessian = "1" } end, "loss",
    "rows that stop the training want the loss")
fails(function(rows) return rows:head(3):with { gradient = "score", hessian = "1" } end,
    "3 rows, expected 320", "rows that are missing are told")
fails(function() return { 1 }, { 1 } end, "1 numbers, expected 320", "and numbers of a list")
fails(function() return 1 end, "is a number, expected a list", "what is none is refused")
fails(function(rows)
    return rows:with { gradient = "score / 0", hessian = "1", loss = "1" }
end, "no number in row 1", "a number that is none is told with its row")
fails(3, "function", "a loss is a function")
tap.fails(function() lathe.gbdt { loss = "huber" }:fit(t, "y", { loss = squares }) end,
    "which one", "two losses are one too many")
tap.fails(function() lathe.linear():fit(t, "y", { loss = squares }) end,
    "its own loss alone", "not every family takes one")
tap.done()
