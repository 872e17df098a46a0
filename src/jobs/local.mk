# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/jobs/job.h
