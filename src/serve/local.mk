# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/serve/drift.h
liblathe_a_SOURCES += src/serve/endpoint.h
liblathe_a_SOURCES += src/serve/predict.h
liblathe_a_SOURCES += src/serve/server.h
liblathe_a_SOURCES += src/serve/stat.h
