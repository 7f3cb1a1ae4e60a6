# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent of another build takes over under load: flows and counters go on; with another record format it says what is lost.

    c --- p1 [ s1: packet-counter -> mac-learning ] p2 --- s
"""
import os, re, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, Lab, Load
from frames import udp, only_udp

OTHER = os.path.join(BUILD, "tests/scenario/mealy-agent-other")
FLOW_FORMAT = os.path.join(os.path.dirname(__file__), "../../datapath/flow_format.h")


def flow_format():
    """The format of records that this tree builds."""
    with open(FLOW_FORMAT) as f:
        return re.search(r"FLOW_FORMAT_VERSION = (\d+)", f.read()).group(1)


class Takeover(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("takeover")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"])
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.lab.start()
        self.lab.mealy("app", "load", "examples/packet-counter.yaml", "--order", "10")
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        self.s.received(quiet_s=0.05)
        self.load = Load(self.c, udp("10.5.0.1", "10.5.0.2", dport=7))

    def received(self, sent):
        return len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1))

    def counted(self):
        return sum(r["packets"] for r in self.lab.flows("packet-counter", "sources"))

    def rule(self):
        rows = self.lab.json("counter", "show", "packet-counter/sources/count")
        return next(r["packets"] for r in rows if r["scope"] == "rule")

    def replace(self, binary):
        self.load.start()
        time.sleep(0.2)
        self.switch.process.kill()
        time.sleep(0.2)
        self.switch.start(binary=binary)
        self.lab.connected("s1")
        time.sleep(0.2)
        return self.load.stop()

    @unittest.skipUnless(os.path.exists(OTHER), "the other agent is not built")
    def test_an_agent_of_another_build_takes_over_flows_and_counters(self):
        build = self.lab.json("switch", "show")[0]["build"]
        sent = self.replace(OTHER)
        self.assertEqual(self.received(sent), sent)
        self.assertNotEqual(self.lab.json("switch", "show")[0]["build"], build)
        self.assertEqual((self.counted(), self.rule()), (sent, sent))
        self.assertNotIn("not taken over", self.switch.process.text())

    def test_another_record_format_starts_empty_and_says_what_is_lost(self):
        self.switch.extra["test_flow_format"] = "77"
        sent = self.replace(None)
        self.assertEqual(self.received(sent), sent, "no frame is lost")
        self.assertRegex(self.switch.process.text(), f"not taken over: 2 flow tables of format {flow_format()} with their flows, and its counters")
        self.assertEqual({r["name"] for r in self.lab.json("app", "list")}, {"packet-counter", "mac-learning"})
        self.assertLess(self.counted(), sent)
        self.assertGreater(self.counted(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
