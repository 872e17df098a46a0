# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/store/artifact.h
liblathe_a_SOURCES += src/store/db.h
liblathe_a_SOURCES += src/store/deployment.h
liblathe_a_SOURCES += src/store/registry.h
liblathe_a_SOURCES += src/store/run.h
