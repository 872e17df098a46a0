/* session/table.c -- the table of commands.
 *
 * Sorted by name.  The parser, --help, completion, the palette, lathe.cmd()
 * and the man page's test read it; nothing repeats it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/calibrate.h"
#include "engine/metric_curve.h"
#include "engine/target.h"
#include "frame/encoding.h"
#include "frame/join.h"
#include "session/cmd.h"

#define END                                            \
    {                                                  \
        NULL, ARG_TEXT, false, false, NULL, NULL, NULL \
    }

/* ---- tables ---- */

const struct arg command_reading[] = {
    {"--types", ARG_TEXT, false, true, NULL, "COLUMN=TYPE",
     "bool int float text date timestamp, dmy mdy (31/12/2024)"},
    {"--null", ARG_TEXT, false, true, NULL, NULL,
     "a text that means missing, in place of NA, N/A, NaN, nan, null, NULL, "
     "None, ?; in quotes they are texts"},
    {"--delimiter", ARG_TEXT, false, false, NULL, "CHAR",
     "between fields: a character, or tab"},
    {"--header", ARG_CHOICE, false, false, NULL, "yes|no",
     "is the first row the names?"},
    {"--no-header", ARG_FLAG, false, false, NULL, NULL, "--header no"},
    {"--encoding", ARG_CHOICE, false, false, NULL, ENCODING_CHOICES,
     "of the text, when it is not UTF-8"},
    END};

static const struct arg profile_args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL,
     "a table: csv, tsv, jsonl, arrow, parquet, or - for standard input"},
    {"--target", ARG_COLUMN, false, false, NULL, NULL,
     "what is to be predicted: adds a score of each column and leakage"},
    {"--dirty", ARG_FLAG, false, false, NULL, NULL,
     "look for categories that are spelt alike"},
    {"--time", ARG_COLUMN, false, false, NULL, NULL,
     "the rows are a series over this column: lags, stationarity, gaps"},
    {"--against", ARG_FILE, false, false, NULL, NULL,
     "compare with this table: drift of each column, rows in common"},
    {"--all", ARG_FLAG, false, false, NULL, NULL,
     "measure Kendall's tau and phi-k of every pair, too"},
    {"--redact", ARG_FLAG, false, false, NULL, NULL,
     "let no value of the table out: counts, shapes and distances only"},
    {"--html", ARG_FILE, false, false, NULL, NULL,
     "write a page of its own to this file, - for standard output"},
    {"--md", ARG_FLAG, false, false, NULL, NULL, "print Markdown"},
    END};

static const struct arg head_args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL,
     "a table: csv, tsv, jsonl, arrow, parquet, or - for standard input"},
    {"--rows", ARG_INT, false, false, "10", NULL, "how many"},
    END};

static const struct arg convert_args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL,
     "a table: csv, tsv, jsonl, arrow, parquet, or - for standard input"},
    {"out", ARG_FILE, true, false, NULL, NULL,
     "write here: .csv, .tsv, .jsonl, .arrow, .arrows, .parquet"},
    END};

static const struct arg schema_args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL,
     "a table: csv, tsv, jsonl, arrow, parquet, or - for standard input"},
    END};

