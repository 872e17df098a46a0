/* ui/theme.c -- theme files to looks.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/theme.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

/* Names, the built-in look and the attributes without colour, by role. */
static const struct {
    const char *name, *look, *mono;
} builtin[ROLE_COUNT] = {
    [ROLE_TEXT] = {"text", "default", ""},
    [ROLE_DIM] = {"dim", "245", ""},
    [ROLE_ACCENT] = {"accent", "75 bold", "bold"},
    [ROLE_TITLE] = {"title", "default bold", "bold"},
    [ROLE_BORDER] = {"border", "240", ""},
    [ROLE_FOCUS] = {"focus", "75", "bold"},
    [ROLE_SELECT] = {"select", "15/24", "rev"},
    [ROLE_SELECT_OFF] = {"select.off", "252/238", "under"},
    [ROLE_MARK] = {"mark", "178 bold", "bold"},
    [ROLE_MATCH] = {"match", "0/221", "rev"},
    [ROLE_OK] = {"ok", "36", ""},
    [ROLE_WARN] = {"warn", "178", "under"},
    [ROLE_ERROR] = {"error", "203 bold", "bold"},
    [ROLE_INFO] = {"info", "75", ""},
    [ROLE_BAR] = {"bar", "250/236", "rev"},
    [ROLE_BAR_KEY] = {"bar.key", "15/236 bold", "rev bold"},
    [ROLE_BAR_MODE] = {"bar.mode", "16/75 bold", "rev bold"},
    [ROLE_TAB] = {"tab", "250/236", "rev"},
    [ROLE_TAB_ON] = {"tab.on", "15/24 bold", "bold"},
    [ROLE_POPUP] = {"popup", "252/235", ""},
    [ROLE_KEY] = {"key", "75 bold", "bold"},
    [ROLE_CODE_KEY] = {"code.key", "75", "bold"},
    [ROLE_CODE_STR] = {"code.str", "36", ""},
    [ROLE_CODE_NUM] = {"code.num", "178", ""},
    [ROLE_CODE_COM] = {"code.com", "245", ""},
    [ROLE_CODE_NAME] = {"code.name", "117", ""},
    [ROLE_TYPE_INT] = {"type.int", "74", ""},
    [ROLE_TYPE_FLOAT] = {"type.float", "117", ""},
    [ROLE_TYPE_TEXT] = {"type.text", "default", ""},
    [ROLE_TYPE_TIME] = {"type.time", "175", ""},
    [ROLE_TYPE_BOOL] = {"type.bool", "178", ""},
    [ROLE_NULL] = {"null", "245", ""},
    [ROLE_CELL] = {"cell", "75", "bold"},
    [ROLE_CHART] = {"chart", "248", ""},
    [ROLE_GRID] = {"grid", "240", ""},
    [ROLE_HEAT_0] = {"heat.0", "17", ""},
    [ROLE_HEAT_0 + 1] = {"heat.1", "24", ""},
    [ROLE_HEAT_0 + 2] = {"heat.2", "31", ""},
    [ROLE_HEAT_0 + 3] = {"heat.3", "38", ""},
    [ROLE_HEAT_0 + 4] = {"heat.4", "80", ""},
    [ROLE_HEAT_0 + 5] = {"heat.5", "157", ""},
    [ROLE_HEAT_0 + 6] = {"heat.6", "230", ""},
    [ROLE_SERIES_0] = {"series.0", "74", ""},
    [ROLE_SERIES_0 + 1] = {"series.1", "178", ""},
    [ROLE_SERIES_0 + 2] = {"series.2", "36", ""},
    [ROLE_SERIES_0 + 3] = {"series.3", "221", ""},
    [ROLE_SERIES_0 + 4] = {"series.4", "175", ""},
    [ROLE_SERIES_0 + 5] = {"series.5", "203", ""},
    [ROLE_SERIES_0 + 6] = {"series.6", "117", ""},
    [ROLE_SERIES_0 + 7] = {"series.7", "145", ""},
};

/* The series on 8 and 16 colours: never blue, which cannot be read on black,
 * and never red, which means an error. */
