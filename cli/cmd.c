/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <string.h>

#include "../common/cleanup.h"
#include "../common/diag.h"
#include "handlers.h"

const struct option_def global_options[] = {
	{"controller", "URL", "ask this controller (default $MEALY_CONTROLLER, else ipc:///run/mealy/users.sock)", 0},
	{"agent", "URL", "ask one agent directly, e.g. ipc:///run/mealy/NAME/agent.sock", 0},
	{"switch", "NAME", "which switch; may be left out when only one is connected", 0},
	{"json", NULL, "one JSON object a line", 0},
	{"insecure", NULL, "tcp:// without keys: neither sealed nor authenticated", 0},
	{"keys", "DIR", "folder of keys for tcp:// (default $MEALY_KEYS, else ~/.config/mealy/keys)", 0},
	{"help", NULL, "explain a command", 'h'},
	{"version", NULL, "print the version", 'V'},
	{},
};

/* What `app load` and those like it share. */
#define OPTION_SET                                                                                                     \
	{                                                                                                              \
		"set", "NAME=VALUE", "a parameter's value; may be given often", 0                                      \
	}
#define OPTION_HOOK                                                                                                    \
	{                                                                                                              \
		"hook", "HOOK", "xdp (default), tc-ingress or tc-egress", 0                                            \
	}
#define PLACEMENT_OPTIONS                                                                                              \
	OPTION_SET, OPTION_HOOK, {"ports", "A,B", "only these ports (default: all)", 0},                               \
		{"order", "N", "place in the chain of the hook; smaller first (default 100)", 0},                      \
	{                                                                                                              \
		"name", "NAME", "of the deployment (default: the application's)", 0                                    \
	}

static const struct option_def check_options[] = {OPTION_SET,
						  OPTION_HOOK,
						  {"warnings", NULL, "warnings are mistakes too", 'W'},
						  {"dot", NULL, "print the state diagrams as Graphviz source", 0},
						  {}};
static const struct option_def load_options[] = {PLACEMENT_OPTIONS, {}};
static const struct option_def show_options[] = {
	{"dot", NULL, "print the state diagrams as Graphviz source", 0},
	{"canonical", NULL, "print what was understood instead of the text as loaded", 0},
	{}};
static const struct option_def dump_options[] = {
	{"state", "STATE", "only flows in this state", 0},
	{"where", "CONDITION", "FIELD = != < <= > >= VALUE; may be given often, all must hold", 0},
	{"sort", "WHAT", "key, or idle (busiest first); needs --limit", 0},
	{"limit", "N", "at most so many", 0},
	{}};
static const struct option_def entry_delete_options[] = {
	{"all", NULL, "every entry that is not of the application's text", 0}, {}};
static const struct option_def entry_import_options[] = {
	{"format", "FORMAT", "csv or json (default: what the file looks like)", 0}, {}};
static const struct option_def probe_options[] = {
	{"http", "PATH", "ask for this path (default: only connect)", 0},
	{"address", "NAME", "the value that is the server's address (default: the only one)", 0},
	{"service", "NAME", "the value that is the server's port, or a number (default: the only value beside it)", 0},
	{"interval", "DURATION", "between two rounds (default 1s)", 0},
	{"timeout", "DURATION", "an answer that takes longer is none (default 1s)", 0},
	{"rise", "N", "good answers in a row bring a member back (default 2)", 0},
	{"fall", "N", "bad ones in a row take it out (default 3)", 0},
	{"count", "N", "end after so many rounds", 0},
	{}};
static const struct option_def log_options[] = {{"limit", "N", "the last so many (default 50)", 0}, {}};
static const struct option_def rollback_options[] = {
	{"to", "VERSION", "this version instead of the last one before", 0},
	{"list", NULL, "only show which there are", 0},
	{}};
static const struct option_def bundle_open_options[] = {
	{"timeout", "DURATION", "discard it when nothing comes for so long (default 1min)", 0}, {}};
