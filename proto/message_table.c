// SPDX-License-Identifier: GPL-2.0-or-later
#include "../common/cleanup.h"
#include "../tables/layout.h"
#include "mealy.pb-c.h"
#include "message_table.h"

/* clang-format off */

/* ---- how a row is written: S is the structure, the rest names its member and the limits ---- */

#define AT(S, m)    .name = #m, .offset = offsetof(S, m), .size = sizeof(((S *)NULL)->m)
#define COUNT(S, n) .count_offset = offsetof(S, n)

#define UINT(S, m, most)               { MEMBER_UINT, AT(S, m), .max = most }
#define ANY(S, m)                      UINT(S, m, UINT64_MAX)
#define LINE(S, m, least, most)        { MEMBER_LINE, AT(S, m), .min = least, .max = most }
#define NAME(S, m)                     LINE(S, m, 1, NAME_LEN_MAX)
#define NAME_OR_NONE(S, m)             LINE(S, m, 0, NAME_LEN_MAX)
#define WORDS(S, m)                    LINE(S, m, 0, LINE_SIZE_MAX)
#define TEXT(S, m)                     { MEMBER_TEXT, AT(S, m), .max = MESSAGE_SIZE_MAX }
#define BUFFER(S, m)                   { MEMBER_BUFFER, AT(S, m), .min = 1, .max = NAME_LEN_MAX }
#define BYTES(S, m, n, least, most)    { MEMBER_BYTES, AT(S, m), COUNT(S, n), .min = least, .max = most }
#define LINES(S, m, n, most)           { MEMBER_LINES, AT(S, m), COUNT(S, n), .max = most }
#define ITEMS(S, m, n, least, most, s) { MEMBER_ITEMS, AT(S, m), COUNT(S, n), .min = least, .max = most, .shape = &s }
#define INLINE(S, m, n, least, s)                                                                                      \
	{ MEMBER_INLINE, AT(S, m), COUNT(S, n), .min = least, .max = ARRAY_SIZE(((S *)NULL)->m), .shape = &s }
#define OPTIONAL(S, m, s) { MEMBER_OPTIONAL, AT(S, m), .shape = &s }