static const struct arg query_args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL,
     "a table: csv, tsv, jsonl, arrow, parquet, or - for standard input"},
    {"where", ARG_TEXT, false, false, NULL, NULL,
     "an expression: tenure < 12 and churn = 'Yes'"},
    {"--join", ARG_FILE, false, false, NULL, NULL,
     "put the matching rows of this table beside those of DATA"},
    {"--by", ARG_COLUMN, false, true, NULL, NULL,
     "... where this column is equal: a name, or a=b for two"},
    {"--how", ARG_CHOICE, false, false, "inner", JOIN_HOW_CHOICES,
     "... all rows of DATA (left), those with a partner (semi) or none "
     "(anti), the nearest earlier row (asof, by the last --by)"},
    {"--tolerance", ARG_FLOAT, false, false, NULL, NULL,
     "... asof: at most so far back, in days of dates, seconds of times"},
    {"--with", ARG_TEXT, false, true, NULL, "NAME=EXPRESSION",
     "add a column: total = price * qty"},
    {"--sample", ARG_FLOAT, false, false, NULL, NULL,
     "so many rows at random, or a share of them: 1000, 0.1"},
    {"--seed", ARG_INT, false, false, "1", NULL, "of --sample"},
    {"--group", ARG_COLUMN, false, true, NULL, NULL,
     "one row for each value of this column"},
    {"--agg", ARG_TEXT, false, true, NULL, "NAME=FUNCTION(X)",
     "with this over its rows: total = sum(price); count() when left out"},
    {"--pivot", ARG_COLUMN, false, false, NULL, NULL,
     "and a column for each value of this one"},
    {"--about", ARG_CHOICE, false, false, NULL,
     "describe|relations|missing|patterns|duplicates|frequency",
     "instead of the rows a table about them: a row for each column "
     "(describe), how columns go together (relations), what is missing, in "
     "which columns together (patterns), which rows occur more than once, or "
     "the values of a column; of those --group names (duplicates, frequency)"},
    {"--bins", ARG_INT, false, false, NULL, NULL,
     "... frequency: of about so many ranges"},
    {"--having", ARG_TEXT, false, false, NULL, "EXPRESSION",
     "keep the groups for which this is true: total > 100"},
    {"--sort", ARG_COLUMN, false, true, NULL, NULL,
     "by this column; -NAME for descending"},
    {"--select", ARG_COLUMN, false, true, NULL, NULL, "keep this column"},
    {"--distinct", ARG_FLAG, false, false, NULL, NULL,
     "leave out rows that were there before"},
    {"--limit", ARG_INT, false, false, NULL, NULL, "the first so many rows"},
    {"--rows", ARG_INT, false, false, "20", NULL, "print at most so many"},
    {"--csv", ARG_FLAG, false, false, NULL, NULL, "print all rows as CSV"},
    {"--out", ARG_FILE, false, false, NULL, NULL,
     "write all rows here: .csv, .tsv, .jsonl, .arrow, .parquet"},
    END};

/* ---- models ---- */

