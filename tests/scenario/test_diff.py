# SPDX-License-Identifier: GPL-2.0-or-later
"""What a new file would change, asked before it is loaded: of the controller, which asks switches for their flows, and of a switch.

    c --- p1 [ s1 ] p2
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import udp

BUCKET = "examples/token-bucket.yaml"


class Diff(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("diff")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        cls.c = cls.lab.host("c", "s1", "p1", ip="10.7.0.1/24", mac="02:00:00:00:01:01")
        cls.lab.start()
        cls.lab.mealy("app", "load", BUCKET, "--set", "rate=1pps", "--set", "burst=100", "--ports", "p1")
        cls.c.send([udp(f"10.7.0.{i}", "10.7.0.99") for i in (11, 12, 13)])
        wait_until(lambda: len(cls.lab.flows("token-bucket", "police")) >= 3)

    def diff(self, *settings, agent=None, status=1, ports="p1"):
        args = [a for s in ("rate=1pps", *settings) for a in ("--set", s)]
        return self.lab.mealy("app", "diff", BUCKET, "--ports", ports, *args, agent=agent, status=status)

    def flows(self):
        return len(self.lab.flows("token-bucket", "police"))

    def test_nothing_changes(self):
        self.assertEqual(self.diff("burst=100", status=0).strip(), "no difference")
        self.assertEqual(self.diff("burst=100", agent="s1", status=0).strip(), "no difference")

    def test_a_parameter_changes_and_flows_are_kept(self):
        text = self.diff("burst=200")
        self.assertIn("parameter burst: 100 -> 200", text)
        self.assertIn("timeouts of state police/METERED: idle 102 s -> idle 202 s", text)
        self.assertIn("flows of police are kept", text)
        kept = f"{self.flows()} flows of token-bucket/police keep state and registers"
        self.assertIn(f"s1: {kept}", text)
        told = self.diff("burst=200", agent="s1")
        self.assertIn("parameter burst: 100 -> 200", told)
        self.assertIn(kept, told)

    def test_flows_that_would_be_lost_are_counted(self):
        text = self.diff("burst=100", "sources=1000")
        self.assertIn("capacity of police: 65536 -> 1000", text)
        self.assertIn("flows of police are lost: the capacity changed", text)
        lost = f"{self.flows()} flows of token-bucket/police are lost: its layout changed"
        self.assertIn(f"s1: {lost}", text)
        self.assertIn(lost, self.diff("burst=100", "sources=1000", agent="s1"))

    def test_asking_changes_nothing(self):
        before = self.flows()
        self.diff("burst=3", "sources=1000")
        self.diff("burst=3", "sources=1000", agent="s1")
        self.assertEqual(self.flows(), before)
        self.assertEqual(self.lab.json("app", "list")[0]["version"], 1)

    def test_another_place(self):
        self.assertIn("ports", self.diff("burst=100", ports="p1,p2"))

    def test_there_is_nothing_to_compare_with(self):
        self.lab.mealy("app", "diff", "examples/packet-counter.yaml", status=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
