-- %% [markdown]
-- # Which customers are about to leave?
--
-- A telephone company knows 7,043 customers and which of them left last month.
-- This notebook goes from that table to a served model whose endpoint is
-- watched: look, clean, split, train, compare, explain, register, promote,
-- deploy, ask, and see what happens when the customers change.
--
-- Run a cell with r, all of them with A. On the shell: lathe run churn.lua

-- %% tags=["parameters"]
data = lathe.here "churn.csv"
target = "churn"
test_share, seed = 0.2, 7
trees = 400
gate = "auc >= 0.83"
name = "churn"
port = 0 -- any free one
sla_ms = 20
keep_serving = lathe.interactive

-- %% [markdown]
-- ## Look
-- Alerts come first: what is missing, what is skewed, what tells too much.

-- %% look
customers = lathe.read(data)
customers:profile { target = target }

-- %%
customers:group("contract", { "customers = count()", "left = share(churn == 'Yes')",
                              "monthly = mean(monthly_charges)" })

-- %% [markdown]
-- ## Clean
-- The eleven customers without total charges are in their first month: nothing
-- was billed yet, so zero is the truth and no guess. What a customer paid a
-- month over the whole time shows who got more expensive. The models learn both
-- rules and keep them: who asks for a prediction sends the columns of the table.

-- %% clean
derive = {
    "total_charges = if(tenure = 0, 0, total_charges)",
    "paid_a_month = total_charges / max(tenure, 1)",
}
train, test = customers:split { test = test_share, stratify = target, seed = seed }
print(train.rows .. " customers to learn from, " .. test.rows .. " to judge by")

-- %% [markdown]
-- ## Train
-- The curve is live while this runs; it stops when the held-out part of the
-- training rows no longer gains.

-- %% train
boosted = lathe.gbdt { trees = trees }:fit(train, target, {
    valid = 0.2, metric = { "logloss", "auc" }, patience = 40, seed = seed, name = "boosted",
    derive = derive,
})

-- %% judge
judged = boosted:evaluate(test)
judged

-- %% [markdown]
-- ## Compare
-- A model is only good beside another one. Logistic regression is the baseline
-- that is hard to beat on a table like this.

-- %% baseline
baseline = lathe.logistic():fit(train, target, {
    seed = seed, name = "logistic", derive = derive,
})
baseline_judged = baseline:evaluate(test)
lathe.frame {
    model = { "boosted trees", "logistic" },
    auc = { judged.auc, baseline_judged.auc },
    logloss = { judged.logloss, baseline_judged.logloss },
    accuracy = { judged.accuracy, baseline_judged.accuracy },
}

-- %% [markdown]
-- ## Explain

-- %% explain
boosted:importance():head(8)

-- %% [markdown]
-- ## Register and promote
-- The better of the two becomes a version of the model; it goes to production
-- only if it passes the gate.

-- %% register
best = judged.auc >= baseline_judged.auc and boosted or baseline
version = lathe.register(name, best, { metrics = best:evaluate(test) })
version

-- %% promote
lathe.promote(version, "production", { gate = gate })

-- %% [markdown]
-- ## Serve
-- An endpoint is a process of its own: it goes on when this workbench ends.

-- %% deploy
endpoint = lathe.deploy(name .. "@production", { name = name, port = port, sla_ms = sla_ms })
endpoint

-- %% ask
answer = endpoint:invoke(test:head(3))
answer

-- %% [markdown]
-- ## Watch
-- First customers like those it was trained on; then the same ones, two years
-- later and with a price rise. The endpoint counts what it is asked, and the
-- drift score (PSI) of each column says what has moved: over 0.1 is worth a
-- look, over 0.25 is another world.

-- %% the same customers
endpoint:invoke(test)
endpoint:drift():head(5)

-- %% shifted customers
shifted = test:with { tenure = "tenure + 24", monthly_charges = "monthly_charges * 1.3" }
for _ = 1, 4 do
    endpoint:invoke(shifted)
end
endpoint:drift():sort("-psi"):head(5)

-- %% [markdown]
-- View 5 shows the endpoint live. `lathe endpoint stop churn` ends it.

-- %%
if not keep_serving then
    endpoint:stop()
end
endpoint:status()
