# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/jobs/job.c
liblathe_a_SOURCES += src/jobs/job.h
liblathe_a_SOURCES += src/jobs/job_exec.c
UNIT += tests/unit/test_job
