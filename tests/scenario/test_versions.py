# SPDX-License-Identifier: GPL-2.0-or-later
"""Applications change while frames of both ports run: what flows, states and counters keep.

    c --- p1 [ s1: change -> mac-learning ] p2 --- s

Each port has a CPU's worth of traffic of its own, so packets of the old version and of the new one meet in the records.
"""
import os, re, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, wait_until
from frames import udp, only_udp

CHANGES = 200 if os.environ.get("MEALY_LONG") else 20
C, S = "10.6.0.1", "10.6.0.2"

BEGIN = "{name: begin, state: NEW, do: n += 1, next: ON, action: pass}"
WEB = "{name: web, when: has(tcp), do: n += 1, action: pass}"
NEVER = "{name: never, match: {l4.dst: 9999}, action: drop}"
REST = "{name: rest, do: n += 1, action: pass}"


def app(rules, states="NEW, ON", registers="n"):
    return ("app: change\ntables:\n  - name: t\n"
            f"    state: {{lookup: [ip.src], capacity: 1024, states: [{states}], registers: [{registers}]}}\n"
            "    rules:\n" + "".join(f"      - {r}\n" for r in rules))


class Versions(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("versions")
        self.addCleanup(self.lab.close)
        self.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.lab.start()
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")

    def change(self, *args, **kw):
        path = os.path.join(self.lab.dir, "change.yaml")
        with open(path, "w") as f:
            f.write(app(*args, **kw))
        return self.lab.mealy("app", "load", path, "--order", "10")

    def flows(self):
        return {r["ip.src"]: r for r in self.lab.flows("change", "t")}

    def counter(self, rule):
        rows = self.lab.json("counter", "show", f"change/t/{rule}")
        return next(r["packets"] for r in rows if r["scope"] == "rule")

    def begin_load(self):
        for host in (self.c, self.s):
            host.received(quiet_s=0.05)
        self.loads = [Load(self.c, udp(C, S, dport=7), 0.001), Load(self.s, udp(S, C, dport=7), 0.001)]
        for load in self.loads:
            load.start()

    def end_load(self):
        """Every frame arrived and was counted by its flow; returns how many there were."""
        sent = [load.stop() for load in self.loads]
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent[0], quiet_s=1)), sent[0])
        self.assertEqual(len(self.c.received(filter=only_udp(7), want=sent[1], quiet_s=1)), sent[1])
        flows = self.flows()
        self.assertEqual([flows[C]["n"], flows[S]["n"]], sent)
        return sum(sent)

    def test_rules_come_go_and_change_places_and_flows_and_counters_stay(self):
        self.change([BEGIN, REST])
        self.begin_load()
        before = 0
        for i in range(CHANGES):
            self.change([[BEGIN, NEVER, WEB, REST], [WEB, BEGIN, REST], [BEGIN, REST], [NEVER, BEGIN, REST]][i % 4])
            now = self.counter("rest")
            self.assertGreaterEqual(now, before, "the counter follows the rule's name")
            before = now
        sent = self.end_load()
        self.assertEqual(self.counter("begin") + self.counter("rest"), sent)

    def test_the_counter_of_a_rule_that_comes_again_begins_at_zero(self):
        self.change([NEVER, BEGIN, REST])
        self.c.send([udp(C, S, dport=9999)] * 3, 0.001)
        wait_until(lambda: self.counter("never") == 3)
        self.change([BEGIN, REST])
        self.change([NEVER, BEGIN, REST])
        self.assertEqual(self.counter("never"), 0)

    def test_states_are_added_and_packets_of_both_versions_meet_in_the_records(self):
        """Each version sends the flows on into a state that the one before does not know."""
        self.change([BEGIN, REST])
        self.begin_load()
        names = ["NEW", "ON"]
        for i in range(12):
            names.append(f"S{i}")
            self.change([BEGIN] + [f"{{name: to-{b}, state: {a}, do: n += 1, next: {b}, action: pass}}"
                                   for a, b in zip(names[1:], names[2:])] + [REST], ", ".join(names))
        wait_until(lambda: {self.flows()[a]["state"] for a in (C, S)} == {"S11"})
        self.end_load()

    def test_a_removed_state_reads_as_the_first_one_and_its_id_is_not_another_states(self):
        self.change(["{name: all, do: n += 1, next: OLD, action: pass}"], "NEW, OLD")
        self.c.send([udp(f"10.6.1.{i}", S, dport=7) for i in range(1, 101)], 0.001)
        wait_until(lambda: [r["state"] for r in self.flows().values()].count("OLD") >= 100)
        for i in range(3):                                  # Before and after the pass that ends them.
            self.change([BEGIN, REST], f"NEW, ON, OTHER{i}")
            self.assertEqual([a for a, r in self.flows().items() if a.startswith("10.6.1.") and r["state"] != "NEW"], [])
        wait_until(lambda: not [a for a in self.flows() if a.startswith("10.6.1.")])

    def test_a_layout_that_changes_begins_empty_and_says_what_is_lost(self):
        self.change([BEGIN, REST])
        self.c.send([udp(C, S, dport=7)] * 5, 0.001)
        wait_until(lambda: C in self.flows() and self.flows()[C]["n"] == 5)
        said = self.change([BEGIN, REST])
        self.assertNotIn("lost", said)
        said = self.change([BEGIN, REST], registers="n, more")
        self.assertRegex(said, r"\d+ flows? of change/t (is|are) lost: its layout changed")
        self.c.send([udp(C, S, dport=7)] * 2, 0.001)
        wait_until(lambda: C in self.flows() and self.flows()[C]["n"] == 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