static const uint8_t series_8[THEME_SERIES] = {3, 6, 2, 5, 7, 3, 6, 2};
static const uint8_t series_16[THEME_SERIES] = {14, 11, 10, 13, 15, 6, 3, 2};

static const char *const ansi_names[8] = {"black", "red",     "green", "yellow",
                                          "blue",  "magenta", "cyan",  "white"};
/* xterm's own palette for the first 16. */
static const uint32_t ansi_rgb[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00,
                                      0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
                                      0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
                                      0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};

const char *
theme_role_name(unsigned role)
{
    return role < ROLE_COUNT ? builtin[role].name : "?";
}

int
theme_role_find(const char *name)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (strcmp(builtin[i].name, name) == 0)
            return (int)i;
    return -1;
}

uint32_t
theme_rgb(int32_t colour)
{
    static const uint8_t level[6] = {0, 95, 135, 175, 215, 255};

    if (colour & THEME_RGB)
        return (uint32_t)colour & 0xffffff;
    if (colour < 0 || colour > 255)
        return 0;
    if (colour < 16)
        return ansi_rgb[colour];
    if (colour >= 232) {
        uint32_t grey = 8 + 10 * (uint32_t)(colour - 232);

        return grey << 16 | grey << 8 | grey;
    }
    unsigned i = (unsigned)colour - 16;

    return (uint32_t)level[i / 36] << 16 | (uint32_t)level[i / 6 % 6] << 8 |
           level[i % 6];
}

static double
linear(uint32_t byte)
{
    double c = byte / 255.0;

    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double
luminance(int32_t colour)
{
    uint32_t rgb = theme_rgb(colour);

    return 0.2126 * linear(rgb >> 16 & 255) + 0.7152 * linear(rgb >> 8 & 255) +
           0.0722 * linear(rgb & 255);
}

double
theme_contrast(int32_t a, int32_t b)
{
    double la = luminance(a), lb = luminance(b);

    return la > lb ? (la + 0.05) / (lb + 0.05) : (lb + 0.05) / (la + 0.05);
}

/* ---- reading ---- */

static bool
parse_colour(struct str s, int32_t *out)
{
    int64_t n;

    if (str_is(s, "default")) {
        *out = THEME_DEFAULT;
        return true;
    }
    if (s.n == 7 && s.p[0] == '#') {
        char hex[7] = {0}, *end;

        memcpy(hex, s.p + 1, 6);
        unsigned long rgb = strtoul(hex, &end, 16);

        if (*end || hex[0] == '-' || hex[0] == '+' || hex[0] == ' ')
            return false;
        *out = (int32_t)(THEME_RGB | rgb);
        return true;
    }
    if (str_to_i64(s, &n)) {
        *out = (int32_t)n;
        return n >= 0 && n <= 255;
    }
    bool bright = str_starts(s, "bright");
    struct str base = bright ? (struct str){s.p + 6, s.n - 6} : s;

    for (int i = 0; i < 8; i++) {
        if (str_is(base, ansi_names[i])) {
            *out = i + (bright ? 8 : 0);
            return true;
        }
    }
    return false;
}

static bool
parse_attr(struct str s, uint8_t *attrs)
{
    static const struct {
        const char *name;
        uint8_t attr;
    } names[] = {{"bold", THEME_BOLD},
                 {"dim", THEME_DIM},
                 {"under", THEME_UNDER},
                 {"rev", THEME_REV},
                 {"none", 0}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_is(s, names[i].name)) {
            *attrs |= names[i].attr;
            return true;
        }
    }
    return false;
}

static struct str
next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t n = 0;

    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    struct str word = {rest->p, n};

    *rest = (struct str){rest->p + n, rest->n - n};
    return word;
}

/* Where the words of one line go, and where complaints do. */
struct line {
    int number;
    struct buf *warnings;
};

static void
complain(const struct line *l, const char *what, struct str word)
{
    int n = word.n < 60 ? (int)word.n : 60;

    if (l->warnings)
        buf_printf(l->warnings, "line %d: %s \"%.*s\"\n", l->number, what, n,
                   word.p);
}

