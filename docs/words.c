/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "words.h"

#include <stddef.h>
#include <string.h>

/* One row is one line. */
/* clang-format off */
const struct word helper_words[] = {
	{"min", "min(a, b)", "the smaller one", "when: 'min(length, 1500) > 100'"},
	{"max", "max(a, b)", "the larger one", "do: 'n = max(n, length)'"},
	{"seq_lt", "seq_lt(a, b)", "a comes before b on the circle of 32-bit sequence numbers", "when: 'seq_lt(tcp.seq, n)'"},
	{"seq_le", "seq_le(a, b)", "a is b or comes before it", "when: 'seq_le(tcp.ack, n)'"},
	{"hash", "hash(a, ...)", "a number of 64 bits that depends on the values and the deployment's name, so every switch hashes alike; of fields, variables and constants, no registers", "action: 'v = hash(ip.src, ip.dst) % 4'"},
	{"random", "random", "another 64 bits for each packet and each place of the text; drawn also when its rule is not chosen", "when: random % 100 == 0"},
	{"has", "has(header)", "the packet has that header, or the header of that field, or TABLE had a record for its TABLE.REGISTER, or the member that a register or variable names is there and up; never makes the rule fail by itself", "when: has(vlan) and not has(fragment)"},
	{"avg", "avg(m, n, x)", "the mean `m` of `n` values and one more, `x`", "do: 'mean = avg(mean, n, length); n += 1'"},
	{"var", "var(v, m, n, x)", "the variance of `n` values with variance `v` and mean `m`, and one more", "do: 'square = var(square, mean, n, length)'"},
	{"ewma", "ewma(old, x, weight)", "the moving average: the constant `weight` is how much of the old value stays", "do: 'rate = ewma(rate, length, 0.875)'"},
	{"select", "select(GROUP)", "the member that a group of type select or first-live gives to this packet; its values are NAME.VALUE of a register or variable that holds it", "action: 's = select(servers); ip.dst = s.ip'"},
	{"meter", "meter(METER)", "charges a meter with this packet: green, yellow or red; one that flows share in action, a flow's own in do", "action: 'v = meter(slow)'"},
	{}
};

const struct word step_words[] = {
	{"push", "push(HEADER)", "puts a header in front, whose fields can then be written: `vlan`; `mpls`; `ipip` and `vxlan`, also `(ipip, 6)` with an outer IPv6 header; `(srv6, a, b)` an outer IPv6 header with a segment list in the order of the path; `(srh, a, b)` the list only, the old destination last. Lengths, protocols, checksums and the traffic class follow, addresses and numbers are 0, TTL is 64", "action: push(ipip); ip.src = 192.0.2.1; ip.dst = 192.0.2.2; route"},
	{"pop", "pop(HEADER)", "takes it away; `ipip` and `srv6` with all headers down to the inner IP header, `srh` leaves the destination", "action: pop(vlan); pass"},
	{"next_segment", "next_segment", "SRv6 End: the next segment of the list becomes the destination", "action: next_segment; route"},
	{"notify", "notify", "tells whoever watches (`mealy event watch`): rule, flow, states, registers", "next: KNOWN, action: notify; pass"},
	{"controller", "controller", "sends a copy of the frame, as it came, to the controller, within the limit of its rate", "action: controller; drop"},
	{"mirror", "mirror(port)", "sends a copy of the packet as it is now to a port; at tc only", "action: mirror(2); pass"},
	{"become", "become(TEMPLATE)", "the packet becomes a template, its `set` filled from the packet that came", "action: become(answer); reflect"},
	{"emit", "emit(TEMPLATE, port)", "sends such a packet beside this one, of which up to 2048 bytes and one frame may then go on; at tc only", "action: 'emit(answer, 2); pass'"},
	{}
};

const struct word verdict_words[] = {
	{"pass", "pass", "to the next application on this hook; after the last one to the kernel", "action: pass"},
	{"deliver", "deliver", "to the kernel at once, past the other applications", "action: deliver"},
	{"drop", "drop", "ends here", "action: drop"},
	{"output", "output(port)", "leaves by a port: a number, a parameter of type port, or any number computed", "action: output(lan)"},
	{"flood", "flood", "leaves by every port but the one it came from", "action: flood"},
	{"reflect", "reflect", "leaves by the port it came from", "action: reflect"},
	{"goto", "goto(TABLE)", "goes on in a later table of the application", "action: goto(later)"},
	{"route", "route", "leaves as the kernel's routes say of the packet as it is written: TTL less one, hardware addresses of the way; what needs the kernel (TTL, MTU, neighbour, its own addresses) is left to it, what has no way is dropped", "action: route"},
	{"group", "group(NAME)", "leaves by the port of the member that is chosen; group of type all: a copy for each (tc only)", "action: group(servers)"},
	{}
};

const struct word meta_words[] = {
	{"now", "now", "the moment of the packet, one for the whole run", "do: start = now"},
	{"in_port", "in_port", "port it came in by", "match: {in_port: lan}"},
	{"out_port", "out_port", "port it goes out by; at tc egress only", "match: {out_port: [1, 2]}"},
	{"length", "length", "bytes of the frame, Ethernet header included", "when: length > 1000"},
	{"frames", "frames", "how many frames this packet will be on the wire (tc sees them before they are cut); 1 at XDP", "do: n += frames"},
	{"direction", "direction", "of a biflow key: 0 from its lower end to its higher one, 1 back", "match: {direction: 1}"},
	{"hook", "hook", "where the table runs", "match: {hook: [tc-ingress, tc-egress]}"},
	{}
};

/* For one operator a constant expression whose value is computed, for the others a rule. */
const struct word operator_words[] = {
	{"or", "a or b", "either condition", "1 > 2 or 2 > 1"},
	{"and", "a and b", "both conditions", "1 > 2 and 2 > 1"},
	{"not", "not a", "the opposite", "not 1 > 2"},
	{"==", "a == b", "equal", "tcp == 6"},
	{"!=", "a != b", "not equal", "10.0.0.1 != 10.0.0.2"},
	{"<", "a < b", "less", "5 < 7"},
	{"<=", "a <= b", "less or equal", "7 <= 7"},
	{">", "a > b", "greater", "1s > 999ms"},
	{">=", "a >= b", "greater or equal", "1KiB >= 1kB"},
	{"in", "a in [b, c-d]", "equal to one of them, in a range or a prefix", "7 in [1, 5-9]"},
	{"|", "a | b", "bits of either", "0x10 | 0x02"},
	{"^", "a ^ b", "bits of one but not of both", "6 ^ 3"},
	{"&", "a & b", "bits of both", "0xff & 0x3c"},
	{"<<", "a << b", "bits moved up; 64 and more leave 0", "1 << 10"},
	{">>", "a >> b", "bits moved down", "1000 >> 3"},
	{"+", "a + b", "sum; wraps at 64 bits", "1s + 500ms"},
	{"-", "a - b", "difference; wraps below 0 (constants: an error)", "64 - 1"},
	{"*", "a * b", "product; wraps", "10 * 100ms"},
	{"/", "a / b", "quotient, rounded down; x/0 is all ones, 0/0 is 0", "7 / 2"},
	{"%", "a % b", "remainder; x%0 is 0", "7 % 4"},
	{"~", "~a", "every bit turned", "~0 & 0xff"},
	{}
};
/* clang-format on */

const struct word *word_find(const struct word *words, const char *name)
{
	for (; words->name; words++)
		if (strcmp(words->name, name) == 0)
			return words;
	return NULL;
}
