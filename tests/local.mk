# SPDX-License-Identifier: GPL-3.0-or-later
TEST_EXTENSIONS = .sh .lua .t
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	LATHE_BUILD='$(abs_top_builddir)'; export LATHE_BUILD; \
	LATHE_SOURCE='$(abs_top_srcdir)'; export LATHE_SOURCE; \
	LATHE_DATA='$(abs_top_srcdir)'; export LATHE_DATA; \
	LATHE_TESTS='$(OPTIONAL_TESTS)'; export LATHE_TESTS;
TAP_DRIVER = env AM_TAP_AWK="$(AWK)" $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh --comments
LOG_DRIVER = $(TAP_DRIVER)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/lib/run.sh
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
T_LOG_DRIVER = $(TAP_DRIVER)
T_LOG_COMPILER = $(abs_top_builddir)/tests/tui/drive
LUA_LOG_DRIVER = $(TAP_DRIVER)
LUA_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/lib/lua.sh

OPTIONAL_TESTS =
if HAVE_CMOCKA
OPTIONAL_TESTS += unit
check_PROGRAMS += $(UNIT)
TESTS += $(UNIT)
endif
if HAVE_VTERM
OPTIONAL_TESTS += tui
endif
EXTRA_DIST += tests/lib/any_family.h
EXTRA_DIST += tests/lib/artifact.py
EXTRA_DIST += tests/lib/close.h
EXTRA_DIST += tests/lib/lesson.h
EXTRA_DIST += tests/lib/lua.sh
EXTRA_DIST += tests/lib/profile_table.h
EXTRA_DIST += tests/lib/run.sh
EXTRA_DIST += tests/lib/same_stream.h
EXTRA_DIST += tests/lib/scratch.h
EXTRA_DIST += tests/lib/small_model.h
EXTRA_DIST += tests/lib/summary.sh
EXTRA_DIST += tests/lib/tap.lua
EXTRA_DIST += tests/lib/tap.sh

# Each fuzz target replays its corpus: FUZZ += tests/fuzz/fuzz_x, and its sources.
FUZZ = tests/fuzz/fuzz_arrow
FUZZ += tests/fuzz/fuzz_csv
FUZZ += tests/fuzz/fuzz_expr
FUZZ += tests/fuzz/fuzz_image
FUZZ += tests/fuzz/fuzz_input
FUZZ += tests/fuzz/fuzz_jsonl
FUZZ += tests/fuzz/fuzz_model
FUZZ += tests/fuzz/fuzz_notebook
FUZZ += tests/fuzz/fuzz_parquet
FUZZ += tests/fuzz/fuzz_port_doc
FUZZ += tests/fuzz/fuzz_port_read
FUZZ += tests/fuzz/fuzz_theme
FUZZ += tests/fuzz/fuzz_value
tests_fuzz_fuzz_arrow_SOURCES = tests/fuzz/fuzz_arrow.c tests/fuzz/replay.c
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/fuzz/replay.c
tests_fuzz_fuzz_expr_SOURCES = tests/fuzz/fuzz_expr.c tests/fuzz/replay.c
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz_image.c tests/fuzz/replay.c
tests_fuzz_fuzz_input_SOURCES = tests/fuzz/fuzz_input.c tests/fuzz/replay.c
tests_fuzz_fuzz_jsonl_SOURCES = tests/fuzz/fuzz_jsonl.c tests/fuzz/replay.c
tests_fuzz_fuzz_parquet_SOURCES = tests/fuzz/fuzz_parquet.c tests/fuzz/replay.c
tests_fuzz_fuzz_port_doc_SOURCES = tests/fuzz/fuzz_port_doc.c tests/fuzz/replay.c
tests_fuzz_fuzz_port_read_SOURCES = tests/fuzz/fuzz_port_read.c tests/fuzz/replay.c
tests_fuzz_fuzz_theme_SOURCES = tests/fuzz/fuzz_theme.c tests/fuzz/replay.c
tests_fuzz_fuzz_value_SOURCES = tests/fuzz/fuzz_value.c tests/fuzz/replay.c
tests_fuzz_fuzz_model_SOURCES = tests/fuzz/fuzz_model.c tests/fuzz/replay.c
tests_fuzz_fuzz_notebook_SOURCES = tests/fuzz/fuzz_notebook.c tests/fuzz/replay.c
if HAVE_CMOCKA
FUZZ += tests/fuzz/fuzz_request
endif
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/replay.c
check_PROGRAMS += $(FUZZ)
TESTS += $(FUZZ)
EXTRA_DIST += tests/fuzz/corpus
EXTRA_DIST += tests/data
EXTRA_DIST += tests/engine/port.mjs
EXTRA_DIST += tests/engine/port_lightgbm.py
EXTRA_DIST += tests/engine/port_onnx.py
EXTRA_DIST += tests/engine/port_pmml.py
EXTRA_DIST += tests/engine/port_tensors.py
EXTRA_DIST += tests/engine/port_xgboost.py
EXTRA_DIST += tests/engine/explain.py
EXTRA_DIST += tests/engine/port_shares.py
EXTRA_DIST += tests/frame/arrow.mjs
EXTRA_DIST += tests/frame/csv_pandas.py
EXTRA_DIST += tests/frame/parquet.mjs

