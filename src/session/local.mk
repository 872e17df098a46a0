# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/session/command.h
liblathe_a_SOURCES += src/session/fit.h
liblathe_a_SOURCES += src/session/live.h
liblathe_a_SOURCES += src/session/session.h
liblathe_a_SOURCES += src/session/task.h