static const struct arg train_args[] = {
    {"data", ARG_FILE, true, false, NULL, NULL,
     "a table: csv, tsv, jsonl, arrow, parquet, or - for standard input"},
    {"--target", ARG_COLUMN, false, false, NULL, NULL,
     "what to predict; of pictures: class; of clusters and the like: none"},
    {"--problem", ARG_CHOICE, false, false, NULL, TARGET_CHOICES,
     "numbers, or classes; else by the target: up to 20 different whole "
     "numbers, texts and two values are classes"},
    {"--positive", ARG_TEXT, false, false, NULL, "CLASS",
     "of two classes the one that probabilities are of; else the second by "
     "its name: of no and yes yes"},
    {"--model", ARG_CHOICE, false, false, NULL,
     "als|cnn|elastic_net|ets|extra_trees|forest|gbdt|gbdt_lags|"
     "isolation_forest|kmeans|knn|lasso|linear|logistic|mlp|naive_bayes|pca|ridge|"
     "seasonal_naive|sgd",
     "the family of models; when left out gbdt, of pictures cnn"},
    {"--set", ARG_TEXT, false, true, NULL, "NAME=VALUE",
     "a parameter: trees=300 (lathe models FAMILY lists them)"},
    {"--valid", ARG_FILE, false, false, NULL, NULL,
     "rows to stop early on: a table, or the share of DATA to hold out"},
    {"--test", ARG_FILE, false, false, NULL, NULL,
     "rows to evaluate on: a table, or the share of DATA to set aside: 0.2"},
    {"--metric", ARG_TEXT, false, true, NULL, "NAME",
     "auc, logloss ...: one, or several with commas; the first one stops early"},
    {"--stop", ARG_TEXT, false, false, NULL, "NAME",
     "the metric that stops early instead; loss: what is learnt by"},
    {"--cv", ARG_INT, false, false, "0", NULL,
     "score in so many folds first; the model is then learnt as without them, "
     "from all rows but those of --test and those that stop it early"},
    {"--cv-group", ARG_COLUMN, false, false, NULL, NULL,
     "equal values of this column lie in one fold, or on one side"},
    {"--cv-time", ARG_COLUMN, false, false, NULL, NULL,
     "folds, and rows held out, come after those they learn from, with rows "
     "of one time together"},
    {"--cv-gap", ARG_INT, false, false, "0", NULL,
     "with --cv-time: rows left out before them"},
    {"--cv-window", ARG_INT, false, false, "0", NULL,
     "with --cv-time: learn from so many rows at most"},
    {"--cv-rows", ARG_INT, false, false, "0", NULL,
     "with --cv-time: test so many rows in each fold, the last ones"},
    {"--derive", ARG_TEXT, false, true, NULL, "NAME = EXPRESSION",
     "a column that is computed first, and kept in the model"},
    {"--prepare", ARG_TEXT, false, true, NULL, "STEP",
     "a step of preparation, kept in the model: 'impute mean', 'target on city'"},
    {"--calibrate", ARG_CHOICE, false, false, NULL, CALIBRATE_CHOICES,
     "make probabilities come true, by rows kept aside or those of --cv"},
    {"--threshold", ARG_TEXT, false, false, NULL, "NUMBER|METRIC",
     "two classes: say the positive one above it: 0.3, f1, mcc, fbeta@2 ..."},
    {"--profit", ARG_TEXT, false, true, NULL, "ANSWER=VALUE",
     "or where most is won: tp=10,fp=-3,fn=-20, or TRUTH:SAID=VALUE"},
    {"--interval", ARG_FLOAT, false, false, "0", NULL,
     "answer in ranges, or sets of classes, that hold the truth so often: 0.9"},
    {"--local-interval", ARG_FLAG, false, false, NULL, NULL,
     "... in wider ranges where answers of that size are off by more"},
    {"--patience", ARG_INT, false, false, "-1", NULL,
     "rounds without gain before stopping; -1: 50, 0: never stop"},
    {"--drop", ARG_COLUMN, false, true, NULL, NULL,
     "leave this column out, or several with commas"},
    {"--weight", ARG_COLUMN, false, false, NULL, NULL,
     "how much each row counts; no input"},
    {"--group", ARG_COLUMN, false, false, NULL, NULL,
     "rows of one query, which stay together; no input"},
    {"--offset", ARG_COLUMN, false, false, NULL, NULL,
     "what the score of each row begins with; no input"},
    {"--class-weight", ARG_TEXT, false, true, NULL, "CLASS=WEIGHT",
     "how much the rows of a class count; or balanced"},
    {"--init", ARG_MODEL, false, false, NULL, NULL,
     "go on from this model, of its family and target"},
    {"--refit", ARG_MODEL, false, false, NULL, NULL,
     "keep the trees of this model but learn what their leaves say anew; "
     "--set refit_keep=0.9 keeps that share of what they said"},
    {"--checkpoint", ARG_FILE, false, false, NULL, NULL,
     "write what there is so far here, every half minute"},
    {"--checkpoint-every", ARG_INT, false, false, "0", NULL,
     "or after so many rounds"},
    {"--resume", ARG_FLAG, false, false, NULL, NULL,
     "go on from the checkpoint, if there is one"},
    {"--seed", ARG_INT, false, false, "1", NULL, "of splits and sampling"},
    {"--name", ARG_TEXT, false, false, NULL, "NAME", "of the run"},
    {"--out", ARG_FILE, false, false, NULL, NULL, "write the model file here"},
    {"--register", ARG_TEXT, false, false, NULL, "NAME",
     "add it to the registry under this name"},
    END};

static const struct arg models_args[] = {
    {"family", ARG_TEXT, false, false, NULL, NULL,
     "the parameters of this one, their values and defaults"},
    END};

static const struct arg evaluate_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"data", ARG_FILE, true, false, NULL, NULL, "rows with the target"},
    {"--gate", ARG_TEXT, false, false, NULL, "CONDITION",
     "a condition: exit status 3 when it is not met"},
    {"--metric", ARG_TEXT, false, true, NULL, "NAME",
     "beyond the usual ones: fbeta@0.5, f1_macro, lift@0.1, pinball@0.9 ..."},
    {"--slice", ARG_TEXT, false, true, NULL, "EXPRESSION",
     "score parts of the rows, too: region, 'tenure > 12'"},
    {"--curve", ARG_CHOICE, false, false, NULL, CURVE_CHOICES,
     "draw this curve"},
    {"--weight", ARG_COLUMN, false, false, NULL, NULL,
     "what a row counts, a column of DATA"},
    {"--group", ARG_COLUMN, false, false, NULL, NULL,
     "rows that are ranked together, for ndcg and map"},
    {"--seed", ARG_INT, false, false, "1", NULL, "of the intervals"},
    END};