static const struct option_def flow_options[] = {{"state", "STATE", "of the flow", 0}, {}};
static const struct option_def watch_counter_options[] = {{"interval", "SECONDS", "between two looks (default 1)", 0},
							  {"count", "N", "end after so many looks", 0},
							  {"all", NULL, "also what did not change", 0},
							  {}};
static const struct option_def member_options[] = {
	{"weight", "N", "share of the packets; 0: flows that have it keep it, new ones avoid it", 0},
	{"health", "up|down", "down: as if it were not there", 0},
	{"port", "PORT", "of the switch, for group() and REGISTER.port", 0},
	{}};
static const struct option_def event_options[] = {
	{"seconds", "N", "end after so long", 0}, {"count", "N", "end after so many events", 0}, {}};
#define PACKET_OPTIONS                                                                                                 \
	{"hex", "BYTES", "the frame as hexadecimal digits", 0},                                                        \
	{                                                                                                              \
		"pcap", "FILE", "frames of a capture", 0                                                               \
	}
static const struct option_def packet_options[] = {
	{"port", "NAME", "port of the switch, by name or number", 0}, PACKET_OPTIONS, {}};
static const struct option_def trace_options[] = {
	{"port", "NAME", "where the packet comes in (at egress: goes out)", 0},
	OPTION_HOOK,
	PACKET_OPTIONS,
	{"at", "NS", "the switch's clock to assume (default: now)", 0},
	{}};
static const struct option_def simulate_options[] = {
	{"pcap", "FILE", "frames to run, with their times; --hex or fields: one frame", 0},
	{"hex", "BYTES", "one frame as hexadecimal digits", 0},
	{"write", "FILE", "write the frames as they leave", 0},
	{"port", "NAME", "where the frames come in (default: port 1)", 0},
	OPTION_HOOK,
	OPTION_SET,
	{"verbose", NULL, "explain every frame", 'v'},
	{"seed", "N", "of random() and the tables' secrets (default 1)", 0},
	{}};

