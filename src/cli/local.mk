# SPDX-License-Identifier: GPL-3.0-or-later
bin_PROGRAMS += lathe
lathe_SOURCES = src/cli/main.c
lathe_LDADD = liblathe.a $(LATHE_LIBS)