/* "fg[/bg] [attributes]" */
static bool
parse_look(struct look *look, struct str value, const struct line *l)
{
    struct look new = {THEME_DEFAULT, THEME_DEFAULT, 0};
    struct str word = next_word(&value);
    const char *slash = memchr(word.p, '/', word.n);
    struct str fg = {word.p, slash ? (size_t)(slash - word.p) : word.n};

    if (!parse_colour(fg, &new.fg)) {
        complain(l, "unknown colour", fg);
        return false;
    }
    if (slash) {
        struct str bg = {slash + 1, word.n - fg.n - 1};

        if (!parse_colour(bg, &new.bg)) {
            complain(l, "unknown colour", bg);
            return false;
        }
    }
    while ((word = next_word(&value)).n > 0)
        if (!parse_attr(word, &new.attrs))
            complain(l, "unknown attribute", word);
    *look = new;
    return true;
}

/* "heat = 17 24 ..." and "series = ...": one colour a role; attributes at
 * the end hold for all. */
static void
parse_list(struct look *looks, size_t n, struct str value, const struct line *l)
{
    struct str word;
    uint8_t attrs = 0;

    for (size_t i = 0; (word = next_word(&value)).n > 0;) {
        int32_t colour;

        if (parse_attr(word, &attrs))
            continue;
        if (!parse_colour(word, &colour))
            complain(l, "unknown colour", word);
        else if (i < n)
            looks[i++] = (struct look){colour, THEME_DEFAULT, 0};
    }
    for (size_t i = 0; i < n; i++)
        looks[i].attrs = attrs;
}

static void
parse_dash(struct theme *t, struct str value, const struct line *l)
{
    static const char *const names[] = {"solid", "dash", "dot", "dashdot"};
    unsigned given[THEME_SERIES], n = 0;
    struct str word;

    while ((word = next_word(&value)).n > 0) {
        unsigned i = 0;

        while (i < 4 && !str_is(word, names[i]))
            i++;
        if (i == 4)
            complain(l, "unknown dash", word);
        else if (n < THEME_SERIES)
            given[n++] = i;
    }
    for (unsigned i = 0; n > 0 && i < THEME_SERIES; i++)
        t->dash[i] = (uint8_t)given[i % n];
}

static void
parse_background(struct theme *t, struct str value, const struct line *l)
{
    int32_t colour;

    if (str_is(value, "dark"))
        colour = THEME_RGB | 0x121212;
    else if (str_is(value, "light"))
        colour = THEME_RGB | 0xffffff;
    else if (!parse_colour(value, &colour) || colour < 0) {
        complain(l, "unknown background", value);
        return;
    }
    t->background = colour;
    t->light = luminance(colour) > 0.18;
}

static void
parse_mono(struct theme *t, int role, struct str value, const struct line *l)
{
    struct str word;
    uint8_t attrs = 0;

    while ((word = next_word(&value)).n > 0)
        if (!parse_attr(word, &attrs))
            complain(l, "unknown attribute", word);
    t->mono[role] = attrs;
}

static struct str
after(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

static void
parse_rule(struct theme *t, struct str name, struct str value,
           const struct line *l)
{
    struct look *table = t->role;
    struct str role = name;
    bool mono = str_starts(name, "mono.");
    char text[32];

    if (str_is(name, "background")) {
        parse_background(t, value, l);
        return;
    }
    if (str_is(name, "series.dash")) {
        parse_dash(t, value, l);
        return;
    }
    if (mono)
        role = after(name, 5);
    else if (str_starts(name, "16.")) {
        table = t->role16;
        role = after(name, 3);
    } else if (str_starts(name, "8.")) {
        table = t->role8;
        role = after(name, 2);
    }
    if (!mono && str_is(role, "series")) {
        parse_list(table + ROLE_SERIES_0, THEME_SERIES, value, l);
        return;
    }
    if (!mono && str_is(role, "heat")) {
        parse_list(table + ROLE_HEAT_0, THEME_HEAT, value, l);
        return;
    }
    snprintf(text, sizeof text, "%.*s", role.n < 31 ? (int)role.n : 31, role.p);
    int i = theme_role_find(text);

    if (i < 0)
        complain(l, "unknown role", name);
    else if (mono)
        parse_mono(t, i, value, l);
    else
        parse_look(&table[i], value, l);
}

void
theme_parse(struct theme *t, const char *text, size_t len, struct buf *warnings)
{
    struct line l = {0, warnings};

    for (size_t at = 0; at < len;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - text) : len;
        struct str line = str_trim((struct str){text + at, end - at});

        at = end + 1;
        l.number++;
        /* A `#` begins a comment at the start of a line or after a blank
         * that no colour follows: "#rrggbb" is one. */
        if (line.n == 0 || line.p[0] == '#')
            continue;
        const char *equals = memchr(line.p, '=', line.n);

        if (!equals) {
            complain(&l, "expected role = look, not", line);
            continue;
        }
        size_t n = (size_t)(equals - line.p);

        parse_rule(t, str_trim((struct str){line.p, n}),
                   str_trim(after(line, n + 1)), &l);
    }
}

