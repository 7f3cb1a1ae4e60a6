# SPDX-License-Identifier: GPL-2.0-or-later
"""Entropy monitor: `mealy-entropy` learns what is usual, tells an attack, and blocks it.

    c (10.0.0.1) --- p1 [ s1 ] p2 --- s (10.0.0.2)        frames of many addresses from c, to s
"""
import os, re, subprocess, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, Lab, wait_until
from frames import icmp, tcp

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/entropy.yaml")
PROGRAM = os.path.join(BUILD, "examples/entropy/mealy-entropy")


class Entropy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("entropy")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"])
        cls.switch.extra.update(controllers=None)
        cls.c = cls.lab.host("c", "s1", "p1", ip="10.0.0.1/24")
        cls.switch.start()
        cls.lab.mealy("app", "load", EXAMPLE, agent="s1")
        cls.program = subprocess.Popen([PROGRAM, "--agent", cls.switch.socket, "--window", "0", "--training", "5",
                                        "--block", "60s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end)

    @classmethod
    def end(cls):
        cls.program.stdin.close()
        cls.program.stdout.close()
        cls.program.wait(10)

    def usual(self, n=0):
        """Twenty clients, five servers, one of them liked more."""
        return [tcp(f"192.0.2.{i % 20 + 1}", f"198.51.100.{i % 5 + 1 if i % 2 else 1}", sport=1000 + i + n, dport=80 if i % 4 else (443, 22, 25)[i % 3],
                    smac=self.c.mac) for i in range(200 + n)]

    def counted(self):
        return sum(int(flow["registers"]["n"]) for flow in self.lab.json("flow", "dump", "entropy", "src", agent="s1"))

    def window(self, frames, counted=None):
        """What the program says of a window with these frames."""
        self.c.send(frames)
        counted = len(frames) if counted is None else counted
        wait_until(lambda: self.counted() >= counted)
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        return self.program.stdout.readline().strip()

    def blocked(self):
        return self.lab.json("entry", "list", "entropy", "blocked", agent="s1")

    def test_1_training(self):
        for n in range(5):
            self.assertRegex(self.window(self.usual(n)), "^trained src=")

    def test_2_the_usual_is_told_as_such(self):
        said = self.window(self.usual(2))
        self.assertRegex(said, "^usual src=1[.]000 dst=0[.]7")
        self.assertEqual(self.blocked(), [])

    def test_3_a_scan_is_told_and_blocked(self):
        scan = [tcp("192.0.2.66", "198.51.100.77", sport=5000, dport=1 + i, smac=self.c.mac) for i in range(600)]
        said = self.window(self.usual() + scan)
        self.assertRegex(said, "^port-scan .*dst=[0-9.]*- .*most-from=192.0.2.66 most-to=198.51.100.77")
        self.assertEqual([(e["ip.src"], e["ip.dst"]) for e in self.blocked()], [("192.0.2.66", "198.51.100.77")])
        said = self.window(self.usual() + scan, counted=200)    # What is blocked is not counted.
        self.assertRegex(said, "^usual ")
        self.assertEqual([int(e["packets"]) for e in self.blocked()], [600])

    def test_4_many_who_attack_one_are_blocked_there(self):
        flood = [tcp(f"203.0.113.{i % 250}", "198.51.100.99", sport=i + 1, dport=80, smac=self.c.mac) for i in range(2000)]
        said = self.window(self.usual() + flood)
        self.assertRegex(said, "^ddos .*most-to=198.51.100.99")
        self.assertIn("198.51.100.99", [re.sub("/32$", "", e["ip.dst"]) for e in self.blocked()])

    def test_5_a_flood_of_echo_requests_is_a_dos(self):
        flood = [icmp("203.0.113.5", "198.51.100.88", smac=self.c.mac, seq=i % 65536) for i in range(1500)]
        said = self.window(self.usual() + flood)
        self.assertRegex(said, "^icmp-dos .*most-from=203.0.113.5 most-to=198.51.100.88")


if __name__ == "__main__":
    unittest.main(verbosity=2)
