/* frame/synonym.c -- words of other languages.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/synonym.h"

/* A word may mean several things: the first that the caller has is taken. */
static const struct {
    const char *theirs, *ours;
} words_of[] = {
    {"average", "mean"},
    {"avg", "mean"},
    {"ceiling", "ceil"},
    {"char_length", "length"},
    {"charindex", "position"},
    {"count_distinct", "distinct"},
    {"date_diff", "days_between"},
    {"date_format", "strftime"},
    {"datediff", "days_between"},
    {"datetime", "timestamp"},
    {"dayofweek", "weekday"},
    {"dayofyear", "yearday"},
    {"double", "float"},
    {"fill_null", "coalesce"},
    {"fillna", "coalesce"},
    {"find", "position"},
    {"float64", "float"},
    {"greatest", "max"},
    {"gsub", "replace"},
    {"ifelse", "if"},
    {"iff", "if"},
    {"ifnull", "coalesce"},
    {"iif", "if"},
    {"instr", "position"},
    {"int64", "int"},
    {"integer", "int"},
    {"isna", "is_missing"},
    {"isnan", "is_missing"},
    {"isnull", "is_missing"},
    {"is_na", "is_missing"},
    {"is_nan", "is_missing"},
    {"is_null", "is_missing"},
    {"isoweek", "week"},
    {"least", "min"},
    {"len", "length"},
    {"len", "count"},
    {"ln", "log"},
    {"locate", "position"},
    {"lcase", "lower"},
    {"n", "count"},
    {"n_distinct", "distinct"},
    {"n_unique", "distinct"},
    {"nchar", "length"},
    {"number", "float"},
    {"numeric", "float"},
    {"nunique", "distinct"},
    {"nvl", "coalesce"},
    {"paste", "concat"},
    {"paste0", "concat"},
    {"regexp_extract", "extract"},
    {"regexp_replace", "replace"},
    {"shift", "lag"},
    {"size", "count"},
    {"slice", "substr"},
    {"std", "sd"},
    {"stddev", "sd"},
    {"stdev", "sd"},
    {"str", "text"},
    {"string", "text"},
    {"strip", "trim"},
    {"strlen", "length"},
    {"strpos", "position"},
    {"substring", "substr"},
    {"to_char", "strftime"},
    {"to_date", "date"},
    {"to_datetime", "timestamp"},
    {"to_string", "text"},
    {"tolower", "lower"},
    {"toupper", "upper"},
    {"ucase", "upper"},
    {"varchar", "text"},
};

static const struct {
    const char *theirs, *form;
} forms[] = {
    {":", "int(x), float(x), text(x) or date(x)"},
    {"?", "if(condition, a, b)"},
    {"as", "int(x), float(x), text(x) or date(x)"},
    {"asc", "the name alone to sort upwards"},
    {"astype", "int(x), float(x), text(x) or date(x)"},
    {"case", "if(condition, a, b)"},
    {"cast", "int(x), float(x), text(x) or date(x)"},
    {"desc", "-name to sort downwards"},
    {"else", "if(condition, a, b)"},
    {"ilike", "lower(x) matches 'pattern'"},
    {"isin", "x in ('a', 'b')"},
    {"like", "x matches 'pattern'"},
    {"na", "x is null"},
    {"nan", "x is null"},
    {"nil", "x is null"},
    {"none", "x is null"},
    {"pow", "x ^ y"},
    {"power", "x ^ y"},
    {"regexp", "x matches 'pattern'"},
    {"rlike", "x matches 'pattern'"},
    {"then", "if(condition, a, b)"},
    {"when", "if(condition, a, b)"},
    {"~", "x matches 'pattern', or not x"},
};

const char *
synonym_nearest(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < sizeof words_of / sizeof *words_of; i++)
        for (size_t k = 0;
             k < n && str_eq_nocase(word, str_of(words_of[i].theirs)); k++)
            if (str_is(str_of(words[k]), words_of[i].ours))
                return words[k];
    return str_nearest(word, words, n);
}

const char *
synonym_form(struct str word)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (str_eq_nocase(word, str_of(forms[i].theirs)))
            return forms[i].form;
    return NULL;
}
