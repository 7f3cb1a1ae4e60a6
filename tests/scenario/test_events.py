# SPDX-License-Identifier: GPL-2.0-or-later
"""What a switch tells and is told: events, packets to and from the controller, ports, the host.

    c --- p1 [ s1 ] p2 --- s
"""
import json, os, subprocess, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, Lab, wait_until
from frames import udp, only_udp

WATCH = """app: watch
tables:
  - name: sources
    state:
      lookup: [ip.src]
      capacity: 2
      when_full: drop
      states: [NEW, {name: SEEN, idle: 300ms, on_timeout: notify}]
    rules:
      - {name: punted, match: {l4.dst: 99}, refresh: no, action: controller; drop}
      - {name: seen, state: NEW, match: {l4.dst: 7}, next: SEEN, action: notify; drop}
      - {name: rest, action: drop}
    absent: pass
"""

# The third frame of a source is worth a word, and so is each one that a global asks for.
LIMITS = """app: limits
parameters: {limit: 3}
globals: {loud: 1000}
tables:
  - name: sources
    state: {lookup: [ip.src], capacity: 100, registers: [count, bytes]}
    rules:
      - {name: reached, when: count + 1 == limit, do: count += 1; bytes += length, action: notify; drop}
      - {name: loud, when: length > loud, do: count += 1; bytes += length, action: notify; drop}
      - {name: counted, do: count += 1; bytes += length, action: drop}
"""


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("events")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        cls.switch.extra.update({"punt_rate": "50", "punt_burst": "5"})
        cls.c = cls.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        cls.s = cls.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        cls.lab.start()
        cls.path = os.path.join(cls.lab.dir, "watch.yaml")
        with open(cls.path, "w") as f:
            f.write(WATCH)
        cls.lab.mealy("app", "load", cls.path, "--ports", "p1")

    def watch(self, kinds, count, agent=None, act=lambda: None):
        """Events of these kinds that come while 'act' runs."""
        p = subprocess.Popen(self.lab.command("--json", "event", "watch", kinds, "--count", str(count), "--seconds", "5", agent=agent),
                             stdout=subprocess.PIPE, text=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        time.sleep(1.2)
        act()
        out, _ = p.communicate(timeout=10)
        return [json.loads(line) for line in out.splitlines()]

    def frame(self, src, dport=7):
        return udp(src, "10.0.0.9", dport=dport)

    def test_a_change_of_state_and_a_timeout_are_told_once_and_in_order(self):
        for agent in (None, "s1"):
            with self.subTest(agent=agent):
                self.lab.mealy("flow", "flush", "watch", "sources")
                events = self.watch("state,timeout", 2, agent, lambda: self.c.send([self.frame("10.0.0.1")]))
                self.assertEqual([(e["kind"], e["key"], e["old_state"], e["new_state"]) for e in events],
                                 [("state", "ip.src=10.0.0.1", "NEW", "SEEN"), ("timeout", "ip.src=10.0.0.1", "SEEN", "NEW")])
                self.assertEqual((events[0]["rule"], events[0]["port"], events[0]["deployment"]), ("seen", "p1", "watch"))

    def test_a_full_table_is_told(self):
        self.lab.mealy("flow", "flush", "watch", "sources")
        frames = [self.frame(f"10.0.1.{i}") for i in range(4)]
        events = self.watch("table-full", 1, None, lambda: self.c.send(frames))
        self.assertEqual([(e["kind"], e["table"]) for e in events], [("table-full", "sources")])
        self.assertGreater(self.lab.json("table", "list")[0]["full"], 0)

    def test_a_threshold_is_told_once_with_the_rule_and_the_registers(self):
        path = os.path.join(self.lab.dir, "limits.yaml")
        with open(path, "w") as f:
            f.write(LIMITS)
        self.lab.mealy("app", "load", path, "--ports", "p1", "--order", "10")
        try:
            frame = self.frame("10.0.2.1")
            for agent in (None, "s1"):
                with self.subTest(agent=agent):
                    self.lab.mealy("flow", "flush", "limits", "sources")
                    events = self.watch("state", 1, agent, lambda: self.c.send([frame] * 2)) if agent else []
                    self.assertEqual(events, [], "two of three")
                    self.lab.mealy("flow", "flush", "limits", "sources")
                    events = self.watch("state", 2, agent, lambda: (self.c.send([frame] * 5),
                                                                    self.lab.mealy("global", "set", "limits", f"loud={len(frame) - 1}"),
                                                                    self.c.send([frame])))
                    self.lab.mealy("global", "set", "limits", "loud=1000")
                    self.assertEqual([(e["deployment"], e["table"], e["rule"], e["key"], e["registers"]) for e in events],
                                     [("limits", "sources", rule, "ip.src=10.0.2.1", f"count={n} bytes={n * len(frame)}")
                                      for rule, n in (("reached", 3), ("loud", 6))])
        finally:
            self.lab.mealy("app", "remove", "limits")

    def test_a_packet_reaches_the_controller_whole(self):
        frame = self.frame("10.0.0.3", 99)
        events = self.watch("packet-in", 1, None, lambda: self.c.send([frame]))
        self.assertEqual(events[0]["packet"], frame.hex())
        self.assertEqual((events[0]["port"], events[0]["rule"]), ("p1", "punted"))

    def test_packets_to_the_controller_are_limited_and_counted(self):
        time.sleep(0.2)                      # The bucket of the limit fills again.
        before = self.counters()
        events = self.watch("packet-in", 1000, None, lambda: self.c.send([self.frame("10.0.0.3", 99)] * 300))
        after = self.counters()
        punted = after["punted"] - before["punted"]
        self.assertEqual(len(events), punted)
        self.assertLess(punted, 100)
        self.assertEqual(punted + after["punt-limited"] - before["punt-limited"], 300)

    def counters(self):
        return {r["name"]: r["packets"] for r in self.lab.json("counter", "show", "switch") if r["scope"] == "switch"}

    def test_a_packet_is_sent_out_of_a_port(self):
        self.s.received(quiet_s=0.05)
        frame = self.frame("10.0.0.4", 4242)
        self.lab.mealy("packet", "out", "--port", "p2", "--hex", frame.hex())
        self.lab.mealy("packet", "out", "--port", "2", "ipv4.dst=10.0.0.7", "udp.dst=4243", agent="s1")
        self.assertEqual(self.s.received(filter=only_udp(4242), want=1, quiet_s=1), [frame])
        self.assertEqual(len(self.s.received(filter=only_udp(4243), want=1, quiet_s=1)), 1)

    def test_a_port_that_goes_down_is_told(self):
        events = self.watch("port", 2, None, lambda: (self.switch.run("ip", "link", "set", "p2", "down"), time.sleep(0.2),
                                                      self.switch.run("ip", "link", "set", "p2", "up")))
        self.assertEqual({e["port"] for e in events}, {"p2"})
        wait_until(lambda: all(r["state"] == "up" for r in self.lab.json("port", "list")))

    def test_a_deployment_is_told_to_watchers_of_the_controller(self):
        events = self.watch("deployment", 1, None, lambda: self.lab.mealy("app", "load", self.path, "--ports", "p1"))
        self.assertEqual(events[0]["kind"], "deployment")

    def test_preflight_says_what_the_host_can_do(self):
        out = self.switch.run(f"{BUILD}/agent/mealy-agent", "--preflight", "--config", self.switch.config,
                              env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        for word in ("kernel", "BTF", "JIT", "memory", "p1", "ready"):
            self.assertIn(word, out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
