/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check - is what a user wants to deploy an application that a switch could run?
 *
 * Everything that can be known without a switch is checked: the names, the language, the sizes.
 * Ports are named by each switch itself. */
#ifndef MEALY_CHECK_H
#define MEALY_CHECK_H

#include "../proto/message.h"
#include "../tables/app.h"

/* Parses the text of 'deployment' with its settings.
 *
 * Returns 0 and an application for app_free(); warnings are not shown.  Otherwise a negative errno
 * and '*ret_why', to be freed, one mistake a line. */
int check_app(const struct deployment *deployment, struct app **ret_app, char **ret_why);

/* Checks all of 'deployment'; 'switches' may be empty. */
int check_deployment(const struct deployment *deployment, struct app **ret_app, char **ret_why);

#endif
