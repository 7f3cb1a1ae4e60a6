/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch diff: what a switch should run against what it runs. */
#include <fnmatch.h>
#include <string.h>

#include "handlers.h"

static const struct deployment *find(const struct message *list, const char *name)
{
	for (size_t i = 0; i < list->deployments.n; i++)
		if (!strcmp(list->deployments.item[i].name, name))
			return &list->deployments.item[i];
	return NULL;
}

static void print_row(struct render *out, const char *name, const struct deployment *desired,
		      const struct deployment *actual, const char *state)
{
	render_row_begin(out);
	render_string(out, "app", name);
	render_u64(out, "desired", desired ? desired->version : 0);
	render_u64(out, "runs", actual ? actual->version : 0);
	render_string(out, "difference", state);
	render_row_end(out);
}

/* NULL: none.  A number that is equal with another content is a change made at the switch itself. */
static const char *compare(const struct deployment *desired, const struct deployment *actual)
{
	if (!actual)
		return "pending: it does not run there";
	if (!desired)
		return "leftover: nobody asked for it";
	if (deployment_digest(desired) == deployment_digest(actual))
		return NULL;
	if (!desired->text[0] && desired->version == actual->version)
		return NULL; /* Of very many the controller sends no texts. */
	return desired->version == actual->version ? "drift: changed at the switch" : "pending: another version runs";
}

static unsigned print_differences(struct render *out, const struct message *desired, const struct message *actual,
				  const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < desired->deployments.n; i++) {
		const struct deployment *d = &desired->deployments.item[i], *runs = find(actual, d->name);
		const char *state = fnmatch(d->switches, name, 0) ? NULL : compare(d, runs);

		if (state)
			print_row(out, d->name, d, runs, state);
		n += state != NULL;
	}
	for (size_t i = 0; i < actual->deployments.n; i++) {
		const struct deployment *d = &actual->deployments.item[i], *wanted = find(desired, d->name);

		if (wanted && !fnmatch(wanted->switches, name, 0))
			continue;
		print_row(out, d->name, NULL, d, compare(NULL, d));
		n++;
	}
	return n;
}

int switch_diff(struct cli *cli, const struct args *args)
{
	struct message ask_desired = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = "", .get = {.filter = ""}};
	struct message ask_actual = {.kind = MSG_GET_DEPLOYMENTS, .switch_name = args->arg[0], .get = {.filter = ""}};
	struct message *desired, *actual;
	struct render *out;
	unsigned n = 0;
	int r;

	if (cli->is_agent)
		return cli_usage("an agent does not know what it should run: ask the controller");
	r = cli_call(cli, &ask_desired, MSG_DEPLOYMENTS, &desired);
	if (r)
		return r;
	r = cli_call(cli, &ask_actual, MSG_DEPLOYMENTS, &actual);
	if (r) {
		message_free(desired);
		return r;
	}
	out = render_new(stdout, cli->json);
	if (out)
		n = print_differences(out, desired, actual, args->arg[0]);
	if (out && !n)
		render_note(out, "%s runs what it should", args->arg[0]);
	render_free(out);
	message_free(desired);
	message_free(actual);
	return out ? n ? EXIT_FAILED : EXIT_OK : cli_fail("out of memory");
}