#define SHAPE(shape_name, S, wire_name, check_function, ...)                                                           \
	static const struct member shape_name##_member[] = { __VA_ARGS__ };                                            \
	static const struct shape shape_name = {                                                                       \
		.name = #shape_name,                                                                                   \
		.wire = &mealy__##wire_name##__descriptor,                                                             \
		.size = sizeof(S),                                                                                     \
		.member = shape_name##_member,                                                                         \
		.n_members = ARRAY_SIZE(shape_name##_member),                                                          \
		.check = check_function,                                                                               \
	}

/* Members of the union in struct message have no names of their own. */
#define BODY(m) __typeof__(((struct message *)NULL)->m)

/* ---- session ---- */

SHAPE(hello, struct msg_hello, hello, check_hello,
	UINT(struct msg_hello, role, ROLE_USER),
	NAME(struct msg_hello, name),
	ANY(struct msg_hello, instance),
	ANY(struct msg_hello, wire_version),
	WORDS(struct msg_hello, build),
	WORDS(struct msg_hello, kernel),
	ANY(struct msg_hello, active_version),
	UINT(struct msg_hello, n_ports, PORTS_MAX),
	ANY(struct msg_hello, state_digest));

static const struct shape nothing = { .name = "nothing", .wire = &mealy__nothing__descriptor };

SHAPE(ok, BODY(ok), ok, NULL,
	TEXT(BODY(ok), text),
	ANY(BODY(ok), version),
	ANY(BODY(ok), count));

SHAPE(error, BODY(error), error, NULL,
	UINT(BODY(error), code, ERROR_INTERNAL),
	TEXT(BODY(error), text));

/* ---- desired state ---- */

SHAPE(setting, struct msg_setting, setting, NULL,
	NAME(struct msg_setting, name),
	WORDS(struct msg_setting, text));

SHAPE(deployment, struct deployment, deployment, NULL,
	NAME(struct deployment, name),
	ANY(struct deployment, version),
	WORDS(struct deployment, file),
	TEXT(struct deployment, text),
	ITEMS(struct deployment, setting, n_settings, 0, APP_PARAMETERS_MAX, setting),
	UINT(struct deployment, hook, HOOK_MAX - 1),
	LINES(struct deployment, port, n_ports, PORTS_MAX),
	ANY(struct deployment, order),
	WORDS(struct deployment, switches),
	TEXT(struct deployment, members));

SHAPE(deployments, BODY(deployments), deployments, NULL,
	ITEMS(BODY(deployments), item, n, 0, 4096, deployment));

SHAPE(removal, BODY(remove), remove, NULL,
	NAME(BODY(remove), name),
	ANY(BODY(remove), version));

SHAPE(digest, struct msg_digest, digest, NULL,
	NAME(struct msg_digest, name),
	ANY(struct msg_digest, version),
	ANY(struct msg_digest, digest));

SHAPE(digests, struct msg_sync, sync, NULL,
	ITEMS(struct msg_sync, item, n, 0, 4096, digest));

SHAPE(filter, BODY(get), filter, NULL,
	WORDS(BODY(get), filter));

SHAPE(applied_switch, struct msg_applied_switch, applied_switch, NULL,
	NAME(struct msg_applied_switch, name),
	UINT(struct msg_applied_switch, status, APPLIED_STATUS_MAX - 1),
	ANY(struct msg_applied_switch, duration_us),
	ANY(struct msg_applied_switch, since_ms),
	TEXT(struct msg_applied_switch, text));

SHAPE(applied, struct msg_applied, applied, NULL,
	NAME_OR_NONE(struct msg_applied, name),
	ANY(struct msg_applied, version),
	TEXT(struct msg_applied, text),
	ITEMS(struct msg_applied, item, n, 0, 4096, applied_switch));

/* ---- what runs ---- */

SHAPE(switch_, struct msg_switch, switch, NULL,
	NAME(struct msg_switch, name),
	UINT(struct msg_switch, connected, 1),
	ANY(struct msg_switch, since_ms),
	WORDS(struct msg_switch, address),
	WORDS(struct msg_switch, build),
	WORDS(struct msg_switch, kernel),
	ANY(struct msg_switch, version),
	ANY(struct msg_switch, n_ports_up),
	ANY(struct msg_switch, n_ports_down),
	ANY(struct msg_switch, n_flows),
	ANY(struct msg_switch, flows_max),
	ANY(struct msg_switch, flow_bytes),
	ANY(struct msg_switch, committed_ms),
	ANY(struct msg_switch, build_us),
	ANY(struct msg_switch, commit_us),
	WORDS(struct msg_switch, fail_mode),
	LINES(struct msg_switch, line, n_lines, 1024),
	ANY(struct msg_switch, n_pending),
	TEXT(struct msg_switch, problem),
	ANY(struct msg_switch, now_ns),
	ANY(struct msg_switch, events_lost));

SHAPE(switches, BODY(switches), switches, NULL,
	ITEMS(BODY(switches), item, n, 0, 4096, switch_));

SHAPE(one_switch, BODY(switches), switches, NULL,
	ITEMS(BODY(switches), item, n, 1, 1, switch_));

SHAPE(port, struct msg_port, port, NULL,
	UINT(struct msg_port, number, PORTS_MAX),
	WORDS(struct msg_port, name),
	ANY(struct msg_port, ifindex),
	UINT(struct msg_port, up, 1),
	WORDS(struct msg_port, mac),
	WORDS(struct msg_port, mode),
	ANY(struct msg_port, rx_packets),
	ANY(struct msg_port, rx_bytes),
	ANY(struct msg_port, tx_packets),
	ANY(struct msg_port, tx_bytes),
	ANY(struct msg_port, dropped_packets),
	TEXT(struct msg_port, warning));

SHAPE(ports, BODY(ports), ports, NULL,
	ITEMS(BODY(ports), item, n, 0, PORTS_MAX, port));

SHAPE(layout_field, struct layout_field, layout_field, NULL,
	BUFFER(struct layout_field, name),
	UINT(struct layout_field, type, TYPE_MAX - 1),
	UINT(struct layout_field, word, RECORD_WORDS(RECORD_256) - 1),
	UINT(struct layout_field, shift, 63),
	UINT(struct layout_field, bits, 128));

SHAPE(layout_state, struct layout_state, layout_state, NULL,
	BUFFER(struct layout_state, name),
	UINT(struct layout_state, id, STATES_MAX - 1));

SHAPE(layout, struct layout, layout, check_layout,
	BUFFER(struct layout, table),
	UINT(struct layout, capacity, UINT32_MAX),
	UINT(struct layout, record_class, RECORD_CLASS_MAX - 1),
	UINT(struct layout, key_words, KEY_WORDS_MAX),
	UINT(struct layout, n_registers, RECORD_WORDS(RECORD_256) - FLOW_HEAD_WORDS),
	INLINE(struct layout, key, n_keys, 0, layout_field),
	INLINE(struct layout, reg, n_regs, 0, layout_field),
	INLINE(struct layout, state, n_states, 0, layout_state),
	ANY(struct layout, hash),
	UINT(struct layout, tag_bits, 64),
	UINT(struct layout, tag_word, RECORD_WORDS(RECORD_256) - 1),
	UINT(struct layout, tag_shift, 63),
	UINT(struct layout, claim_word, RECORD_WORDS(RECORD_256) - 1));

SHAPE(get_tables, BODY(tables), get_tables, NULL,
	UINT(BODY(tables), layouts, 1));

SHAPE(table, struct msg_table, table, NULL,
	NAME(struct msg_table, deployment),
	NAME(struct msg_table, table),
	UINT(struct msg_table, hook, HOOK_MAX - 1),
	ANY(struct msg_table, position),
	UINT(struct msg_table, stateful, 1),
	ANY(struct msg_table, n_rules),
	ANY(struct msg_table, n_flows),
	ANY(struct msg_table, capacity),
	ANY(struct msg_table, record_bytes),
	ANY(struct msg_table, created),
	ANY(struct msg_table, expired),
	ANY(struct msg_table, evicted),
	ANY(struct msg_table, freed),
	ANY(struct msg_table, full),
	ANY(struct msg_table, restarts),
	OPTIONAL(struct msg_table, layout, layout),
	ANY(struct msg_table, claim_tries),
	ANY(struct msg_table, claim_failed),
	ANY(struct msg_table, learned));

SHAPE(tables, BODY(tables), tables, NULL,
	ITEMS(BODY(tables), item, n, 0, 4096, table));

SHAPE(counter, struct msg_counter, counter, NULL,
	NAME(struct msg_counter, scope),
	WORDS(struct msg_counter, name),
	ANY(struct msg_counter, packets),
	ANY(struct msg_counter, bytes));

SHAPE(counters, BODY(counters), counters, NULL,
	ITEMS(BODY(counters), item, n, 0, 65536, counter));

SHAPE(global, struct msg_global, global, check_global,
	NAME(struct msg_global, deployment),
	NAME(struct msg_global, name),
	UINT(struct msg_global, type, TYPE_MAX - 1),
	ANY(struct msg_global, value),
	ANY(struct msg_global, initial),
	ANY(struct msg_global, min),
	ANY(struct msg_global, max));

SHAPE(globals, BODY(globals), globals, NULL,
	ITEMS(BODY(globals), item, n, 0, GLOBALS_MAX, global));

SHAPE(member, struct msg_member, member, NULL,
	NAME(struct msg_member, deployment),
	NAME(struct msg_member, group),
	WORDS(struct msg_member, type),
	UINT(struct msg_member, none, 1),
	UINT(struct msg_member, id, GROUP_MEMBERS - 1),
	ANY(struct msg_member, weight),
	UINT(struct msg_member, up, 1),
	UINT(struct msg_member, port, PORTS_MAX),
	WORDS(struct msg_member, values),
	ANY(struct msg_member, slots),
	ANY(struct msg_member, size),
	ANY(struct msg_member, packets),
	ANY(struct msg_member, bytes));

SHAPE(groups, BODY(groups), groups, NULL,
	ITEMS(BODY(groups), item, n, 0, GROUPS_MAX * GROUP_MEMBERS, member));

SHAPE(meter, struct msg_meter, meter, NULL,
	NAME(struct msg_meter, deployment),
	NAME(struct msg_meter, name),
	WORDS(struct msg_meter, rates),
	ANY(struct msg_meter, green),
	ANY(struct msg_meter, yellow),
	ANY(struct msg_meter, red),
	ANY(struct msg_meter, committed),
	ANY(struct msg_meter, peak),
	UINT(struct msg_meter, bytes, 1));

SHAPE(meters, BODY(meters), meters, NULL,
	ITEMS(BODY(meters), item, n, 0, METERS_MAX, meter));

SHAPE(set_global, struct msg_set_global, set_global, NULL,
	NAME(struct msg_set_global, deployment),
	NAME(struct msg_set_global, name),
	LINE(struct msg_set_global, text, 1, LINE_SIZE_MAX));

/* ---- flows ---- */

SHAPE(dump, struct msg_dump, dump, NULL,
	NAME(struct msg_dump, deployment),
	NAME(struct msg_dump, table),
	ANY(struct msg_dump, cursor),
	UINT(struct msg_dump, max_bytes, DUMP_BYTES_MAX),
	NAME_OR_NONE(struct msg_dump, state));

SHAPE(chunk, struct msg_dump_chunk, dump_chunk, check_chunk,
	OPTIONAL(struct msg_dump_chunk, layout, layout),
	ANY(struct msg_dump_chunk, now_ns),
	ANY(struct msg_dump_chunk, next),
	ANY(struct msg_dump_chunk, total),
	UINT(struct msg_dump_chunk, record_size, RECORD_SIZE(RECORD_256)),
	BYTES(struct msg_dump_chunk, records, size, 0, DUMP_BYTES_MAX));

SHAPE(flow, struct msg_flow, flow, NULL,
	UINT(struct msg_flow, op, FLOW_FLUSH),
	NAME(struct msg_flow, deployment),
	NAME(struct msg_flow, table),
	ITEMS(struct msg_flow, key, n_keys, 0, ARRAY_SIZE(((struct layout *)NULL)->key), setting),
	NAME_OR_NONE(struct msg_flow, state),
	ITEMS(struct msg_flow, reg, n_regs, 0, ARRAY_SIZE(((struct layout *)NULL)->reg), setting));

/* ---- entries ---- */

SHAPE(entries, struct msg_entries, entries, NULL,
	UINT(struct msg_entries, op, ENTRY_CLEAR),
	NAME(struct msg_entries, deployment),
	NAME(struct msg_entries, table),
	LINES(struct msg_entries, column, n_columns, ENTRY_COLUMNS_MAX),
	TEXT(struct msg_entries, rows));

SHAPE(get_entries, struct msg_get_entries, get_entries, NULL,
	NAME(struct msg_get_entries, deployment),
	NAME(struct msg_get_entries, table),
	ANY(struct msg_get_entries, cursor));

SHAPE(entry_rows, struct msg_entry_rows, entry_rows, NULL,
	LINES(struct msg_entry_rows, column, n_columns, ENTRY_COLUMNS_MAX),
	TEXT(struct msg_entry_rows, rows),
	ANY(struct msg_entry_rows, next),
	ANY(struct msg_entry_rows, total));

SHAPE(bundle, struct msg_bundle, bundle, NULL,
	UINT(struct msg_bundle, op, BUNDLE_DISCARD),
	UINT(struct msg_bundle, id, UINT32_MAX),
	UINT(struct msg_bundle, timeout_ms, BUNDLE_TIMEOUT_MAX_MS),
	BYTES(struct msg_bundle, member, member_size, 0, BUNDLE_MEMBER_SIZE_MAX));

SHAPE(bundle_item, struct msg_bundle_item, bundle_item, NULL,
	UINT(struct msg_bundle_item, id, UINT32_MAX),
	UINT(struct msg_bundle_item, n_members, UINT32_MAX),
	ANY(struct msg_bundle_item, n_rows),
	ANY(struct msg_bundle_item, bytes),
	UINT(struct msg_bundle_item, timeout_ms, BUNDLE_TIMEOUT_MAX_MS),
	UINT(struct msg_bundle_item, left_ms, BUNDLE_TIMEOUT_MAX_MS));

SHAPE(bundles, BODY(bundles), bundles, NULL,
	ITEMS(BODY(bundles), item, n, 0, 64, bundle_item));

/* ---- log ---- */

SHAPE(get_log, BODY(get_log), get_log, NULL,
	UINT(BODY(get_log), max, LOG_ITEMS_MAX));

SHAPE(log_item, struct msg_log_item, log_item, NULL,
	ANY(struct msg_log_item, id),
	ANY(struct msg_log_item, time_ms),
	TEXT(struct msg_log_item, who),
	TEXT(struct msg_log_item, what),
	TEXT(struct msg_log_item, result));

SHAPE(log_items, BODY(log), log, NULL,
	ITEMS(BODY(log), item, n, 0, LOG_ITEMS_MAX, log_item));

/* ---- events and packets ---- */

SHAPE(subscription, BODY(subscribe), subscribe, NULL,
	WORDS(BODY(subscribe), kinds),
	UINT(BODY(subscribe), off, 1));

SHAPE(event, struct msg_event, event, NULL,
	NAME_OR_NONE(struct msg_event, switch_name),
	ANY(struct msg_event, time_ms),
	NAME(struct msg_event, kind),
	NAME_OR_NONE(struct msg_event, deployment),
	NAME_OR_NONE(struct msg_event, table),
	WORDS(struct msg_event, key),
	NAME_OR_NONE(struct msg_event, old_state),
	NAME_OR_NONE(struct msg_event, new_state),
	WORDS(struct msg_event, rule),
	WORDS(struct msg_event, port),
	TEXT(struct msg_event, text),
	ANY(struct msg_event, change),
	ANY(struct msg_event, cpu),
	ANY(struct msg_event, sequence),
	ANY(struct msg_event, count),
	BYTES(struct msg_event, packet, packet_size, 0, PACKET_SIZE_MAX),
	WORDS(struct msg_event, registers));

SHAPE(events, struct msg_events, events, NULL,
	ANY(struct msg_events, sequence),
	ANY(struct msg_events, lost),
	ITEMS(struct msg_events, item, n, 0, EVENT_BATCH_MAX, event));

SHAPE(packet_out, struct msg_packet_out, packet_out, NULL,
	UINT(struct msg_packet_out, port, PORTS_MAX),
	WORDS(struct msg_packet_out, port_name),
	BYTES(struct msg_packet_out, packet, size, FRAME_SIZE_MIN, PACKET_SIZE_MAX));

/* ---- trace ---- */

SHAPE(frame, struct msg_frame, frame, NULL,
	BYTES(struct msg_frame, bytes, size, 0, PACKET_SIZE_MAX),
	ANY(struct msg_frame, time_ns));

SHAPE(trace, struct msg_trace, trace, NULL,
	WORDS(struct msg_trace, port),
	UINT(struct msg_trace, hook, HOOK_MAX - 1),
	ANY(struct msg_trace, at_ns),
	ITEMS(struct msg_trace, frame, n_frames, 0, TRACE_FRAMES_MAX, frame));

SHAPE(traced_step, struct msg_traced_step, traced_step, NULL,
	UINT(struct msg_traced_step, frame, TRACE_FRAMES_MAX - 1),
	NAME_OR_NONE(struct msg_traced_step, deployment),
	NAME_OR_NONE(struct msg_traced_step, table),
	WORDS(struct msg_traced_step, key),
	UINT(struct msg_traced_step, absent, 1),
	UINT(struct msg_traced_step, found, 1),
	UINT(struct msg_traced_step, created, 1),
	UINT(struct msg_traced_step, freed, 1),
	NAME_OR_NONE(struct msg_traced_step, old_state),
	NAME_OR_NONE(struct msg_traced_step, new_state),
	WORDS(struct msg_traced_step, rule),
	ANY(struct msg_traced_step, rule_line),
	TEXT(struct msg_traced_step, conditions),
	TEXT(struct msg_traced_step, updates),
	WORDS(struct msg_traced_step, verdict),
	BYTES(struct msg_traced_step, record, record_size, 0, RECORD_SIZE(RECORD_256)),
	NAME_OR_NONE(struct msg_traced_step, fell_from));

SHAPE(traced_frame, struct msg_traced_frame, traced_frame, NULL,
	WORDS(struct msg_traced_frame, exit),
	ANY(struct msg_traced_frame, out_port),
	BYTES(struct msg_traced_frame, bytes, size, 0, PACKET_SIZE_MAX));

SHAPE(traced, struct msg_traced, traced, check_traced,
	ANY(struct msg_traced, version),
	ITEMS(struct msg_traced, step, n_steps, 0, TRACE_FRAMES_MAX * HOOK_TABLES_MAX, traced_step),
	ITEMS(struct msg_traced, frame, n_frames, 0, TRACE_FRAMES_MAX, traced_frame));

/* ---- kinds ---- */

#define KIND(k, text, s, m) [k] = { text, &s, offsetof(struct message, m) }
#define BARE(k, text)       [k] = { text, &nothing, offsetof(struct message, ok) }

const struct body message_bodies[MSG_KIND_MAX] = {
	[MSG_NONE] = { "none", NULL, 0 },
	KIND(MSG_HELLO, "hello", hello, hello),
	KIND(MSG_HELLO_REPLY, "hello-reply", hello, hello),
	BARE(MSG_ECHO, "echo"),
	KIND(MSG_OK, "ok", ok, ok),
	KIND(MSG_ERROR, "error", error, error),
	BARE(MSG_BARRIER, "barrier"),
	KIND(MSG_DEPLOY, "deploy", deployment, deploy),
	KIND(MSG_REMOVE, "remove", removal, remove),
	KIND(MSG_SYNC_BEGIN, "sync-begin", digests, sync),
	KIND(MSG_SYNC_NEED, "sync-need", digests, sync),
	KIND(MSG_SYNC_END, "sync-end", digests, sync),
	KIND(MSG_GET_DEPLOYMENTS, "get-deployments", filter, get),
	KIND(MSG_DEPLOYMENTS, "deployments", deployments, deployments),
	KIND(MSG_DIFF, "diff", deployment, deploy),
	BARE(MSG_GET_SWITCHES, "get-switches"),
	KIND(MSG_SWITCHES, "switches", switches, switches),
	BARE(MSG_GET_SWITCH, "get-switch"),
	KIND(MSG_SWITCH, "switch", one_switch, switches),
	BARE(MSG_GET_PORTS, "get-ports"),
	KIND(MSG_PORTS, "ports", ports, ports),
	KIND(MSG_GET_TABLES, "get-tables", get_tables, tables),
	KIND(MSG_TABLES, "tables", tables, tables),
	KIND(MSG_GET_COUNTERS, "get-counters", filter, get),
	KIND(MSG_COUNTERS, "counters", counters, counters),
	KIND(MSG_RESET_COUNTERS, "reset-counters", filter, get),
	KIND(MSG_DUMP, "dump", dump, dump),
	KIND(MSG_DUMP_CHUNK, "dump-chunk", chunk, chunk),
	KIND(MSG_FLOW, "flow", flow, flow),
	KIND(MSG_SUBSCRIBE, "subscribe", subscription, subscribe),
	KIND(MSG_EVENTS, "events", events, events),
	KIND(MSG_PACKET_OUT, "packet-out", packet_out, packet_out),
	KIND(MSG_TRACE, "trace", trace, trace),
	KIND(MSG_TRACED, "traced", traced, traced),
	KIND(MSG_APPLIED, "applied", applied, applied),
	BARE(MSG_FORGET_SWITCH, "forget-switch"),
	KIND(MSG_GET_GLOBALS, "get-globals", filter, get),
	KIND(MSG_GLOBALS, "globals", globals, globals),
	KIND(MSG_SET_GLOBAL, "set-global", set_global, set_global),
	KIND(MSG_FORGET_PORT, "forget-port", filter, get),
	KIND(MSG_ENTRIES, "entries", entries, entries),
	KIND(MSG_GET_ENTRIES, "get-entries", get_entries, get_entries),
	KIND(MSG_ENTRY_ROWS, "entry-rows", entry_rows, entry_rows),
	KIND(MSG_GET_GROUPS, "get-groups", filter, get),
	KIND(MSG_GROUPS, "groups", groups, groups),
	KIND(MSG_GET_METERS, "get-meters", filter, get),
	KIND(MSG_METERS, "meters", meters, meters),
	KIND(MSG_RESET_METER, "reset-meter", filter, get),
	KIND(MSG_BUNDLE, "bundle", bundle, bundle),
	BARE(MSG_GET_BUNDLES, "get-bundles"),
	KIND(MSG_BUNDLES, "bundles", bundles, bundles),
	KIND(MSG_GET_PAST, "get-past", filter, get),
	KIND(MSG_GET_LOG, "get-log", get_log, get_log),
	KIND(MSG_LOG, "log", log_items, log),
	KIND(MSG_BACKUP, "backup", filter, get),
	KIND(MSG_RESTORE, "restore", filter, get),
};

/* clang-format on */

/* The wire's numbers follow enum message_kind and the enums of message.h. */
_Static_assert((int)MEALY__ENVELOPE__BODY_HELLO == BODY_FIELD + MSG_HELLO, "kinds have moved");
_Static_assert((int)MEALY__ENVELOPE__BODY_SYNC_END == BODY_FIELD + MSG_SYNC_END, "kinds have moved");
_Static_assert((int)MEALY__ENVELOPE__BODY_COUNTERS == BODY_FIELD + MSG_COUNTERS, "kinds have moved");
_Static_assert((int)MEALY__ENVELOPE__BODY_TRACED == BODY_FIELD + MSG_TRACED, "kinds have moved");
_Static_assert((int)MEALY__ENVELOPE__BODY_APPLIED == BODY_FIELD + MSG_APPLIED, "kinds have moved");
_Static_assert((int)MEALY__ENVELOPE__BODY_RESET_METER == BODY_FIELD + MSG_RESET_METER, "kinds have moved");
_Static_assert((int)BODY_FIELD + MSG_KIND_MAX == (int)MEALY__ENVELOPE__BODY_RESTORE + 1,
	       "a kind has no field in mealy.proto");
_Static_assert((int)MEALY__ROLE__ROLE_USER == ROLE_USER, "roles differ");
_Static_assert((int)MEALY__ERROR_CODE__ERROR_INTERNAL == ERROR_INTERNAL, "error codes differ");
_Static_assert((int)MEALY__ENTRY_OP__ENTRY_CLEAR == ENTRY_CLEAR, "operations differ");
_Static_assert((int)MEALY__BUNDLE_OP__BUNDLE_DISCARD == BUNDLE_DISCARD, "operations differ");
_Static_assert((int)MEALY__FLOW_OP__FLOW_FLUSH == FLOW_FLUSH, "operations differ");
