# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/frame/builder.h
liblathe_a_SOURCES += src/frame/column.h
liblathe_a_SOURCES += src/frame/csv.h
liblathe_a_SOURCES += src/frame/dict.h
liblathe_a_SOURCES += src/frame/expr.h
liblathe_a_SOURCES += src/frame/frame.h
liblathe_a_SOURCES += src/frame/profile.h
liblathe_a_SOURCES += src/frame/query.h
liblathe_a_SOURCES += src/frame/split.h
nobase_dist_pkgdata_DATA += samples/churn/README.md samples/churn/churn.csv