check_PROGRAMS += tests/engine/hash_gbdt
check_PROGRAMS += tests/frame/parquet_lines
SCRIPT_TESTS = tests/lint/layers.sh
SCRIPT_TESTS += tests/lint/manuals.sh
SCRIPT_TESTS += tests/lint/parse.sh
SCRIPT_TESTS += tests/lint/whole.sh
SCRIPT_TESTS += tests/cli/bootstrap.sh
SCRIPT_TESTS += tests/cli/beyond_memory.sh
SCRIPT_TESTS += tests/cli/cards.sh
SCRIPT_TESTS += tests/cli/commands.sh
SCRIPT_TESTS += tests/cli/convert.sh
SCRIPT_TESTS += tests/cli/hostile.sh
SCRIPT_TESTS += tests/cli/measure.sh
SCRIPT_TESTS += tests/cli/images.sh
SCRIPT_TESTS += tests/cli/reading.sh
SCRIPT_TESTS += tests/cli/repl.sh
SCRIPT_TESTS += tests/cli/report.sh
SCRIPT_TESTS += tests/cli/run.sh
SCRIPT_TESTS += tests/cli/signals.sh
SCRIPT_TESTS += tests/cli/store.sh
SCRIPT_TESTS += tests/cli/stream.sh
SCRIPT_TESTS += tests/cli/threads.sh
SCRIPT_TESTS += tests/cli/told.sh
SCRIPT_TESTS += tests/cli/train.sh
SCRIPT_TESTS += tests/frame/arrow.sh
SCRIPT_TESTS += tests/frame/csv.sh
SCRIPT_TESTS += tests/frame/parquet.sh
SCRIPT_TESTS += tests/lua/library.lua
SCRIPT_TESTS += tests/lua/loss.lua
SCRIPT_TESTS += tests/serve/serve.sh
SCRIPT_TESTS += tests/engine/checkpoint.sh
SCRIPT_TESTS += tests/engine/port.sh
SCRIPT_TESTS += tests/engine/port_dates.sh
SCRIPT_TESTS += tests/engine/port_expr.sh
SCRIPT_TESTS += tests/engine/port_rows.sh
SCRIPT_TESTS += tests/engine/port_texts.sh
SCRIPT_TESTS += tests/engine/explain.sh
SCRIPT_TESTS += tests/engine/net_bytes.sh
SCRIPT_TESTS += tests/engine/hostile.sh
SCRIPT_TESTS += tests/engine/same_bytes.sh
TESTS += $(SCRIPT_TESTS)
EXTRA_DIST += $(SCRIPT_TESTS)

# Measurements are run by hand; that they still build is part of the check.
# tests/bench/gbdt.py sets XGBoost beside it, classic.py scikit-learn beside
# bench_classic, and als.py what it has not.
check_PROGRAMS += tests/bench/bench_cancel
check_PROGRAMS += tests/bench/bench_classic
check_PROGRAMS += tests/bench/bench_explain
check_PROGRAMS += tests/bench/bench_gbdt
check_PROGRAMS += tests/bench/bench_load
check_PROGRAMS += tests/bench/bench_net
check_PROGRAMS += tests/bench/bench_profile
check_PROGRAMS += tests/bench/bench_query
check_PROGRAMS += tests/bench/bench_serve
check_PROGRAMS += tests/bench/bench_tui
check_PROGRAMS += tests/bench/make_tables
# Quality of the defaults: tests/bench/quality.sh.
check_PROGRAMS += tests/bench/quality
EXTRA_DIST += tests/bench/als.py
EXTRA_DIST += tests/bench/classic.py
EXTRA_DIST += tests/bench/explain.py
EXTRA_DIST += tests/bench/forest.py
EXTRA_DIST += tests/bench/gbdt.py
EXTRA_DIST += tests/bench/gbdt_large.py
EXTRA_DIST += tests/bench/gbdt_seed.py
EXTRA_DIST += tests/bench/onehot.py
EXTRA_DIST += tests/bench/load.mjs
EXTRA_DIST += tests/bench/load.sh
EXTRA_DIST += tests/bench/net.py
EXTRA_DIST += tests/bench/profile.mjs
EXTRA_DIST += tests/bench/profile.sh
EXTRA_DIST += tests/bench/quality.py
EXTRA_DIST += tests/bench/quality.sh
EXTRA_DIST += tests/bench/query.mjs
EXTRA_DIST += tests/bench/query.sh

# The unit tests alone, for builds with sanitizers.
check-unit:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(UNIT) $(FUZZ)'
.PHONY: check-unit