static const struct arg predict_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"data", ARG_FILE, true, false, NULL, NULL, "rows to predict"},
    {"--out", ARG_FILE, false, false, NULL, NULL,
     "write here: .csv, .tsv, .jsonl, .arrow, .parquet; else CSV is printed"},
    {"--inputs", ARG_FLAG, false, false, NULL, NULL,
     "the columns of DATA before the answers"},
    END};

static const struct arg explain_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"data", ARG_FILE, false, false, NULL, NULL,
     "rows to explain; without: the model's card"},
    {"--row", ARG_INT, false, false, NULL, NULL,
     "why the model answers so for this row, the first being 1"},
    {"--importance", ARG_CHOICE, false, false, NULL, "gain|permutation|shap",
     "of the inputs: as the model knows it, by shuffling, by shares"},
    {"--pdp", ARG_COLUMN, false, false, NULL, NULL,
     "what it answers on average where this input is set to values"},
    {"--ice", ARG_COLUMN, false, false, NULL, NULL, "the same, row by row"},
    {"--interactions", ARG_FLAG, false, false, NULL, NULL,
     "what two features do together; of one row with --row"},
    {"--class", ARG_TEXT, false, false, NULL, "NAME",
     "of several classes or quantiles (q0.9) this one alone"},
    {"--way", ARG_CHOICE, false, false, "auto", "auto|path|background|kernel",
     "how shares are found (lathe-lua(7) tells them apart)"},
    {"--background", ARG_FILE, false, false, NULL, NULL,
     "where features that are left out have their values from; else DATA"},
    {"--background-rows", ARG_INT, false, false, NULL, NULL,
     "so many of these at most; 100, for linear models all"},
    {"--samples", ARG_INT, false, false, NULL, NULL,
     "coalitions of the kernel: 2 x features + 2,048"},
    {"--metric", ARG_TEXT, false, false, NULL, "NAME",
     "what shuffling costs: logloss, rmse, auc ..."},
    {"--repeats", ARG_INT, false, false, NULL, NULL,
     "times each column is shuffled: 5"},
    {"--points", ARG_INT, false, false, NULL, NULL,
     "values that an input is set to: 40"},
    {"--rows", ARG_INT, false, false, NULL, NULL,
     "rows drawn by seed: for charts, --importance and --pdp 10,000, "
     "--interactions 1,000, --ice 50, of models that are asked (kernel) 100; "
     "with --out and --json shares are of all rows"},
    {"--seed", ARG_INT, false, false, "1", NULL, "of all that is drawn"},
    {"--table", ARG_TEXT, false, false, NULL, "NAME",
     "instead a table that models of its kind tell of: centres, loadings"},
    {"--out", ARG_FILE, false, false, NULL, NULL,
     "write the numbers here: .csv, .tsv, .jsonl, .arrow, .parquet"},
    END};

static const struct arg recommend_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"--user", ARG_TEXT, true, false, NULL, "NAME", "for whom"},
    {"--n", ARG_INT, false, false, "10", NULL,
     "so many of the best; all where there are fewer"},
    {"--seen", ARG_FLAG, false, false, NULL, NULL,
     "also what the user has rated"},
    {"--out", ARG_FILE, false, false, NULL, NULL,
     "write here: .csv, .tsv, .jsonl, .arrow, .parquet"},
    END};

static const struct arg forecast_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"--horizon", ARG_INT, false, false, "12", NULL,
     "so many steps behind the last row"},
    {"--level", ARG_FLOAT, false, false, "0.95", NULL, "of the interval"},
    {"--out", ARG_FILE, false, false, NULL, NULL,
     "write here: .csv, .tsv, .jsonl, .arrow, .parquet"},
    END};

static const struct arg export_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"--onnx", ARG_FILE, false, false, NULL, NULL,
     "write ONNX here, preparation included"},
    {"--onnx-ml", ARG_CHOICE, false, false, "3", "3|5",
     "... with the operators of this version of ai.onnx.ml"},
    {"--lightgbm", ARG_FILE, false, false, NULL, NULL,
     "write LightGBM's text here"},
    {"--xgboost", ARG_FILE, false, false, NULL, NULL,
     "write XGBoost's JSON here"},
    {"--c", ARG_FILE, false, false, NULL, NULL,
     "write a C file here that needs nothing but libm, words of texts included"},
    {"--prefix", ARG_TEXT, false, false, "model", "NAME",
     "... what names in it begin with"},
    {"--pmml", ARG_FILE, false, false, NULL, NULL, "write PMML 4.4 here"},
    END};

