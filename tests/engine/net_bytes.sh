#!/bin/sh
# The same data, parameters and seed give a net of the same bytes, whatever the
# number of threads and whatever the processor can do.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
awk 'BEGIN { srand(3); for (i = 1; i <= 36; i++) printf "p%d,", i; print "y"
    for (r = 0; r < 160; r++) {
        for (i = 1; i <= 36; i++) printf "%.3f,", rand()
        print r % 3
    } }' > images.csv

# Hashes of a net for a table and of one for images.
hash() {
    rm -f a.lathe b.lathe
    env "$@" "$lathe" train "$churn" --target churn --model mlp --set epochs=1 \
        --set 'layers=24, drop0.2, 10' --set activation=elu --out a.lathe > /dev/null 2>&1
    env "$@" "$lathe" train images.csv --target y --model cnn --set epochs=2 \
        --set 'layers=conv10 res12/2 max2 9' --set flip=true --set crop=0.2 \
        --set batch=40 --out b.lathe > /dev/null 2>&1
    cat a.lathe b.lathe | cksum
}

want=$(hash LATHE_THREADS=1)
is "$([ -s a.lathe ] && [ -s b.lathe ]; echo $?)" 0 "two nets are learnt"
for threads in 2 3 7; do
    is "$(hash LATHE_THREADS=$threads)" "$want" "$threads threads give the same bytes"
done
for mask in -FMA,-FMA4,-AVX2,-AVX2_Usable -AVX512F,-AVX512VL; do
    is "$(hash GLIBC_TUNABLES=glibc.cpu.hwcaps=$mask)" "$want" "without $mask the same bytes"
done
is "$(hash LATHE_NO_AVX2=1)" "$want" "the plain kernels give the same bytes"
is "$(hash LATHE_NO_AVX512=1)" "$want" "and those for AVX2"
done_testing
