# SPDX-License-Identifier: GPL-2.0-or-later
"""A controller that knows the state of a learning bridge (use case 28): it asks, is told, and changes.

    h1 --- p1 [ s1 ] p2 --- h2
                 p3 --- h3
"""
import json, os, subprocess, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import ethernet, only_test

BROADCAST = "ff:ff:ff:ff:ff:ff"
A, B, C = (f"02:00:00:00:0{i}:01" for i in (1, 2, 3))


class StateSync(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("sync")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["p1", "p2", "p3"], hooks=["xdp"])
        cls.h = [cls.lab.host(f"h{i}", "s1", f"p{i}", mac=f"02:00:00:00:0{i}:01") for i in (1, 2, 3)]
        cls.lab.start()
        cls.lab.mealy("app", "load", "examples/state-sync.yaml", "--set", "silence=60s")

    def setUp(self):
        self.lab.mealy("global", "set", "state-sync", "learning=1")
        self.lab.mealy("global", "set", "state-sync", "known=0")
        for table in ("presence", "stations"):
            self.lab.mealy("flow", "flush", "state-sync", table)
        for host in self.h:
            host.received(quiet_s=0.05)  # What the test before flooded.

    def send(self, port, smac, dmac=BROADCAST):
        self.h[port - 1].send([ethernet(smac, dmac)])

    def known(self, *where):
        return {r["eth.src"]: r["port"] for r in self.lab.flows("state-sync", "presence", *where)}

    def learned(self, n):
        wait_until(lambda: sum(mac in (A, B, C) for mac in self.known()) == n)

    def state_of(self, mac):
        return self.lab.json("flow", "get", "state-sync", "presence", f"eth.src={mac}")[0]["state"]

    def globals(self):
        return {r["name"]: int(r["value"]) for r in self.lab.json("global", "list", "state-sync")}

    def told(self, count, act):
        """State changes that the bridge tells of while 'act' runs."""
        p = subprocess.Popen(self.lab.command("--json", "event", "watch", "state", "--count", str(count), "--seconds", "5"),
                             stdout=subprocess.PIPE, text=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        time.sleep(1.2)
        act()
        out, _ = p.communicate(timeout=10)
        return [(e["rule"], e["key"], e["old_state"], e["new_state"], e["port"]) for e in map(json.loads, out.splitlines())]

    def test_the_state_of_one_key(self):
        self.send(1, A)
        self.learned(1)
        self.assertEqual(self.state_of(A), "HERE")
        self.assertIn("no such flow", self.lab.mealy("flow", "get", "state-sync", "presence", f"eth.src={B}", status=None))

    def test_the_keys_in_a_state(self):
        self.send(1, A)
        self.send(2, B)
        self.learned(2)
        here = self.known("--where", "state=HERE")
        self.assertEqual((here[A], here[B]), (1, 2))
        self.assertEqual(self.known("--where", "state=ABSENT"), {})

    def test_the_state_of_the_whole(self):
        self.send(1, A)
        self.send(2, B)
        self.send(2, B)
        self.learned(2)
        self.assertEqual(self.globals(), {"learning": 1, "known": len(self.known())})

    def test_every_change_is_told_once_and_in_order(self):
        def act():
            self.send(1, A)
            self.learned(1)
            self.send(1, A)
            self.send(2, A)

        key = f"eth.src={A}"
        self.assertEqual(self.told(2, act), [("arrives", key, "ABSENT", "HERE", "p1"), ("moves", key, "HERE", "HERE", "p2")])

    def test_a_change_is_answered_when_it_is_in_effect(self):
        said = self.lab.json("global", "set", "state-sync", "learning=0")
        self.assertEqual(said, [{"name": "learning", "before": "1"}])
        self.send(1, A)
        self.assertEqual(self.h[1].received(filter=only_test, quiet_s=0.2), [])
        self.assertNotIn(A, self.known())
        self.lab.mealy("global", "set", "state-sync", "learning=1")
        self.send(1, A)
        self.assertEqual(len(self.h[1].received(filter=only_test, want=1)), 1)
        self.learned(1)

    def test_a_value_out_of_range_is_refused(self):
        self.assertIn("range", self.lab.mealy("global", "set", "state-sync", "learning=2", status=None))
        self.assertEqual(self.globals()["learning"], 1)

    def test_the_controller_places_a_station(self):
        """What it writes is what frames meet next."""
        self.lab.mealy("flow", "set", "state-sync", "stations", f"eth.dst={C}", "state=KNOWN", "port=3")
        self.send(1, A, C)
        self.assertEqual(len(self.h[2].received(filter=only_test, want=1)), 1)
        self.assertEqual(self.h[1].received(filter=only_test, quiet_s=0.2), [])

    def test_a_new_version_is_confirmed_and_keeps_what_is_known(self):
        self.send(1, A)
        self.learned(1)
        said = self.lab.mealy("app", "load", "examples/state-sync.yaml", "--set", "silence=61s")
        self.assertIn("active", said)
        self.assertEqual(self.state_of(A), "HERE")
        self.lab.mealy("app", "load", "examples/state-sync.yaml", "--set", "silence=60s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