static const struct arg import_args[] = {
    {"file", ARG_FILE, true, false, NULL, NULL,
     "a model of XGBoost (json, ubj), LightGBM (txt), ONNX, PMML, or "
     "safetensors"},
    {"--target", ARG_TEXT, false, false, NULL, "NAME",
     "what it predicts, where the file does not say"},
    {"--classes", ARG_TEXT, false, true, NULL, "NAME",
     "names of its classes, in order, with commas or one by one"},
    {"--columns", ARG_TEXT, false, true, NULL, "NAME",
     "names of its inputs, in order"},
    {"--activation", ARG_CHOICE, false, false, "relu", "relu|tanh|sigmoid",
     "safetensors: between the layers"},
    {"--out", ARG_FILE, false, false, NULL, NULL, "write the model file here"},
    {"--register", ARG_TEXT, false, false, NULL, "NAME",
     "add it to the registry under this name"},
    END};

/* ---- runs ---- */

static const struct arg runs_ls_args[] = {
    {"--where", ARG_TEXT, false, false, NULL, "EXPRESSION",
     "those for which this is true of what --json tells, a metric by its name, "
     "started or seconds: family = 'gbdt' and test.auc > 0.8"},
    {"--limit", ARG_INT, false, false, "50", NULL, "the newest so many"},
    END};

static const struct arg run_args[] = {
    {"run", ARG_RUN, true, false, NULL, NULL,
     "its id, the first digits of it, or its name"},
    END};

static const struct arg runs_diff_args[] = {
    {"run", ARG_RUN, true, false, NULL, NULL, "one run"},
    {"other", ARG_RUN, true, false, NULL, NULL, "the other"},
    END};

static const struct arg runs_rm_args[] = {
    {"run", ARG_RUN, true, true, NULL, NULL, "runs to delete"},
    {"--undo", ARG_FLAG, false, false, NULL, NULL, "bring them back"},
    END};

static const struct arg runs_export_args[] = {
    {"run", ARG_RUN, true, false, NULL, NULL, "the run"},
    {"--out", ARG_FILE, false, false, NULL, NULL,
     "write JSON here; else it is printed"},
    END};

/* ---- registry ---- */

static const struct arg registry_ls_args[] = {
    {"name", ARG_TEXT, false, false, NULL, NULL,
     "all versions of this model; else the newest of each"},
    {"--where", ARG_TEXT, false, false, NULL, "EXPRESSION",
     "those for which this is true of what --json tells, a metric by its name, "
     "or created: stage = 'Production' and auc > 0.8"},
    END};

static const struct arg expressions_args[] = {
    {"word", ARG_TEXT, false, false, NULL, NULL, "only what has to do with it"},
    END};

static const struct arg registry_show_args[] = {
    {"version", ARG_MODEL, true, false, NULL, NULL,
     "churn/3, churn@production, churn (the newest)"},
    END};

static const struct arg registry_add_args[] = {
    {"name", ARG_TEXT, true, false, NULL, NULL, "of the model: churn"},
    {"model", ARG_TEXT, true, false, NULL, NULL, "a model file, or a run"},
    {"--metrics", ARG_FILE, false, false, NULL, NULL,
     "a JSON object; else those of the validation rows"},
    {"--description", ARG_TEXT, false, false, NULL, NULL, "a sentence"},
    END};

static const struct arg registry_promote_args[] = {
    {"version", ARG_MODEL, true, false, NULL, NULL, "churn/3"},
    {"stage", ARG_TEXT, true, false, NULL, NULL,
     "staging, production, archived or none"},
    {"--gate", ARG_TEXT, false, false, NULL, "CONDITION",
     "only if: 'auc >= 0.83'; exit status 3 when it is not met"},
    {"--why", ARG_TEXT, false, false, NULL, NULL, "for the history"},
    END};

static const struct arg registry_rollback_args[] = {
    {"name", ARG_TEXT, true, false, NULL, NULL, "of the model"},
    {"--why", ARG_TEXT, false, false, NULL, NULL, "for the history"},
    END};

static const struct arg registry_alias_args[] = {
    {"version", ARG_MODEL, true, false, NULL, NULL, "churn/3"},
    {"alias", ARG_TEXT, true, false, NULL, NULL, "a word: champion"},
    {"--remove", ARG_FLAG, false, false, NULL, NULL, "take it away"},
    END};