const struct cmd commands[] = {
	{"app", "check", "FILE...", 1, 1000, "find mistakes in applications; needs no controller",
	 "Prints each mistake with its line. Exit 0 without mistakes, else 1.\n"
	 "Example: mealy app check limiter.yaml --set burst=20",
	 check_options, app_check},
	{"app", "load", "FILE", 1, 1, "deploy an application, or a new version of it",
	 "--switch takes a pattern here (default '*'): the application runs on every switch that matches,\n"
	 "also on those that connect later. What is not given takes its default, also when it replaces.\n"
	 "Exit 1 if a switch refuses it; that switch goes on with its old version.\n"
	 "Example: mealy app load limiter.yaml --switch 'edge-*' --ports wan0 --order 20 --set burst=20",
	 load_options, app_load},
	{"app", "list", "", 0, 0, "what is deployed", "Example: mealy app list", NULL, app_list},
	{"app", "show", "NAME", 1, 1, "the application as YAML that `app load` accepts",
	 "The deployment stands above it as comments.\n"
	 "Example: mealy app show limiter --dot | dot -Tsvg > limiter.svg",
	 show_options, app_show},
	{"app", "diff", "FILE", 1, 1, "what `app load` with the same options would change",
	 "Exit 0: nothing, 1: something, 2: trouble.\n"
	 "Example: mealy app diff limiter.yaml --set burst=50",
	 load_options, app_diff_command},
	{"app", "remove", "NAME", 1, 1, "take an application off every switch; its flows are gone",
	 "Example: mealy app remove limiter", NULL, app_remove},
	{"app", "set", "NAME PARAMETER=VALUE...", 2, 65, "change parameters while it runs; flows are kept",
	 "Commits a new version with the same text. An empty value goes back to the default.\n"
	 "Example: mealy app set limiter rate=1000pps burst=20",
	 NULL, app_set},
	{"app", "rollback", "NAME", 1, 1, "the version before again: text, parameters, members, switches",
	 "Under a new number; also brings back what was removed. The controller keeps the last ten versions.\n"
	 "Example: mealy app rollback limiter",
	 rollback_options, app_rollback},
	{"switch", "list", "", 0, 0, "every switch that was ever connected", "Example: mealy switch list", NULL,
	 switch_list},
	{"switch", "show", "[NAME]", 0, 1, "one switch: what runs, flows, problems",
	 "Example: mealy switch show edge-1", NULL, switch_show},
	{"switch", "diff", "NAME", 1, 1, "applications that the switch should run and does not, or runs and should not",
	 "pending: it has not got them yet; drift: changed at the switch itself; leftover: left behind. Exit 1 if "
	 "there "
	 "are any.\n"
	 "Example: mealy switch diff edge-1",
	 NULL, switch_diff},
	{"switch", "forget", "NAME", 1, 1, "a switch that will not come back: the controller drops it from its lists",
	 "It is refused while the switch is connected. Deployments stay; a switch that connects again is new.\n"
	 "Example: mealy switch forget edge-7",
	 NULL, switch_forget},
	{"port", "list", "", 0, 0, "ports of a switch, with their packets", "Example: mealy port list --switch edge-1",
	 NULL, port_list},
	{"port", "forget", "NAME", 1, 1, "an interface that will not come back: another one may get its number",
	 "It is refused while the interface is there, and while a deployment names it. Its counters begin again.\n"
	 "Example: mealy port forget wan1 --switch edge-1",
	 NULL, port_forget},
	{"table", "list", "", 0, 0, "tables of a switch in the order packets meet them", "Example: mealy table list",
	 NULL, table_list},
	{"table", "dump", "APP TABLE", 2, 2, "a table's rules with what each has counted",
	 "Example: mealy table dump limiter police", NULL, table_dump},
	{"flow", "dump", "APP TABLE", 2, 2, "the flows of a table: key, state, registers, times",
	 "Streams: memory does not grow with the table.\n"
	 "Example: mealy flow dump limiter police --where 'ip.src=10.0.0.0/8' --sort idle --limit 10",
	 dump_options, flow_dump},
	{"flow", "get", "APP TABLE FIELD=VALUE...", 3, 40, "one flow by its key",
	 "Example: mealy flow get limiter police ip.src=10.0.0.7", NULL, flow_get},
	{"flow", "set", "APP TABLE FIELD=VALUE...", 3, 80, "write state and registers of a flow; makes it if missing",
	 "Key fields say which flow, the others (and state) what to write.\n"
	 "Example: mealy flow set door knocks ip.src=10.0.0.7 state=OPEN",
	 flow_options, flow_set},
	{"flow", "delete", "APP TABLE FIELD=VALUE...", 3, 40, "forget one flow",
	 "Example: mealy flow delete limiter police ip.src=10.0.0.7", NULL, flow_delete},
	{"flow", "flush", "APP TABLE [FIELD=VALUE...]", 2, 40, "forget all flows, or those with these key fields",
	 "Example: mealy flow flush door knocks --state OPEN", flow_options, flow_flush},
	{"entry", "add", "APP TABLE COLUMN=VALUE...", 3, 66, "write a new entry of a match table",
	 "Columns are the parts of the table's key, its values, action, priority, idle, hard and name; `entry list` "
	 "shows\n"
	 "them. A part of the key that is left out is any value, where the table does not compare it exactly.\n"
	 "Example: mealy entry add router routes ip.dst=10.2.0.0/16 action=forward port=2 name=branch",
	 NULL, entry_add},
	{"entry", "set", "APP TABLE COLUMN=VALUE...", 3, 66, "write an entry, or change the one with this key or name",
	 "What is not said stays as it is. Packets go on being counted.\n"
	 "Example: mealy entry set router routes name=branch port=3",
	 NULL, entry_set_command},
	{"entry", "delete", "APP TABLE [COLUMN=VALUE...]", 2, 66, "delete the entry with this key or name, or all",
	 "Example: mealy entry delete router routes ip.dst=10.2.0.0/16", entry_delete_options, entry_delete},
	{"entry", "list", "APP TABLE", 2, 2, "entries with their counters and age",
	 "\"of\" tells whether the entry is of the application's text or was written with `entry`.\n"
	 "Example: mealy entry list router routes",
	 NULL, entry_list},
	{"entry", "import", "APP TABLE FILE", 3, 3, "write many entries, from CSV or JSON (\"-\": standard input)",
	 "CSV has a line with the columns first; JSON is one object a line. Rows are written in order while packets "
	 "flow,\n"
	 "as `entry set` does; a row that is refused ends it, and says so.\n"
	 "Example: mealy entry import router routes table.csv",
	 entry_import_options, entry_import},
	{"entry", "export", "APP TABLE", 2, 2,
	 "all entries as CSV (with --json: one object a line), for `entry import`",
	 "Example: mealy entry export router routes > table.csv", NULL, entry_export},
	{"bundle", "open", "", 0, 0, "begin to collect changes of a switch that shall be done in one go",
	 "Packets see all of a bundle or nothing of it. Several may be open.\n"
	 "Example: mealy bundle open --timeout 5min",
	 bundle_open_options, bundle_open},
	{"bundle", "add", "BUNDLE COMMAND...", 3, 80, "put what a command changes into a bundle",
	 "The command is one of entry add|set|delete|import and global set; with --agent also group "
	 "add|set|remove|reset "
	 "and\n"
	 "app load|set|remove. Its own options stand behind \"--\". What it says is checked by the commit.\n"
	 "Example: mealy bundle add 1 entry set router routes name=branch port=3",
	 NULL, bundle_add},
	{"bundle", "commit", "BUNDLE", 1, 1, "do all changes of a bundle at once, or none",
	 "What is refused names the member and its row; the bundle is gone in any case.\nExample: mealy bundle commit "
	 "1",
	 NULL, bundle_commit},
	{"bundle", "discard", "BUNDLE", 1, 1, "forget a bundle", "Example: mealy bundle discard 1", NULL,
	 bundle_discard},
	{"bundle", "list", "", 0, 0, "bundles that are open", "Example: mealy bundle list", NULL, bundle_list},
	{"counter", "show", "[FILTER]", 0, 1, "packets and bytes by rule, table, port, application, way out",
	 "The filter is a scope (rule, table, app, port, exit, switch) or part of a name; * and ? are wild.\n"
	 "Example: mealy counter show limiter/police",
	 NULL, counter_show},
	{"counter", "reset", "[FILTER]", 0, 1, "begin counting from zero",
	 "Stores a baseline; the kernel's counters are left alone.\nExample: mealy counter reset limiter", NULL,
	 counter_reset},
	{"counter", "watch", "[FILTER]", 0, 1, "what counts now, with rates",
	 "Example: mealy counter watch rule --interval 2", watch_counter_options, counter_watch},
	{"global", "list", "[APP]", 0, 1, "registers of applications that packets and you share",
	 "With each: the value it has now, the one it began with, and what may be set.\n"
	 "Example: mealy global list balancer",
	 NULL, global_list},
	{"global", "set", "APP NAME=VALUE", 2, 2, "write one",
	 "Within the range the application declares. The value is runtime state like a flow: it outlives changes of\n"
	 "the application and of the agent, and is not part of what a controller restores after a reboot.\n"
	 "Example: mealy global set balancer quota=100",
	 NULL, global_set},
	{"group", "list", "[APP]", 0, 1, "groups of members that packets are given to",
	 "Example: mealy group list balancer", NULL, group_list},
	{"group", "show", "APP GROUP", 2, 2, "its members: health, weight, port, values, share, packets",
	 "Example: mealy group show balancer backends", NULL, group_show},
	{"group", "add", "APP GROUP ID [VALUE=...]...", 3, 16, "a new member, while packets flow",
	 "Every value that the group declares must be given.\n"
	 "Example: mealy group add balancer backends 11 ip=10.0.0.9 service=80 --weight 2",
	 member_options, group_add},
	{"group", "set", "APP GROUP ID [VALUE=...]...", 3, 16, "change a member, while packets flow",
	 "What is changed lies over the file, is kept by `app load` and `app set`, and goes with the deployment;\n"
	 "`group reset` takes it back.\n"
	 "Example: mealy group set balancer backends 3 --health down",
	 member_options, group_set},
	{"group", "remove", "APP GROUP ID", 3, 3, "take a member out, while packets flow",
	 "To let its flows end first: --weight 0.\nExample: mealy group remove balancer backends 3", NULL,
	 group_remove},
	{"group", "reset", "APP GROUP", 2, 2, "the members of the file again",
	 "Example: mealy group reset balancer backends", NULL, group_reset},
	{"group", "probe", "APP GROUP", 2, 2, "take members out whose servers do not answer, and bring them back",
	 "Runs until it is stopped, wherever the servers can be reached; connects to each member, or asks it over HTTP "
	 "(any\n"
	 "status 2xx or 3xx is well). A member's health then is what this says and no longer what people set.\n"
	 "Example: mealy group probe balancer backends --http /health --interval 500ms --fall 2",
	 probe_options, group_probe},
	{"controller", "backup", "FILE", 1, 1, "copy the controller's store into a new file, while it runs",
	 "The file is on the controller's host.\nExample: mealy controller backup /var/backups/mealy.sqlite", NULL,
	 controller_backup},
	{"controller", "restore", "FILE", 1, 1, "deployments and entries as they were in a backup, on every switch",
	 "Under new versions, while packets flow; what came since goes. The log stays.\n"
	 "Example: mealy controller restore /var/backups/mealy.sqlite",
	 NULL, controller_restore},
	{"log", NULL, "", 0, 0, "who changed what, when, and what became of it",
	 "The controller keeps the last ten thousand. Who: the key that asked, or \"local\".\n"
	 "Example: mealy log --limit 20",
	 log_options, log_show},
	{"key", "show", "", 0, 0, "our key, made if there is none", "Example: mealy key show", NULL, key_show},
	{"key", "list", "", 0, 0, "whose keys are trusted, with what, and who was refused",
	 "Of a controller: --keys STATE/keys.\nExample: mealy key list --keys /var/lib/mealy-controller/keys", NULL,
	 key_list},
	{"key", "trust", "KEY RIGHT NAME", 3, 3, "trust a key, or change its right",
	 "Rights of people: read, operate (flows, entries, parameters, members), deploy, admin; each has those before "
	 "it.\n"
	 "agent: the switch of that name. server: who answers at that address. A running process follows at once.\n"
	 "Example: mealy key trust ed25519:... agent edge-1 --keys /var/lib/mealy-controller/keys",
	 NULL, key_trust},
	{"key", "revoke", "KEY", 1, 1, "trust a key no more; its sessions end", "Example: mealy key revoke ed25519:...",
	 NULL, key_revoke},
	{"key", "rotate", "", 0, 0, "a new key for ourselves, signed by the old one",
	 "Whoever trusts the old one takes the new one over at the next connection, with the same right.\n"
	 "Example: mealy key rotate --keys /var/lib/mealy/edge-1/keys",
	 NULL, key_rotate},
	{"meter", "list", "[APP]", 0, 1, "meters that flows share: what they said, what their buckets hold",
	 "A meter of each flow is in its registers: mealy flow dump.\nExample: mealy meter list ddos", NULL,
	 meter_list},
	{"meter", "reset", "APP/METER", 1, 1, "full buckets again", "Example: mealy meter reset ddos/newcomers", NULL,
	 meter_reset},
	{"event", "watch", "[KINDS]", 0, 1, "state changes, timeouts, full tables, ports, packets, losses",
	 "KINDS is a comma list of state, timeout, table-full, port, packet-in, switch, deployment.\n"
	 "--switch takes a pattern here.\n"
	 "Example: mealy event watch state,timeout",
	 event_options, event_watch},
	{"packet", "out", "[FIELD=VALUE...]", 0, 100, "send a frame out of a port of a switch",
	 "The frame is given as fields (the rest is filled in, checksums too), --hex or --pcap.\n"
	 "Example: mealy packet out --port wan0 ipv4.dst=10.0.0.7 udp.dst=53",
	 packet_options, packet_out},
	{"trace", NULL, "[FIELD=VALUE...]", 0, 100,
	 "what a packet would meet in the live tables, without altering them",
	 "The packet is given as fields (the rest is filled in, checksums too), --hex or --pcap.\n"
	 "Example: mealy trace --port wan0 'ipv4.src=10.0.0.7 udp.dst=53'",
	 trace_options, trace},
	{"simulate", NULL, "FILE [FIELD=VALUE...]", 1, 101,
	 "run an application on a capture, here, without root or kernel",
	 "Times come from the capture. Ports that the application names are numbered in its order.\n"
	 "Example: mealy simulate limiter.yaml --pcap in.pcap --write out.pcap --set burst=20",
	 simulate_options, simulate},
};
const size_t n_commands = ARRAY_SIZE(commands);

