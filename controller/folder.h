/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder - makes folders as `mkdir -p` does. */
#ifndef MEALY_FOLDER_H
#define MEALY_FOLDER_H

/* Makes 'path', closed to others (0750); those above it are open to read (0755).  One that exists
 * is left as it is.  Returns 0 or a negative errno. */
int folder_make(const char *path);

#endif