static void
default_small(struct theme *t)
{
    for (size_t i = 0; i < ROLE_COUNT; i++)
        t->role16[i].fg = t->role8[i].fg = THEME_UNSET;
    for (size_t i = 0; i < THEME_SERIES; i++) {
        t->role16[ROLE_SERIES_0 + i] =
            (struct look){series_16[i], THEME_DEFAULT, 0};
        t->role8[ROLE_SERIES_0 + i] =
            (struct look){series_8[i], THEME_DEFAULT, 0};
    }
}

void
theme_default(struct theme *t)
{
    const struct line quiet = {0, NULL};

    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "dark");
    t->background = THEME_RGB | 0x121212;
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        parse_look(&t->role[i], str_of(builtin[i].look), &quiet);
        parse_mono(t, (int)i, str_of(builtin[i].mono), &quiet);
    }
    for (unsigned i = 0; i < THEME_SERIES; i++)
        t->dash[i] = (uint8_t)(i % 4);
    default_small(t);
}

/* ---- finding ---- */

static char *
user_dir(void)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (config && *config == '/')
        return file_join(config, "lathe/themes");
    return home ? file_join(home, ".config/lathe/themes") : NULL;
}

static bool
plain_name(const char *name)
{
    return *name && !strchr(name, '/') && name[0] != '.' && strlen(name) < 32;
}

static char *
theme_path(const char *name, struct error *err)
{
    char file[64];
    char *dir = user_dir();
    char *path = NULL;

    snprintf(file, sizeof file, "%s.theme", name);
    if (dir) {
        path = file_join(dir, file);
        free(dir);
        if (file_exists(path))
            return path;
        free(path);
    }
    snprintf(file, sizeof file, "themes/%s.theme", name);
    return file_data_path(file, err);
}

static bool
not_found(const char *name, struct error *err)
{
    struct buf all;
    char **names;
    size_t n = theme_list(&names);

    buf_init(&all);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
        free(names[i]);
    }
    free(names);
    error_set(err, ERR_NOTFOUND, "no theme \"%s\"; there are: %s", name,
              all.len ? all.data : "none");
    buf_fini(&all);
    return false;
}

bool
theme_load(struct theme *t, const char *name, struct buf *warnings,
           struct error *err)
{
    struct buf text;
    char *path = plain_name(name) ? theme_path(name, err) : NULL;
    bool ok;

    if (!path)
        return not_found(name, err);
    buf_init(&text);
    ok = file_read(path, 1 << 16, &text, err);
    if (ok) {
        theme_default(t);
        snprintf(t->name, sizeof t->name, "%s", name);
        theme_parse(t, text.data, text.len, warnings);
    }
    buf_fini(&text);
    free(path);
    return ok;
}