static const struct arg registry_history_args[] = {
    {"name", ARG_TEXT, false, false, NULL, NULL, "of one model; else of all"},
    END};

static const struct arg registry_verify_args[] = {
    {"name", ARG_TEXT, false, false, NULL, NULL, "of one model; else of all"},
    END};

/* ---- serving ---- */

static const struct arg serve_args[] = {
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "a file, runs:/ID, churn/3 or churn@production"},
    {"--host", ARG_TEXT, false, false, "127.0.0.1", NULL, "address to bind"},
    {"--port", ARG_INT, false, false, "8080", NULL, "0: any free one"},
    {"--sla-ms", ARG_FLOAT, false, false, "0", NULL,
     "promised latency (99th percentile); 0: none"},
    {"--threads", ARG_INT, false, false, "0", NULL, "0: one per core"},
    END};

static const struct arg endpoint_create_args[] = {
    {"name", ARG_TEXT, true, false, NULL, NULL, "of the endpoint: churn"},
    {"model", ARG_MODEL, true, false, NULL, NULL,
     "churn@production, churn/3, runs:/ID or a file"},
    {"--host", ARG_TEXT, false, false, "127.0.0.1", NULL, "address to bind"},
    {"--port", ARG_INT, false, false, "0", NULL, "0: any free one"},
    {"--sla-ms", ARG_FLOAT, false, false, "0", NULL,
     "promised latency (99th percentile); 0: none"},
    END};

static const struct arg endpoint_ls_args[] = {
    {"--where", ARG_TEXT, false, false, NULL, "EXPRESSION",
     "those for which this is true of what --json tells: state = 'up' and "
     "p99_ms > 20"},
    END};

static const struct arg endpoint_args[] = {
    {"name", ARG_TEXT, true, false, NULL, NULL, "of the endpoint"}, END};

static const struct arg endpoint_invoke_args[] = {
    {"name", ARG_TEXT, true, false, NULL, NULL, "of the endpoint"},
    {"body", ARG_TEXT, true, false, NULL, NULL,
     "a JSON record, a list of records, one of MLflow's forms, or @FILE"},
    END};

static const struct arg endpoint_log_args[] = {
    {"name", ARG_TEXT, true, false, NULL, NULL, "of the endpoint"},
    {"--lines", ARG_INT, false, false, "50", NULL, "the last so many"},
    END};

/* ---- jobs ---- */

static const struct arg job_ls_args[] = {
    {"--where", ARG_TEXT, false, false, NULL, "EXPRESSION",
     "those for which this is true of what --json tells, or started: "
     "state = 'failed'"},
    END};

static const struct arg job_run_args[] = {
    {"command", ARG_TEXT, true, true, NULL, NULL,
     "program and arguments, after --"},
    {"--title", ARG_TEXT, false, false, NULL, NULL, "what the list says"},
    END};

static const struct arg job_log_args[] = {
    {"job", ARG_TEXT, true, false, NULL, NULL, "its id"},
    {"--lines", ARG_INT, false, false, "0", NULL, "the last so many; 0: all"},
    {"--follow", ARG_FLAG, false, false, NULL, NULL,
     "go on until it has ended"},
    END};

static const struct arg job_stop_args[] = {
    {"job", ARG_TEXT, true, true, NULL, NULL, "ids"}, END};

static const struct arg job_wait_args[] = {
    {"job", ARG_TEXT, true, false, NULL, NULL, "its id"},
    {"--timeout", ARG_INT, false, false, "0", NULL, "seconds; 0: for ever"},
    END};

enum {
    ALL = CMD_SHELL | CMD_SCREEN | CMD_LUA | CMD_BLOCKS,
    SHELL = CMD_SHELL | CMD_BLOCKS,
    READS = ALL | CMD_READS
};

