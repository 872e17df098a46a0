/* frame/folder.h -- a folder of pictures as a table.
 *
 * A row for each PNG and JPEG, by the ending of its name (.png .jpg .jpeg, any
 * case), in bytewise order of folder and name:
 *   image  text   its path, the folder's as it was given and what is below
 *   class  text   the name of the subfolder it lies in; missing where it lies
 *                 in the folder itself
 *   bytes  int    of the file: another picture under the same name gives
 *                 another fingerprint
 * Subfolders of subfolders are not looked into; what begins with a dot and
 * what is no regular file is passed over.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_FOLDER_H
#define LATHE_FRAME_FOLDER_H

#include "frame/frame.h"

bool folder_is(const char *path);
/* Does a name end as one of a picture? */
bool folder_is_picture(struct str name);
/* Is it one of the columns above? */
bool folder_has_column(const char *name);
/* ERR_NOTFOUND where there is no picture; ERR_PARSE for a name that is not
 * UTF-8. */
struct frame *folder_read(const char *path, const struct progress *stop,
                          struct error *err) MUST_USE;
#endif