/* Add the names of DIR/NAME.theme; *names holds n. */
static size_t
list_dir(const char *dir, char ***names, size_t n)
{
    DIR *d = dir ? opendir(dir) : NULL;
    const struct dirent *e;

    while (d && n < 64 && (e = readdir(d))) {
        size_t len = strlen(e->d_name);
        size_t i = 0;

        if (len <= 6 || strcmp(e->d_name + len - 6, ".theme") != 0)
            continue;
        while (i < n && (strncmp((*names)[i], e->d_name, len - 6) != 0 ||
                         (*names)[i][len - 6]))
            i++;
        if (i < n)
            continue;
        (*names)[n] = mem_text(e->d_name);
        (*names)[n++][len - 6] = '\0';
    }
    if (d)
        closedir(d);
    return n;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t
theme_list(char ***names)
{
    struct error err;
    char *dark = file_data_path("themes/dark.theme", &err);
    char *user = user_dir();
    size_t n = 0;

    *names = mem_new(64 * sizeof **names);
    if (dark) {
        *strrchr(dark, '/') = '\0';
        n = list_dir(dark, names, n);
    }
    n = list_dir(user, names, n);
    free(dark);
    free(user);
    qsort(*names, n, sizeof **names, by_name);
    return n;
}

/* ---- looks for a terminal ---- */

static int32_t
nearest_cube(uint32_t rgb)
{
    int32_t best = 16;
    double least = INFINITY;

    for (int32_t i = 16; i < 256; i++) {
        uint32_t c = theme_rgb(i);
        double r = (double)(rgb >> 16 & 255) - (double)(c >> 16 & 255);
        double g = (double)(rgb >> 8 & 255) - (double)(c >> 8 & 255);
        double b = (double)(rgb & 255) - (double)(c & 255);
        double d = 2 * r * r + 4 * g * g + 3 * b * b;

        if (d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

/* One of 8 hues, or 16 with the bright half. Greys go by lightness. */
static int32_t
nearest_ansi(uint32_t rgb, bool sixteen)
{
    int r = (int)(rgb >> 16 & 255), g = (int)(rgb >> 8 & 255);
    int b = (int)(rgb & 255);
    int max = r > g ? (r > b ? r : b) : (g > b ? g : b);
    int min = r < g ? (r < b ? r : b) : (g < b ? g : b);
    int light = (r * 2 + g * 5 + b) / 8;

    if (max - min < 40) {
        if (!sixteen)
            return light < 100 ? 0 : 7;
        return light < 50 ? 0 : light < 140 ? 8 : light < 220 ? 7 : 15;
    }
    int middle = (max + min) / 2;
    int32_t hue =
        (r > middle ? 1 : 0) | (g > middle ? 2 : 0) | (b > middle ? 4 : 0);

    /* Blue cannot be read on black, nor as a line: cyan is as good. */
    if (hue == 4 && light > 40)
        hue = 6;
    return sixteen && light > 110 ? hue + 8 : hue;
}

static int32_t
reduce(int32_t colour, int n_colours)
{
    if (colour < 0)
        return THEME_DEFAULT;
    if (n_colours >= 256)
        return colour & THEME_RGB ? nearest_cube(theme_rgb(colour)) : colour;
    if (colour < n_colours)
        return colour;
    return nearest_ansi(theme_rgb(colour), n_colours >= 16);
}

static struct look
reduced(const struct theme *t, unsigned role, int n_colours)
{
    const struct look *own = n_colours >= 256  ? NULL
                             : n_colours >= 16 ? &t->role16[role]
                                               : &t->role8[role];
    struct look look = own && own->fg != THEME_UNSET ? *own : t->role[role];

    look.fg = reduce(look.fg, n_colours);
    look.bg = reduce(look.bg, n_colours);
    return look;
}

struct look
theme_look(const struct theme *t, unsigned role, unsigned base, int n_colours)
{
    if (n_colours < 8)
        return (struct look){
            THEME_DEFAULT, THEME_DEFAULT,
            (uint8_t)(t->mono[role] |
                      (base == ROLE_BAR || base == ROLE_TAB ? t->mono[base]
                                                            : 0))};
    struct look look = reduced(t, role, n_colours);

    if (look.bg == THEME_DEFAULT && base != ROLE_TEXT)
        look.bg = reduced(t, base, n_colours).bg;
    if (look.bg == THEME_DEFAULT)
        look.bg = reduced(t, ROLE_TEXT, n_colours).bg;
    /* The page's own ink on a coloured ground is whatever the base says. */
    if (look.fg == THEME_DEFAULT && role != base)
        look.fg = reduced(t, base, n_colours).fg;
    /* Two colours that a small palette made one cannot be told apart. */
    if (look.fg >= 0 && look.fg == look.bg)
        look.fg = theme_contrast(look.bg, 0) > 8 ? 0 : n_colours >= 16 ? 15 : 7;
    return look;
}
