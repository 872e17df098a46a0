#!/bin/sh
# The same data, parameters and seed give the same model bytes, whatever the
# number of threads and whatever the processor can do.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

hash=$LATHE_BUILD/tests/engine/hash_gbdt
want=$("$hash" 1)
like "$want" '^binary [0-9a-f]{32}$' "a model has a hash"
for threads in 2 3 7; do
    is "$("$hash" $threads)" "$want" "$threads threads give the same bytes"
done
for mask in -FMA,-FMA4 -AVX2,-AVX2_Usable \
    -FMA,-FMA4,-AVX2,-AVX2_Usable,-AVX512F,-AVX512VL; do
    is "$(GLIBC_TUNABLES=glibc.cpu.hwcaps=$mask "$hash" 2)" "$want" \
        "without $mask the same bytes"
done
is "$(LATHE_NO_AVX2=1 "$hash" 2)" "$want" "the plain kernels give the same bytes"
done_testing
