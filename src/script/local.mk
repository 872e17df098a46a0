# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/script/kernel.h
liblathe_a_SOURCES += src/script/notebook.h
