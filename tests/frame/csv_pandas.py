# Delimited text beside pandas: csv_pandas.py write DIR makes tables, csv_pandas.py read DIR
# compares what lathe made of them.  Run by csv.sh.
# SPDX-License-Identifier: GPL-3.0-or-later
import math
import random
import struct
import sys

import pandas as pd


def doubles(n):
    """Doubles of random bits, small ones too, without nan and inf."""
    rng, out = random.Random(7), [5e-324, 2.2250738585072014e-308,
                                  1.7976931348623157e308, 0.1, -0.0, 1e23]
    while len(out) < n:
        bits = rng.getrandbits(64)
        if len(out) % 4 == 0:
            bits &= 0x800FFFFFFFFFFFFF  # denormal
        x = struct.unpack("<d", struct.pack("<Q", bits))[0]
        if math.isfinite(x):
            out.append(x)
    return out


def table(n=5000):
    rng = random.Random(3)
    words = ['plain', 'with, comma', 'a "quote"', 'two\nlines', 'über', '日本語',
             'back\\slash', "it's", '😀', ' blanks ', 'x;y', 'tab\there']
    f = pd.DataFrame({
        'i': [rng.randrange(-2**62, 2**62) for _ in range(n)],
        'x': doubles(n),
        't': [rng.choice(words) for _ in range(n)],
        'm': [None if rng.random() < 0.2 else rng.randrange(1000) / 8
              for _ in range(n)],
        'b': [rng.random() < 0.5 for _ in range(n)],
        'd': pd.date_range('1890-01-01', periods=n).date,
        'w': pd.date_range('1999-12-31 23:00', periods=n, freq='37S'),
        'z': pd.date_range('2020-01-01', periods=n, freq='61min', tz='+02:00'),
    })
    return f


variants = {
    'plain': {},
    'semi': {'sep': ';'},
    'tabs': {'sep': '\t'},
    'quoted': {'quoting': 1},
    'crlf': {'lineterminator': '\r\n'},
    'bom': {'encoding': 'utf-8-sig'},
}


def write(folder):
    f = table()
    for name, options in variants.items():
        f.to_csv(f'{folder}/{name}.csv', index=False, **options)
    latin = f[~f.t.str.contains('日本語|😀')]
    latin.to_csv(f'{folder}/latin.csv', index=False, encoding='latin-1')
    f.to_csv(f'{folder}/sixteen.csv', index=False, encoding='utf-16')


def same(f, path):
    g = pd.read_csv(path, keep_default_na=False, na_values={'m': ['']},
                    float_precision='round_trip')
    assert list(g.columns) == list(f.columns), list(g.columns)
    assert len(g) == len(f), len(g)
    for name in 'i', 't', 'b':
        assert list(g[name]) == list(f[name]), name
    bits = [[struct.pack('<d', x) for x in h.x] for h in (f, g)]
    assert bits[0] == bits[1], 'x'
    assert g.m.equals(f.m.astype(float)), 'm'
    assert list(pd.to_datetime(g.d).dt.date) == list(f.d), 'd'
    assert list(pd.to_datetime(g.w)) == list(f.w), 'w'
    assert list(pd.to_datetime(g.z, utc=True)) == \
        list(f.z.dt.tz_convert('UTC')), 'z'


def read(folder):
    f = table()
    latin = f[~f.t.str.contains('日本語|😀')].reset_index(drop=True)
    for name in [*variants, 'latin', 'sixteen']:
        try:
            same(latin if name == 'latin' else f, f'{folder}/{name}.out.csv')
            print('0', name)
        except (AssertionError, ValueError, OSError) as e:
            print('1', name)
            print(f'{name}: {e!r}'[:300], file=sys.stderr)


{'write': write, 'read': read}[sys.argv[1]](sys.argv[2])
