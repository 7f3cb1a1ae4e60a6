# SPDX-License-Identifier: GPL-2.0-or-later
"""Agent and controller stand still (SIGSTOP) for longer than the channel waits: packets go on, and all is made good.

    c --- p1 [ s1: packet-counter -> told -> mac-learning ] p2 --- s
"""
import os, signal, sys, threading, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, Load, wait_until
from frames import udp, only_udp

# A peer is lost after 4 s of silence (proto/endpoint.h).
STOP_S = 30 if os.environ.get("MEALY_LONG") else 7

# An event for each packet to port 9.
TOLD = """app: told
tables:
  - name: t
    rules:
      - {name: tell, match: {l4.dst: 9}, action: notify; drop}
      - {name: rest, action: pass}
"""


class Stopped(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("stopped")
        self.addCleanup(self.lab.close)
        self.switch = self.lab.switch("s1", ["p1", "p2"], hooks=["xdp"])
        self.c = self.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        self.s = self.lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        self.lab.start()
        self.told = os.path.join(self.lab.dir, "told.yaml")
        with open(self.told, "w") as f:
            f.write(TOLD)
        self.lab.mealy("app", "load", "examples/packet-counter.yaml", "--order", "10")
        self.lab.mealy("app", "load", "examples/mac-learning.yaml", "--order", "90")
        self.frame = udp("10.5.0.1", "10.5.0.2", dport=7)

    def stopped(self, process, meanwhile):
        """Load runs while 'process' stands still; returns what was sent."""
        self.s.received(quiet_s=0.05)
        load = Load(self.c, self.frame, 0.002)
        load.start()
        process.popen.send_signal(signal.SIGSTOP)
        end = time.monotonic() + STOP_S
        try:
            meanwhile()
            time.sleep(max(0.0, end - time.monotonic()))
        finally:
            process.popen.send_signal(signal.SIGCONT)
        return load.stop()

    def applications(self):
        return {r["name"] for r in self.lab.json("app", "list", agent="s1")}

    def test_an_agent_that_stands_still_goes_on_and_gets_what_it_missed(self):
        sent = self.stopped(self.switch.process, self.flood_events_and_load)
        self.lab.connected("s1")
        wait_until(lambda: "told" in self.applications(), 20)
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["problem"], "")

    def flood_events_and_load(self):
        wait_until(lambda: not self.lab.json("switch", "list")[0].get("connected"), 20)
        self.lab.mealy("app", "load", self.told, "--order", "50", status=None)

    def test_events_that_an_agent_does_not_fetch_are_lost_counted_and_told(self):
        self.lab.mealy("app", "load", self.told, "--order", "50")
        sent = self.stopped(self.switch.process, lambda: self.c.send([udp("10.5.0.1", "10.5.0.2", dport=9)] * 30000))
        self.lab.connected("s1")
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        lost = [r for r in self.lab.json("counter", "show") if r["name"] == "events-lost"]
        self.assertGreater(lost[0]["packets"], 0)
        tell = [r for r in self.lab.json("counter", "show", "told/t/tell") if r["scope"] == "rule"]
        self.assertEqual(tell[0]["packets"], 30000, "the packets themselves were not lost")

    def test_a_controller_that_stands_still_loses_nothing_and_its_users_are_told(self):
        answers = []

        def ask():
            user = threading.Thread(target=lambda: answers.append(self.lab.run("app", "load", self.told, "--order", "50")))
            user.start()

        sent = self.stopped(self.lab.controller_process, ask)
        wait_until(lambda: answers, 30)
        self.lab.connected("s1")
        if answers[0].returncode:
            self.assertTrue(answers[0].stderr.strip(), "a reason is given")
            self.lab.mealy("app", "load", self.told, "--order", "50")
        wait_until(lambda: self.applications() == {"packet-counter", "mac-learning", "told"}, 20)
        self.assertEqual(len(self.s.received(filter=only_udp(7), want=sent, quiet_s=1)), sent)
        self.assertEqual(self.lab.json("switch", "show", "s1")[0]["problem"], "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