static const struct command table[] = {
    {"convert", "A table of one format to one of another",
     "What does not fit in memory goes through it in batches.",
     "lathe convert churn.csv churn.parquet", READS, convert_args, cmd_convert},
    {"doctor", "Look at the machine, the project and the terminal",
     "Says what lathe finds, what is missing, and the remedy.", "lathe doctor",
     ALL, NULL, cmd_doctor},
    {"endpoint create", "Start an endpoint, or move it to another version",
     "An endpoint is a process of its own that outlives this one.",
     "lathe endpoint create churn churn@production --port 8080", ALL,
     endpoint_create_args, cmd_endpoint_create},
    {"endpoint drift", "How far requests are from the training data",
     "PSI of each input against the training rows: above 0.1 moderate, above "
     "0.25\nmajor; a verdict needs 100 rows.",
     "lathe endpoint drift churn", ALL, endpoint_args, cmd_endpoint_drift},
    {"endpoint invoke", "Ask an endpoint", NULL,
     "lathe endpoint invoke churn '{\"tenure\": 2, \"contract\": "
     "\"Month-to-month\"}'",
     ALL, endpoint_invoke_args, cmd_endpoint_invoke},
    {"endpoint log", "The last lines of an endpoint's log", NULL,
     "lathe endpoint log churn", ALL, endpoint_log_args, cmd_endpoint_log},
    {"endpoint ls", "List the endpoints", NULL, "lathe endpoint ls", ALL,
     endpoint_ls_args, cmd_endpoint_ls},
    {"endpoint rm", "Stop an endpoint and forget it", NULL,
     "lathe endpoint rm churn", ALL, endpoint_args, cmd_endpoint_rm},
    {"endpoint show", "State, latency and drift of an endpoint", NULL,
     "lathe endpoint show churn", ALL, endpoint_args, cmd_endpoint_show},
    {"endpoint start", "Start a stopped endpoint again", NULL,
     "lathe endpoint start churn", ALL, endpoint_args, cmd_endpoint_start},
    {"endpoint stop", "Stop an endpoint",
     "What it has accepted is answered first.", "lathe endpoint stop churn",
     ALL, endpoint_args, cmd_endpoint_stop},
    {"evaluate", "Score a model on rows that have the target",
     "Metrics with 95 % bootstrap intervals, and the confusion matrix. A slice "
     "is a\ncondition, a category (each of its values) or a number (its "
     "quarters).",
     "lathe evaluate churn@production test.csv --gate 'auc >= 0.83'", READS,
     evaluate_args, cmd_evaluate},
    {"explain", "Why a model answers as it does",
     "Without DATA: its card, or with --importance gain what each input brings.\n"
     "With DATA: what each feature adds to the answers, as Shapley values that\n"
     "with the base add up to the log odds or the value.",
     "lathe explain churn@production new.csv --row 1", READS, explain_args,
     cmd_explain},
    {"export", "Write a model in the format of another program",
     "Each file is read again and compared with the model on made-up rows "
     "before it\nis written; a C file is compiled.\n"
     "Trees go everywhere; linear models to ONNX, C and PMML; nets, naive "
     "Bayes,\nclusters, components, outliers and nearest rows to ONNX and C, "
     "which compute\ncolumns derived of numbers, too. lathe(1) has the whole "
     "table.",
     "lathe export churn@production --onnx churn.onnx", ALL, export_args,
     cmd_export},
    {"expressions", "Operators and functions of conditions and new columns",
     "One small language for the rows to keep, new columns, groups and gates.",
     "lathe expressions date", ALL, expressions_args, cmd_expressions},
    {"forecast", "What comes behind the last row of a series", NULL,
     "lathe forecast sales/1 --horizon 12", ALL, forecast_args, cmd_forecast},
    {"head", "The first rows of a table", NULL, "lathe head churn.csv", READS,
     head_args, cmd_head},
    {"import", "Read a model of another program",
     "The format is told by the bytes. The model predicts, is registered and "
     "served\nlike any other.",
     "lathe import churn.json --target churn --out churn.lathe", ALL,
     import_args, cmd_import},
    {"job log", "What a job has written", NULL,
     "lathe job log j-20261123-184512-a1 --follow", ALL, job_log_args,
     cmd_job_log},
    {"job ls", "List the jobs, newest first", NULL, "lathe job ls", ALL,
     job_ls_args, cmd_job_ls},
    {"job run", "Run a command that outlives this terminal",
     "Prints the job's id.", "lathe job run -- lathe run nightly.lua", ALL,
     job_run_args, cmd_job_run},
    {"job stop", "Stop jobs",
     "SIGTERM to the whole process group, SIGKILL after 5 s.",
     "lathe job stop j-20261123-184512-a1", ALL, job_stop_args, cmd_job_stop},
    {"job wait", "Wait until a job has ended",
     "Exit status 0 only if the job's was.",
     "lathe job wait j-20261123-184512-a1", ALL, job_wait_args, cmd_job_wait},
    {"models", "The families of models, and the parameters of each",
     "What `lathe train --model` and --set take, and the functions of Lua.",
     "lathe models gbdt", ALL, models_args, cmd_models},
    {"predict", "Predict rows: CSV out", NULL,
     "lathe predict churn@production new.csv --out answers.csv", READS,
     predict_args, cmd_predict},
    {"profile", "Statistics and warnings on a table",
     "Alerts first: missing values, constants, identifiers, imbalance, skew,\n"
     "duplicates, wrong types, changes of unit, and leakage of the target.",
     "lathe profile churn.csv --target churn", READS, profile_args,
     cmd_profile},
    {"query", "Join, filter, group and sort rows of a table",
     "In this order: --join, --with, the condition, --sample, --group, "
     "--pivot or\n"
     "--about, --having, --sort, --select, --distinct, --limit. Names may be "
     "given one\n"
     "by one or with commas. `lathe expressions` lists what conditions and new "
     "columns\n"
     "may say.",
     "lathe query churn.csv 'tenure < 12' --select tenure --sort -tenure",
     READS, query_args, cmd_query},
    {"recommend", "The best items for a user", NULL,
     "lathe recommend films/1 --user ann", ALL, recommend_args, cmd_recommend},
    {"registry add", "Add a version of a model", NULL,
     "lathe registry add churn runs:/3f2a91", ALL, registry_add_args,
     cmd_registry_add},
    {"registry alias", "Give a version a name of your own", NULL,
     "lathe registry alias churn/3 champion", ALL, registry_alias_args,
     cmd_registry_alias},
    {"registry history", "What changed, when, and by whom", NULL,
     "lathe registry history churn", ALL, registry_history_args,
     cmd_registry_history},
    {"registry ls", "List models, or the versions of one", NULL,
     "lathe registry ls churn", ALL, registry_ls_args, cmd_registry_ls},
    {"registry promote", "Move a version to a stage",
     "The version that held the stage before is archived in the same "
     "transaction.",
     "lathe registry promote churn/3 production --gate 'auc >= 0.83'", ALL,
     registry_promote_args, cmd_registry_promote},
    {"registry rollback", "Give production back to the version before", NULL,
     "lathe registry rollback churn --why 'too many false alarms'", ALL,
     registry_rollback_args, cmd_registry_rollback},
    {"registry show", "One version: metrics, lineage, card", NULL,
     "lathe registry show churn@production", ALL, registry_show_args,
     cmd_registry_show},
    {"registry verify", "Do the artifacts still have their digests?", NULL,
     "lathe registry verify", ALL, registry_verify_args, cmd_registry_verify},
    {"runs diff", "Compare two runs", "Metrics, then what differs.",
     "lathe runs diff run-3 run-4", ALL, runs_diff_args, cmd_runs_diff},
    {"runs export", "A run with its curves as JSON", NULL,
     "lathe runs export run-3 --out run-3.json", ALL, runs_export_args,
     cmd_runs_export},
    {"runs ls", "List the runs, newest first", NULL,
     "lathe runs ls --where \"family = 'gbdt' and test.auc > 0.8\"", ALL,
     runs_ls_args, cmd_runs_ls},
    {"runs rm", "Delete runs", "They can be brought back with --undo.",
     "lathe runs rm run-3", ALL, runs_rm_args, cmd_runs_rm},
    {"runs show", "One run: curves, parameters, lineage", NULL,
     "lathe runs show run-3", ALL, run_args, cmd_runs_show},
    {"schema", "The columns of a table and their types", NULL,
     "lathe schema churn.csv", READS, schema_args, cmd_schema},
    {"serve", "Answer requests over HTTP",
     "MLflow's /invocations (JSON and CSV), the Open Inference Protocol under "
     "/v2,\n/ping and /metrics. SIGTERM answers what was accepted, then ends.",
     "lathe serve churn@production --port 8080", SHELL, serve_args, cmd_serve},
    {"train", "Fit a model and record the run",
     "A share is stratified by the target and drawn by the seed: --test 0.2 is\n"
     "what frame:split{ test = 0.2, stratify = TARGET } sets aside, --valid "
     "0.2\nwhat model:fit{ valid = 0.2 } holds out of the rest.",
     "lathe train churn.csv --target churn --test 0.2 --set trees=300", READS,
     train_args, cmd_train},
    {"version", "Version and build", NULL, "lathe version", ALL, NULL,
     cmd_version},
};

const struct command *
command_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}
