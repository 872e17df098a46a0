#!/bin/sh
# A folder of pictures from training to answers.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

from=$LATHE_SOURCE/tests/data/images
mkdir -p photos/png photos/jpg
i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    cp "$from/rgb.png" "photos/png/$i.png"
    cp "$from/colour.jpg" "photos/jpg/$i.JPG"
done
echo text > photos/jpg/notes.txt

is "$($lathe query photos --group class --agg 'n = count()' --csv)" "class,n
jpg,12
png,12" "a folder is a table of its pictures by subfolder"
is "$($lathe query photos --limit 1 --select image --csv | tail -n 1)" \
    "photos/jpg/1.JPG" "in the order of their names"

$lathe train photos --model cnn --set epochs=20 --set height=8 --set batch=4 --set 'layers=conv8 mean' \
    --test 0.25 --out m.lathe > out 2> err
is $? 0 "a net learns from it"
like "$(cat out)" 'of class, binary \(jpg, png\)' "which subfolder a picture is in"
like "$(cat out)" 'accuracy +1\.0000' "and tells them apart"
is "$($lathe predict m.lathe photos --inputs | awk -F, '{ print $2, $NF }' | sort | uniq -c |
    awk '{ print $1, $2, $3 }')" "1 class prediction
12 jpg jpg
12 png png" "it predicts a folder"
printf 'image\nphotos/png/3.png\n' > list.csv
like "$($lathe predict m.lathe list.csv)" ',png$' "and a table of paths"

$lathe train photos --set epochs=1 --set height=8 --set 'layers=conv8 mean' > out 2> err
like "$(cat out)" '^model +convolutional net \(cnn\)' "a net is what pictures are learnt by"
$lathe train photos --model gbdt --drop image > out 2> err
is $? 0 "other models take the table, too"
for wrong in '--target image' '--target image --test 0.25 --model cnn'; do
    $lathe train photos $wrong > out 2> err
    is "$?, $(cat err)" \
        "2, lathe: 'image' has the pictures to learn from: the target is another column, of a folder 'class'" \
        "$wrong: pictures are no answer"
done
for wrong in '--drop image' '--group image' '--drop bytes --drop image --model cnn'; do
    $lathe train photos $wrong > out 2> err
    is "$?, $(cat err)" \
        "2, lathe: 'image' has the pictures to learn from: it stays an input; models of other families, as gbdt, learn from the other columns alone" \
        "$wrong: nor left out"
done
for blind in gbdt kmeans pca isolation_forest; do
    $lathe train photos --model $blind > out 2> err
    is "$?, $(cat err)" \
        "2, lathe: the pictures of 'image' are all there is to learn from, and cnn alone looks into them; other models learn from a table with a column for each pixel" \
        "$blind does not look at pictures, and says so"
done
$lathe train photos --model kmeans --set k=2 --drop image > out 2> err
is $? 0 "what else a folder tells may be learnt from"
awk 'BEGIN { print "a,b,c,d,image"; for (i = 0; i < 24; i++) print i % 2 "," i % 3 "," i % 5 ",1," (i % 2 ? "cat" : "dog") }' > pixels.csv
$lathe train pixels.csv --model cnn --target image --set epochs=1 --set 'layers=conv8 mean' > out 2> err
is $? 0 "words in a column of that name are answers"

head -c 100 "$from/rgb.png" > photos/png/broken.png
$lathe train photos --model cnn > out 2> err
is $? 1 "a damaged picture fails the fit"
like "$(cat err)" 'photos/png/broken.png: a damaged PNG' "and is named"
rm photos/png/broken.png

mkdir none
$lathe train none --model cnn > out 2> err
is $? 1 "a folder without pictures is an error"
like "$(cat err)" 'none: a folder without pictures' "that says so"
$lathe train list.csv --model cnn > out 2> err
is $? 2 "of a table the target is asked for"

$lathe endpoint create pictures m.lathe > out 2> err
is $? 0 "an endpoint serves it"
data=$(base64 -w 0 "$from/rgb.png")
like "$($lathe endpoint invoke pictures "{\"image\": \"data:image/png;base64,$data\"}" 2>&1)" \
    'predictions' "and takes a picture's bytes"
like "$($lathe endpoint invoke pictures '{"image": "photos/png/1.png"}' 2>&1)" \
    'is no picture, expected' "but no path of its machine"
$lathe endpoint rm pictures > /dev/null 2>&1 || $lathe endpoint stop pictures > /dev/null 2>&1
done_testing