const struct cmd *cmd_find(const char *object, const char *verb)
{
	for (size_t i = 0; i < n_commands; i++) {
		if (strcmp(commands[i].object, object))
			continue;
		if (verb ? commands[i].verb && !strcmp(commands[i].verb, verb) : !commands[i].verb)
			return &commands[i];
	}
	return NULL;
}

bool cmd_is_object(const char *object)
{
	for (size_t i = 0; i < n_commands; i++)
		if (!strcmp(commands[i].object, object))
			return true;
	return false;
}

const char *cmd_nearest(const char *object, const char *verb)
{
	const char *names[ARRAY_SIZE(commands)];
	size_t n = 0;

	for (size_t i = 0; i < n_commands; i++) {
		if (!verb)
			names[n++] = commands[i].object;
		else if (!strcmp(commands[i].object, object) && commands[i].verb)
			names[n++] = commands[i].verb;
	}
	return diag_nearest(verb ? verb : object, names, n);
}

static void print_options(const struct option_def *options, FILE *out)
{
	for (; options && options->name; options++) {
		char name[40];

		snprintf(name, sizeof(name), "%s%c%s--%s%s%s", options->letter ? "-" : "",
			 options->letter ? options->letter : ' ', options->letter ? ", " : "", options->name,
			 options->arg ? " " : "", options->arg ? options->arg : "");
		fprintf(out, "  %-26s %s\n", name + (options->letter ? 0 : 1), options->help);
	}
}

