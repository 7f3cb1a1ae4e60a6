# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of the agent's files, then that of the controller's store, is full.

    c --- p1 [ s1: packet-counter -> mac-learning ] p2 --- s
"""
import os, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, sh, wait_until
from frames import udp, only_udp


class Disk(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("disk")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        self.controller_state = os.path.join(self.lab.dir, "controller-state")
        for folder in (self.switch.state_dir, self.controller_state):
            os.makedirs(folder)
            sh("mount", "-t", "tmpfs", "-o", "size=512k", "mealy-fault", folder)
            self.addCleanup(sh, "umount", "-l", folder)
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.lab.start()
        self.lab.mealy("app", "load", "examples/packet-counter.yaml", "--order", "10")
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        self.s.received(quiet_s=0.05)
        self.load = Load(self.c, udp("10.5.0.1", "10.5.0.2", dport=7), 0.002)
        self.load.start()

    def fill(self, folder):
        """Takes all room; returns what gives it back."""
        path = os.path.join(folder, "filler")
        with open(path, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(512))
            except OSError:
                pass
        return lambda: os.unlink(path)

    def names(self, **kw):
        return {r["name"] for r in self.lab.json("app", "list", **kw)}

    def nothing_was_lost(self):
        sent = self.load.stop()
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        rows = self.lab.flows("packet-counter", "sources")
        self.assertEqual(sum(r["packets"] for r in rows if r["ip.src"] == "10.5.0.1"), sent)

    def test_an_agent_without_room_refuses_changes_runs_on_and_starts_again(self):
        version = self.lab.json("switch", "show", "s1")[0]["version"]
        give_back = self.fill(self.switch.state_dir)
        said = self.lab.mealy("app", "load", "examples/token-bucket.yaml", "--set", "rate=100kpps", status=None)
        self.assertIn("No space left", said)
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["version"], version)
        self.assertIn("No space left", self.lab.json("switch", "show", "s1")[0]["problem"])
        self.switch.process.kill()
        self.switch.start()
        self.lab.connected("s1")
        self.assertEqual(self.names(agent="s1"), {"packet-counter", "mac-learning"})
        give_back()
        wait_until(lambda: self.names(agent="s1") == self.names(), 20)
        wait_until(lambda: self.lab.json("switch", "show", "s1")[0]["problem"] == "")
        self.nothing_was_lost()

    def test_a_controller_without_room_changes_nothing_anywhere_and_starts_again(self):
        version = self.lab.json("switch", "show", "s1")[0]["version"]
        give_back = self.fill(self.controller_state)
        path = os.path.join(self.lab.dir, "long.yaml")
        with open("examples/token-bucket.yaml") as example, open(path, "w") as f:
            f.write(example.read() + "\n# " + "x" * 30000 + "\n")
        r = self.lab.run("app", "load", path, "--set", "rate=100kpps", "--set", "burst=1000")
        self.assertNotEqual(r.returncode, 0)
        self.assertRegex(r.stderr, "full|space")
        self.assertEqual(self.names(), {"packet-counter", "mac-learning"})
        self.assertEqual(self.names(agent="s1"), {"packet-counter", "mac-learning"})
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["version"], version)
        self.lab.controller_process.kill()
        self.lab.controller()
        self.lab.connected("s1")
        self.assertEqual(self.names(), {"packet-counter", "mac-learning"})
        give_back()
        self.lab.mealy("app", "load", path, "--set", "rate=100kpps", "--set", "burst=1000")
        self.assertEqual(self.names(agent="s1"), self.names())
        self.nothing_was_lost()


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    unittest.main(verbosity=2)
