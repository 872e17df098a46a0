/* frame/synonym.c -- words of other languages.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/synonym.h"

/* A word may mean several things: the first that the caller has is taken. */
static const struct {
    const char *theirs, *ours;
} words_of[] = {
    {"agg", "group"},
    {"aggregate", "group"},
    {"arrange", "sort"},
    {"assign", "with"},
    {"average", "mean"},
    {"avg", "mean"},
    {"ceiling", "ceil"},
    {"char_length", "length"},
    {"charindex", "position"},
    {"compute", "collect"},
    {"corr", "relations"},
    {"count_distinct", "distinct"},
    {"date_diff", "days_between"},
    {"date_format", "strftime"},
    {"datediff", "days_between"},
    {"datetime", "timestamp"},
    {"dayofweek", "weekday"},
    {"dayofyear", "yearday"},
    {"double", "float"},
    {"drop_duplicates", "distinct"},
    {"dropna", "where"},
    {"dtypes", "types"},
    {"duplicated", "duplicates"},
    {"execute", "collect"},
    {"fill_null", "coalesce"},
    {"fillna", "coalesce"},
    {"filter", "where"},
    {"find", "position"},
    {"float64", "float"},
    {"greatest", "max"},
    {"group_by", "group"},
    {"groupby", "group"},
    {"gsub", "replace"},
    {"head", "limit"},
    {"ifelse", "if"},
    {"iff", "if"},
    {"ifnull", "coalesce"},
    {"iif", "if"},
    {"iloc", "head"},
    {"info", "describe"},
    {"instr", "position"},
    {"int64", "int"},
    {"integer", "int"},
    {"is_na", "is_missing"},
    {"is_nan", "is_missing"},
    {"is_null", "is_missing"},
    {"isna", "is_missing"},
    {"isna", "missing"},
    {"isnan", "is_missing"},
    {"isnull", "is_missing"},
    {"isnull", "missing"},
    {"isoweek", "week"},
    {"lcase", "lower"},
    {"least", "min"},
    {"len", "length"},
    {"len", "count"},
    {"limit", "head"},
    {"ln", "log"},
    {"loc", "where"},
    {"locate", "position"},
    {"merge", "join"},
    {"mutate", "with"},
    {"n", "count"},
    {"n_distinct", "distinct"},
    {"n_unique", "distinct"},
    {"nchar", "length"},
    {"nlargest", "top"},
    {"nrow", "rows"},
    {"number", "float"},
    {"numeric", "float"},
    {"nunique", "distinct"},
    {"nvl", "coalesce"},
    {"order_by", "sort"},
    {"orderby", "sort"},
    {"paste", "concat"},
    {"paste0", "concat"},
    {"pivot_table", "pivot"},
    {"query", "where"},
    {"regexp_extract", "extract"},
    {"regexp_replace", "replace"},
    {"save", "write"},
    {"schema", "describe"},
    {"shape", "rows"},
    {"shift", "lag"},
    {"size", "count"},
    {"size", "rows"},
    {"slice", "substr"},
    {"sort_values", "sort"},
    {"sql", "where"},
    {"std", "sd"},
    {"stddev", "sd"},
    {"stdev", "sd"},
    {"str", "text"},
    {"string", "text"},
    {"strip", "trim"},
    {"strlen", "length"},
    {"strpos", "position"},
    {"substring", "substr"},
    {"summary", "describe"},
    {"to_char", "strftime"},
    {"to_csv", "write"},
    {"to_date", "date"},
    {"to_datetime", "timestamp"},
    {"to_parquet", "write"},
    {"to_string", "text"},
    {"tolower", "lower"},
    {"toupper", "upper"},
    {"train_test_split", "split"},
    {"ucase", "upper"},
    {"unique", "distinct"},
    {"value_counts", "frequency"},
    {"varchar", "text"},
    {"with_column", "with"},
    {"with_columns", "with"},
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
