# SPDX-License-Identifier: GPL-3.0-or-later
bin_PROGRAMS += lathe
lathe_SOURCES = src/cli/main.c
lathe_SOURCES += src/cli/repl.c
lathe_SOURCES += src/cli/run.c
lathe_SOURCES += src/cli/run.h
lathe_SOURCES += src/cli/shell.c
lathe_SOURCES += src/cli/shell.h
lathe_SOURCES += src/cli/workbench.c
lathe_SOURCES += src/cli/workbench.h
lathe_LDADD = liblathe.a $(LATHE_LIBS)
dist_man_MANS += man/lathe.1
