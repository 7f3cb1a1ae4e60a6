/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handlers - one function a command, in cmd_<object>.c; each returns the exit code. */
#ifndef MEALY_HANDLERS_H
#define MEALY_HANDLERS_H

#include "cli.h"

int app_check(struct cli *cli, const struct args *args);
int app_load(struct cli *cli, const struct args *args);
int app_list(struct cli *cli, const struct args *args);
int app_show(struct cli *cli, const struct args *args);
int app_diff_command(struct cli *cli, const struct args *args);
int app_remove(struct cli *cli, const struct args *args);
int app_rollback(struct cli *cli, const struct args *args);
int app_set(struct cli *cli, const struct args *args);
int switch_list(struct cli *cli, const struct args *args);
int switch_show(struct cli *cli, const struct args *args);
int switch_diff(struct cli *cli, const struct args *args);
int switch_forget(struct cli *cli, const struct args *args);
int port_list(struct cli *cli, const struct args *args);
int port_forget(struct cli *cli, const struct args *args);
int table_list(struct cli *cli, const struct args *args);
int table_dump(struct cli *cli, const struct args *args);
int flow_dump(struct cli *cli, const struct args *args);
int flow_get(struct cli *cli, const struct args *args);
int flow_set(struct cli *cli, const struct args *args);
int flow_delete(struct cli *cli, const struct args *args);
int flow_flush(struct cli *cli, const struct args *args);
int entry_add(struct cli *cli, const struct args *args);
int entry_set_command(struct cli *cli, const struct args *args);
int entry_delete(struct cli *cli, const struct args *args);
int entry_list(struct cli *cli, const struct args *args);
int entry_import(struct cli *cli, const struct args *args);
int entry_export(struct cli *cli, const struct args *args);
int bundle_open(struct cli *cli, const struct args *args);
int bundle_add(struct cli *cli, const struct args *args);
int bundle_commit(struct cli *cli, const struct args *args);
int bundle_discard(struct cli *cli, const struct args *args);
int bundle_list(struct cli *cli, const struct args *args);
/* What a command says whose change went into cli->bundle. */
int bundle_taken(struct cli *cli, const struct message *reply);
int counter_show(struct cli *cli, const struct args *args);
int counter_reset(struct cli *cli, const struct args *args);
int counter_watch(struct cli *cli, const struct args *args);
int global_list(struct cli *cli, const struct args *args);
int global_set(struct cli *cli, const struct args *args);
int group_list(struct cli *cli, const struct args *args);
int group_show(struct cli *cli, const struct args *args);
int group_add(struct cli *cli, const struct args *args);
int group_set(struct cli *cli, const struct args *args);
int group_remove(struct cli *cli, const struct args *args);
int group_reset(struct cli *cli, const struct args *args);
int group_probe(struct cli *cli, const struct args *args);
/* The application as it is deployed, to be freed; NULL: mistakes are printed. */
struct app *app_of_deployment(const struct deployment *d);
int key_show(struct cli *cli, const struct args *args);
int key_list(struct cli *cli, const struct args *args);
int key_trust(struct cli *cli, const struct args *args);
int key_revoke(struct cli *cli, const struct args *args);
int key_rotate(struct cli *cli, const struct args *args);
int log_show(struct cli *cli, const struct args *args);
int controller_backup(struct cli *cli, const struct args *args);
int controller_restore(struct cli *cli, const struct args *args);
int meter_list(struct cli *cli, const struct args *args);
int meter_reset(struct cli *cli, const struct args *args);
/* Sends a DEPLOY and prints what became of it. */
int app_deploy(struct cli *cli, struct message *request);
int event_watch(struct cli *cli, const struct args *args);
int packet_out(struct cli *cli, const struct args *args);
int trace(struct cli *cli, const struct args *args);
int simulate(struct cli *cli, const struct args *args);

#endif
