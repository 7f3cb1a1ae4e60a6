/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted - the deployment that the options of `app load` and `app diff` describe. */
#ifndef MEALY_WANTED_H
#define MEALY_WANTED_H

#include "source.h"

struct wanted {
	struct source source;
	struct msg_setting *setting;
	char *ports; /* The option, cut at its commas. */
	const char *port[PORTS_MAX];
	struct deployment deployment; /* Points into all of these. */
};

enum { ORDER_DEFAULT = 100 };

/* Reads options and file; mistakes of the file are printed.  Returns 0, or an exit code. */
int wanted_read(struct cli *cli, const struct args *args, struct wanted *ret_wanted);
void wanted_done(struct wanted *wanted);

#endif
