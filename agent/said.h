/* SPDX-License-Identifier: GPL-2.0-or-later */
/* said - what libbpf, which has one print function for the whole process, says while something is loaded. */
#ifndef MEALY_SAID_H
#define MEALY_SAID_H

/* Keeps the warnings from now on; only the thread that loads uses it. */
void said_begin(void);
/* The warnings since, to be freed; NULL: there were none. */
char *said_end(void);

#endif
