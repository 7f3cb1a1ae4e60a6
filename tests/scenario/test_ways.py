# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way onto a port and every way to a controller does the same.

    c --- p1 [ s1: token-bucket -> mac-learning ] p2 --- s
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab
from frames import checksums_ok, udp, only_udp

REWRITE = """app: rewrite
parameters: {out: port}
tables:
  - name: all
    rules:
      - {name: udp, match: {l4.dst: 7}, action: ipv4.src = 192.0.2.1; udp.dst = 9; ipv4.ttl -= 1; output(out)}
      - {name: rest, action: pass}
"""


class Ways(unittest.TestCase):
    def start(self, hook="xdp", **extra):
        self.lab = Lab("ways")
        self.addCleanup(self.lab.close)
        self.hook = hook
        self.switch = self.lab.switch("s1", ["p1", "p2"])
        self.switch.extra.update(extra)
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.lab.start()

    def bucket(self):
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90", "--hook", self.hook)
        self.lab.mealy("app", "load", "examples/token-bucket.yaml", "--order", "10", "--ports", "p1", "--hook", self.hook)
        self.s.received(quiet_s=0.05)
        self.c.send([udp("10.0.0.1", "10.0.0.2", dport=7)] * 10, 0.001)
        self.assertEqual(len(self.s.received(filter=only_udp(7), quiet_s=0.3)), 5)

    def rewritten(self):
        path = os.path.join(self.lab.dir, "rewrite.yaml")
        with open(path, "w") as f:
            f.write(REWRITE)
        self.lab.mealy("app", "load", path, "--ports", "p1", "--order", "5", "--hook", self.hook, "--set", "out=p2")
        self.s.received(quiet_s=0.05)
        self.c.send([udp("10.0.0.1", "10.0.0.2", dport=7, payload=b"p" * n) for n in (0, 1, 18, 19, 900)], 0.001)
        frames = self.s.received(filter=only_udp(9), want=5, quiet_s=1)
        self.assertEqual(len(frames), 5)
        self.assertTrue(all(checksums_ok(f) for f in frames))

    def test_native_xdp(self):
        self.start(xdp="native")
        self.bucket()
        self.rewritten()
        self.assertEqual({r["mode"] for r in self.lab.json("port", "list")}, {"native"})

    def test_generic_xdp(self):
        self.start(xdp="generic")
        self.bucket()
        self.rewritten()
        self.assertEqual({r["mode"] for r in self.lab.json("port", "list")}, {"generic"})

    def test_tc_with_filters(self):
        self.start(hook="tc-ingress", tc="filter")
        self.bucket()
        self.rewritten()

    def test_tc_with_links(self):
        self.start(hook="tc-ingress")
        self.bucket()
        self.rewritten()

    def test_loopback_tcp(self):
        self.lab = Lab("tcp")
        self.addCleanup(self.lab.close)
        self.lab.tcp(7440)
        self.switch = self.lab.switch("s1", ["p1", "p2"])
        self.hook = "xdp"
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.lab.start()
        self.bucket()
        self.assertEqual(len(self.lab.flows("token-bucket", "police")), 1)
        self.lab.controller_process.kill()
        self.lab.controller()
        self.lab.connected("s1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
