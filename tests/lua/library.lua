-- The library from Lua: frames, models, runs, registry, errors.
-- SPDX-License-Identifier: GPL-3.0-or-later
package.path = os.getenv("LATHE_SOURCE") .. "/tests/lib/?.lua;" .. package.path
local tap = require "tap"
local data = os.getenv("LATHE_SOURCE") .. "/samples/churn/churn.csv"

-- Frames. 7,043 rows and 1,869 customers who left: the note beside the file.
local df = lathe.read(data)
tap.is(df.rows, 7043, "a frame knows its rows")
tap.is(#df, 7043, "and so does #")
tap.is(df:where("churn = 'Yes'").rows, 1869, "where filters by an expression")
tap.is(df:with({ twice = "tenure * 2" }):where("twice != 2 * tenure").rows, 0,
    "with adds a column")
tap.fails(function() df:where("tenur > 1") end, "did you mean 'tenure'",
    "a wrong column names the nearest")
tap.fails(function() df:where("tenur > 1") end, "library.lua:16: ",
    "an error names file and line")
tap.fails(function() df:wher("tenure > 1") end, "a frame has no 'wher' %(did you mean 'where'",
    "a wrong method names the nearest")
tap.fails(function() lathe.read(data, { delimter = ";" }) end, "did you mean 'delimiter'",
    "a wrong option names the nearest")
tap.fails(function() lathe.read("missing.csv") end, "missing.csv", "a missing file is named")
tap.fails(function() lathe.read {} end, "string expected", "a wrong argument is refused")

local many = {}
for i = 1, 300 do many["c" .. i] = "tenure + " .. i end
tap.is(#df:head(3):with(many).columns, #df.columns + 300,
    "with adds as many columns as there are")
tap.is(#lathe.scan(data):limit(3):with(many):collect().columns, #df.columns + 300,
    "and so does that of a scan")

-- The profile of a scan is that of the frame, also of rows that it makes.
local whole, scan = df:profile { target = "churn" }, lathe.scan(data)
local streamed = scan:profile { target = "churn" }
tap.is(tostring(streamed:describe()), tostring(whole:describe()),
    "a scan has the profile of its rows")
tap.is(table.concat(streamed:alerts(), "\n"), table.concat(whole:alerts(), "\n"),
    "with the same alerts")
local old, new = "tenure > 30", "tenure <= 30"
local want = table.concat(df:where(old):profile { against = df:where(new) }:alerts(), "\n")
tap.like(want, "DRIFT tenure: other values", "two halves drift apart")
for what, made in pairs {
    ["a scan beside a frame"] = scan:where(old):profile { against = df:where(new) },
    ["a frame beside a scan"] = df:where(old):profile { against = scan:where(new) },
    ["two scans"] = scan:where(old):profile { against = scan:where(new) },
} do
    tap.is(table.concat(made:alerts(), "\n"), want, what .. " compare as two frames do")
end
tap.fails(function() scan:profile { target = "chrun" } end, "did you mean 'churn'",
    "a target that is not there is named")
tap.fails(function() scan:profile { against = 3 } end, "expected a frame or a scan, got number",
    "what it is held against is a frame or a scan")

local a, b = df:split { test = 0.2, stratify = "churn", seed = 3 }
local c = df:split { test = 0.2, stratify = "churn", seed = 3 }
tap.is(a.rows + b.rows, 7043, "split leaves no row out")
tap.is(tostring(a:head(5)), tostring(c:head(5)), "and is a function of its seed")
tap.like(df, "7,?043 rows x 20 columns", "tostring of a frame is a table")

-- What learns without a target.
local groups = lathe.kmeans { k = 3 }:fit(df:select { "tenure", "monthly_charges" }, { seed = 2 })
tap.is(groups.target, nil, "clusters have no target")
tap.is(groups.problem, "none", "and solve no problem of prediction")
local centres = groups:table("centres")
tap.is(centres.rows, 3, "a table tells of each centre")
tap.is(table.concat(centres.columns, " "), "cluster rows tenure monthly_charges",
    "in the columns as they were")
local answers = groups:predict(df)
tap.is(table.concat(answers.columns, " "), "cluster distance", "an answer is a cluster and how far")
tap.is(answers:where("cluster = 1").rows, centres:values("rows")[1],
    "as many rows are in a cluster as it says")
local far = { x = {}, dark = {} }
for i = 1, 60 do
    far.x[i] = i % 7 / 10 + (i > 21 and 100 or 0)
    far.dark[i] = i > 21 and (i * i % 17) * 3.1 or 0
end
centres = lathe.kmeans{ k = 2 }:fit(lathe.frame(far)):table("centres")
tap.is(math.min(table.unpack(centres:values("dark"))), 0.0,
    "the centre of zeros is zero, not what rounding leaves")
tap.fails(function() groups:table("center") end, "there are centres, choice",
    "a table that is not there is told the others")
tap.fails(function() lathe.kmeans { k = 3 }:fit(df, "churn") end, "learns without a target",
    "a target is refused")
tap.fails(function() lathe.kmeans { k = 3 }:fit(df, { metric = "auc" }) end, "no metric",
    "and so is a metric")
tap.fails(function() groups:evaluate(df) end, "no target that it could be judged by",
    "and there is nothing to evaluate")

local axes = lathe.pca { components = 2 }:fit(df, { drop = "churn" })
tap.is(table.concat(axes:predict(df).columns, " "), "pc1 pc2", "components are named")
tap.is(axes:table("variance").rows, 2, "and explain a share each")
tap.is(axes:table("loadings").columns[2], "pc1", "of the columns' loadings")
local odd = lathe.isolation_forest { contamination = 0.01 }:fit(df):predict(df)
tap.is(table.concat(odd.columns, " "), "score outlier", "outliers have a score")
tap.is(odd:where("outlier = 1").rows, 70, "and are as many as was said")
for _, name in ipairs { "knn", "naive_bayes" } do
    local judged = lathe[name]():fit(df:head(2000), "churn"):evaluate(df:top(2000, "-monthly_charges"))
    tap.is(judged.auc > 0.7, true, name .. " tells who leaves")
end

local numbers = df:where("total_charges is not null")
    :select { "tenure", "monthly_charges", "senior_citizen", "total_charges" }
for _, name in ipairs { "ridge", "lasso", "elastic_net" } do
    local fitted = lathe[name]():fit(numbers, "total_charges")
    tap.is(fitted:evaluate(numbers).r2 > 0.85, true, name .. " explains the sum of charges")
    tap.is(fitted:table("path").rows, 100, "by one of a hundred penalties")
end

local who, what, stars = {}, {}, {}
for u = 1, 12 do
    for i = 1, 8 do
        if (u + i) % 3 > 0 then
            who[#who + 1], what[#what + 1], stars[#stars + 1] = u, "film " .. i, u % 2 == i % 2 and 5 or 1
        end
    end
end
local rated = lathe.frame { who = who, what = what, stars = stars }
local taste = lathe.als { user = "who", item = "what", factors = 2 }:fit(rated, "stars")
local offered = taste:recommend { user = 1, n = 2 }
tap.is(table.concat(offered.columns, " "), "what score", "a model of tastes recommends")
tap.is(offered:values("what")[1], "film 5", "what was liked by others of the taste")
tap.fails(function() taste:recommend { user = 1, n = -5 } end, "n is %-5, expected 1 item", "at least one of them")
tap.is(taste:recommend({ user = 1, n = 100, seen = true }).rows, 8, "and no more than there are")
tap.fails(function() taste:recommend { user = 99 } end, "user '99' is not known", "to those it knows")
tap.fails(function() taste:forecast() end, "als does not forecast", "and does not forecast")

local month, sold = {}, {}
for i = 1, 48 do
    month[i] = string.format("%d-%02d-01", 2020 + (i - 1) // 12, (i - 1) % 12 + 1)
    sold[i] = 100 + i + 10 * (i % 12) + i * 7 % 5
end
lathe.frame({ month = month, sold = sold }):write("sold.csv")
local sales = lathe.ets { time = "month" }:fit(lathe.read("sold.csv"), "sold")
local coming = sales:forecast { horizon = 3, level = 0.8 }
tap.is(table.concat(coming.columns, " "), "step month forecast low high", "a series is forecast")
tap.is(coming:where("low < forecast and forecast < high").rows, 3, "within an interval")
do
    local pause = collectgarbage("setpause", 0)
    local same = 0
    for _ = 1, 20 do
        local again = sales:forecast({ horizon = 3, level = 0.8 }, "more than it takes")
        same = same + (again:values("forecast")[3] == coming:values("forecast")[3] and 1 or 0)
    end
    collectgarbage("setpause", pause)
    tap.is(same, 20, "and so it is where more is said than is asked for")
end
tap.is(sales.params.period, 12, "months have a season of twelve")
tap.fails(function() sales:forecast { horizon = 0 } end, "horizon of 0", "a horizon is at least 1")
tap.fails(function() lathe.ets():fit(lathe.read("sold.csv"), "sold", { valid = 0.2 }) end,
    "leave gaps", "no rows are drawn from a series")
local turns = lathe.gbdt_lags { time = "month", trees = 30 }:cv(lathe.read("sold.csv"), "sold",
    { folds = 2, cv_rows = 12 })
tap.is(turns:predictions().rows, 24, "folds of a series are its last rows")

-- Models and runs.
local model = lathe.gbdt { trees = 15 }:fit(a, "churn", { seed = 1, name = "small" })

-- explanations
local why = model:explain { data = b, row = 1 }
tap.is(why.kind, "row", "a row is explained")
tap.is(#why.frame, 1, "by a row of shares")
tap.like(tostring(why), "base", "which prints as bars")
tap.like(model:explain { data = b }.note, "exact, by the ways of the training rows", "the way is told")
tap.is(#model:explain { data = b, pdp = "contract" }.frame, 3, "an effect has a row for each level")
tap.is(#model:explain { data = b, importance = "permutation", metric = "auc", repeats = 2 }.frame,
    #model:importance(), "shuffling ranks all inputs")
tap.is(model:explain { importance = "gain" }.kind, "gain", "the gain wants no rows")
tap.fails(function() model:explain { data = b, row = 1, pdp = "tenure" } end, "one of row",
    "two questions at once are refused")
tap.fails(function() model:explain { data = b, pdp = "tenur" } end, "no input 'tenur'", "and a wrong column")
tap.fails(function() model:explain {} end, "rows are wanted", "and none at all")
tap.fails(function() model:explain(b) end, "rows are wanted by name: model:explain{ data = frame }", "and rows alone")
tap.fails(function() model:evaluate(b):nothing() end, "an evaluation has no 'nothing'", "what starts with a vowel")
local e = model:evaluate(b)
tap.ok(e.auc > 0.8 and e.auc < 0.9, "a model is better than chance")
tap.ok(e.auc_low < e.auc and e.auc < e.auc_high, "its interval holds the value")
tap.is(model:predict(b).rows, b.rows, "a prediction for each row")
tap.fails(function() lathe.gbdt { tree = 3 } end, "trees", "a wrong parameter names the nearest")
tap.fails(function() lathe.gbdt { trees = -3 } end, "%-3", "a value out of range is told")
tap.fails(function() lathe.gbdt():fit(a, "chrun") end, "did you mean 'churn'",
    "a wrong target names the nearest")
tap.fails(function() model:fit(a, "churn") end, "a model has no 'fit'", "a model is no estimator")

local runs = lathe.runs()
tap.is(runs[1].name, "small", "a fit is a run")
tap.is(runs[1].source, "library.lua [1]", "which knows the cell it came from")
tap.is(#lathe.run("small"):series("train.logloss").value, 15, "a value a tree in its curve")
tap.like(runs, "small +done +gbdt", "a list of runs is a table")
tap.fails(function() lathe.run("nope") end, "nope", "a missing run is named")

model:save("m.lathe")
tap.is(lathe.load("m.lathe"):evaluate(b).auc, e.auc, "a saved model scores the same")
tap.is(lathe.load("runs:/" .. model.run):evaluate(b).auc, e.auc, "and so does its run's")

-- The registry.
local version = lathe.register("churn", model, { metrics = e })
tap.is(version.label, "churn/1", "versions are counted from 1")
tap.is(version.metrics.auc, e.auc, "a version keeps the metrics")
tap.fails(function() lathe.promote(version, "production", { gate = "auc > 0.99" }) end,
    "gate 'auc > 0.99' is not met: auc is 0.8", "a gate stops a promotion")
tap.is(version:promote("production", { gate = "auc > 0.8" }).stage, "Production",
    "a gate that is met does not")
lathe.register("churn", model)
lathe.promote("churn/2", "production")
tap.is(lathe.rollback("churn").label, "churn/1", "rollback gives production back")
lathe.alias("churn/2", "champion")
tap.is(lathe.version_of("churn@champion").number, 2, "an alias finds its version")
tap.is(#lathe.versions("churn"), 2, "both are listed")

-- Two frames, and other shapes of one.
do
    local here = lathe.frame { id = { 1, 2, 3 }, x = { 10, 20, 30 } }
    local there = lathe.frame { id = { 3, 1, 1 }, x = { 7, 8, 9 } }
    local both = here:join(there, { by = "id", how = "left", suffix = "_b" })
    tap.is(table.concat(both.columns, " "), "id x x_b", "a join names its columns")
    tap.is(table.concat(both:values("id"), " "), "1 1 2 3", "and keeps the order of rows")
    tap.is(both:values("x_b")[3], false, "a row without partner has nothing there")
    tap.is(#here:join(there, { by = "id=x", how = "anti" }), 3, "keys may have two names")
    local asof = here:join(there, { by = "x=id", how = "asof", tolerance = 8 })
    tap.is(table.concat(asof.columns, " "), "id x id_right x_right", "as-of keeps its other key")
    tap.fails(function() here:join(there, { by = "id", how = "outer" }) end, "expected inner", "a wrong join is told")
    tap.is(table.concat(there:top(1, "-x"):values("x"), " "), "9", "the first rows of an order")
    tap.is(#there:distinct("id"), 2, "distinct by a column")
    local sums = there:group("id", { total = "sum(x)", n = "count()" })
    tap.is(table.concat(sums.columns, " "), "id n total", "aggregates may be named by keys, in their order")
    tap.is(table.concat(sums:values("total"), " "), "7 17", "and are computed")
    tap.is(table.concat(there:group("id"):values("count()"), " "), "1 2", "without any they are counted")
    tap.is(table.concat(there:group { "id" }.columns, " "), "id count()", "also of a list of names")
    tap.fails(function() there:group("id", { "count()", total = "sum(x)" }) end,
        "'total' is a name, expected a list", "a name in a list is not passed over")
    tap.fails(function() there:select { a = "id" } end, "'a' is a name, expected a list", "nor one of columns")
    tap.fails(function() there:value_counts("x") end, "did you mean 'frequency'", "what pandas calls so is named")
    tap.fails(function() return there.x end, ':values%("x"%)', "a column that is taken for a field is told")
    tap.ok(lathe.help(there):find("frame:pivot", 1, true), "help on an object lists its methods")
    tap.ok(not lathe.help(there):find("lathe.read", 1, true), "and nothing else")
    tap.ok(lathe.help("spearman"):find("frame:relations", 1, true), "help on a word finds what has to do with it")
    tap.is(#there:distinct(), 3, "and by all")
    tap.is(table.concat(there:pivot("id", "x", "count()").columns, " "), "id 7 8 9", "a pivot has a column a value")
    tap.is(#here:sample(2, { seed = 3 }), 2, "a sample of rows")
    tap.is(table.concat(there:frequency("id"):values("count"), " "), "2 1", "frequencies of values")
    tap.is(table.concat(here:frequency("x", { bins = 2 }):values("from"), " "), "10 20 30", "and of ranges")
    tap.is(table.concat(here:describe():values("column"), " "), "id x", "a description of each column")
    tap.is(here:profile():describe():values("mean")[2], 20, "also of a profile")
    tap.is(#here:relations("pearson"), 2, "relations are a square")
    tap.fails(function() here:relations("cousin") end, "no relation 'cousin'", "a wrong relation is told")
    tap.is(table.concat(both:missing():values("missing"), " "), "0 0 1", "what is missing")
    tap.is(both:patterns():values("missing")[2], "x_b", "and where together")
    tap.is(table.concat(there:duplicates("id"):values("copies"), " "), "2", "what occurs twice")
    tap.is(#there:duplicates(), 0, "and that nothing does")
end

-- Commands and help.
tap.is(lathe.cmd("runs ls", { json = true })[1].name, "small", "a command's JSON is a table")
tap.like(lathe.cmd("schema", { data }), "tenure +int", "positional arguments come first")
tap.fails(function() lathe.cmd("runs lss") end, "runs ls", "a wrong command names the nearest")
tap.fails(function() lathe.cmd("runs show") end, "RUN is missing", "a missing argument is named")
tap.like(lathe.help(lathe.read), "^lathe.read%(", "help on a function")
tap.like(lathe.help(lathe.gbdt), "^lathe.gbdt", "help on a family")
tap.like(lathe.help(df.where), "^frame:where", "help on a method")

local missing = {}
for name, f in pairs(lathe) do
    if type(f) == "function" and not pcall(lathe.help, f) then
        missing[#missing + 1] = name
    end
end
tap.is(table.concat(missing, " "), "", "every function has its help")

-- Objects end where they are told to.
do
    local short <close> = df:head(1)
    tap.is(short.rows, 1, "a frame may be a <close> variable")
end
tap.fails(function() setmetatable({}, { __gc = print }) end, "__gc", "no finaliser in Lua")
tap.like(lathe.here("x.csv"), "/tests/lua/x.csv$", "here is beside the notebook")
-- Nets: of a table, and of a folder of pictures.
local few = df:select { "tenure", "contract", "monthly_charges", "churn" }:head(600)
local net = lathe.mlp { layers = "16", epochs = 12 }:fit(few, "churn", { seed = 3 })
tap.is(net.family, "mlp", "a net learns from a table")
tap.ok(net:evaluate(few).auc > 0.7, "and tells who leaves")
tap.fails(function() lathe.mlp { layers = "conv" }:fit(few, "churn") end, "layer 'conv'",
    "a layer that is none is named")
local photos = lathe.read(os.getenv("LATHE_SOURCE") .. "/tests/data/images")
tap.is(table.concat(photos.columns, " "), "image class bytes", "a folder of pictures is a table")

tap.fails(function()
    lathe.gbdt { refit_keep = 0.5 }:fit(b, "churn", { init = model, refit = true, valid = 0.2 })
end, "refit fits all rows .* to the model of init none was added", "no rounds are not fitted again")
tap.done()
