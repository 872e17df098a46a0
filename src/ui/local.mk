# SPDX-License-Identifier: GPL-3.0-or-later
liblathe_a_SOURCES += src/ui/draw.c src/ui/draw.h
liblathe_a_SOURCES += src/ui/input.c src/ui/input.h
liblathe_a_SOURCES += src/ui/keymap.c src/ui/keymap.h
liblathe_a_SOURCES += src/ui/theme.c src/ui/theme.h
liblathe_a_SOURCES += src/ui/ui.h
liblathe_a_SOURCES += src/ui/view.c src/ui/view.h
UNIT += tests/unit/test_draw
UNIT += tests/unit/test_input
UNIT += tests/unit/test_keymap
UNIT += tests/unit/test_theme
nobase_dist_pkgdata_DATA += themes/contrast.theme themes/dark.theme \
	themes/light.theme themes/mono.theme themes/sol.theme
