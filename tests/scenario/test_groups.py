# SPDX-License-Identifier: GPL-2.0-or-later
"""Groups and meters: members changed by command while packets flow, on the controller and on the agent; what was changed
outlives the agent, a new file, and comes back from the controller.

    c --- p1 [ s1: lb ] p2, p3, p4 --- one server each
"""
import os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import udp, only_udp

LB = """app: lb
parameters: {answer: 9}
groups:
  backends:
    type: select
    hash: [ip.src, udp.src]
    size: 1021
    values: [service]
    members:
      - {id: 2, port: 2, service: 8002}
      - {id: 3, port: 3, service: 8003, weight: 2}
meters:
  rate: {cir: 1pps, cbs: 1000000}
variables: [c]
tables:
  - name: connections
    state:
      lookup: [ip.src, udp.src]
      capacity: 10000
      states: [NEW, BOUND]
      registers: [backends s]
    rules:
      - {name: gone, state: BOUND, when: not has(s), next: NEW, action: drop}
      - {name: pick, match: {udp.dst: 7}, state: NEW, do: s = select(backends), next: BOUND, action: c = meter(rate); udp.dst = s.service; output(s.port)}
      - {name: keep, match: {udp.dst: 7}, state: BOUND, action: udp.dst = s.service; output(s.port)}
"""
CLIENTS = range(1000, 1060)


class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("groups")
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2", "p3", "p4"], hooks=["xdp"])
        cls.c = cls.lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        cls.servers = {i: cls.lab.host(f"h{i}", "s1", f"p{i}", mac=f"02:00:00:00:0{i}:01") for i in (2, 3, 4)}
        cls.lab.start()

    def setUp(self):
        self.app_load(LB)
        self.addCleanup(self.lab.mealy, "app", "remove", "lb")

    def app_load(self, text):
        path = os.path.join(self.lab.dir, "lb.yaml")
        with open(path, "w") as f:
            f.write(text)
        self.lab.mealy("app", "load", path)

    def group(self, *args, agent=None, status=0):
        return self.lab.mealy("group", *args, agent=agent, status=status)

    def members(self, agent=None):
        return {m["id"]: m for m in self.lab.json("group", "show", "lb", "backends", agent=agent)}

    def spread(self, clients=CLIENTS):
        """Each client sends a frame; which server got how many."""
        for server in self.servers.values():
            server.received(filter=only_udp(8000 + 0), quiet_s=0)
        before = {i: m["packets"] for i, m in self.members().items()}
        self.c.send([udp("10.7.0.1", "10.7.0.9", sport=s, dport=7) for s in clients])
        got = {}
        for i, server in self.servers.items():
            got[i] = len(server.received(filter=only_udp(8000 + i), quiet_s=0.3))
        after = {i: m["packets"] for i, m in self.members().items()}
        for i in after:
            self.assertEqual(after[i] - before.get(i, 0), got[i], f"member {i} counts what it got")
        return got

    def test_members_come_and_go_while_flows_stay(self):
        first = self.spread()
        self.assertEqual(sum(first.values()), len(CLIENTS))
        self.assertGreater(first[3], first[2])
        self.group("add", "lb", "backends", "4", "service=8004", "--port", "4")
        self.group("set", "lb", "backends", "2", "--weight", "0")
        self.assertEqual(self.spread(), first, "flows stay with their members")
        fresh = self.spread(range(2000, 2060))
        self.assertEqual(fresh[2], 0, "it drains")
        self.assertGreater(fresh[4], 0)
        self.group("set", "lb", "backends", "2", "--health", "down")
        self.assertEqual(self.members()[2]["health"], "down")
        self.assertEqual(self.spread()[2], 0, "who is down gets nothing: its flows are forgotten")
        again = self.spread()
        self.assertEqual((again[2], sum(again.values())), (0, len(CLIENTS)), "and begin again elsewhere")
        self.group("remove", "lb", "backends", "4")
        self.assertEqual(sorted(self.members()), [2, 3])
        self.group("reset", "lb", "backends")
        self.assertEqual(self.members()[2]["health"], "up")
        self.assertEqual({m["weight"] for m in self.members().values()}, {1, 2})

    def test_changes_outlive_the_agent_a_new_file_and_come_from_the_controller(self):
        self.group("set", "lb", "backends", "3", "--health", "down", "service=8009")
        self.switch.process.stop()
        self.switch.start()
        self.lab.connected("s1")
        self.assertEqual((self.members()[3]["health"], self.members()[3]["values"]), ("down", "service=8009"))
        self.app_load(LB.replace("answer: 9", "answer: 10"))
        self.assertEqual(self.members()[3]["health"], "down")
        self.lab.mealy("app", "set", "lb", "answer=11")
        self.assertEqual(self.members(agent="s1")[3]["health"], "down")
        self.switch.process.stop()
        self.group("set", "lb", "backends", "2", "--weight", "7")
        self.switch.start()
        self.lab.connected("s1")
        wait_until(lambda: self.members()[2]["weight"] == 7)

    def test_an_agent_asked_directly_changes_too(self):
        self.group("set", "lb", "backends", "2", "--health", "down", agent="s1")
        self.assertEqual(self.members(agent="s1")[2]["health"], "down")
        self.assertEqual(self.spread()[2], 0)

    def test_what_is_wrong_is_said(self):
        for args, says in ((("set", "lb", "backends", "9", "--weight", "1"), "backends has no member 9"),
                           (("set", "lb", "nobody", "2", "--weight", "1"), 'lb has no group "nobody"'),
                           (("set", "lb", "backends", "2", "colour=red"), 'a member of backends has no "colour"'),
                           (("set", "lb", "backends", "2", "--health", "ill"), 'health: "ill" does not fit'),
                           (("add", "lb", "backends", "2", "service=1"), "backends has a member 2 already"),
                           (("add", "lb", "backends", "5"), "a new member of backends needs service=..."),
                           (("add", "lb", "backends", "256", "service=1"), "ids of members are 0 to 255"),
                           (("show", "lb", "nobody"), 'lb has no group "nobody"')):
            with self.subTest(args=args):
                self.assertIn(says, self.group(*args, status=1))

    def test_what_is_listed(self):
        for agent in (None, "s1"):
            row, = self.lab.json("group", "list", "lb", agent=agent)
            self.assertEqual((row["group"], row["type"], row["members"], row["up"], row["size"]),
                             ("backends", "select", 2, 2, 1021))
        members = self.members()
        self.assertEqual(members[2]["slots"] + members[3]["slots"], 1021)
        self.assertAlmostEqual(members[2]["slots"], 340, delta=10)
        self.assertEqual((members[3]["port"], members[3]["values"]), (3, "service=8003"))

    def test_a_meter_counts_and_is_filled_again(self):
        self.spread(range(3000, 3010))
        meter, = self.lab.json("meter", "list", "lb")
        self.assertEqual((meter["green"], meter["yellow"], meter["red"], meter["unit"]), (10, 0, 0, "packets"))
        self.assertLess(meter["committed"], 1000000)
        self.lab.mealy("meter", "reset", "lb/rate")
        self.assertEqual(self.lab.json("meter", "list")[0]["committed"], 1000000)
        self.assertIn("there is no meter", self.lab.mealy("meter", "reset", "lb/other", status=1))


if __name__ == "__main__":
    unittest.main()
