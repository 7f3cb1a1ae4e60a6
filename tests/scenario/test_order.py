# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in effect when: the barrier, and a switch whose controller goes away and comes back.

    c --- p1 [ s1 ] p2 --- s
"""
import os, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, Lab, sh, wait_until
from frames import udp, only_udp

CLOSE = """app: close-{n}
tables:
  - name: check
    state: {{lookup: [ip.src], capacity: 1024, registers: [seen]}}
    rules:
      - {{name: closed, match: {{l4.dst: {port}}}, do: seen += 1, action: drop}}
"""

BRIDGE = """app: bridge
parameters: {out: port}
tables:
  - name: all
    rules:
      - {name: udp, match: {ip.proto: udp}, action: output(out)}
"""

CHANGES, FIRST_PORT = 12, 100


class Order(unittest.TestCase):
    def start(self, **extra):
        self.lab = Lab("order")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        self.switch.extra.update(extra)
        self.c = self.lab.host("c", "s1", "p1", ip="10.7.0.1/24", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", ip="10.7.0.2/24", mac="02:00:00:00:02:01")
        self.lab.start()

    def file(self, name, text):
        path = os.path.join(self.lab.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def frame(self, dport):
        return udp("10.7.0.1", "10.7.0.2", dport=dport)

    # ---- the barrier ----

    def behind_a_barrier(self, url, switch):
        """Many changes in one go; the first frames after the barrier meet every one of them."""
        self.lab.mealy("app", "load", self.file("bridge.yaml", BRIDGE), "--order", "90", "--set", "out=p2")
        ports = range(FIRST_PORT, FIRST_PORT + CHANGES)
        self.s.received(quiet_s=0.05)
        self.c.send([self.frame(p) for p in ports], 0.001)
        self.assertEqual(len(self.s.received(filter=lambda f: any(only_udp(p)(f) for p in ports), want=CHANGES)), CHANGES)
        files = [self.file(f"close-{p}.yaml", CLOSE.format(n=p, port=p)) for p in ports]
        said = sh(f"{BUILD}/tests/scenario/mealy-barrier", url, switch, *files)
        self.c.send([self.frame(p) for p in ports], 0.001)
        self.assertEqual(self.s.received(filter=lambda f: any(only_udp(p)(f) for p in ports), quiet_s=0.3), [])
        self.assertEqual(said, f"{CHANGES} answered, 0 refused\n")

    def test_an_agents_barrier(self):
        self.start()
        self.behind_a_barrier(self.switch.socket, "")

    def test_a_controllers_barrier_at_a_switch(self):
        self.start()
        self.behind_a_barrier(self.lab.users_url, "s1")

    def test_a_controllers_barrier(self):
        self.start()
        self.behind_a_barrier(self.lab.users_url, "")

    def test_a_barrier_with_nothing_before_it(self):
        self.start()
        for url, switch in ((self.switch.socket, ""), (self.lab.users_url, "s1"), (self.lab.users_url, "")):
            self.assertEqual(sh(f"{BUILD}/tests/scenario/mealy-barrier", url, switch), "0 answered, 0 refused\n")

    # ---- standalone ----

    def sent(self, n, dport):
        """Frames for a closed port: how many arrive."""
        self.s.received(quiet_s=0.05)
        self.c.send([self.frame(dport)] * n, 0.001)
        return len(self.s.received(filter=only_udp(dport), quiet_s=0.3))

    def seen(self):
        rows = self.lab.flows("close-7", "check", agent="s1")
        return sum(r["seen"] for r in rows if r["ip.src"] == "10.7.0.1")

    def passes_plainly(self):
        return "plain pass" in self.lab.mealy("switch", "show", agent="s1")

    def exits(self, reason):
        rows = self.lab.json("counter", "show", agent="s1")
        return sum(r["packets"] for r in rows if r["name"] == f"xdp/p1/{reason}")

    def test_standalone_while_the_controller_is_gone(self):
        self.start(fail_mode="standalone", standalone_after="2s")
        self.lab.mealy("app", "load", self.file("close-7.yaml", CLOSE.format(n=7, port=7)), "--order", "10")
        self.lab.mealy("app", "load", self.file("bridge.yaml", BRIDGE), "--order", "90", "--set", "out=p2")
        self.assertEqual((self.sent(20, 7), self.seen()), (0, 20))
        self.assertEqual(self.sent(20, 8), 20)

        self.lab.controller_process.kill()
        self.assertEqual((self.sent(20, 7), self.seen()), (0, 40), "not before its time")
        wait_until(self.passes_plainly, 15)
        output, plain = self.exits("output"), self.exits("no-application")
        self.assertEqual(self.sent(20, 8), 0, "plain pass is to the host, no table sends it on")
        self.assertEqual(self.seen(), 40, "flows stay and nobody touches them")
        self.assertEqual(self.exits("output"), output)
        self.assertGreaterEqual(self.exits("no-application"), plain + 20)

        self.lab.controller()
        self.lab.connected("s1")
        wait_until(lambda: not self.passes_plainly())
        self.assertEqual(self.seen(), 40, "the same flows")
        self.assertEqual((self.sent(20, 7), self.seen()), (0, 60))
        self.assertEqual(self.sent(20, 8), 20)

    def test_secure_keeps_the_tables(self):
        self.start(standalone_after="1s")
        self.lab.mealy("app", "load", self.file("close-7.yaml", CLOSE.format(n=7, port=7)), "--order", "10")
        self.lab.controller_process.kill()
        time.sleep(7)                       # Four seconds of silence, one more, and some.
        self.assertFalse(self.passes_plainly())
        self.assertEqual((self.sent(20, 7), self.seen()), (0, 20))


if __name__ == "__main__":
    unittest.main(verbosity=2)
