# SPDX-License-Identifier: GPL-2.0-or-later
"""The token bucket of the examples between two hosts, on XDP and on tc.

    c 10.1.0.1 --- p1 [ s1: token-bucket -> mac-learning ] p2 --- s 10.1.0.2
"""
import os, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import udp, only_udp

RULES = ("first", "over-rate", "in-rate", "rested", "absent", "otherwise")


class TokenBucket(unittest.TestCase):
    hook = "xdp"
    bridge_hook = "xdp"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("bucket")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.switch("s1", ["p1", "p2"], hooks=sorted({cls.hook, cls.bridge_hook}))
        cls.c = cls.lab.host("c", "s1", "p1", ip="10.1.0.1/24", ip6="2001:db8::1/64", mac="02:00:00:00:01:01")
        cls.s = cls.lab.host("s", "s1", "p2", ip="10.1.0.2/24", ip6="2001:db8::2/64", mac="02:00:00:00:02:01")
        cls.lab.start()
        cls.lab.mealy("app", "load", "examples/mac-learning.yaml", "--hook", cls.bridge_hook, "--order", "90")
        cls.c.run("ping", "-c1", "-W2", "10.1.0.2")
        cls.c.run("ping", "-c1", "-W2", "2001:db8::2")

    def tearDown(self):
        self.lab.mealy("app", "remove", "token-bucket")      # With its flows: the next test begins with full buckets.

    def load(self, **settings):
        args = [x for k, v in settings.items() for x in ("--set", f"{k}={v}")]
        port = "p2" if self.hook == "tc-egress" else "p1"
        self.lab.mealy("app", "load", "examples/token-bucket.yaml", "--hook", self.hook, "--ports", port, "--order", "10", *args)
        self.s.received(quiet_s=0.05)

    def rules(self):
        rows = self.lab.json("counter", "show", "rule")
        return {r["name"].split("/")[-1]: r["packets"] for r in rows if r["name"].startswith("token-bucket/")}

    def send(self, n, src="10.1.0.1", gap_s=0.001):
        dst = "2001:db8::2" if ":" in src else "10.1.0.2"
        self.c.send([udp(src, dst, dport=7)] * n, gap_s)

    def passed(self, want=None):
        return len(self.s.received(filter=only_udp(7), want=want))

    def test_a_burst_of_ten_passes_five_and_one_more_a_second_later(self):
        self.load()
        self.send(10)
        self.assertEqual(self.passed(), 5)
        time.sleep(0.8)                      # The bucket itself is under test in real time here, once.
        self.send(3)
        self.assertEqual(self.passed(), 1)

    def test_every_frame_is_in_a_rule_counter(self):
        self.load(rate="1000pps")
        before = self.rules()
        self.send(200, gap_s=0.0005)
        self.passed()
        after = self.rules()
        delta = {k: after[k] - before.get(k, 0) for k in after}
        self.assertEqual(sum(delta[k] for k in ("first", "over-rate", "in-rate", "rested")), 200)

    def test_sources_have_buckets_of_their_own_in_both_families(self):
        self.load(rate="1pps")
        self.send(10)
        self.send(10, src="10.1.0.77")
        self.send(10, src="2001:db8::1")
        self.assertEqual(self.passed(), 15)

    def test_three_hundred_sources_get_exactly_five_each(self):
        self.load(rate="1pps", burst="5")
        frames = [udp(f"10.1.{1 + i // 200}.{1 + i % 200}", "10.1.0.2", dport=7) for i in range(300)]
        for _ in range(10):
            self.c.send(frames, 0.00005)
        got = {}
        from scapy.layers.l2 import Ether
        from scapy.layers.inet import IP
        for f in self.s.received(filter=only_udp(7)):
            src = Ether(f)[IP].src
            got[src] = got.get(src, 0) + 1
        self.assertEqual(len(got), 300)
        self.assertEqual(set(got.values()), {5})

    def test_ping_and_arp_are_not_in_the_way(self):
        self.load(burst="20", rate="100pps")
        self.c.run("ip", "neigh", "flush", "all")
        self.assertIn(" 0% packet loss", self.c.run("ping", "-c3", "-i0.1", "-W2", "10.1.0.2"))

    def test_a_new_rate_takes_effect_while_frames_flow_and_none_is_lost_from_the_books(self):
        self.load(rate="100pps")
        before = self.rules()
        self.send(200, gap_s=0.002)
        self.lab.mealy("app", "set", "token-bucket", "rate=10kpps", "burst=50")     # A sender that was held up catches up in bursts.
        flows = self.lab.flows("token-bucket", "police")
        self.assertEqual(len(flows), 1, "the flow is kept over a change of a parameter")
        self.send(200, gap_s=0.002)
        passed = self.passed()
        after = self.rules()
        delta = {k: after[k] - before.get(k, 0) for k in after}
        self.assertEqual(sum(delta[k] for k in ("first", "over-rate", "in-rate", "rested")), 400)
        self.assertEqual(delta["over-rate"], 400 - passed)
        self.assertGreater(passed, 200)


class TokenBucketOnTcIngress(TokenBucket):
    hook = "tc-ingress"
    bridge_hook = "tc-ingress"


class TokenBucketOnTcEgress(TokenBucket):
    """At egress of p2, behind the bridge on XDP: a frame that XDP redirects does not pass p2's tc, so here the
    bridge runs on tc ingress."""
    hook = "tc-egress"
    bridge_hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
