/* SPDX-License-Identifier: GPL-2.0-or-later */
/* why - the reason of a failure in words, beside its errno.
 *
 * Functions that can fail in ways a person must understand take 'char **ret_why' last.  On failure
 * they store a string there that the caller frees (NULL without memory); on success they leave it
 * alone.  'ret_why' may be NULL. */
#ifndef MEALY_WHY_H
#define MEALY_WHY_H

/* Stores the formatted text in '*ret_why' (freeing what is there) and returns 'r'. */
int why_set(char **ret_why, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