static void print_command(const struct cmd *cmd, FILE *out)
{
	fprintf(out, "mealy %s%s%s%s%s - %s\n\n%s\n", cmd->object, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "",
		cmd->args[0] ? " " : "", cmd->args, cmd->summary, cmd->help);
	if (cmd->options) {
		fputs("\nOptions:\n", out);
		print_options(cmd->options, out);
	}
	fputs("\nOptions of every command:\n", out);
	print_options(global_options, out);
}

static void print_list(const char *object, FILE *out)
{
	const char *last = "";

	for (size_t i = 0; i < n_commands; i++) {
		const struct cmd *cmd = &commands[i];
		char name[48];

		if (object && strcmp(object, cmd->object))
			continue;
		if (!object && strcmp(last, cmd->object))
			fputs(i ? "\n" : "", out);
		last = cmd->object;
		snprintf(name, sizeof(name), "%s%s%s", cmd->object, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
		fprintf(out, "  %-16s %s\n", name, cmd->summary);
	}
}

void cmd_print_help(const struct args *args, FILE *out)
{
	if (args->cmd) {
		print_command(args->cmd, out);
		return;
	}
	fprintf(out, "mealy %s VERB [ARGUMENTS] [OPTIONS] - look at and steer stateful switches\n\n",
		args->object ? args->object : "OBJECT");
	print_list(args->object, out);
	fputs("\nOptions of every command:\n", out);
	print_options(global_options, out);
	fprintf(out,
		"\nmealy %s VERB --help explains one command.\n"
		"Example: mealy app load examples/token-bucket.yaml --switch 'edge-*' --set burst=20\n"
		"Exit: 0 done, 1 failed (app diff: differs), 2 wrong usage or trouble.\n",
		args->object ? args->object : "OBJECT");
}
