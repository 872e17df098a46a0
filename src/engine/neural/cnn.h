/* engine/neural/cnn.h -- convolutional nets, for images.
 *
 * The images are the numeric columns of a table in their order (8 x 8 digits
 * in 64 columns), or pictures whose places a text column of the name "image"
 * has, as a folder of them gives it (frame/folder.h): PREPARE_PIXELS.
 * Pictures are stretched to the size that the net was made for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_CNN_H
#define LATHE_ENGINE_NEURAL_CNN_H

#include "engine/model.h"

extern const struct family cnn_family;

/* A fitted learner, borrowed.  Images are h x w x c of net->input; scale: means
 * of the channels, then 1 / deviations. */
struct net_fitted;
struct cnn_parts {
    const struct net_fitted *net;
    const float *scale;
    bool files; /* of pictures, whose bytes are the numbers */
};
struct cnn_parts cnn_parts(const void *learner);
#endif
